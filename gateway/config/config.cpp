#include "gateway/config/config.hpp"

#include <algorithm>

#include <fmt/compile.h>

#include "policy/names.hpp"

namespace gateway::config {

namespace {

template <class Items, class Wanted>
auto* find(const Items& items, Wanted wanted) noexcept {
    const auto found = std::ranges::find_if(items, wanted);
    return found == items.end() ? nullptr : &*found;
}

std::string scope_of(const FirewallConfig& firewall) {
    return fmt::format(FMT_COMPILE("/subscriptions/{}/resourceGroups/{}"), firewall.subscription,
                       firewall.resource_group);
}

}  // namespace

std::string FirewallConfig::resource_id() const {
    return fmt::format("{}/providers/Microsoft.Network/azureFirewalls/{}", scope_of(*this), name);
}

const VirtualMachine* Config::machine(std::string_view name) const noexcept {
    return find(machines, [name](const VirtualMachine& one) { return policy::same_name(one.name, name); });
}

const VirtualMachine* Config::machine(captures::base::Ipv4Address address) const noexcept {
    return find(machines, [address](const VirtualMachine& one) { return one.private_ip == address; });
}

const policy::Nsg* Config::nsg(std::string_view name) const noexcept {
    return find(nsgs, [name](const policy::Nsg& one) { return policy::same_name(one.name(), name); });
}

const policy::JitPolicy* Config::policy_of(std::string_view machine) const noexcept {
    return find(jit_policies, [machine](const policy::JitPolicy& one) { return one.machine(machine) != nullptr; });
}

std::string Config::machine_id(std::string_view machine) const {
    return fmt::format(FMT_COMPILE("{}/providers/Microsoft.Compute/virtualMachines/{}"), scope_of(firewall), machine);
}

std::string Config::policy_id(std::string_view policy) const {
    return fmt::format("{}/providers/Microsoft.Security/locations/{}/jitNetworkAccessPolicies/{}", scope_of(firewall),
                       firewall.location, policy);
}

}  // namespace gateway::config
