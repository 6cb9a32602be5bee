#include "gateway/config/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace gateway::config {

using What = ConfigChange::What;

namespace {

// Where something stands in its file is no difference.

bool is_same(const FirewallConfig& a, const FirewallConfig& b) {
    const auto all = [](const auto& one) {
        return std::tie(one.name, one.subscription, one.resource_group, one.location, one.tier, one.public_ips,
                        one.private_ip, one.instance_ip, one.network_deny_overrides);
    };
    return all(a) == all(b);
}

bool is_same(const dnat::NatRule& a, const dnat::NatRule& b) {
    const auto all = [](const auto& one) {
        return std::tie(one.name, one.protocols, one.sources, one.destination, one.destination_ports, one.translated);
    };
    return all(a) == all(b);
}

bool is_same(const policy::NetworkRule& a, const policy::NetworkRule& b) {
    const auto all = [](const auto& one) {
        return std::tie(one.firewall_policy, one.access, one.protocols, one.sources, one.destinations,
                        one.destination_ports);
    };
    return all(a) == all(b);
}

bool is_same(const policy::SecurityRule& a, const policy::SecurityRule& b) {
    const auto all = [](const auto& one) {
        return std::tie(one.name, one.priority, one.access, one.protocol, one.sources, one.source_ports,
                        one.destinations, one.destination_ports);
    };
    return all(a) == all(b);
}

bool is_same(const policy::Nsg& a, const policy::Nsg& b) {
    return a.flush_connection() == b.flush_connection() &&
           std::ranges::equal(a.rules(), b.rules(),
                              [](const auto& one, const auto& other) { return is_same(one, other); });
}

bool is_same(const VirtualMachine& a, const VirtualMachine& b) {
    return std::tie(a.os, a.private_ip, a.nsg) == std::tie(b.os, b.private_ip, b.nsg);
}

bool is_same(const policy::JitPolicy& a, const policy::JitPolicy& b) {
    const auto same_machine = [](const policy::JitMachine& one, const policy::JitMachine& other) {
        return std::tie(one.name, one.ports) == std::tie(other.name, other.ports);
    };
    return a.on_expiry == b.on_expiry && a.justification_required == b.justification_required &&
           std::ranges::equal(a.machines, b.machines, same_machine);
}

bool is_same(const policy::Principal& a, const policy::Principal& b) { return a.token_sha256 == b.token_sha256; }

bool is_same(const policy::Role& a, const policy::Role& b) {
    return std::tie(a.actions, a.not_actions) == std::tie(b.actions, b.not_actions);
}

/// All of it is in its name.
bool is_same(const policy::RoleAssignment&, const policy::RoleAssignment&) { return true; }

bool is_same(const TimeoutConfig& a, const TimeoutConfig& b) {
    const auto all = [](const auto& one) {
        return std::tie(one.tcp_idle, one.tcp_idle_east_west, one.tcp_transitory, one.udp_idle, one.fragment);
    };
    return all(a) == all(b);
}

bool is_same(const JitConfig& a, const JitConfig& b) { return a.mapped_ports == b.mapped_ports; }

bool is_same(const JwtConfig& a, const JwtConfig& b) {
    return std::tie(a.jwks, a.issuer, a.audience) == std::tie(b.jwks, b.issuer, b.audience);
}

template <class T>
bool is_same(const std::optional<T>& a, const std::optional<T>& b) {
    return a.has_value() == b.has_value() && (!a || is_same(*a, *b));
}

class Comparison {
public:
    /// Things that have names, of which one may stand for several (a rule with two destinations).
    template <class T, class Name>
    void named(std::string_view kind, const std::vector<T>& before, const std::vector<T>& after, Name name) {
        const auto old_ones = by_name(before, name);
        const auto new_ones = by_name(after, name);
        for (const auto& [one, values] : new_ones) {
            const auto old = old_ones.find(one);
            if (old == old_ones.end()) {
                changes_.push_back({What::added, kind, one});
            } else if (!std::ranges::equal(old->second, values, [](auto* a, auto* b) { return is_same(*a, *b); })) {
                changes_.push_back({What::changed, kind, one});
            }
        }
        for (const auto& [one, values] : old_ones) {
            if (!new_ones.contains(one)) changes_.push_back({What::removed, kind, one});
        }
    }

    /// Of things of which the first that fits decides.
    template <class T, class Name>
    void ordered(std::string_view kind, const std::vector<T>& before, const std::vector<T>& after, Name name) {
        named(kind, before, after, name);
        const auto others = [&](const std::vector<T>& ours, const std::vector<T>& theirs) {
            const auto known = by_name(theirs, name);
            std::vector<std::string> names;
            for (const auto& one : ours) {
                if (known.contains(name(one))) names.push_back(name(one));
            }
            names.erase(std::unique(names.begin(), names.end()), names.end());
            return names;
        };
        if (others(before, after) != others(after, before)) changes_.push_back({What::reordered, kind, {}});
    }

    template <class T>
    void single(std::string_view kind, const T& before, const T& after) {
        if (!is_same(before, after)) changes_.push_back({What::changed, kind, {}});
    }

    [[nodiscard]] std::vector<ConfigChange> take() { return std::move(changes_); }

private:
    template <class T, class Name>
    static std::map<std::string, std::vector<const T*>> by_name(const std::vector<T>& all, Name name) {
        std::map<std::string, std::vector<const T*>> found;
        for (const auto& one : all) found[name(one)].push_back(&one);
        return found;
    }

    std::vector<ConfigChange> changes_;
};

std::string name_of(const dnat::RuleName& name) {
    return name.group.empty() ? to_string(name) : name.group + '/' + to_string(name);
}

std::string name_of(const policy::NetworkRule& rule) {
    return (rule.group.empty() ? "" : rule.group + '/') + rule.collection + '/' + rule.name;
}

}  // namespace

std::string_view to_string(What what) noexcept {
    switch (what) {
        case What::added: return "added";
        case What::removed: return "removed";
        case What::changed: return "changed";
        case What::reordered: return "reordered";
    }
    return "";
}

std::string to_string(const ConfigChange& change) {
    return fmt::format("{}{}{}: {}", change.kind, change.name.empty() ? "" : " ", change.name, to_string(change.what));
}

std::vector<ConfigChange> changes_between(const Config& before, const Config& after) {
    Comparison all;
    const auto plain_name = [](const auto& one) { return one.name; };
    all.single("[firewall]", before.firewall, after.firewall);
    all.ordered("NAT rule", before.nat_rules, after.nat_rules, [](const auto& rule) { return name_of(rule.name); });
    all.ordered("network rule", before.network_rules.rules(), after.network_rules.rules(),
                [](const auto& rule) { return name_of(rule); });
    all.named("NSG", before.nsgs, after.nsgs, [](const auto& nsg) { return nsg.name(); });
    all.named("virtual machine", before.machines, after.machines, plain_name);
    all.named("JIT policy", before.jit_policies, after.jit_policies, plain_name);
    all.named("principal", before.principals, after.principals, plain_name);
    all.named("role", before.roles, after.roles, plain_name);
    all.named("role assignment", before.role_assignments, after.role_assignments,
              [](const auto& one) { return fmt::format("{} of {} at {}", one.role, one.principal, one.scope); });
    all.single("[timeouts]", before.timeouts, after.timeouts);
    all.single("[jit]", before.jit, after.jit);
    all.single("[api.jwt]", before.api.jwt, after.api.jwt);
    return all.take();
}

}  // namespace gateway::config
