// In-memory cost of the packet path, without files: decode, look up, decide, rewrite.
//
//   packet_path [--only FIGURE] [flows]...
//
// `established` packets over so many flows each, first packets with so many `rules`, `windows`, `network-rules` and rules
// of an `nsg`, and `unsolicited` ones: the figures of docs/performance.md.
//
// Each figure is the best of several rounds. Frames are 60 bytes of UDP over Ethernet in one array, visited in random order of
// flows, so that neither the frames nor the flows are in the caches by accident of order.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "captures/packet/header_writer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace {

using captures::base::Ipv4Address;
using captures::base::Time;
using captures::packet::Frame;

constexpr std::uint32_t frame_size = 60;
constexpr Ipv4Address public_ip{0xcb00710a};
constexpr Ipv4Address instance_ip{0x0a000105};
constexpr Ipv4Address first_vm{0x0a010004};

class Quiet final : public gateway::pipeline::Observer {
public:
    void judged(const gateway::pipeline::Judged&) override {}
    void rewritten(const gateway::pipeline::Judged&) override {}
    void synthesized(const Frame&) override {}
};

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
    auto z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void write_frame(std::byte* at, Ipv4Address client, std::uint16_t port, std::uint16_t destination_port) {
    std::fill_n(at, frame_size, std::byte{0});
    captures::base::store_be16(at + 12, 0x0800);
    auto* const ip = at + 14;
    captures::packet::write_ipv4(
        {ip, 20},
        {.source = client, .destination = public_ip, .protocol = 17, .total_length = frame_size - 14, .fragment = 0});
    captures::packet::write_udp(ip + 20, port, destination_port, frame_size - 34);
    captures::base::store_be16(ip + 26, 0xbeef);  // not checked, only updated
}

/// Flow number n of a run: 60 thousand ports of a client each, then the next client, whose ports are others towards the same
/// target: with `same_ports`, three of four first packets would have to search for a free one.
void write_flow(std::byte* at, std::uint32_t flow, std::uint32_t rules, bool same_ports = false) {
    constexpr std::uint32_t ports = 60000;
    write_frame(at, {0xc6120000 + flow / ports},
                static_cast<std::uint16_t>(1024 + (flow + flow / ports * (same_ports ? 0 : 37)) % ports),
                static_cast<std::uint16_t>(1 + flow % std::min<std::uint32_t>(rules, 60000)));
}

/// `count` rules on ports 1.. of successive public addresses, all to VMs of their own.
gateway::config::Config config_with(std::uint32_t rules, std::uint32_t flows) {
    gateway::config::Config config;
    config.firewall.instance_ip = instance_ip;
    config.limits.flows = std::max<std::uint32_t>(flows, 1024);
    for (std::uint32_t index = 0; index < rules; ++index) {
        const Ipv4Address address{public_ip.value + index / 60000};
        if (index % 60000 == 0) config.firewall.public_ips.push_back(address);
        const auto port = static_cast<std::uint16_t>(1 + index % 60000);
        config.nat_rules.push_back({{"bench", std::to_string(index), "", ""},
                                    {captures::base::Protocol::udp},
                                    {captures::base::AddressRange::any()},
                                    address,
                                    {{port, port}},
                                    {{first_vm.value + index}, 22}});
    }
    return config;
}

struct Load {
    std::vector<std::byte> bytes;
    std::vector<std::byte> pristine;
    std::vector<Frame> frames;

    explicit Load(std::size_t count) : bytes(count * frame_size), frames(count) {
        for (std::size_t i = 0; i < count; ++i) {
            frames[i] = {.data = &bytes[i * frame_size],
                         .captured = frame_size,
                         .length = frame_size,
                         .time = {},
                         .number = i + 1,
                         .link_type = captures::packet::LinkType::ethernet,
                         .side = captures::packet::Side::outside};
        }
    }
    void keep() { pristine = bytes; }
    void restore() { bytes = pristine; }
};

double nanoseconds_per_packet(gateway::pipeline::Pipeline& pipeline, Load& load) {
    Quiet quiet;
    for (auto& frame : load.frames) frame.side = captures::packet::Side::outside;
    const auto started = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < load.frames.size(); at += captures::packet::burst_capacity) {
        pipeline.process({&load.frames[at], std::min(captures::packet::burst_capacity, load.frames.size() - at)},
                         quiet);
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - started;
    return took.count() / static_cast<double>(load.frames.size());
}

