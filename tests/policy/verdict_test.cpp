#include "policy/verdict.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

namespace verdict_test {

using policy::Reason;

struct Row {
    Reason reason;
    std::string_view text;
    std::string_view fate;
};

constexpr Row rows[]{
    {Reason::dnat, "dnat", "forward"},
    {Reason::established, "established", "forward"},
    {Reason::reply, "reply", "forward"},
    {Reason::related, "related", "forward"},
    {Reason::malformed, "malformed", "drop"},
    {Reason::unsupported, "unsupported", "drop"},
    {Reason::fragment, "fragment", "drop"},
    {Reason::ttl_expired, "ttl-expired", "drop"},
    {Reason::too_big, "too-big", "drop"},
    {Reason::hairpin, "hairpin", "drop"},
    {Reason::no_listener, "no-listener", "drop"},
    {Reason::invalid_state, "invalid-state", "drop"},
    {Reason::no_nat_rule, "no-nat-rule", "drop"},
    {Reason::network_rule_deny, "network-rule-deny", "drop"},
    {Reason::jit_closed, "jit-closed", "drop"},
    {Reason::nsg_deny, "nsg-deny", "drop"},
    {Reason::no_flow, "no-flow", "drop"},
    {Reason::window_cut, "window-cut", "drop"},
    {Reason::ports_exhausted, "ports-exhausted", "drop"},
    {Reason::table_full, "table-full", "drop"},
    {Reason::not_ip, "not-ip", "ignore"},
    {Reason::departure, "departure", "ignore"},
};

}  // namespace verdict_test

BOOST_AUTO_TEST_SUITE(verdict_test)

BOOST_AUTO_TEST_CASE(every_reason_has_the_text_and_the_fate_that_the_design_gives_it) {
    for (const auto& row : rows) {
        BOOST_TEST(to_string(row.reason) == row.text);
        BOOST_TEST(to_string(fate_of(row.reason)) == row.fate, row.text);
    }
}

BOOST_AUTO_TEST_CASE(no_reason_is_missing_and_no_text_stands_for_two) {
    std::set<std::string_view> texts;
    std::set<Reason> reasons;
    for (const auto& row : rows) {
        texts.insert(row.text);
        reasons.insert(row.reason);
    }
    BOOST_TEST(texts.size() == policy::reason_count);
    BOOST_TEST(reasons.size() == policy::reason_count);
}

BOOST_AUTO_TEST_SUITE_END()
