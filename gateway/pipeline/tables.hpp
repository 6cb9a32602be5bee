#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <tl/expected.hpp>

#include "dnat/rule_list.hpp"
#include "dnat/rule_table.hpp"
#include "dnat/timeouts.hpp"
#include "gateway/config/config.hpp"
#include "policy/network_rules.hpp"
#include "policy/nsg.hpp"
#include "policy/window_change.hpp"

namespace gateway::pipeline {

/// Adds rules as logs and people see them: without protocols and sources, which are those of the windows that are open.
void append(dnat::RuleList& list, std::span<const policy::MappedRule> rules);

/// A configuration compiled for the packet path; immutable. A burst sees one of these from its first frame to its last.
///
/// Rules of mapped ports come and go with windows, and so are not compiled here: `policy::Doors` has what they take. Here are
/// only their names.
class Tables {
public:
    /// `mapped_rules` are numbered behind the configuration's; whoever made the list may go on adding to it. The error is for a
    /// person. It can only be what `load_config` does not know, such as too many listeners.
    [[nodiscard]] static tl::expected<std::shared_ptr<const Tables>, std::string> build(
        const config::Config& config,
        std::shared_ptr<const dnat::RuleList> mapped_rules = std::make_shared<dnat::RuleList>());

    [[nodiscard]] const dnat::RuleTable& nat() const noexcept { return nat_; }
    [[nodiscard]] const policy::NetworkRules& network() const noexcept { return network_; }
    [[nodiscard]] bool network_deny_overrides() const noexcept { return network_deny_overrides_; }
    [[nodiscard]] const dnat::Timeouts& timeouts() const noexcept { return timeouts_; }
    [[nodiscard]] captures::base::Ipv4Address instance() const noexcept { return instance_; }

    /// NSGs before a VM's address, subnet's first; empty where none is.
    [[nodiscard]] std::span<const policy::Nsg> nsgs_before(captures::base::Ipv4Address address) const noexcept;

    /// By its index in verdicts and flows: one of the configuration's, or of a mapped port.
    [[nodiscard]] const dnat::NatRule& rule(dnat::RuleTable::RuleIndex index) const noexcept {
        return index < first_mapped() ? nat_.rule(index) : (*mapped_rules_)[index - first_mapped()];
    }
    /// The index of mapped rule number 0.
    [[nodiscard]] dnat::RuleTable::RuleIndex first_mapped() const noexcept {
        return static_cast<dnat::RuleTable::RuleIndex>(nat_.rules().size());
    }
    [[nodiscard]] const dnat::RuleList& mapped_rules() const noexcept { return *mapped_rules_; }

    /// Whether the firewall answers to an address: public, private or its instance's.
    [[nodiscard]] bool owns(captures::base::Ipv4Address address) const noexcept {
        return (owned_filter_[filter_bit(address) / 64] >> filter_bit(address) % 64 & 1) != 0 &&
               owned_.contains(address.value);
    }
    [[nodiscard]] bool is_private_ip(captures::base::Ipv4Address address) const noexcept {
        return private_ip_ == address;
    }

private:
    /// A byte that most other addresses do not share: every packet asks `owns`, and nearly always in vain.
    [[nodiscard]] static constexpr std::uint32_t filter_bit(captures::base::Ipv4Address address) noexcept {
        return (address.value * 0x9e3779b1U) >> 24;
    }
    void own(captures::base::Ipv4Address address);

    dnat::RuleTable nat_;
    policy::NetworkRules network_;
    dnat::Timeouts timeouts_;
    captures::base::Ipv4Address instance_;
    std::optional<captures::base::Ipv4Address> private_ip_;
    bool network_deny_overrides_ = false;
    boost::unordered_flat_set<std::uint32_t> owned_;
    std::array<std::uint64_t, 4> owned_filter_{};
    boost::unordered_flat_map<std::uint32_t, std::vector<policy::Nsg>> nsgs_;  ///< by VM address
    std::shared_ptr<const dnat::RuleList> mapped_rules_;
};

}  // namespace gateway::pipeline
