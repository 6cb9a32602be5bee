#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "captures/port/port.hpp"
#include "gateway/live/fragmenter.hpp"
#include "gateway/live/neighbours.hpp"
#include "gateway/live/next_hop.hpp"
#include "gateway/live/tap.hpp"

namespace gateway::live {

/// The way out on one side: an IPv4 packet gets its next hop's MAC address, the size that the link takes, and goes to
/// the port.
///
/// Frames go to the port as they lie; what is made here (ARP, fragments, copies of what was held) lies in a buffer
/// until `flush`, because the port may read it until then.
class Egress final : private NeighbourSink {
public:
    /// Is told of a frame that nobody will get, since its next hop does not answer, or it has none. The bytes are valid
    /// during the call only. No call back into Egress.
    using Undeliverable = std::function<void(const captures::packet::Frame&)>;

    /// `others`: addresses that this side answers for besides its own (public IPs outside). Nothing leaves before
    /// `bind`.
    Egress(const Network& network, std::vector<captures::base::Ipv4Address> others, Undeliverable undeliverable = {});

    /// Tells of every frame that goes to the port.
    void tell(Tap& tap, captures::packet::Side side) noexcept;

    /// An interface is there, for the first time or again: forgets the neighbours, and announces the addresses.
    void bind(captures::port::Port& port, const MacAddress& mac, std::uint32_t mtu, captures::base::Time now);
    /// The interface is gone: nothing leaves until the next `bind`.
    void unbind() noexcept;
    /// Of IPv4, without the Ethernet header.
    void set_mtu(std::uint32_t mtu) noexcept;
    /// The configuration changed. Routes do not change while neighbours stay.
    void answer_for(std::vector<captures::base::Ipv4Address> others, captures::base::Time now);

    enum class Outcome : std::uint8_t {
        sent,
        held,  ///< until the neighbour answers
        unreachable,
        too_big,  ///< DF is set
        no_room,  ///< for another neighbour, or for what waits for one
        refused,  ///< by the port, or there is none
        unfit,    ///< no whole IPv4 datagram in untagged Ethernet
    };
    /// Both MAC addresses are written in place, and a partial checksum where it has to be cut. The bytes must stay
    /// until the next `flush`.
    Outcome send(const captures::packet::Frame& frame, captures::base::Time now) {
        return route(frame, now, Bytes::stay);
    }
    /// The bytes are not needed after the call.
    Outcome send_copy(const captures::packet::Frame& frame, captures::base::Time now) {
        return route(frame, now, Bytes::go);
    }

    /// A frame that arrived on this side, for which `is_arp` holds.
    void receive_arp(const captures::packet::Frame& frame, captures::base::Time now);

    /// Does what is due: retries, announcements. Then `flush`.
    void advance(captures::base::Time now);
    [[nodiscard]] captures::base::Time next_deadline() const noexcept;
    /// To be called after every burst of the calls above, and before the port's next `receive`.
    void flush();

    struct Numbers {
        std::uint64_t sent = 0;  ///< frames given to the port and taken, without ARP
        std::uint64_t held = 0;
        std::uint64_t unreachable = 0;
        std::uint64_t too_big = 0;
        std::uint64_t no_room = 0;
        std::uint64_t refused = 0;
        std::uint64_t unfit = 0;
        std::uint64_t fragmented = 0;  ///< datagrams that left in fragments; these are among `sent`
        std::uint64_t abandoned = 0;   ///< of those held: the neighbour did not answer
    };
    [[nodiscard]] const Numbers& numbers() const noexcept { return numbers_; }
    [[nodiscard]] const Neighbours& neighbours() const noexcept { return neighbours_; }
    [[nodiscard]] std::uint32_t mtu() const noexcept { return mtu_; }

private:
    enum class Bytes : std::uint8_t { stay, go };

    void send_arp(std::span<const std::byte> frame) override;
    void release(const captures::packet::Frame& frame, const MacAddress& to) override;
    void abandon(const captures::packet::Frame& frame) override;

    Outcome route(const captures::packet::Frame& frame, captures::base::Time now, Bytes bytes);
    [[nodiscard]] Outcome decide(const captures::packet::Frame& frame, captures::base::Time now, Bytes bytes);
    [[nodiscard]] Outcome transmit(const captures::packet::Frame& frame, const MacAddress& to, Bytes bytes);
    [[nodiscard]] Outcome transmit_whole(captures::packet::Frame frame, const MacAddress& to, Bytes bytes);
    [[nodiscard]] Outcome transmit_segments(const captures::packet::Frame& frame, const MacAddress& to);
    [[nodiscard]] Outcome transmit_fragments(const captures::packet::Frame& frame, const MacAddress& to);
    [[nodiscard]] Outcome hand_over(const captures::packet::Frame& frame, const MacAddress& to);
    bool give(const captures::packet::Frame& frame);
    void count(Outcome outcome) noexcept;
    [[nodiscard]] std::span<std::byte> room_for(std::size_t size);

    NextHops next_hops_;
    Undeliverable undeliverable_;
    Neighbours::Identity identity_;
    Neighbours neighbours_;
    captures::port::Port* port_ = nullptr;
    Tap* tap_ = nullptr;
    captures::packet::Side side_ = captures::packet::Side::outside;
    captures::base::Time now_{};  ///< of the latest call, for the tap
    std::uint32_t mtu_ = least_mtu;
    std::vector<std::byte> made_;     ///< until flush
    std::size_t made_size_ = 0;       ///< of it, taken
    std::vector<std::byte> segment_;  ///< one that is to be fragmented
    Numbers numbers_;
};

}  // namespace gateway::live
