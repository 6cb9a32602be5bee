#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "captures/file/capture_writer.hpp"
#include "tools/synth/generators.hpp"

// Makes captures: the same options make the same bytes, always and everywhere.

namespace {

using captures::base::Protocol;
using captures::file::CaptureFormat;
using captures::packet::LinkType;
using tools::Generator;
using tools::Options;

constexpr int exit_failed = 1;  // the file could not be written
constexpr int exit_usage = 2;

struct CommandLine {
    std::string kind;
    std::string output;
    std::optional<CaptureFormat> format;
    std::optional<captures::base::Duration> interval;
    captures::base::Time start = tools::start_time;
    Options options;
};

template <class T>
std::optional<T> parse_name(std::string_view text, std::initializer_list<std::pair<std::string_view, T>> names) {
    for (const auto& [name, value] : names) {
        if (name == text) return value;
    }
    return {};
}

std::optional<LinkType> parse_link(std::string_view text) {
    return parse_name<LinkType>(text, {{"ethernet", LinkType::ethernet},
                                       {"sll", LinkType::linux_sll},
                                       {"sll2", LinkType::linux_sll2},
                                       {"raw", LinkType::raw},
                                       {"null", LinkType::null},
                                       {"loop", LinkType::loop}});
}

std::optional<Protocol> parse_protocol(std::string_view text) {
    return parse_name<Protocol>(text, {{"tcp", Protocol::tcp}, {"udp", Protocol::udp}});
}

std::optional<CaptureFormat> parse_format(std::string_view text) {
    return parse_name<CaptureFormat>(text, {{"pcap", CaptureFormat::pcap}, {"pcapng", CaptureFormat::pcapng}});
}

/// An option whose text `parse` turns into an optional.
template <class Parse, class T>
void add_parsed(CLI::App& app, const std::string& name, T& target, Parse parse, const std::string& what) {
    app.add_option_function<std::string>(
           name,
           [&target, parse, name](const std::string& text) {
               const auto value = parse(text);
               if (!value) throw CLI::ValidationError{name, "cannot read " + text};
               target = *value;
           },
           what)
        ->type_name("TEXT");
}

void describe_options(CLI::App& app, CommandLine& line) {
    auto& options = line.options;
    std::string kinds = "what to make:";
    for (const auto& generator : tools::generators())
        kinds += fmt::format("\n  {:12} {}", generator.name, generator.what);
    app.add_option("KIND", line.kind, kinds)->required()->type_name("");
    app.add_option("OUT", line.output, "the capture to write; - is standard output")->required()->type_name("");
    app.add_option("--seed", options.seed, "another seed, other packets")->capture_default_str();
    app.add_option("--packets", options.packets, "of flows and floods")->capture_default_str();
    app.add_option("--flows", options.flows, "flows, sessions or rounds")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 26))
        ->capture_default_str();
    app.add_option("--size", options.size, "bytes of a frame, for flows and udp-flood")
        ->check(CLI::Range(std::size_t{1}, std::size_t{65535}))
        ->capture_default_str();
    add_parsed(app, "--link", options.link, parse_link, "ethernet (unless told), sll, sll2, raw, null or loop");
    add_parsed(app, "--protocol", options.protocol, parse_protocol, "of flows: udp (unless told) or tcp");
    app.add_flag("--random-order", options.random_order, "flows take random turns instead of one after the other");
    app.add_option("--reply-every", options.reply_every,
                   "every so manyth packet of a flow is a reply; 0, the default: none of UDP, every 16th of TCP")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 32));
    add_parsed(app, "--ports", options.ports, captures::base::PortRange::parse,
               "public ports of flows and floods: N, A-B or *");
    add_parsed(app, "--public-ip", options.public_ip, captures::base::Ipv4Address::parse, "203.0.113.10 unless told");
    add_parsed(app, "--instance-ip", options.instance_ip, captures::base::Ipv4Address::parse, "10.0.1.5 unless told");
    add_parsed(app, "--vm", options.virtual_machine, captures::base::Ipv4Address::parse, "10.1.0.4 unless told");
    app.add_option("--tcp-port", options.tcp_port, "public TCP port")->capture_default_str();
    app.add_option("--vm-tcp-port", options.vm_tcp_port, "where it leads")->capture_default_str();
    app.add_option("--udp-port", options.udp_port, "public UDP port")->capture_default_str();
    app.add_option("--vm-udp-port", options.vm_udp_port, "where it leads")->capture_default_str();
    add_parsed(app, "--format", line.format, parse_format, "pcap or pcapng; as the name of OUT says, unless told");
    add_parsed(app, "--start", line.start, captures::base::parse_time, "time of the first frame, RFC 3339");
    add_parsed(app, "--interval", line.interval, captures::base::parse_duration,
               "between frames, e.g. 250ms or PT0.001S");
}

CaptureFormat format_of(const CommandLine& line, const Generator& generator) {
    if (line.format) return *line.format;
    return generator.needs_pcapng ? CaptureFormat::pcapng : captures::file::format_for(line.output);
}

int make(const CommandLine& line) {
    const auto* const generator = tools::find_generator(line.kind);
    if (generator == nullptr) {
        fmt::print(stderr, "synth: there is no kind {}; see synth --help\n", line.kind);
        return exit_usage;
    }
    const auto format = format_of(line, *generator);
    if (generator->needs_pcapng && format == CaptureFormat::pcap) {
        fmt::print(stderr, "synth: {} needs --format pcapng: pcap keeps neither sides nor several link types\n",
                   line.kind);
        return exit_usage;
    }
    const auto writer = captures::file::CaptureWriter::create(line.output, format);
    if (!writer) {
        fmt::print(stderr, "synth: {}\n", writer.error());
        return exit_failed;
    }
    tools::FrameStream stream{[&](std::span<const captures::packet::Frame> frames) { (*writer)->write(frames); },
                              line.start, line.interval.value_or(generator->interval)};
    generator->run(line.options, stream);
    if (const auto error = (*writer)->close(); !error.empty()) {
        fmt::print(stderr, "synth: {}\n", error);
        return exit_failed;
    }
    fmt::print(stderr, "{} packets\n", stream.count());
    return 0;
}

int run(int argc, char** argv) {
    CommandLine line;
    CLI::App app{"Makes captures of traffic to a firewall, reproducibly.", "synth"};
    describe_options(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : exit_usage;
    }
    return make(line);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {  // options that contradict each other
        std::cerr << "synth: " << error.what() << '\n';
        return exit_usage;
    }
}
