#include "captures/base/address.hpp"

#include <string>
#include <vector>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace address_test {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::PortRange;
using captures::base::Prefix;

const std::vector<std::string> no_addresses{
    "",          "1",        "1.2.3",    "1.2.3.4.5",  "1.2.3.",    ".1.2.3",   "1..2.3",   "256.0.0.1",
    "1.2.3.256", "01.2.3.4", "1.2.3.04", "00.0.0.0",   "1.2.3.4 ",  " 1.2.3.4", "1.2.3.4/", "a.b.c.d",
    "0x1.2.3.4", "+1.2.3.4", "-1.2.3.4", "1.2.3.1000", "1.2.3.4\n", "::1",      "1,2,3,4",  "1.2.3.-4",
};
const std::vector<std::string> no_prefixes{
    "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8 ", "/8", "10.0.0/8", "**", "10.0.0.0/8/8",
};
const std::vector<std::string> no_ranges{
    "10.0.0.2-10.0.0.1",       "10.0.0.1-",  "-10.0.0.1", "10.0.0.1-10.0.0.2-10.0.0.3",
    "10.0.0.0/24-10.0.1.0/24", "10.0.0.1-2",
};
const std::vector<std::string> no_port_ranges{"",      "65536", "-1",    "1-", "-", "2-1",
                                              "1-2-3", "01",    "1 - 2", "**", "a", "1-65536"};
const std::vector<std::string> no_endpoints{
    "", "10.0.0.1", "10.0.0.1:", ":22", "10.0.0.1:65536", "10.0.0.1:022", "10.0.0:1", "10.0.0.1:2:3", "10.0.0.1: 22"};

/// Parsed and written again; a dash if it cannot be parsed.
template <class T>
std::string again(std::string_view text) {
    const auto value = T::parse(text);
    return value ? to_string(*value) : "-";
}

}  // namespace address_test

BOOST_AUTO_TEST_SUITE(address_test)

BOOST_AUTO_TEST_CASE(an_address_is_a_number_in_host_order) {
    BOOST_CHECK_EQUAL(Ipv4Address::parse("10.1.2.3").value().value, 0x0a010203U);
    BOOST_CHECK_EQUAL(Ipv4Address::parse("0.0.0.0").value().value, 0U);
    BOOST_CHECK_EQUAL(Ipv4Address::parse("255.255.255.255").value().value, 0xffffffffU);
    BOOST_CHECK(Ipv4Address::parse("9.255.255.255").value() < Ipv4Address::parse("10.0.0.0").value());
    BOOST_CHECK_EQUAL(again<Ipv4Address>("203.0.113.10"), "203.0.113.10");
}

BOOST_DATA_TEST_CASE(what_is_not_a_dotted_quad_is_refused, no_addresses) {
    BOOST_CHECK(!Ipv4Address::parse(sample));
    BOOST_CHECK(!AddressRange::parse(sample));
}

BOOST_AUTO_TEST_CASE(a_prefix_loses_its_host_bits) {
    BOOST_CHECK_EQUAL(again<Prefix>("10.1.2.3/8"), "10.0.0.0/8");
    BOOST_CHECK_EQUAL(again<Prefix>("10.1.2.3/31"), "10.1.2.2/31");
    BOOST_CHECK_EQUAL(again<Prefix>("10.1.2.3/32"), "10.1.2.3");
    BOOST_CHECK_EQUAL(again<Prefix>("10.1.2.3"), "10.1.2.3");
    BOOST_CHECK_EQUAL(again<Prefix>("10.1.2.3/0"), "*");
    BOOST_CHECK_EQUAL(again<Prefix>("*"), "*");
}

BOOST_DATA_TEST_CASE(what_is_not_a_prefix_is_refused, no_prefixes) {
    BOOST_CHECK(!Prefix::parse(sample));
    BOOST_CHECK(!AddressRange::parse(sample));
}

