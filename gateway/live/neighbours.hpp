#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "captures/packet/frame.hpp"
#include "gateway/live/neighbour_table.hpp"

namespace gateway::live {

/// Who puts on the wire what Neighbours wants there. The bytes are valid during the call only. No call back into
/// Neighbours.
class NeighbourSink {
public:
    NeighbourSink() = default;
    NeighbourSink(const NeighbourSink&) = delete;
    NeighbourSink& operator=(const NeighbourSink&) = delete;
    virtual ~NeighbourSink() = default;

    virtual void send_arp(std::span<const std::byte> frame) = 0;
    /// A frame that was held; its neighbour's MAC address is known now.
    virtual void release(const captures::packet::Frame& frame, const MacAddress& to) = 0;
    /// A frame that was held in vain.
    virtual void abandon(const captures::packet::Frame& frame) = 0;
};

/// The neighbours of one side (RFC 826, RFC 1122 §2.3.2, RFC 5227).
///
/// Theory of operation. ARP has no proof of anything, so as little as possible follows from what is heard. An entry is
/// made where the gateway has something to send, or where a host of this link asks for one of its addresses; the latter
/// get half of the table, so that forged requests leave room for what is needed, and no entry ever makes room for
/// another. An answer counts as proof if it was asked for; anything else that names another MAC address for a known
/// neighbour (a router that failed over announces itself so) is believed for the moment, and asked about when next
/// used: a neighbour that does not answer is forgotten, and then the whole link is asked. In the first second after an
/// answer nothing can change it, which is when a forger would race with the true one. What was not done: probing before
/// the own addresses are taken (RFC 5227 §2.1.1). They are configured, and a gateway that gives way is a door to
/// whoever claims its address.
class Neighbours {
public:
    static constexpr std::uint32_t capacity = 4096;
    static constexpr std::uint8_t most_tries = 3;
    static constexpr auto retry_interval = std::chrono::seconds{1};  ///< RFC 1122 §2.3.2.1
    static constexpr auto unreachable_time = std::chrono::seconds{5};
    static constexpr auto reachable_time = std::chrono::seconds{60};
    static constexpr auto stale_time = std::chrono::seconds{60};  ///< then forgotten, unless used
    static constexpr auto settled_time = std::chrono::seconds{1};
    static constexpr auto announce_interval = std::chrono::seconds{2};  ///< RFC 5227 §1.1
    static constexpr auto defend_interval = std::chrono::seconds{10};   ///< RFC 5227 §1.1

    /// The side's own.
    struct Identity {
        MacAddress mac{};
        captures::base::Ipv4Address address;  ///< what it asks with, and answers for
        captures::base::Prefix on_link;
        std::vector<captures::base::Ipv4Address> others{};  ///< that it answers for as well: public IPs
    };

    Neighbours(Identity identity, NeighbourSink& sink);

    /// Announces all own addresses, now and once more after two seconds.
    void announce(captures::base::Time now);

    /// A frame for which `is_arp` holds; `captured` bytes of it are looked at.
    void receive(const captures::packet::Frame& frame, captures::base::Time now);

    enum class Resolution : std::uint8_t {
        known,
        pending,      ///< asked for: `hold` the frame
        unreachable,  ///< nobody answered in the last seconds, or an own address
        no_room,      ///< the table is full
    };
    struct Answer {
        Resolution resolution = Resolution::unreachable;
        MacAddress mac{};  ///< valid iff known
    };
    [[nodiscard]] Answer look_up(captures::base::Ipv4Address address, captures::base::Time now);

    /// Keeps a copy until the address is resolved; false: there is no room. Precondition: `look_up` has just said
    /// pending.
    bool hold(captures::base::Ipv4Address address, const captures::packet::Frame& frame);

    /// Does what is due at `now`.
    void advance(captures::base::Time now);
    /// When `advance` is next needed; Time::max() if never.
    [[nodiscard]] captures::base::Time next_deadline() const noexcept;

    /// The interface came back: forgets all neighbours, abandons what is held for them, and announces.
    void restart(Identity identity, captures::base::Time now);
    /// The configuration changed: replaces the other own addresses, and announces those that are new.
    void answer_for(std::vector<captures::base::Ipv4Address> others, captures::base::Time now);

    struct Numbers {
        std::uint64_t requests = 0;  ///< heard, well-formed
        std::uint64_t replies = 0;   ///< heard, well-formed
        std::uint64_t malformed = 0;
        std::uint64_t not_for_us = 0;  ///< sent to another station
        std::uint64_t answered = 0;
        std::uint64_t asked = 0;
        std::uint64_t announced = 0;
        std::uint64_t conflicts = 0;      ///< somebody used an own address
        std::uint64_t moved = 0;          ///< a neighbour's MAC address changed
        std::uint64_t moves_refused = 0;  ///< within a second after it was set
        std::uint64_t not_learned = 0;    ///< hosts that asked while their half of the table was full
        std::uint64_t unanswered = 0;     ///< neighbours that were given up
        std::uint64_t no_room = 0;        ///< packets to new neighbours while the table was full
        std::uint64_t held = 0;
        std::uint64_t held_lost = 0;  ///< displaced, without room, or given up with their neighbour
    };
    [[nodiscard]] const Numbers& numbers() const noexcept { return numbers_; }

    /// For a person: who claims an own address.
    struct Conflict {
        captures::base::Ipv4Address address;
        MacAddress mac{};
        captures::base::Time time{};
    };
    [[nodiscard]] const std::optional<Conflict>& last_conflict() const noexcept { return last_conflict_; }

    struct Entry {
        captures::base::Ipv4Address address;
        std::optional<MacAddress> mac;
        NeighbourState state = NeighbourState::incomplete;
        captures::base::Duration age{};  ///< of what is known about it
    };
    /// By address.
    [[nodiscard]] std::vector<Entry> list(captures::base::Time now) const;
    [[nodiscard]] std::size_t frames_held() const noexcept { return held_.frames(); }

private:
    struct OwnAddress {
        captures::base::Ipv4Address address;
        captures::base::Time next_defence{};
    };
    struct Claim {
        captures::base::Ipv4Address address;
        MacAddress mac{};
        bool answers_us = false;  ///< a reply, and to us alone
    };

    void set_identity(Identity identity);
    [[nodiscard]] OwnAddress* own(captures::base::Ipv4Address address) noexcept;
    void receive_conflict(OwnAddress& own, const MacAddress& claimant, captures::base::Time now);
    void update(Neighbour& neighbour, const Claim& claim, captures::base::Time now);
    void learn(const Claim& claim, captures::base::Time now);
    void ask(Neighbour& neighbour, captures::base::Time now);
    void attend(Neighbour& neighbour, captures::base::Time now);
    void give_up(Neighbour& neighbour, captures::base::Time now);
    void become(Neighbour& neighbour, NeighbourState state, captures::base::Time deadline) noexcept;
    void forget(Neighbour& neighbour);
    void abandon_held(Neighbour& neighbour);
    void send_announcement(captures::base::Ipv4Address address);
    void send(const ArpPacket& packet, const MacAddress& to);

    Identity identity_;
    NeighbourSink& sink_;
    std::vector<OwnAddress> own_;  ///< by address
    NeighbourTable table_{capacity};
    HeldFrames held_;
    std::uint32_t only_learned_ = 0;
    captures::base::Time announce_again_ = captures::base::Time::max();
    std::optional<Conflict> last_conflict_;
    Numbers numbers_;
};

}  // namespace gateway::live
