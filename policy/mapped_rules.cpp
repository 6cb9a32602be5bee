#include "policy/mapped_rules.hpp"

#include <cassert>

namespace policy {

using captures::base::Endpoint;
using captures::base::Prefix;
using captures::base::Protocol;

void MappedRules::add(Endpoint listener, Endpoint target) {
    auto& rule = rules_[key_of(listener)];
    rule.target = target;
    rule.number = added_++;
}

void MappedRules::open(Endpoint listener, Protocols protocols, std::span<const Prefix> sources) {
    auto* const rule = rules_.find(key_of(listener));
    if (rule == nullptr) return;
    auto& counts = counts_[rule->key];
    for (const auto& source : sources) {
        ++sources_[PrefixKey::of(rule->key, source)].windows;
        ++counts[source.length];
        rule->lengths |= std::uint64_t{1} << source.length;
    }
    rule->windows[0] += protocols.tcp ? 1 : 0;
    rule->windows[1] += protocols.udp ? 1 : 0;
}

void MappedRules::close(Endpoint listener, Protocols protocols, std::span<const Prefix> sources) noexcept {
    auto* const rule = rules_.find(key_of(listener));
    if (rule == nullptr) return;
    auto& counts = counts_.find(rule->key)->second;
    for (const auto& source : sources) {
        auto* const known = sources_.find(PrefixKey::of(rule->key, source));
        assert(known != nullptr);
        if (--known->windows == 0) sources_.erase(known);
        if (--counts[source.length] == 0) rule->lengths &= ~(std::uint64_t{1} << source.length);
    }
    rule->windows[0] -= protocols.tcp ? 1 : 0;
    rule->windows[1] -= protocols.udp ? 1 : 0;
}

dnat::RuleTable::Match MappedRules::match_any(const dnat::Arrived& arrived) const noexcept {
    const auto& [source, destination, protocol] = arrived.tuple;
    const auto* const rule = rules_.find(key_of(destination));
    if (rule == nullptr || rule->windows[protocol == Protocol::tcp ? 0 : 1] == 0) return {};
    bool admitted = false;
    for_each_prefix_of(source.address, rule->lengths, [&](const Prefix& prefix) {
        admitted = admitted || sources_.find(PrefixKey::of(rule->key, prefix)) != nullptr;
    });
    if (!admitted) return {true, {}, {}};
    return {true, rule->number, rule->target};
}

std::optional<std::uint32_t> MappedRules::find(Endpoint listener) const noexcept {
    const auto* const rule = rules_.find(key_of(listener));
    if (rule == nullptr) return {};
    return rule->number;
}

}  // namespace policy
