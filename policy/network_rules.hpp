#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "captures/base/five_tuple.hpp"
#include "policy/classifier.hpp"

namespace policy {

enum class Access : std::uint8_t { allow, deny };

/// A network rule of an Azure Firewall (L3/L4 only; FQDNs are not simulated). Names as in dnat::RuleName.
struct NetworkRule {
    std::string collection;
    std::string name;
    std::string group;
    std::string firewall_policy;
    Access access = Access::deny;
    std::vector<captures::base::Protocol> protocols;  ///< `Any` is both
    std::vector<captures::base::AddressRange> sources;
    std::vector<captures::base::AddressRange> destinations;
    std::vector<captures::base::PortRange> destination_ports;

    [[nodiscard]] Condition condition() const noexcept;
};

/// Network rules in Azure's order of evaluation; the first match decides
/// (learn.microsoft.com: azure/firewall/rule-processing). A copy shares the rules with its original.
class NetworkRules {
public:
    NetworkRules() : NetworkRules{std::vector<NetworkRule>{}} {}
    explicit NetworkRules(std::vector<NetworkRule> rules);

    /// The deciding rule, or nothing where the implicit deny decides. Lives as long as this object or a copy of it.
    [[nodiscard]] const NetworkRule* match(const captures::base::FiveTuple& tuple) const noexcept;

    [[nodiscard]] const std::vector<NetworkRule>& rules() const noexcept { return compiled_->rules; }

private:
    struct Compiled {
        std::vector<NetworkRule> rules;
        Classifier classifier;  ///< refers to `rules`
    };
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace policy
