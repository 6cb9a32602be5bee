#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <boost/unordered/unordered_flat_map.hpp>

#include "captures/base/five_tuple.hpp"
#include "dnat/flat_table.hpp"
#include "dnat/nat_rule.hpp"
#include "dnat/rule_table.hpp"
#include "policy/prefix_key.hpp"

namespace policy {

/// The protocols that a window is for, of those that are guarded.
struct Protocols {
    bool tcp = false;
    bool udp = false;

    [[nodiscard]] bool any() const noexcept { return tcp || udp; }
};

/// The NAT rules of mapped ports, keyed by listener. They come after those of the configuration, and each takes what the
/// windows that are open on its port let in: without any it does not even listen.
///
/// Theory of operation. A hash table from the listener to its rule: where it leads, how many windows of each protocol are
/// open, and which lengths their prefixes have. Another one counts the windows of each prefix. So opening or closing a window
/// costs its own prefixes and changes no other rule, and a look-up tries the lengths in use, at most 33, however many windows
/// there are. Rules are numbered in the order in which they were added, and none is ever removed.
class MappedRules {
public:
    /// Adds a rule that takes nothing yet. Where one has this listener, it loses it.
    void add(captures::base::Endpoint listener, captures::base::Endpoint target);

    /// Lets the sources of one more window in. Ignored where no rule has this listener.
    void open(captures::base::Endpoint listener, Protocols protocols, std::span<const captures::base::Prefix> sources);
    /// Takes back what `open` did with the same arguments, which is a precondition.
    void close(captures::base::Endpoint listener, Protocols protocols,
               std::span<const captures::base::Prefix> sources) noexcept;

    /// Starts loading what `match` asks for.
    void prefetch(const dnat::Arrived& arrived) const noexcept {
        if (size() != 0) rules_.prefetch(key_of(arrived.tuple.destination));
    }
    /// As RuleTable::match, with the rule's number among these.
    [[nodiscard]] dnat::RuleTable::Match match(const dnat::Arrived& arrived) const noexcept {
        return size() == 0 ? dnat::RuleTable::Match{} : match_any(arrived);
    }
    /// The number of the listener's rule, whether a window is open or not: flows outlive their windows.
    [[nodiscard]] std::optional<std::uint32_t> find(captures::base::Endpoint listener) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return rules_.size(); }

private:
    struct Rule {
        std::uint64_t key = 0;
        captures::base::Endpoint target;
        std::uint32_t number = 0;
        std::array<std::uint32_t, 2> windows{};  ///< open ones, for TCP and UDP
        std::uint64_t lengths = 0;               ///< bit n: some window has a prefix of length n
    };
    struct Source {
        PrefixKey key;
        std::uint32_t windows = 0;
    };
    using Counts = std::array<std::uint32_t, 33>;  ///< prefixes by length

    [[nodiscard]] static constexpr std::uint64_t key_of(captures::base::Endpoint listener) noexcept {
        return std::uint64_t{listener.address.value} << 16 | listener.port;
    }
    [[nodiscard]] dnat::RuleTable::Match match_any(const dnat::Arrived& arrived) const noexcept;

    std::uint32_t added_ = 0;
    dnat::FlatTable<Rule> rules_;
    dnat::FlatTable<Source> sources_;
    boost::unordered_flat_map<std::uint64_t, Counts> counts_;  ///< by listener, of those that ever had a window
};

}  // namespace policy
