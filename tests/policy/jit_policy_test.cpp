#include "policy/jit_policy.hpp"

#include <boost/test/unit_test.hpp>
#include <random>

namespace jit_policy_test {

using captures::base::Prefix;
using policy::JitPolicy;
using policy::JitPort;

std::vector<Prefix> prefixes(std::initializer_list<std::string_view> texts) {
    std::vector<Prefix> result;
    for (const auto text : texts) result.push_back(Prefix::parse(text).value());
    return result;
}

struct Row {
    std::vector<Prefix> allowed;
    std::vector<Prefix> asked;
    std::string_view outside;  ///< empty: none
};

}  // namespace jit_policy_test

BOOST_AUTO_TEST_SUITE(jit_policy_test)

BOOST_AUTO_TEST_CASE(a_machine_is_found_whatever_the_case_of_its_name) {
    const JitPolicy policy{.machines = {{"web01", {}}, {"db01", {}}}};
    BOOST_TEST(policy.machine("DB01") == &policy.machines[1]);
    BOOST_TEST(policy.machine("web01") == policy.machines.data());
    BOOST_TEST(policy.machine("web0") == nullptr);
    BOOST_TEST(policy.machine("") == nullptr);
}

BOOST_AUTO_TEST_CASE(sources_must_lie_within_the_union_of_the_allowed_ones) {
    for (const auto& row : {
             Row{prefixes({"*"}), prefixes({"*", "1.2.3.4", "0.0.0.0/1"}), ""},
             Row{prefixes({"198.51.100.0/24"}), prefixes({"198.51.100.0/24"}), ""},
             Row{prefixes({"198.51.100.0/24"}), prefixes({"198.51.100.0", "198.51.100.255", "198.51.100.128/25"}), ""},
             Row{prefixes({"198.51.100.0/24"}), prefixes({"198.51.100.7", "198.51.101.0"}), "198.51.101.0"},
             Row{prefixes({"198.51.100.0/24"}), prefixes({"198.51.100.0/23"}), "198.51.100.0/23"},
             Row{prefixes({"198.51.100.0/24"}), prefixes({"*"}), "*"},
             Row{prefixes({"198.51.100.128/25", "198.51.100.0/25"}), prefixes({"198.51.100.0/24"}), ""},
             Row{prefixes({"198.51.100.128/25", "198.51.100.0/26"}), prefixes({"198.51.100.0/24"}), "198.51.100.0/24"},
             Row{prefixes({"0.0.0.0/1", "128.0.0.0/1"}), prefixes({"*"}), ""},
             Row{prefixes({"0.0.0.0/1", "128.0.0.0/2"}), prefixes({"255.255.255.255"}), "255.255.255.255"},
             Row{prefixes({"198.51.100.6", "198.51.100.7"}), prefixes({"198.51.100.6/31"}), ""},
             Row{prefixes({}), prefixes({"198.51.100.7"}), "198.51.100.7"},
             Row{prefixes({}), prefixes({}), ""},
         }) {
        const JitPort port{.number = 22, .protocol = {}, .allowed_sources = row.allowed};
        const auto* outside = port.first_outside(row.asked);
        BOOST_TEST((outside == nullptr ? "" : to_string(*outside)) == row.outside);
    }
}

BOOST_AUTO_TEST_CASE(the_subset_test_agrees_with_brute_force_over_a_small_address_space) {
    std::mt19937 random{20260201};              // NOLINT(cert-msc51-cpp): the same every time
    constexpr std::uint32_t base = 0xc6336400;  // 198.51.100.0
    const auto any_prefix = [&random] {         // of a length from 27 to 32 within 198.51.100.0/27
        const auto length = static_cast<std::uint8_t>(27 + random() % 6);
        const auto host = static_cast<std::uint32_t>(random() % 32);
        return Prefix{{(base | host) & Prefix::mask(length)}, length};
    };
    int subsets = 0;
    for (int round = 0; round < 20000; ++round) {
        JitPort port{.number = 22, .protocol = {}, .allowed_sources = std::vector<Prefix>(random() % 6)};
        for (auto& prefix : port.allowed_sources) prefix = any_prefix();
        const std::vector asked{any_prefix()};
        bool subset = true;
        for (std::uint32_t host = 0; host < 32; ++host) {
            const captures::base::Ipv4Address address{base | host};
            const auto has = [address](const Prefix& prefix) { return prefix.contains(address); };
            if (has(asked[0])) subset = subset && std::ranges::any_of(port.allowed_sources, has);
        }
        subsets += subset ? 1 : 0;
        BOOST_TEST((port.first_outside(asked) == nullptr) == subset, "round " << round << ": " << to_string(asked[0]));
    }
    BOOST_TEST(subsets > 2000);  // both outcomes are tried
    BOOST_TEST(subsets < 18000);
}

BOOST_AUTO_TEST_SUITE_END()
