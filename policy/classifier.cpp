#include "policy/classifier.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace policy {

using captures::base::FiveTuple;
using captures::base::Protocol;

namespace {

using Intervals = FieldIndex::Intervals;

constexpr std::uint32_t number_of(captures::base::Ipv4Address address) noexcept { return address.value; }
constexpr std::uint32_t number_of(std::uint16_t port) noexcept { return port; }
/// Protocol and window are one field, whose numbers are 0 to 3.
constexpr std::uint32_t number_of(Protocol protocol, bool through_window) noexcept {
    return (protocol == Protocol::tcp ? 0U : 2U) + (through_window ? 1U : 0U);
}

template <class Range>
Intervals intervals_of(std::span<const Range> ranges) {
    Intervals intervals;
    intervals.reserve(ranges.size());
    for (const auto& range : ranges) intervals.push_back({number_of(range.first), number_of(range.last)});
    return intervals;
}

Intervals protocols_of(const Condition& rule) {
    Intervals intervals;
    for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
        if (!(protocol == Protocol::tcp ? rule.tcp : rule.udp)) continue;
        intervals.push_back({number_of(protocol, false), number_of(protocol, !rule.never_through_window)});
    }
    return intervals;
}

using Block = RuleSets::Block;

std::uint64_t common_word(std::span<const Block> blocks, int n) noexcept {
    auto word = blocks.front().word(n);
    for (const auto& block : blocks.subspan(1)) {
        if (word == 0) break;
        word &= block.word(n);
    }
    return word;
}

RuleSets::BlockWords common_words(std::span<const Block> blocks) noexcept {
    RuleSets::BlockWords words;
    words.fill(~std::uint64_t{0});
    for (const auto& block : blocks) block.intersect(words);
    return words;
}

/// The first rule that is in all `blocks` and that `confirm` takes; `words` are those in which there may be one. After a
/// few words in vain it intersects all at once, which the compiler turns into vector instructions.
template <class Confirm>
std::optional<std::uint32_t> first_common(std::span<const Block> blocks, std::uint64_t words,
                                          Confirm confirm) noexcept {
    constexpr int few = 16;
    std::optional<RuleSets::BlockWords> all;
    for (int tried = 0; words != 0; words &= words - 1, ++tried) {
        if (tried == few) all = common_words(blocks);
        const auto n = std::countr_zero(words);
        for (auto word = all ? (*all)[static_cast<std::size_t>(n)] : common_word(blocks, n); word != 0;
             word &= word - 1) {
            const auto rule = static_cast<std::uint32_t>(n * 64 + std::countr_zero(word));
            if (confirm(rule)) return rule;
        }
    }
    return {};
}

}  // namespace

Classifier::Classifier(std::vector<Condition> rules, const Limits& limits) : rules_(std::move(rules)) {
    std::size_t ranges = 0;
    for (const auto& rule : rules_) {
        ranges += rule.sources.size() + rule.source_ports.size() + rule.destinations.size() +
                  rule.destination_ports.size();
    }
    if (ranges <= limits.most_tried_ranges) return;
    const auto most = limits.most_bytes_of_field;
    add(destination, 0xffffffff, most, [](const Condition& rule) { return intervals_of(rule.destinations); });
    add(source, 0xffffffff, most, [](const Condition& rule) { return intervals_of(rule.sources); });
    add(destination_port, 0xffff, most, [](const Condition& rule) { return intervals_of(rule.destination_ports); });
    add(source_port, 0xffff, most, [](const Condition& rule) { return intervals_of(rule.source_ports); });
    add(protocol, 3, most, protocols_of);
}

template <class IntervalsOf>
void Classifier::add(Field field, std::uint32_t greatest, std::size_t most_bytes, IntervalsOf intervals_of) {
    std::vector<Intervals> wanted;
    wanted.reserve(rules_.size());
    for (const auto& rule : rules_) wanted.push_back(intervals_of(rule));
    auto index = FieldIndex::build(std::move(wanted), greatest, most_bytes);
    if (!index) return;
    is_exact_ &= index->is_exact();
    fields_.push_back({field, std::move(*index)});
}

std::optional<Classifier::RuleIndex> Classifier::first_match(const FiveTuple& tuple,
                                                             bool through_window) const noexcept {
    const auto matches = [&](RuleIndex rule) { return rules_[rule].matches(tuple, through_window); };
    if (!fields_.empty()) {
        return is_exact_ ? find(tuple, through_window, [](RuleIndex) { return true; })
                         : find(tuple, through_window, matches);
    }
    for (RuleIndex rule = 0; rule < rules_.size(); ++rule) {
        if (matches(rule)) return rule;
    }
    return {};
}

template <class Confirm>
std::optional<Classifier::RuleIndex> Classifier::find(const FiveTuple& tuple, bool through_window,
                                                      Confirm confirm) const noexcept {
    const std::array<std::uint32_t, field_count> numbers{tuple.destination.address.value, tuple.source.address.value,
                                                         tuple.destination.port, tuple.source.port,
                                                         number_of(tuple.protocol, through_window)};
    std::array<RuleSets::Set, field_count> sets;
    const auto count = fields_.size();
    for (std::size_t at = 0; at < count; ++at) sets[at] = fields_[at].rules.find(numbers[fields_[at].field]);
    for (std::size_t block = 0; block < fields_.front().rules.sets().blocks(); ++block) {
        const auto first = static_cast<RuleIndex>(block * RuleSets::rules_of_block);
        std::array<Block, field_count> blocks{};
        auto left = ~std::uint64_t{0};  // words in which all fields have rules
        for (std::size_t at = 0; at < count && left != 0; ++at) {
            blocks[at] = fields_[at].rules.sets().block(sets[at], block);
            left &= blocks[at].summary;
        }
        if (left == 0) continue;
        const auto found = first_common({blocks.data(), count}, left,
                                        [&](RuleIndex rule) { return confirm(first + rule); });
        if (found) return first + *found;
    }
    return {};
}

std::size_t Classifier::bytes() const noexcept {
    auto bytes = rules_.size() * sizeof(Condition);
    for (const auto& index : fields_) bytes += index.rules.bytes();
    return bytes;
}

}  // namespace policy
