#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "captures/base/five_tuple.hpp"
#include "policy/classifier.hpp"
#include "policy/network_rules.hpp"

namespace policy {

/// One inbound security rule with service tags and application security groups already resolved to addresses.
/// Outbound rules never decide here: answers follow the flow, and nothing else leaves a VM in this simulation.
struct SecurityRule {
    std::string name;
    std::uint16_t priority = 0;  ///< 100..4096; the defaults stand at 65000 and above; lower goes first
    Access access = Access::deny;
    std::optional<captures::base::Protocol> protocol;   ///< empty: `*`
    std::vector<captures::base::AddressRange> sources;  ///< an empty list, here and below, matches nothing
    std::vector<captures::base::PortRange> source_ports;
    std::vector<captures::base::AddressRange> destinations;
    std::vector<captures::base::PortRange> destination_ports;
    bool guards_jit =
        false;  ///< set by Nsg: a deny rule that Defender for Cloud made to close ports until a window opens

    [[nodiscard]] Condition condition() const noexcept;
};

/// Address space behind the service tags a rule may name (learn.microsoft.com: virtual-network/service-tags).
struct ServiceTags {
    std::vector<captures::base::AddressRange> virtual_network;  ///< `VirtualNetwork`; `Internet` is everything else
    std::vector<captures::base::AddressRange> load_balancer;    ///< `AzureLoadBalancer`: 168.63.129.16

    /// RFC 1918 and RFC 6598, which Azure Firewall takes for private, and Azure's probe address.
    [[nodiscard]] static ServiceTags azure_defaults();

    /// The ranges of a tag (in any case), `*`, an address, a CIDR block or a range; nothing for an unknown tag.
    [[nodiscard]] std::optional<std::vector<captures::base::AddressRange>> resolve(std::string_view text) const;
};

/// A network security group: its rules by priority (on equal priority in the order given), then Azure's three inbound
/// defaults. Of the rules that Defender for Cloud generated for JIT (`MicrosoftDefenderForCloud-JITRule…`,
/// `SecurityCenter-JITRule…`) those that allow are left out, since windows stand for them; those that deny count, but
/// not for what a window has let in. A copy shares the rules with its original.
class Nsg {
public:
    Nsg(std::string name, std::vector<SecurityRule> rules, bool flush_connection, const ServiceTags& tags);

    struct Decision {
        Access access = Access::deny;
        const SecurityRule* rule =
            nullptr;  ///< never null; a default rule decides where no other does; shared by copies
    };

    /// Judges the tuple as delivered to the VM; `through_window` is whether a window let it in.
    [[nodiscard]] Decision judge(const captures::base::FiveTuple& delivered,
                                 bool through_window = false) const noexcept;

    [[nodiscard]] const std::string& name() const noexcept { return compiled_->name; }
    /// Whether a change of rules ends established flows (Azure's flushConnection).
    [[nodiscard]] bool flush_connection() const noexcept { return compiled_->flush_connection; }
    [[nodiscard]] const std::vector<SecurityRule>& rules() const noexcept { return compiled_->rules; }

    [[nodiscard]] static bool is_jit_rule(std::string_view rule_name) noexcept;

private:
    struct Compiled {
        std::string name;
        bool flush_connection = false;
        std::vector<SecurityRule> rules;  ///< sorted by priority, defaults included
        Classifier classifier;            ///< refers to `rules`
    };
    std::shared_ptr<const Compiled> compiled_;
};

/// What a machine's groups say together.
struct NsgVerdict {
    Access access = Access::allow;
    const Nsg* nsg = nullptr;            ///< the group that decided; null where there is none
    const SecurityRule* rule = nullptr;  ///< its rule
};

/// Asks the groups in order, the subnet's before the NIC's: the first that denies decides, otherwise the last one.
/// No group means no restriction, as in Azure.
[[nodiscard]] NsgVerdict judge(std::span<const Nsg> nsgs, const captures::base::FiveTuple& delivered,
                               bool through_window) noexcept;

}  // namespace policy
