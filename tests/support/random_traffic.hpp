#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "gateway/pipeline/pipeline.hpp"
#include "tests/support/packet_builder.hpp"
#include "tools/synth/random.hpp"

namespace support {

/// Something that happens: a packet, or what somebody does to the gateway.
struct TrafficStep {
    enum class What : std::uint8_t { packet, open_window, close_window, cut_window, reload };
    What what = What::packet;
    captures::base::Time time;
    std::optional<OwnedFrame> frame;  ///< of a packet; its time, side and number are set
    std::size_t talk = 0;             ///< of a packet: the conversation that it belongs to
    std::string source;               ///< of a window to be opened, for `duration`
    captures::base::Duration duration{};
    policy::WindowId window = 0;  ///< to be closed or cut
    std::size_t config = 0;       ///< to be loaded, by index
};

/// Made-up traffic through the lab's listeners: TCP that opens, talks, repeats itself, closes and resets, rightly and
/// wrongly; UDP, whole and in fragments; ICMP errors from both sides; noise; windows that open, close and are cut; time
/// that jumps. The same seed makes the same traffic, given the same answers to `learn`.
class RandomTraffic {
public:
    RandomTraffic(std::uint64_t seed, gateway::pipeline::Vantage vantage);

    [[nodiscard]] TrafficStep next();

    /// A conversation's packet reached the machine: from now on that answers, and ends inside are known.
    void learn(std::size_t talk, captures::base::Endpoint instance, captures::base::Endpoint target);

private:
    struct Talk {
        captures::base::Endpoint client{}, called{};
        bool is_udp = false;
        bool known = false;  ///< the two below
        captures::base::Endpoint instance{}, target{};
        std::uint32_t client_next = 0;
        std::uint32_t server_next = 0;
        bool client_opened = false;
        bool server_opened = false;
    };

    void pass_time();
    [[nodiscard]] std::optional<TrafficStep> event();
    [[nodiscard]] PacketBuilder packet_of(std::size_t talk);
    [[nodiscard]] PacketBuilder segment_of(Talk& talk);
    [[nodiscard]] PacketBuilder datagram_of(Talk& talk);
    [[nodiscard]] PacketBuilder error_about(const Talk& talk);
    [[nodiscard]] PacketBuilder noise();
    /// From one end of a conversation to the other, as the wire has them on which it is seen.
    [[nodiscard]] std::pair<captures::base::Endpoint, captures::base::Endpoint> ends(const Talk& talk,
                                                                                     bool from_client) const;
    [[nodiscard]] PacketBuilder between(const Talk& talk, bool from_client);
    [[nodiscard]] captures::packet::Side side_of(bool from_client) const;
    void cut_into_fragments(const PacketBuilder& whole, std::size_t talk);
    [[nodiscard]] bool one_in(std::uint64_t n) { return random_.below(n) == 0; }
    [[nodiscard]] TrafficStep packet_step(OwnedFrame frame, std::size_t talk);

    tools::Random random_;
    gateway::pipeline::Vantage vantage_;
    captures::base::Time now_ = start_time;
    captures::base::Duration late_by_{};
    std::vector<Talk> talks_;
    std::vector<std::pair<OwnedFrame, std::size_t>> pending_;  ///< fragments on their way, in any order
    policy::WindowId opened_ = 0;
    std::uint64_t packets_ = 0;
    std::uint16_t identification_ = 0;
};

/// The configurations between which traffic has the gateway changed: the lab with short timeouts, and another.
[[nodiscard]] const std::array<gateway::config::Config, 2>& traffic_configs();

}  // namespace support
