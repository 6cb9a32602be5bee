#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include "gateway/config/config.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/config_text.hpp"

namespace read_service_test {

using gateway::config_file::parse_config;

gateway::config::Config load_with_firewall(const std::string& text) {
    auto loaded = parse_config(std::string{test::firewall_line} + text, "t.toml");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    return std::move(loaded->config);
}

}  // namespace read_service_test

BOOST_AUTO_TEST_SUITE(read_service_test)

BOOST_AUTO_TEST_CASE(the_settings_of_the_service_have_defaults_and_are_read) {
    const auto usual = load_with_firewall("");
    BOOST_TEST((usual.jit.mapped_ports == captures::base::PortRange{50000, 59999}));
    BOOST_TEST(usual.store.url == "sqlite:portcullis.db");
    BOOST_TEST(to_string(usual.api.listen) == "127.0.0.1:8443");
    BOOST_TEST(!usual.api.jwt.has_value());
    BOOST_TEST(!usual.api.lab_sign_in.has_value());

    const auto set = load_with_firewall(R"(
[jit]
mapped_ports = ""
[store]
url = "sqlite:/var/lib/portcullis/store.db"
[api]
listen = "0.0.0.0:443"
tls_certificate = "cert.pem"
tls_key = "key.pem"
max_connections = 10
requests_per_minute = 60
request_timeout = "5s"
jwt = { jwks = "keys.json", issuer = "https://sts.example/", audience = "https://management.azure.com/" }
lab_sign_in = { principal = "lab@lab.example" }
[[principal]]
name = "lab@lab.example"
)");
    BOOST_TEST(!set.jit.mapped_ports.has_value());
    BOOST_TEST(set.api.tls_key == "key.pem");
    BOOST_TEST(set.api.max_connections == 10U);
    BOOST_TEST(set.api.max_connections_per_address == 5U);
    BOOST_TEST((set.api.request_timeout == std::chrono::seconds{5}));
    BOOST_TEST(set.api.jwt->audience == "https://management.azure.com/");
    BOOST_TEST(to_string(set.api.lab_sign_in->listen) == "127.0.0.1:8080");
}

BOOST_AUTO_TEST_CASE(two_sides_and_their_routes_are_read) {
    const auto live = load_with_firewall(R"(
[live]
driver = "ring"
outside = { interface = "eth0", address = "203.0.113.1/24", gateway = "203.0.113.254" }
inside = { interface = "eth1", address = "10.0.1.5/24" }
[[live.route]]
destination = "10.1.0.0/16"
via = "10.0.1.9"
)")
                          .live;
    BOOST_REQUIRE(live.has_value());
    BOOST_TEST((live->driver == gateway::config::DriverChoice::ring));
    BOOST_TEST(to_string(live->outside.address) == "203.0.113.1");
    BOOST_TEST(to_string(live->outside.on_link) == "203.0.113.0/24");
    BOOST_TEST(to_string(*live->outside.gateway) == "203.0.113.254");
    BOOST_TEST(!live->inside.gateway.has_value());
    BOOST_TEST(live->isolate);
    BOOST_REQUIRE(live->routes.size() == 1U);
    BOOST_TEST((live->routes.front().side == captures::packet::Side::inside));
    BOOST_TEST(!load_with_firewall("").live.has_value());
}

BOOST_AUTO_TEST_CASE(a_machine_that_no_route_leads_to_is_warned_of) {
    const auto live = [](std::string_view gateway) {
        const auto text = fmt::format(R"({}{}[live]
outside = {{ interface = "eth0", address = "203.0.113.1/24" }}
inside = {{ interface = "eth1", address = "10.0.1.5/24"{} }}
)",
                                      test::firewall_line, test::machines_line, gateway);
        const auto parsed = parse_config(text, "t.toml");
        BOOST_REQUIRE(parsed.has_value());
        return parsed->warnings.empty() ? std::string{} : to_string(parsed->warnings.front());
    };
    BOOST_TEST(
        live("").find(R"(t.toml:5:10: warning: virtual_machine "web01" (10.1.0.4) is not on the inside's link)") == 0U);
    BOOST_TEST(live(R"(, gateway = "10.0.1.1")").empty());
}

BOOST_AUTO_TEST_CASE(every_mistake_about_the_two_sides_is_named) {
    struct Row {
        std::string_view text;
        std::string_view mistake;
    };
    constexpr std::string_view good_inside = R"(inside = { interface = "eth1", address = "10.0.1.5/24" })";
    const Row rows[] = {
        {"[live]\n", "outside"},
        {R"(outside = { interface = "eth1", address = "203.0.113.1/24" })", "two wires need two"},
        {R"(outside = { interface = "eth0", address = "10.0.1.1/16" })", "shares addresses with outside"},
        {R"(outside = { interface = "eth0", address = "203.0.113.1" })", "length of its network"},
        {R"(outside = { interface = "eth0", address = "203.0.113.0/24" })", "no host's"},
        {R"(outside = { interface = "eth0/1", address = "203.0.113.1/24" })", "no name of an interface"},
        {R"(outside = { interface = "eth0", address = "203.0.113.1/24", gateway = "192.0.2.1" })", "not on the link"},
        {R"(outside = { interface = "eth0", address = "203.0.113.1/24", gateway = "203.0.113.1" })", "gateway itself"},
        {R"(outside = { interface = "eth0", address = "203.0.113.1/24", gateway = "203.0.113.10" })", "gateway itself"},
        {R"(outside = { interface = "eth0", address = "10.1.0.4/24" })", R"(virtual_machine "web01")"},
        {R"(outside = { interface = "eth0", address = "203.0.113.1/24", mtu = 3 })", "mtu"},
    };
    for (const auto& row : rows) {
        const auto text = std::string{test::firewall_line} + std::string{test::machines_line} + "[live]\n" +
                          std::string{good_inside} + "\n" + std::string{row.text.starts_with('[') ? "" : row.text};
        const auto errors = test::errors_of(parse_config(text, "t.toml"));
        BOOST_TEST(errors.find(row.mistake) != std::string::npos, row.text << " gave: " << errors);
    }
    const auto errors = test::errors_of(parse_config(std::string{test::firewall_line} + R"(
[live]
driver = "dpdk"
outside = { interface = "eth0", address = "203.0.113.1/24" }
inside = { interface = "eth1", address = "10.0.1.5/24" }
[[live.route]]
destination = "10.1.0.0/16"
via = "192.0.2.1"
[[live.route]]
destination = "10.2.0.0/16"
via = "10.0.1.4"
[[live.route]]
destination = "10.3.0.0/16"
via = "10.0.1.9"
[[live.route]]
destination = "10.3.0.0/16"
via = "203.0.113.9"
)",
                                                     "t.toml"));
    BOOST_TEST(errors.find("via: is an address of this gateway itself") != std::string::npos);
    BOOST_TEST(errors.find("destination: 10.3.0.0/16 has a route already, via 10.0.1.9") != std::string::npos);
    BOOST_TEST(errors.find("it is auto, pcap, ring or xdp") != std::string::npos);
    BOOST_TEST(errors.find("on the link of neither side") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