// --quick makes both small: it only shows that everything still runs.
int rounds = 7;
std::size_t packets = 1 << 20;
std::uint32_t new_flows = 1 << 18;

void bench_established(std::uint32_t flows) {
    const auto tables = *gateway::pipeline::Tables::build(config_with(1000, flows));
    const policy::Doors doors;
    gateway::pipeline::Pipeline pipeline{
        tables,
        doors,
        {.vantage = gateway::pipeline::Vantage::both,
         .limits = {.flows = flows, .fragmented_datagrams = 64, .held_fragments = 64}}};
    Load opening{4096};
    double opening_best = 1e9;
    for (std::uint32_t flow = 0; flow < flows; flow += 4096) {
        for (std::uint32_t i = 0; i < 4096; ++i)
            write_flow(opening.frames[i].data, std::min(flow + i, flows - 1), 1000);
        opening_best = std::min(opening_best, nanoseconds_per_packet(pipeline, opening));
    }
    Load load{packets};
    std::uint64_t random = 1;
    for (auto& frame : load.frames)
        write_flow(frame.data, static_cast<std::uint32_t>(next_random(random) % flows), 1000);
    load.keep();
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) {
        load.restore();
        best = std::min(best, nanoseconds_per_packet(pipeline, load));
    }
    fmt::print("established  {:>9} flows                   {:7.1f} ns/packet\n", pipeline.flows().size(), best);
}

/// Nanoseconds of a first packet, of `new_flows` to the `rules` of a configuration; of all of them a flow must come.
double best_of_new(const gateway::config::Config& config, std::uint32_t rules, const policy::Doors& doors,
                   bool same_ports = false) {
    const auto flows = new_flows;
    const auto tables = *gateway::pipeline::Tables::build(config);
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) {
        gateway::pipeline::Pipeline pipeline{
            tables,
            doors,
            {.vantage = gateway::pipeline::Vantage::both,
             .limits = {.flows = flows, .fragmented_datagrams = 64, .held_fragments = 64}}};
        Load load{flows};
        for (std::uint32_t flow = 0; flow < flows; ++flow) write_flow(load.frames[flow].data, flow, rules, same_ports);
        const auto took = nanoseconds_per_packet(pipeline, load);
        if (pipeline.counters().flows_created != flows) {
            fmt::print("expected {} flows, got {}\n", flows, pipeline.counters().flows_created);
            std::exit(1);
        }
        best = std::min(best, took);
    }
    return best;
}

void bench_new(std::uint32_t rules, std::uint32_t open_windows, bool same_ports = false) {
    policy::Doors doors;
    for (std::uint32_t i = 0; i < open_windows; ++i) {
        const captures::base::Endpoint target{{first_vm.value + i % std::min<std::uint32_t>(rules, 60000)}, 22};
        doors.guard(target, {});
        doors.open({i + 1, target, {}, {{{0xc6120000 + i / rules}, 32}, {{0xc6120000}, 15}}, Time::min(), Time::max()});
    }
    const auto best = best_of_new(config_with(rules, new_flows), rules, doors, same_ports);
    fmt::print("new flow     {:>9} rules {:>9} windows {:7.1f} ns/packet{}\n", rules, open_windows, best,
               same_ports ? ", clients with the same ports" : "");
}

constexpr std::uint32_t guarded_vms = 1000;

captures::base::AddressRange random_block(std::uint64_t& random, std::uint32_t base, std::uint8_t length,
                                          std::uint8_t bits) {
    const auto offset = static_cast<std::uint32_t>(next_random(random)) >> bits;
    return captures::base::Prefix{{(base + offset) & captures::base::Prefix::mask(length)}, length}.range();
}

/// Each first packet asks `count` rules that name its VM's neighbourhood and port, but clients elsewhere: it matches none.
void bench_network_rules(std::uint32_t count) {
    auto config = config_with(guarded_vms, new_flows);
    config.firewall.network_deny_overrides = true;
    std::uint64_t random = 3;
    std::vector<policy::NetworkRule> rules(count);
    for (auto& rule : rules) {
        rule.protocols = {captures::base::Protocol::udp};
        for (int block = 0; block < 4; ++block) rule.sources.push_back(random_block(random, 0x08000000, 24, 6));
        rule.destinations = {random_block(random, first_vm.value, 28, 22)};
        rule.destination_ports = {{22, 22}};
    }
    config.network_rules = policy::NetworkRules{std::move(rules)};
    const auto best = best_of_new(config, guarded_vms, {});
    fmt::print("new flow     {:>9} network rules           {:7.1f} ns/packet\n", count, best);
}

