#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "captures/base/five_tuple.hpp"
#include "captures/packet/frame.hpp"
#include "tools/synth/frame_stream.hpp"

namespace tools {

/// What to make. Addresses default to the example configuration of docs/configuration.md; clients are in
/// 198.18.0.0/15 (RFC 2544), routers in 192.0.2.0/24.
struct Options {
    std::uint64_t seed = 1;
    std::uint64_t packets = 1000;
    std::uint64_t flows = 10;
    std::size_t size = 60;  ///< of a frame, link layer included
    captures::packet::LinkType link = captures::packet::LinkType::ethernet;
    captures::base::Protocol protocol = captures::base::Protocol::udp;
    bool random_order = false;                                ///< of flows; else one packet of each in turn
    std::uint64_t reply_every = 0;                            ///< each so manyth packet of a flow is a reply; 0 = none
    std::optional<captures::base::PortRange> ports{};         ///< public ports called; else the one of the protocol
    captures::base::Ipv4Address public_ip{0xcb00710a};        // 203.0.113.10
    captures::base::Ipv4Address instance_ip{0x0a000105};      // 10.0.1.5
    captures::base::Ipv4Address virtual_machine{0x0a010004};  // 10.1.0.4
    std::uint16_t tcp_port = 50022;                           ///< public, leads to vm_tcp_port
    std::uint16_t vm_tcp_port = 22;
    std::uint16_t udp_port = 50053;  ///< public, leads to vm_udp_port
    std::uint16_t vm_udp_port = 53;
};

struct Generator {
    std::string_view name;
    std::string_view what;              ///< for --help
    bool needs_pcapng;                  ///< has two sides or several link types
    captures::base::Duration interval;  ///< between frames, unless told
    void (*run)(const Options& options, FrameStream& stream);
};

[[nodiscard]] std::span<const Generator> generators() noexcept;
[[nodiscard]] const Generator* find_generator(std::string_view name) noexcept;

// What they run. The same options give the same frames, on every machine. Options that cannot be met (a size below the
// headers') throw std::invalid_argument.
void make_flows(const Options& options, FrameStream& stream);
void make_syn_flood(const Options& options, FrameStream& stream);
void make_udp_flood(const Options& options, FrameStream& stream);
void make_ssh_like(const Options& options, FrameStream& stream);
void make_qinq(const Options& options, FrameStream& stream);
void make_both_sides(const Options& options, FrameStream& stream);
void make_mixed(const Options& options, FrameStream& stream);
void make_fragments(const Options& options, FrameStream& stream);
void make_icmp_errors(const Options& options, FrameStream& stream);

}  // namespace tools
