#include <fmt/core.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <system_error>
#include <thread>
#include <vector>

#include "captures/base/bytes.hpp"
#include "captures/base/file_descriptor.hpp"
#include "captures/file/capture_reader.hpp"
#include "captures/port/interface.hpp"
#include "tests/support/mac_address.hpp"

// Sends a capture's frames again and again, as fast as the interface takes them or at a rate: a flood for tests and
// benchmarks of the live gateway. `synth` makes the capture; here only the MAC addresses are set. Ends after --seconds or
// --packets, or at SIGTERM, and says in JSON what it did.

namespace {

using captures::port::MacAddress;
using Clock = std::chrono::steady_clock;

constexpr std::size_t at_once = 64;

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what a signal handler can reach
std::atomic<bool> stopped{false};
static_assert(std::atomic<bool>::is_always_lock_free);

struct Options {
    std::string interface;
    std::string capture;
    std::string to;
    double rate = 0;  ///< packets a second; 0: no limit
    double seconds = 0;
    std::uint64_t packets = 0;
};

/// All frames of a capture in one piece of memory, ready to be sent.
class Frames {
public:
    Frames(const std::string& path, const MacAddress& to, const MacAddress& from) {
        const auto source = captures::file::open_capture(path);
        if (!source) throw std::invalid_argument{source.error()};
        std::vector<std::size_t> sizes;
        captures::packet::Burst burst;
        for ((*source)->read(burst); burst.count != 0; (*source)->read(burst)) {
            for (const auto& frame : burst.view()) {
                if (frame.link_type != captures::packet::LinkType::ethernet || frame.captured < ETH_HLEN) continue;
                const auto begin = bytes_.insert(bytes_.end(), frame.data, frame.data + frame.captured);
                std::ranges::copy(from, std::ranges::copy(to, begin).out);
                sizes.push_back(frame.captured);
            }
        }
        if (sizes.empty()) throw std::invalid_argument{path + " has no Ethernet frames"};
        auto* at = bytes_.data();
        for (const auto size : sizes) {
            parts_.push_back({at, size});
            at += size;
        }
        messages_.resize(parts_.size());
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            messages_[i].msg_hdr.msg_iov = &parts_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
        }
    }

    /// The next ones, `most` at most, without wrapping around.
    std::span<mmsghdr> next(std::size_t most) {
        if (at_ == messages_.size()) at_ = 0;
        return std::span{messages_}.subspan(at_, std::min(most, messages_.size() - at_));
    }
    void taken(std::size_t count) { at_ += count; }

private:
    std::vector<std::byte> bytes_;
    std::vector<iovec> parts_;
    std::vector<mmsghdr> messages_;
    std::size_t at_ = 0;
};

captures::base::FileDescriptor open_socket(const captures::port::Interface& interface) {
    captures::base::FileDescriptor made{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = interface.index;
    const int yes = 1;
    if (!made || setsockopt(made.number(), SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0 ||
        bind(made.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::system_error{errno, std::generic_category(), interface.name};
    }
    return made;
}

struct Sent {
    std::uint64_t packets = 0;
    std::uint64_t refused = 0;  ///< the interface had no room, or was down, or is made for shorter frames
    double seconds = 0;
};

Sent blast(const Options& options, Frames& frames, int socket) {
    Sent sent;
    const auto start = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    const auto most = options.packets == 0 ? UINT64_MAX : options.packets;
    for (std::uint64_t turn = 0; turn < most && !stopped;) {
        sent.seconds = elapsed();
        if (options.seconds > 0 && sent.seconds >= options.seconds) break;
        auto room = static_cast<std::size_t>(std::min<std::uint64_t>(at_once, most - turn));
        if (options.rate > 0) {
            const auto due = sent.seconds * options.rate - static_cast<double>(turn);
            if (due < 1) {
                std::this_thread::sleep_for(std::chrono::duration<double>((1 - due) / options.rate));
                continue;
            }
            room = std::min(room, static_cast<std::size_t>(due));
        }
        const auto batch = frames.next(room);
        const int count = sendmmsg(socket, batch.data(), static_cast<unsigned>(batch.size()), 0);
        if (count > 0) {
            sent.packets += static_cast<std::uint64_t>(count);
        } else if (errno == ENOBUFS || errno == ENETDOWN || errno == EMSGSIZE || errno == EAGAIN) {
            ++sent.refused;
        } else if (errno != EINTR) {
            throw std::system_error{errno, std::generic_category(), "sendmmsg"};
        }
        const auto tried = static_cast<std::size_t>(std::max(count, 1));
        frames.taken(tried);
        turn += tried;
    }
    sent.seconds = elapsed();
    return sent;
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"Sends the frames of a capture again and again.", "blast"};
    app.add_option("INTERFACE", options.interface)->required()->type_name("");
    app.add_option("CAPTURE", options.capture, "as synth makes it")->required()->type_name("");
    app.add_option("--to", options.to, "destination MAC address")->required();
    app.add_option("--rate", options.rate, "packets a second, at most");
    app.add_option("--seconds", options.seconds, "how long");
    app.add_option("--packets", options.packets, "how many");
    CLI11_PARSE(app, argc, argv);

    const auto interface = captures::port::find_usable_interface(options.interface);
    if (!interface) throw std::invalid_argument{interface.error()};
    const auto to = support::parse_mac(options.to);
    if (!to) throw std::invalid_argument{options.to + " is no MAC address"};
    Frames frames{options.capture, *to, interface->mac};
    const auto socket = open_socket(*interface);
    const auto stop = [](int) { stopped = true; };
    if (std::signal(SIGTERM, stop) == SIG_ERR || std::signal(SIGINT, stop) == SIG_ERR) return 1;
    const auto sent = blast(options, frames, socket.number());
    fmt::print("{{\"sent\":{},\"refused\":{},\"seconds\":{:.6f},\"packets_per_second\":{:.0f}}}\n", sent.packets,
               sent.refused, sent.seconds, static_cast<double>(sent.packets) / std::max(sent.seconds, 1e-9));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "blast: " << error.what() << '\n';
        return 1;
    }
}
