#include "policy/network_rules.hpp"

#include <algorithm>
#include <utility>

namespace policy {

using captures::base::Protocol;

Condition NetworkRule::condition() const noexcept {
    static constexpr captures::base::PortRange any_port;
    const auto names = [this](Protocol protocol) { return std::ranges::find(protocols, protocol) != protocols.end(); };
    return {.tcp = names(Protocol::tcp),
            .udp = names(Protocol::udp),
            .sources = sources,
            .source_ports = {&any_port, 1},
            .destinations = destinations,
            .destination_ports = destination_ports};
}

NetworkRules::NetworkRules(std::vector<NetworkRule> rules) {
    auto compiled = std::make_shared<Compiled>();
    compiled->rules = std::move(rules);
    compiled->classifier = Classifier{conditions_of(compiled->rules)};
    compiled_ = std::move(compiled);
}

const NetworkRule* NetworkRules::match(const captures::base::FiveTuple& tuple) const noexcept {
    const auto rule = compiled_->classifier.first_match(tuple, false);
    return rule ? &compiled_->rules[*rule] : nullptr;
}

}  // namespace policy
