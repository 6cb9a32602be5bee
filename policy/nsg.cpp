#include "policy/nsg.hpp"

#include <algorithm>
#include <utility>

#include "policy/address_set.hpp"
#include "policy/names.hpp"

namespace policy {

using captures::base::AddressRange;
using captures::base::FiveTuple;
using captures::base::PortRange;
using captures::base::Protocol;

namespace {

SecurityRule default_rule(std::string name, std::uint16_t priority, Access access, std::vector<AddressRange> sources,
                          std::vector<AddressRange> destinations) {
    return SecurityRule{.name = std::move(name),
                        .priority = priority,
                        .access = access,
                        .protocol = {},
                        .sources = std::move(sources),
                        .source_ports = {PortRange{}},
                        .destinations = std::move(destinations),
                        .destination_ports = {PortRange{}},
                        .guards_jit = false};
}

}  // namespace

Nsg::Nsg(std::string name, std::vector<SecurityRule> rules, bool flush_connection, const ServiceTags& tags) {
    const std::vector anywhere{AddressRange::any()};
    std::erase_if(rules,
                  [](const SecurityRule& rule) { return rule.access == Access::allow && is_jit_rule(rule.name); });
    for (auto& rule : rules) rule.guards_jit = is_jit_rule(rule.name);
    rules.push_back(default_rule("AllowVnetInBound", 65000, Access::allow, tags.virtual_network, tags.virtual_network));
    rules.push_back(default_rule("AllowAzureLoadBalancerInBound", 65001, Access::allow, tags.load_balancer, anywhere));
    rules.push_back(default_rule("DenyAllInBound", 65500, Access::deny, anywhere, anywhere));
    std::ranges::stable_sort(rules, {}, &SecurityRule::priority);
    auto compiled = std::make_shared<Compiled>();
    compiled->name = std::move(name);
    compiled->flush_connection = flush_connection;
    compiled->rules = std::move(rules);
    compiled->classifier = Classifier{conditions_of(compiled->rules)};
    compiled_ = std::move(compiled);
}

Nsg::Decision Nsg::judge(const FiveTuple& delivered, bool through_window) const noexcept {
    const auto first = compiled_->classifier.first_match(delivered, through_window);
    const auto& rule = first ? compiled_->rules[*first] : compiled_->rules.back();
    return {rule.access, &rule};
}

bool Nsg::is_jit_rule(std::string_view rule_name) noexcept {
    const auto begins = [rule_name](std::string_view prefix) {
        return same_name(rule_name.substr(0, prefix.size()), prefix);
    };
    return begins("MicrosoftDefenderForCloud-JITRule") || begins("SecurityCenter-JITRule");
}

NsgVerdict judge(std::span<const Nsg> nsgs, const FiveTuple& delivered, bool through_window) noexcept {
    NsgVerdict verdict;
    for (const auto& nsg : nsgs) {
        const auto decision = nsg.judge(delivered, through_window);
        verdict = {decision.access, &nsg, decision.rule};
        if (decision.access == Access::deny) break;
    }
    return verdict;
}

Condition SecurityRule::condition() const noexcept {
    return {.tcp = protocol != Protocol::udp,
            .udp = protocol != Protocol::tcp,
            .never_through_window = guards_jit,
            .sources = sources,
            .source_ports = source_ports,
            .destinations = destinations,
            .destination_ports = destination_ports};
}

ServiceTags ServiceTags::azure_defaults() {
    const auto range = [](std::uint32_t address, std::uint8_t length) {
        return captures::base::Prefix{{address}, length}.range();
    };
    return {.virtual_network = {range(0x0a000000, 8),    // 10.0.0.0/8, RFC 1918
                                range(0xac100000, 12),   // 172.16.0.0/12
                                range(0xc0a80000, 16),   // 192.168.0.0/16
                                range(0x64400000, 10)},  // 100.64.0.0/10, RFC 6598
            .load_balancer = {range(0xa83f8110, 32)}};   // 168.63.129.16
}

std::optional<std::vector<AddressRange>> ServiceTags::resolve(std::string_view text) const {
    if (same_name(text, "VirtualNetwork")) return virtual_network;
    if (same_name(text, "AzureLoadBalancer")) return load_balancer;
    if (same_name(text, "Internet")) return AddressSet{virtual_network}.complement().ranges();
    const auto range = AddressRange::parse(text);
    if (!range) return {};
    return std::vector{*range};
}

}  // namespace policy
