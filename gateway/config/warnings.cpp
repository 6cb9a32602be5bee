#include "gateway/config/warnings.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "dnat/rule_table.hpp"
#include "policy/names.hpp"

namespace gateway::config {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::Protocol;
using dnat::NatRule;

namespace {

/// Findings of one kind: the first are named, the rest is counted.
class Heading {
public:
    Heading(Findings& findings, std::string_view plural) : findings_(&findings), plural_(plural) {}
    Heading(const Heading&) = delete;
    Heading& operator=(const Heading&) = delete;
    ~Heading() {
        if (count_ <= most_named) return;
        findings_->push_back({Finding::Severity::warning,
                              {last_.file, 0, 0},
                              fmt::format("and {} more {}", count_ - most_named, plural_)});
    }

    void warn(const Place& place, std::string message) {
        if (++count_ <= most_named) findings_->push_back({Finding::Severity::warning, place, std::move(message)});
        last_ = place;
    }

private:
    static constexpr std::size_t most_named = 20;

    Findings* findings_;
    std::string_view plural_;
    Place last_;
    std::size_t count_ = 0;
};

/// A target's address, port and protocol as one number.
std::uint64_t key_of(Endpoint endpoint, Protocol protocol) noexcept {
    return std::uint64_t{endpoint.address.value} << 24U | std::uint64_t{endpoint.port} << 8U |
           static_cast<std::uint64_t>(protocol);
}

using Targets = boost::unordered_flat_set<std::uint64_t>;

/// One configuration under examination.
class Check {
public:
    explicit Check(const Config& config);

    Findings run();

private:
    void find_rules_without_effect();
    void find_unknown_targets();
    void find_open_management_ports();
    void find_unmapped_jit_ports();
    void find_too_many_destinations();
    void find_repeated_nsgs();
    void find_denying_nsgs();
    void judge_by_nsgs(const VirtualMachine& machine, const NatRule& rule, const Place& place, Heading& kind);

    [[nodiscard]] static std::string name_of(const NatRule& rule) {
        return fmt::format("\"{}\"", to_string(rule.name));
    }
    [[nodiscard]] Place place_of(std::size_t rule) const {
        return rule < config_->nat_rule_places.size() ? config_->nat_rule_places[rule] : Place{};
    }