BOOST_AUTO_TEST_CASE(a_prefix_contains_its_addresses_and_narrower_prefixes) {
    const Prefix ten = Prefix::parse("10.0.0.0/8").value();
    BOOST_CHECK(ten.contains(Ipv4Address::parse("10.0.0.0").value()));
    BOOST_CHECK(ten.contains(Ipv4Address::parse("10.255.255.255").value()));
    BOOST_CHECK(!ten.contains(Ipv4Address::parse("11.0.0.0").value()));
    BOOST_CHECK(!ten.contains(Ipv4Address::parse("9.255.255.255").value()));
    BOOST_CHECK(ten.contains(ten));
    BOOST_CHECK(ten.contains(Prefix::parse("10.20.0.0/16").value()));
    BOOST_CHECK(!Prefix::parse("10.20.0.0/16").value().contains(ten));
    BOOST_CHECK(!ten.contains(Prefix::parse("11.20.0.0/16").value()));
    BOOST_CHECK(Prefix::parse("*").value().contains(ten));
}

BOOST_AUTO_TEST_CASE(a_range_is_whatever_azure_takes_for_a_source) {
    BOOST_CHECK_EQUAL(again<AddressRange>("10.0.0.0/30"), "10.0.0.0-10.0.0.3");
    BOOST_CHECK_EQUAL(again<AddressRange>("10.0.0.1-10.0.0.9"), "10.0.0.1-10.0.0.9");
    BOOST_CHECK_EQUAL(again<AddressRange>("10.0.0.1-10.0.0.1"), "10.0.0.1");
    BOOST_CHECK_EQUAL(again<AddressRange>("10.0.0.1"), "10.0.0.1");
    BOOST_CHECK_EQUAL(again<AddressRange>("*"), "*");
    BOOST_CHECK_EQUAL(again<AddressRange>("0.0.0.0-255.255.255.255"), "*");
    BOOST_CHECK(AddressRange::parse("*") == AddressRange::any());
}

BOOST_DATA_TEST_CASE(what_is_not_a_range_is_refused, no_ranges) { BOOST_CHECK(!AddressRange::parse(sample)); }

BOOST_AUTO_TEST_CASE(a_range_contains_both_its_ends) {
    const AddressRange range = AddressRange::parse("10.0.0.5-10.0.0.9").value();
    for (const auto* inside : {"10.0.0.5", "10.0.0.7", "10.0.0.9"}) {
        BOOST_CHECK(range.contains(Ipv4Address::parse(inside).value()));
    }
    for (const auto* outside : {"10.0.0.4", "10.0.0.10", "0.0.0.0"}) {
        BOOST_CHECK(!range.contains(Ipv4Address::parse(outside).value()));
    }
    BOOST_CHECK(range.contains(range));
    BOOST_CHECK(range.contains(AddressRange::parse("10.0.0.6-10.0.0.9").value()));
    BOOST_CHECK(!range.contains(AddressRange::parse("10.0.0.6-10.0.0.10").value()));
    BOOST_CHECK(!range.contains(AddressRange::parse("10.0.0.4-10.0.0.9").value()));
}

BOOST_AUTO_TEST_CASE(ports_are_a_number_a_range_or_a_star) {
    BOOST_CHECK_EQUAL(again<PortRange>("22"), "22");
    BOOST_CHECK_EQUAL(again<PortRange>("0"), "0");
    BOOST_CHECK_EQUAL(again<PortRange>("1000-2000"), "1000-2000");
    BOOST_CHECK_EQUAL(again<PortRange>("7-7"), "7");
    BOOST_CHECK_EQUAL(again<PortRange>("*"), "*");
    BOOST_CHECK_EQUAL(again<PortRange>("0-65535"), "*");
    const PortRange range = PortRange::parse("10-20").value();
    BOOST_CHECK(range.contains(10) && range.contains(20) && !range.contains(9) && !range.contains(21));
}

BOOST_DATA_TEST_CASE(what_is_not_a_port_range_is_refused, no_port_ranges) { BOOST_CHECK(!PortRange::parse(sample)); }

BOOST_AUTO_TEST_CASE(an_endpoint_is_an_address_and_a_port) {
    BOOST_CHECK_EQUAL(again<Endpoint>("203.0.113.10:50022"), "203.0.113.10:50022");
    BOOST_CHECK_EQUAL(again<Endpoint>("0.0.0.0:0"), "0.0.0.0:0");
}

BOOST_DATA_TEST_CASE(what_is_not_an_endpoint_is_refused, no_endpoints) { BOOST_CHECK(!Endpoint::parse(sample)); }

BOOST_AUTO_TEST_SUITE_END()
