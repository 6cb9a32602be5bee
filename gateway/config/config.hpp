#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "captures/base/address.hpp"
#include "captures/base/time.hpp"
#include "captures/packet/frame.hpp"
#include "dnat/nat_rule.hpp"
#include "gateway/config/findings.hpp"
#include "policy/jit_policy.hpp"
#include "policy/network_rules.hpp"
#include "policy/nsg.hpp"
#include "policy/principal.hpp"
#include "policy/role.hpp"

namespace gateway::config {

enum class Tier : std::uint8_t { basic, standard, premium };

struct FirewallConfig {
    std::string name = "firewall";
    std::string subscription = "00000000-0000-0000-0000-000000000000";
    std::string resource_group = "default";
    std::string location = "westeurope";
    Tier tier = Tier::standard;
    std::vector<captures::base::Ipv4Address> public_ips;
    std::optional<captures::base::Ipv4Address> private_ip;  ///< where private DNAT arrives
    captures::base::Ipv4Address instance_ip;                ///< what VMs see as the source of DNATed flows
    bool network_deny_overrides = false;                    ///< legacy: a network deny rule beats DNAT

    /// `/subscriptions/…/azureFirewalls/<name>`
    [[nodiscard]] std::string resource_id() const;
};

struct VirtualMachine {
    std::string name;
    std::string os = "linux";
    captures::base::Ipv4Address private_ip;
    std::vector<std::string> nsg;  ///< subnet first, then NIC
    Place place;
};

/// Idle and transitory times; each default with its source in dnat/timeouts.hpp.
struct TimeoutConfig {
    std::optional<captures::base::Duration> tcp_idle;
    std::optional<captures::base::Duration> tcp_idle_east_west;
    std::optional<captures::base::Duration> tcp_transitory;
    std::optional<captures::base::Duration> udp_idle;
    std::optional<captures::base::Duration> fragment;
};

struct LimitConfig {
    std::uint32_t flows = 1U << 20;
    std::uint32_t fragmented_datagrams = 4096;
    std::uint32_t held_fragments = 1024;

    bool operator==(const LimitConfig&) const = default;
};

/// `[jit]`.
struct JitConfig {
    /// Ports of the firewall for machines' ports that no NAT rule maps; empty: such requests tell no connection.
    std::optional<captures::base::PortRange> mapped_ports = captures::base::PortRange{50000, 59999};
};

struct StoreConfig {
    std::string url = "sqlite:portcullis.db";
};

/// Tokens that somebody else signs (RFC 7519, RS256 and ES256).
struct JwtConfig {
    std::string jwks;  ///< file of the keys, RFC 7517
    std::string issuer;
    std::string audience;
};

/// Where `az login --identity` gets a token of one principal without any proof: for labs, on loopback only.
struct LabSignIn {
    std::string principal;
    captures::base::Endpoint listen{{0x7f000001}, 8080};
};

/// `[api]`. Empty certificate and key: made on the first start, beside the store.
struct ApiConfig {
    captures::base::Endpoint listen{{0x7f000001}, 8443};
    std::string tls_certificate;
    std::string tls_key;
    std::string tenant = "00000000-0000-0000-0000-000000000000";
    std::uint32_t max_connections = 1024;
    std::uint32_t max_connections_per_address = 512;
    std::uint32_t requests_per_minute = 1200;  ///< of one principal
    captures::base::Duration request_timeout = std::chrono::seconds{10};
    std::optional<JwtConfig> jwt;
    std::optional<LabSignIn> lab_sign_in;
};

/// How frames get in and out of an interface (captures/port/open_port.hpp).
enum class DriverChoice : std::uint8_t { automatic, pcap, ring, xdp };

/// One side of the live gateway.
struct LiveSide {
    std::string interface;
    captures::base::Ipv4Address address;
    captures::base::Prefix on_link;
    std::optional<captures::base::Ipv4Address> gateway;

    bool operator==(const LiveSide&) const = default;
};

struct LiveRoute {
    captures::base::Prefix destination;
    captures::base::Ipv4Address via;  ///< on link
    captures::packet::Side side = captures::packet::Side::outside;

    bool operator==(const LiveRoute&) const = default;
};

/// `[live]`.
struct LiveConfig {
    DriverChoice driver = DriverChoice::automatic;
    LiveSide outside;
    LiveSide inside;
    std::vector<LiveRoute> routes;
    bool isolate = true;  ///< keep what arrives from the kernel's own stack

    bool operator==(const LiveConfig&) const = default;
    [[nodiscard]] const LiveSide& at(captures::packet::Side side) const noexcept {
        return side == captures::packet::Side::outside ? outside : inside;
    }
};

/// Everything a configuration file says, validated, every value in the project's own types.
struct Config {
    FirewallConfig firewall;
    std::vector<VirtualMachine> machines;
    std::vector<dnat::NatRule> nat_rules;  ///< in Azure's order of evaluation
    std::vector<Place> nat_rule_places;    ///< parallel to nat_rules
    policy::NetworkRules network_rules;
    std::vector<policy::Nsg> nsgs;
    std::vector<policy::JitPolicy> jit_policies;
    std::vector<Place> jit_policy_places;
    std::vector<policy::Principal> principals;
    std::vector<policy::Role> roles;
    std::vector<policy::RoleAssignment> role_assignments;
    policy::ServiceTags service_tags = policy::ServiceTags::azure_defaults();
    TimeoutConfig timeouts;
    LimitConfig limits;
    JitConfig jit;
    StoreConfig store;
    ApiConfig api;
    std::optional<LiveConfig> live;

    [[nodiscard]] const VirtualMachine* machine(std::string_view name) const noexcept;  ///< case-insensitive
    [[nodiscard]] const VirtualMachine* machine(captures::base::Ipv4Address address) const noexcept;
    [[nodiscard]] const policy::Nsg* nsg(std::string_view name) const noexcept;
    /// The policy that covers a machine, if any.
    [[nodiscard]] const policy::JitPolicy* policy_of(std::string_view machine) const noexcept;
    /// `/subscriptions/…/virtualMachines/<name>`
    [[nodiscard]] std::string machine_id(std::string_view machine) const;
    /// `/subscriptions/…/locations/<location>/jitNetworkAccessPolicies/<name>`
    [[nodiscard]] std::string policy_id(std::string_view policy) const;
};

}  // namespace gateway::config
