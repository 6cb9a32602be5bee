#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "captures/packet/frame.hpp"
#include "captures/packet/packet.hpp"
#include "dnat/rewrite.hpp"
#include "gateway/pipeline/admission.hpp"
#include "gateway/pipeline/tables.hpp"
#include "policy/verdict.hpp"

namespace gateway::pipeline {

/// Where a capture was taken (DESIGN §3).
enum class Vantage : std::uint8_t {
    both,     ///< every frame carries its side
    outside,  ///< all on the outside wire: frames from an address of the firewall are replies it has translated already
};

/// What was decided about one packet. Pointers are valid while an observer is being told.
struct Verdict {
    policy::Reason reason = policy::Reason::not_ip;
    captures::packet::Side arrived =
        captures::packet::Side::outside;  ///< the side it came from (replies seen outside came from inside)
    dnat::TtlStep ttl = dnat::TtlStep::down;
    bool held = false;  ///< a fragment that waits for its first one: nothing is decided, it will be judged later
    std::uint32_t rule = no_rule;
    policy::WindowId window = 0;
    std::string_view detail;  ///< a fixed text, or empty
    const policy::NetworkRule* network_rule = nullptr;
    const policy::Nsg* nsg = nullptr;
    const policy::SecurityRule* security_rule = nullptr;

    [[nodiscard]] policy::Fate fate() const noexcept { return policy::fate_of(reason); }
};

/// Packets that were judged together, in the order of the input; parallel arrays.
struct Judged {
    std::span<const captures::packet::Frame> frames;
    std::span<const captures::packet::Packet> packets;
    std::span<const Verdict> verdicts;
    std::span<const dnat::Translation> translations;  ///< valid where the fate is forward
    const Tables* tables = nullptr;
};

/// Is told what happens, burst by burst. Nothing here may fail; who can (a full disk) remembers it.
class Observer {
public:
    Observer() = default;
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;
    virtual ~Observer() = default;

    /// Frames still are as they came.
    virtual void judged(const Judged& burst) = 0;
    /// Forwarded frames are translated, and their side is that of the wire that carries them so; others are as they came.
    virtual void rewritten(const Judged& burst) = 0;
    /// The firewall sends a frame of its own.
    virtual void synthesized(const captures::packet::Frame& frame) = 0;
    /// Bytes of frames it was told of may be overwritten from now on. Where a source shares its memory, they stay until
    /// then; otherwise only while it is being told, and this is never called.
    virtual void release() {}
};

}  // namespace gateway::pipeline
