#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "policy/condition.hpp"
#include "policy/field_index.hpp"

namespace policy {

/// Finds the first of many rules that a packet matches.
///
/// Theory of operation. A few rules are tried one after the other. Of many, each field of the packet (addresses, ports,
/// protocol) finds the set of rules that it lets match, in a `FieldIndex` of its own. The first rule that is in all these
/// sets decides ("bit vectors": Lakshman and Stiliadis, SIGCOMM 1998; summaries of them: Baboescu and Varghese, SIGCOMM
/// 2001). A look-up costs a search for each field, which hardly grows with the number of rules, and an intersection: at
/// worst a bit for each rule and field, mostly a few words. Memory grows with the number of ranges. A decision tree was not
/// taken: a rule with a list of sources and one of destinations is in as many of its leaves as there are pairs.
class Classifier {
public:
    using RuleIndex = std::uint32_t;

    struct Limits {
        /// Up to so many ranges in all, trying the rules is as fast as an index.
        std::size_t most_tried_ranges = 128;
        /// Of memory, about. Beyond it a field's index is not exact, and look-ups become slower.
        std::size_t most_bytes_of_field = std::size_t{64} << 20;
    };
    Classifier() = default;
    /// `rules` in the order in which they are asked.
    explicit Classifier(std::vector<Condition> rules) : Classifier{std::move(rules), Limits{}} {}
    Classifier(std::vector<Condition> rules, const Limits& limits);

    /// `through_window` is whether a just-in-time window let the packet in.
    [[nodiscard]] std::optional<RuleIndex> first_match(const captures::base::FiveTuple& tuple,
                                                       bool through_window) const noexcept;

    [[nodiscard]] std::size_t bytes() const noexcept;  ///< of memory

private:
    /// Declared in the order of how much they usually rule out.
    enum Field : std::uint8_t { destination, source, destination_port, source_port, protocol };
    static constexpr std::size_t field_count = protocol + 1;
    struct Index {
        Field field;
        FieldIndex rules;
    };

    template <class IntervalsOf>
    void add(Field field, std::uint32_t greatest, std::size_t most_bytes, IntervalsOf intervals_of);
    template <class Confirm>
    [[nodiscard]] std::optional<RuleIndex> find(const captures::base::FiveTuple& tuple, bool through_window,
                                                Confirm confirm) const noexcept;

    std::vector<Condition> rules_;
    std::vector<Index> fields_;  ///< those that can rule out a rule; none where the rules are tried
    bool is_exact_ = true;
};

}  // namespace policy
