#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/packet/packet.hpp"
#include "dnat/translate.hpp"

namespace dnat {

/// What became of a datagram's first fragment, and so of all others. What the numbers mean is the caller's affair.
struct FragmentRuling {
    bool forward = false;
    Translation translation{};  ///< valid iff forward
    std::uint8_t reason = 0;
    std::uint32_t rule = 0;
    std::uint64_t window = 0;
};

/// A fragment that waits for its datagram's first one; its bytes are a copy.
struct HeldFragment {
    captures::packet::Frame frame;
    std::vector<std::byte> bytes;
};

/// Datagrams in fragments.
///
/// Theory of operation. Only the first fragment has ports; it is judged like any packet and its ruling is kept for
/// the others (virtual reassembly: nothing is put together or delayed unless it comes before the first). Those that
/// do are held, and released in the order they came. Overlaps are refused and poison the datagram (RFC 1858,
/// RFC 3128, RFC 5722), a repetition of what came already is only dropped. All is bounded: datagrams, held
/// fragments and their bytes, pieces a datagram may be scattered in; datagrams without a forwarding ruling may use half of the table, so
/// that a flood of first-less fragments cannot keep others out. An entry ends when its datagram is complete or
/// `timeout` after it began. Full reassembly was not done: it costs a copy of everything and changes packet sizes.
class FragmentTable {
public:
    static constexpr std::size_t most_held_bytes = std::size_t{64} << 20;

    FragmentTable(std::uint32_t most_datagrams, std::uint32_t most_held, std::size_t most_bytes = most_held_bytes);

    enum class Outcome : std::uint8_t {
        ruled,  ///< the first fragment came before: see `ruling`
        held,   ///< copied; its fate comes later
        repeated,
        overlapping,
        scattered,  ///< in too many pieces
        no_room,
    };
    struct Later {
        Outcome outcome = Outcome::no_room;
        FragmentRuling ruling;  ///< valid iff ruled
    };
    /// A fragment other than the first. Precondition: packet.kind is fragment.
    [[nodiscard]] Later later(const captures::packet::Packet& packet, const captures::packet::Frame& frame,
                              captures::base::Time deadline);

    /// A first fragment, before anything is ruled about it: why it must be dropped whatever rules say, or nothing, and then
    /// `rule` must follow. What waited for it is now `released()`, until the next call.
    [[nodiscard]] std::optional<Outcome> first(const captures::packet::Packet& packet,
                                               const captures::packet::Frame& frame, captures::base::Time deadline);
    /// What was ruled about the fragment that `first` has just taken, and so about the rest of its datagram.
    void rule(const FragmentRuling& ruling);
    [[nodiscard]] std::span<const HeldFragment> released() const noexcept {
        return {released_.data(), released_count_};
    }

    /// Forgets a datagram whose deadline is at or before `now`; its held fragments become `released()`. False: none left.
    [[nodiscard]] bool expire(captures::base::Time now);
    [[nodiscard]] captures::base::Time next_deadline() const noexcept;

    /// Forgets datagrams whose ruling `applies`: what still comes of them waits for a first fragment in vain.
    template <class Applies>
    void forget_rulings(Applies applies) {
        for (auto index = oldest_; index != none;) {
            auto& datagram = datagrams_[index];
            index = datagram.newer;
            if (datagram.ruled && applies(std::as_const(datagram.ruling))) forget(datagram);
        }
    }

    /// Calls `change(ruling)` for every ruling. Whether it forwards must stay.
    template <class Change>
    void change_rulings(Change change) {
        for (auto index = oldest_; index != none; index = datagrams_[index].newer) {
            if (datagrams_[index].ruled) change(datagrams_[index].ruling);
        }
    }

    [[nodiscard]] std::size_t datagrams() const noexcept { return by_key_.size(); }
    [[nodiscard]] std::size_t held() const noexcept { return held_; }

private:
    struct Key {
        std::uint64_t addresses = 0;
        std::uint32_t rest = 0;  ///< identification, protocol, side
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        [[nodiscard]] std::size_t operator()(const Key& key) const noexcept;
    };
    struct Piece {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };
    static constexpr std::size_t most_pieces = 16;
    static constexpr std::uint32_t none = 0xffffffff;

    struct Datagram {
        Key key;
        captures::base::Time deadline;
        FragmentRuling ruling;
        bool ruled = false;
        bool poisoned = false;
        std::uint8_t piece_count = 0;
        std::array<Piece, most_pieces> pieces{};
        std::uint32_t size = 0;  ///< known once the last fragment came
        std::uint32_t older = none;
        std::uint32_t newer = none;
        std::vector<HeldFragment> waiting;
    };

    [[nodiscard]] static Key key_of(const captures::packet::Packet& packet, captures::packet::Side side) noexcept;
    [[nodiscard]] static std::optional<Outcome> add_piece(Datagram& datagram,
                                                          const captures::packet::Packet& packet) noexcept;
    [[nodiscard]] static bool complete(const Datagram& datagram) noexcept;
    [[nodiscard]] Datagram* find_or_begin(const captures::packet::Packet& packet, captures::packet::Side side,
                                          captures::base::Time deadline, std::size_t most_unadmitted);
    [[nodiscard]] bool has_room(const captures::packet::Frame& frame) const noexcept {
        return held_ < most_held_ && held_bytes_ + frame.captured <= most_bytes_;
    }
    [[nodiscard]] std::size_t most_unadmitted() const noexcept { return datagrams_.size() / 2; }
    void hold(Datagram& datagram, const captures::packet::Frame& frame);
    void release_waiting(Datagram& datagram);
    void forget(Datagram& datagram);

    std::vector<Datagram> datagrams_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<Key, std::uint32_t, KeyHash> by_key_;
    std::vector<HeldFragment> released_;
    std::vector<HeldFragment> spare_;  ///< buffers of common size for the next ones
    std::size_t released_count_ = 0;
    std::size_t most_held_;
    std::size_t most_bytes_;
    std::size_t held_ = 0;
    std::size_t held_bytes_ = 0;
    std::size_t unadmitted_ = 0;   ///< datagrams without a forwarding ruling
    Datagram* to_rule_ = nullptr;  ///< between `first` and `rule`
    std::uint32_t oldest_ = none;
    std::uint32_t newest_ = none;
};

}  // namespace dnat
