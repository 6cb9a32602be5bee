#include <boost/test/unit_test.hpp>

#include "gateway/config.hpp"
#include "tests/support/config_text.hpp"

using gateway::parse_config;

namespace {

gateway::Config load_with_firewall(const std::string& text) {
    auto loaded = parse_config(std::string{test::firewall_line} + text, "t.toml");
    BOOST_REQUIRE(test::errors_of(loaded) == "");
    return std::move(loaded->config);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_service_test)

BOOST_AUTO_TEST_CASE(the_settings_of_the_service_have_defaults_and_are_read) {
    const auto usual = load_with_firewall("");
    BOOST_TEST((usual.jit.mapped_ports == captures::PortRange{50000, 59999}));
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
    BOOST_TEST((set.api.request_timeout == std::chrono::seconds{5}));
    BOOST_TEST(set.api.jwt->audience == "https://management.azure.com/");
    BOOST_TEST(to_string(set.api.lab_sign_in->listen) == "127.0.0.1:8080");
}

BOOST_AUTO_TEST_SUITE_END()