    const Config* config_;
    Findings findings_;
    boost::unordered_flat_map<std::uint32_t, const VirtualMachine*> machines_;  ///< by address
    policy::NameMap<captures::base::Ipv4Address> addresses_;                    ///< of machines
    policy::NameMap<const policy::Nsg*> nsgs_;
    Targets mapped_;   ///< what NAT rules lead to
    Targets guarded_;  ///< what JIT policies close
};

}  // namespace

Findings config_warnings(const Config& config) { return Check{config}.run(); }

namespace {

constexpr std::size_t most_destinations = 250;  // azure/firewall: limits

Check::Check(const Config& config) : config_(&config) {
    for (const auto& machine : config.machines) machines_.emplace(machine.private_ip.value, &machine);
    for (const auto& nsg : config.nsgs) nsgs_.emplace(nsg.name(), &nsg);
    for (const auto& rule : config.nat_rules) {
        for (const auto protocol : rule.protocols) mapped_.insert(key_of(rule.translated, protocol));
    }
    for (const auto& machine : config.machines) addresses_.emplace(machine.name, machine.private_ip);
    for (const auto& policy : config.jit_policies) {
        for (const auto& machine : policy.machines) {
            const auto address = addresses_.find(machine.name);
            if (address == addresses_.end()) continue;
            for (const auto& port : machine.ports) {
                for (const auto protocol : {Protocol::tcp, Protocol::udp}) {
                    if (port.protocol.value_or(protocol) != protocol) continue;
                    guarded_.insert(key_of({address->second, port.number}, protocol));
                }
            }
        }
    }
}

Findings Check::run() {
    find_rules_without_effect();
    find_unknown_targets();
    find_open_management_ports();
    find_unmapped_jit_ports();
    find_too_many_destinations();
    find_repeated_nsgs();
    find_denying_nsgs();
    std::ranges::stable_sort(findings_, {}, [](const Finding& one) {
        return std::tuple{one.place.line == 0, one.place.line};
    });
    return std::move(findings_);
}

void Check::find_rules_without_effect() {
    const auto table = dnat::RuleTable::build(config_->nat_rules);
    if (!table) {
        findings_.push_back({Finding::Severity::error, place_of(0), table.error()});
        return;
    }
    Heading shadowed{findings_, "NAT rules that can never match"};
    for (const auto index : table->shadowed()) {
        const auto& rule = config_->nat_rules[index];
        const auto* const why =
            rule.sources.empty()
                ? "is skipped: its IP groups are empty. It does not match everything; name a source"
                : "can never match: earlier rules take all its sources on its ports; put it before them or remove it";
        shadowed.warn(place_of(index), fmt::format("NAT rule {} {}", name_of(rule), why));
    }
}

void Check::find_unknown_targets() {
    Heading kind{findings_, "NAT rules that lead to no configured machine"};
    const auto& firewall = config_->firewall;
    for (std::size_t index = 0; index < config_->nat_rules.size(); ++index) {
        const auto& rule = config_->nat_rules[index];
        const auto target = rule.translated.address;
        if (target == firewall.instance_ip || target == firewall.private_ip ||
            std::ranges::find(firewall.public_ips, target) != firewall.public_ips.end()) {
            kind.warn(place_of(index),
                      fmt::format("NAT rule {} leads to {}, the firewall itself, which does not do that "
                                  "(hairpin); name a machine",
                                  name_of(rule), to_string(target)));
        } else if (!machines_.empty() && !machines_.contains(target.value)) {
            kind.warn(place_of(index),
                      fmt::format("NAT rule {} leads to {}, which is no configured virtual_machine, so "
                                  "that neither NSGs nor JIT policies apply",
                                  name_of(rule), to_string(target)));
        }
    }
}

void Check::find_open_management_ports() {
    Heading kind{findings_, "management ports open to everybody"};
    for (std::size_t index = 0; index < config_->nat_rules.size(); ++index) {
        const auto& rule = config_->nat_rules[index];
        const auto port = rule.translated.port;
        if (port != 22 && port != 3389) continue;
        if (std::ranges::find(rule.sources, AddressRange::any()) == rule.sources.end()) continue;
        const auto is_open = [&](Protocol protocol) { return !guarded_.contains(key_of(rule.translated, protocol)); };
        if (!std::ranges::any_of(rule.protocols, is_open)) continue;
        kind.warn(place_of(index),
                  fmt::format("NAT rule {} opens {} of {} to everybody at all times; put the port under "
                              "a jit_policy, or narrow source_addresses",
                              name_of(rule), port == 22 ? "SSH" : "RDP", to_string(rule.translated.address)));
    }
}

void Check::find_unmapped_jit_ports() {
    Heading kind{findings_, "JIT ports that no NAT rule maps"};
    for (std::size_t index = 0; index < config_->jit_policies.size(); ++index) {
        for (const auto& machine : config_->jit_policies[index].machines) {
            const auto address = addresses_.find(machine.name);
            if (address == addresses_.end()) continue;
            for (const auto& port : machine.ports) {
                const Endpoint target{address->second, port.number};
                const bool tcp = port.protocol != Protocol::udp && mapped_.contains(key_of(target, Protocol::tcp));
                const bool udp = port.protocol != Protocol::tcp && mapped_.contains(key_of(target, Protocol::udp));
                if (tcp || udp) continue;
                const auto protocol = port.protocol ? fmt::format(" ({})", to_string(*port.protocol)) : std::string{};
                const auto& ports = config_->jit.mapped_ports;
                kind.warn(config_->jit_policy_places[index],
                          fmt::format(
                              "no NAT rule maps port {}{} of machine {}, so that a window on it {}; add a rule to {}",
                              port.number, protocol, machine.name,
                              ports ? fmt::format("is reached by one of mapped_ports {}-{}", ports->first, ports->last)
                                    : "opens nothing",
                              to_string(target)));
            }
        }
    }
}

void Check::find_too_many_destinations() {
    auto count = config_->firewall.public_ips.size();
    Targets seen;
    for (std::size_t index = 0; index < config_->nat_rules.size(); ++index) {
        const auto& rule = config_->nat_rules[index];
        for (const auto protocol : rule.protocols) {
            for (const auto& ports : rule.destination_ports) {
                for (std::uint32_t port = ports.first; port <= ports.last; ++port) {
                    const auto number = static_cast<std::uint16_t>(port);
                    if (!seen.insert(key_of({rule.destination, number}, protocol)).second) continue;
                    if (++count <= most_destinations) continue;
                    findings_.push_back({Finding::Severity::warning, place_of(index),
                                         fmt::format("from NAT rule {} on, there are more than {} public IPs and DNAT "
                                                     "destinations, Azure's limit; an Azure firewall would refuse it",
                                                     name_of(rule), most_destinations)});
                    return;
                }
            }
        }
    }
}

void Check::find_repeated_nsgs() {
    Heading kind{findings_, "machines that list an NSG twice"};
    for (const auto& machine : config_->machines) {
        if (machine.nsg.size() < 2 || !policy::same_name(machine.nsg[0], machine.nsg[1])) continue;
        kind.warn(machine.place, fmt::format("machine {} lists NSG \"{}\" twice; once has the same effect",
                                             machine.name, machine.nsg[0]));
    }
}

void Check::find_denying_nsgs() {
    Heading kind{findings_, "NAT rules that an NSG undoes"};
    Targets judged;
    for (std::size_t index = 0; index < config_->nat_rules.size(); ++index) {
        const auto& rule = config_->nat_rules[index];
        const auto machine = machines_.find(rule.translated.address.value);
        if (machine == machines_.end() || machine->second->nsg.empty()) continue;
        bool is_new = false;
        for (const auto protocol : rule.protocols) is_new |= judged.insert(key_of(rule.translated, protocol)).second;
        if (is_new) judge_by_nsgs(*machine->second, rule, place_of(index), kind);
    }
}

void Check::judge_by_nsgs(const VirtualMachine& machine, const NatRule& rule, const Place& place, Heading& kind) {
    constexpr std::uint16_t some_client_port = 50000;
    for (const auto protocol : rule.protocols) {
        const captures::base::FiveTuple delivered{
            {config_->firewall.instance_ip, some_client_port}, rule.translated, protocol};
        for (const auto& name : machine.nsg) {
            const auto nsg = nsgs_.find(name);
            if (nsg == nsgs_.end()) continue;
            const auto decision = nsg->second->judge(delivered, config_->policy_of(machine.name) != nullptr);
            if (decision.access == policy::Access::allow) continue;
            kind.warn(place,
                      fmt::format("NAT rule {} leads to {}, where rule \"{}\" of NSG \"{}\" denies {}: VMs see the "
                                  "firewall's {} as the source, not the client's address; allow that",
                                  name_of(rule), to_string(rule.translated), decision.rule->name, name,
                                  to_string(protocol), to_string(config_->firewall.instance_ip)));
            return;
        }
    }
}

}  // namespace

}  // namespace gateway::config