/// Each VM is behind one group of `count` rules, of which its packets match hardly any, so that a default rule admits them.
void bench_nsg(std::uint32_t count) {
    auto config = config_with(guarded_vms, new_flows);
    std::uint64_t random = 4;
    std::vector<policy::SecurityRule> rules(count);
    for (std::uint32_t index = 0; index < count; ++index) {
        auto& rule = rules[index];
        rule.name = std::to_string(index);
        rule.priority = static_cast<std::uint16_t>(100 + index);
        rule.access = policy::Access::allow;
        rule.sources = {random_block(random, 0x0a000000, 24, 8)};
        rule.source_ports = {{}};
        rule.destinations = {random_block(random, first_vm.value, 28, 22)};
        rule.destination_ports = {{22, 22}};
    }
    config.nsgs.emplace_back("bench", std::move(rules), false, config.service_tags);
    for (std::uint32_t vm = 0; vm < guarded_vms; ++vm) {
        auto& machine = config.machines.emplace_back();
        machine.name = std::to_string(vm);
        machine.private_ip = {first_vm.value + vm};
        machine.nsg = {"bench"};
    }
    const auto best = best_of_new(config, guarded_vms, {});
    fmt::print("new flow     {:>9} rules of an NSG         {:7.1f} ns/packet\n", count, best);
}

void bench_unsolicited(std::uint32_t flows) {
    const auto tables = *gateway::pipeline::Tables::build(config_with(1000, flows));
    const policy::Doors doors;
    gateway::pipeline::Pipeline pipeline{
        tables,
        doors,
        {.vantage = gateway::pipeline::Vantage::both,
         .limits = {.flows = flows, .fragmented_datagrams = 64, .held_fragments = 64}}};
    Load load{packets};
    std::uint64_t random = 2;
    for (auto& frame : load.frames) {
        write_frame(frame.data, {0x08000000 + static_cast<std::uint32_t>(next_random(random) >> 40)}, 4000,
                    static_cast<std::uint16_t>(50000 + next_random(random) % 10000));
    }
    double best = 1e9;
    for (int round = 0; round < rounds; ++round) best = std::min(best, nanoseconds_per_packet(pipeline, load));
    fmt::print("unsolicited  no listener                      {:7.1f} ns/packet\n", best);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::uint32_t> flow_counts;
    std::string_view only;
    if (argc == 2 && std::string_view{argv[1]} == "--quick") {
        rounds = 1;
        packets = new_flows = 1 << 12;
        flow_counts = {1 << 12};
        argc = 1;
    } else if (argc > 2 && std::string_view{argv[1]} == "--only") {
        only = argv[2];
        argc -= 2;
        argv += 2;
    }
    for (int i = 1; i < argc; ++i)
        flow_counts.push_back(static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)));
    if (flow_counts.empty()) flow_counts = {1 << 16, 1 << 20, 1 << 23};
    const auto wanted = [only](std::string_view name) { return only.empty() || only == name; };
    if (wanted("established")) {
        for (const auto flows : flow_counts) bench_established(flows);
    }
    if (wanted("rules")) {
        for (const std::uint32_t rules : {10U, 1000U, 100000U}) bench_new(rules, 0);
        for (const std::uint32_t rules : {10U, 1000U, 100000U}) bench_new(rules, 0, true);
    }
    if (wanted("windows")) {  // so that each first packet passes a door
        for (const std::uint32_t windows : {10U, 1000U, 100000U}) bench_new(std::min(windows, 1000U), windows);
    }
    if (wanted("network-rules")) {
        for (const std::uint32_t rules : {10U, 1000U, 20000U}) bench_network_rules(rules);
    }
    if (wanted("nsg")) {
        for (const std::uint32_t rules : {10U, 1000U}) bench_nsg(rules);
    }
    if (wanted("unsolicited")) bench_unsolicited(1 << 16);
}
