#include "gateway/pipeline/admission.hpp"

namespace gateway::pipeline {

namespace {

using policy::Reason;

/// Only the legacy order of evaluation lets a network rule overrule DNAT (facts X1); it judged the translated traffic.
const policy::NetworkRule* overriding_deny(const Tables& tables, captures::base::FiveTuple tuple,
                                           captures::base::Endpoint target) noexcept {
    if (!tables.network_deny_overrides()) return nullptr;
    tuple.destination = target;
    const auto* const rule = tables.network().match(tuple);
    return rule != nullptr && rule->access == policy::Access::deny ? rule : nullptr;
}

}  // namespace

Admission admit(const Tables& tables, const policy::Doors& doors, const dnat::Arrived& arrived, bool opens,
                captures::base::Time now) noexcept {
    auto admission = admit_before_nsgs(tables, doors, arrived, match_nat(tables, doors, arrived), opens, now);
    const auto& [source, destination, protocol] = arrived.tuple;
    if (admission.reason == Reason::dnat) ask_nsgs(admission, tables, {tables.instance(), source.port}, protocol);
    return admission;
}

Admission admit_before_nsgs(const Tables& tables, const policy::Doors& doors, const dnat::Arrived& arrived,
                            const dnat::RuleTable::Match& match, bool opens, captures::base::Time now) noexcept {
    Admission admission;
    if (!match.listening) return admission;
    if (!opens) {
        admission.reason = Reason::invalid_state;
        return admission;
    }
    if (!match.rule) {
        admission.reason = Reason::no_nat_rule;
        const auto* const rule = tables.network().match(arrived.tuple);
        if (rule != nullptr && rule->access == policy::Access::deny) admission.network_rule = rule;
        return admission;
    }
    admission.rule = *match.rule;
    admission.target = match.target;
    admission.network_rule = overriding_deny(tables, arrived.tuple, admission.target);
    if (admission.network_rule != nullptr) {
        admission.reason = Reason::network_rule_deny;
        return admission;
    }
    const auto& tuple = arrived.tuple;
    if (doors.windows().guarded(admission.target, tuple.protocol)) {
        const auto window = doors.windows().find(admission.target, tuple.protocol, tuple.source.address, now);
        if (!window) {
            admission.reason = Reason::jit_closed;
            return admission;
        }
        admission.window = *window;
    }
    admission.reason = Reason::dnat;
    return admission;
}

void ask_nsgs(Admission& admitted, const Tables& tables, captures::base::Endpoint instance,
              captures::base::Protocol protocol) noexcept {
    const captures::base::FiveTuple delivered{instance, admitted.target, protocol};
    const auto decision = policy::judge(tables.nsgs_before(admitted.target.address), delivered, admitted.window != 0);
    if (decision.access == policy::Access::allow) return;
    admitted.reason = Reason::nsg_deny;
    admitted.nsg = decision.nsg;
    admitted.security_rule = decision.rule;
}

bool still_admitted(const Tables& tables, const policy::Doors& doors, const dnat::Arrived& arrived,
                    const dnat::Delivered& delivered, policy::WindowId window, std::uint32_t& rule) noexcept {
    const auto& target = delivered.tuple.destination;
    auto match = match_nat(tables, doors, arrived);
    if (!match.rule && window != 0) {
        match.rule = doors.mapped_rules().find(arrived.tuple.destination);
        if (match.rule) *match.rule += tables.first_mapped();
    }
    if (!match.rule || tables.rule(*match.rule).translated != target) return false;
    if (tables.instance() != delivered.tuple.source.address) return false;
    if (overriding_deny(tables, arrived.tuple, target) != nullptr) return false;
    for (const auto& nsg : tables.nsgs_before(target.address)) {
        const bool denies = nsg.judge(delivered.tuple, window != 0).access == policy::Access::deny;
        if (nsg.flush_connection() && denies) return false;
    }
    rule = *match.rule;
    return true;
}

}  // namespace gateway::pipeline
