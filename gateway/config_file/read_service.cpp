#include <algorithm>

#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

using captures::base::Endpoint;
using captures::base::PortRange;

namespace {

constexpr std::uint16_t first_mapped_port = 1024;
constexpr std::uint16_t last_mapped_port = 63999;  // of a NAT rule (azure/firewall: known issues)
constexpr std::uint32_t loopback = 127;            // first byte

config::Parsed<PortRange> parse_mapped_ports(std::string_view text) {
    const auto range = PortRange::parse(text);
    if (range && range->first >= first_mapped_port && range->last <= last_mapped_port) return *range;
    return tl::unexpected{
        fmt::format("{} is no range of ports from {} to {}; write for example 50000-59999, or \"\" for none",
                    config::in_quotes(text), first_mapped_port, last_mapped_port)};
}

config::Parsed<Endpoint> parse_listen(std::string_view text) {
    if (const auto endpoint = Endpoint::parse(text)) return *endpoint;
    return tl::unexpected{
        fmt::format("{} is no address and port; write for example 127.0.0.1:8443", config::in_quotes(text))};
}

config::Parsed<std::string> parse_store_url(std::string_view text) {
    constexpr std::string_view scheme = "sqlite:";
    if (text.starts_with(scheme) && text.size() > scheme.size()) return std::string{text};
    return tl::unexpected{fmt::format("{} is no store; write sqlite: and the path of a file", config::in_quotes(text))};
}

void read_jit_settings(TomlTable& table, config::JitConfig& jit) {
    const auto text = table.text("mapped_ports");
    if (text && text->value.empty()) {
        jit.mapped_ports.reset();
    } else if (const auto range = table.value("mapped_ports", parse_mapped_ports)) {
        jit.mapped_ports = range->value;
    }
    table.refuse_unknown_keys();
}

void read_jwt(TomlTable& table, config::ApiConfig& api) {
    table.require({"jwks", "issuer", "audience"});
    config::JwtConfig jwt;
    assign(jwt.jwks, table.text("jwks"));
    assign(jwt.issuer, table.text("issuer"));
    assign(jwt.audience, table.text("audience"));
    table.refuse_unknown_keys();
    api.jwt = std::move(jwt);
}

void read_lab_sign_in(TomlTable& table, Draft& draft) {
    table.require({"principal"});
    config::LabSignIn sign_in;
    assign(sign_in.listen, table.value("listen", parse_listen));
    if (sign_in.listen.address.value >> 24 != loopback) {
        table.error("listen", "hands out tokens to everybody who asks: it listens on loopback only (127.0.0.1)");
    }
    if (const auto principal = table.text("principal")) {
        sign_in.principal = principal->value;
        if (!draft.principals.find(principal->value)) {
            table.error("principal", fmt::format("there is no principal {}{}", config::in_quotes(principal->value),
                                                 draft.hint(draft.principals, principal->value)));
        }
    }
    table.refuse_unknown_keys();
    draft.config.api.lab_sign_in = std::move(sign_in);
}

void read_api(TomlTable& table, Draft& draft) {
    constexpr std::int64_t most_connections = 60'000;
    constexpr std::int64_t most_requests = 10'000'000;
    auto& api = draft.config.api;
    assign(api.listen, table.value("listen", parse_listen));
    assign(api.tls_certificate, table.text("tls_certificate"));
    assign(api.tls_key, table.text("tls_key"));
    if (api.tls_certificate.empty() != api.tls_key.empty()) {
        table.error("tls_certificate and tls_key belong together; give both, or neither to have them made");
    }
    assign(api.tenant, table.value("tenant", config::parse_subscription));
    if (const auto most = table.integer("max_connections", 1, most_connections)) {
        api.max_connections = static_cast<std::uint32_t>(*most);
    }
    api.max_connections_per_address = std::max(api.max_connections / 2, 1U);
    if (const auto most = table.integer("max_connections_per_address", 1, most_connections)) {
        api.max_connections_per_address = static_cast<std::uint32_t>(*most);
    }
    if (const auto most = table.integer("requests_per_minute", 1, most_requests)) {
        api.requests_per_minute = static_cast<std::uint32_t>(*most);
    }
    if (const auto time = table.value("request_timeout", config::parse_span)) {
        api.request_timeout = time->value;
        if (api.request_timeout < std::chrono::milliseconds{100} || api.request_timeout > std::chrono::minutes{10}) {
            table.error("request_timeout", "is out of range; give 100ms to 10m");
        }
    }
    if (auto jwt = table.table("jwt", "JWT settings")) read_jwt(*jwt, api);
    if (auto sign_in = table.table("lab_sign_in", "lab sign-in")) read_lab_sign_in(*sign_in, draft);
    table.refuse_unknown_keys();
}

}  // namespace

void read_service_settings(TomlTable& root, Draft& draft) {
    if (auto jit = root.table("jit", "JIT settings")) read_jit_settings(*jit, draft.config.jit);
    if (auto store = root.table("store", "store")) {
        assign(draft.config.store.url, store->value("url", parse_store_url));
        store->refuse_unknown_keys();
    }
    if (auto api = root.table("api", "API")) read_api(*api, draft);
}

}  // namespace gateway::config_file
