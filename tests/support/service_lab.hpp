#pragma once

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

#include "gateway/config_file/load.hpp"
#include "gateway/control_plane/control_plane.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/waiting_control.hpp"

/// A control plane on a real store in a directory of its own, for the tests of the service and its API.
namespace support {

inline constexpr captures::base::Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} +
                                           std::chrono::hours{12}};

/// web01 (ssh and rdp, mapped by a rule), db01 (no rule: gets a mapped port), app01 (in no policy), all in group lab.
/// Principals: requester@ (JIT Requester on web01 and db01), second@ (the same), reader@, admin@ (Owner), nobody@, and
/// one@ (JIT Requester on web01 only). Tokens are "token-of-" and the name before the @.
inline constexpr const char* service_lab_toml = R"(
[firewall]
name = "lab-fw"
subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
resource_group = "lab"
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"

[[virtual_machine]]
name = "web01"
private_ip = "10.1.0.4"
[[virtual_machine]]
name = "db01"
os = "windows"
private_ip = "10.1.0.5"
[[virtual_machine]]
name = "app01"
private_ip = "10.1.0.6"

[[nat_rule_collection]]
name = "inbound"
priority = 200
  [[nat_rule_collection.rule]]
  name = "ssh-web01"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["50022"]
  translated_address = "10.1.0.4"
  translated_port = "22"
  [[nat_rule_collection.rule]]
  name = "ssh-app01"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["50122"]
  translated_address = "10.1.0.6"
  translated_port = "22"

[[jit_policy]]
name = "default"
  [[jit_policy.virtual_machine]]
  name = "web01"
  ports = [ { number = 22, protocol = "TCP", allowed_source_address_prefix = "*", max_request_access_duration = "PT3H" } ]
  [[jit_policy.virtual_machine]]
  name = "db01"
  ports = [ { number = 3389, protocol = "TCP", allowed_source_address_prefix = "198.51.100.0/24", max_request_access_duration = "PT1H" } ]

[[principal]]
name = "requester@lab.example"
token_sha256 = "ccbd6a5c8599ca9d3507451b158c5e822bd203ddc677cc211e80708c58cb7a15"
[[principal]]
name = "second@lab.example"
token_sha256 = "7b6f465111440a4588ca03f5c4e46bb02d386a843b65a37b573a137368a6a487"
[[principal]]
name = "one@lab.example"
token_sha256 = "1660c21f1029de2c0b013c2acb5a749f47eed3e8379294bbed52e2a05c0d0f3f"
[[principal]]
name = "reader@lab.example"
token_sha256 = "f9e36f90379bbb3c10c8874dde93c9c078b38316c1d9d076ea507844b76d2278"
[[principal]]
name = "admin@lab.example"
token_sha256 = "47736f3a2b34f7f36ba93874745efa96c67707390dc74443d38defa81b58535d"
[[principal]]
name = "nobody@lab.example"
token_sha256 = "91057502ee689c7c923c7f53f29084ee2887e26736d14ea354e1d63b6b002d37"

[[role_assignment]]
principal = "requester@lab.example"
role = "JIT Requester"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
[[role_assignment]]
principal = "second@lab.example"
role = "JIT Requester"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
[[role_assignment]]
principal = "one@lab.example"
role = "JIT Requester"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/web01"
[[role_assignment]]
principal = "reader@lab.example"
role = "Reader"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
[[role_assignment]]
principal = "admin@lab.example"
role = "Owner"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
)";

struct ServiceLab {
    ServiceLab() { start(noon); }

    /// Ends the service, if there is one, and starts it on the same store.
    void start(captures::base::Time now, const std::string& toml = service_lab_toml) {
        control.reset();
        auto loaded = gateway::config_file::parse_config(toml, "lab.toml");
        BOOST_REQUIRE_MESSAGE(loaded, (loaded ? std::string{} : gateway::config::to_string(loaded.error().front())));
        auto store = gateway::store::Store::open("sqlite:" + (directory.path() / "store.db").string());
        BOOST_REQUIRE_MESSAGE(store, (store ? std::string{} : store.error().message));
        auto started = gateway::control_plane::ControlPlane::start(std::move(loaded->config), std::move(*store), now);
        BOOST_REQUIRE_MESSAGE(started, (started ? std::string{} : started.error()));
        control = std::make_unique<WaitingControl>(std::move(*started));
    }

    [[nodiscard]] static gateway::control_plane::Caller caller(const std::string& name) {
        return {name + "@lab.example", "198.51.100.7", captures::base::Ipv4Address{0xc6336407}, "correlation-1", {}};
    }
    [[nodiscard]] static std::string machine_id(const std::string& name) {
        return "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
               "/providers/Microsoft.Compute/virtualMachines/" +
               name;
    }
    [[nodiscard]] static gateway::control_plane::InitiateRequest asks(
        const std::string& machine, std::uint16_t port, captures::base::Duration duration = std::chrono::hours{1}) {
        policy::RequestedPort wanted;
        wanted.number = port;
        wanted.duration = duration;
        return {{{machine_id(machine), {wanted}}}, "patching", "fingerprint"};
    }
    auto initiate(const std::string& who, const std::string& machine, std::uint16_t port,
                  captures::base::Time now = noon, captures::base::Duration duration = std::chrono::hours{1}) {
        return control->initiate(caller(who), "default", asks(machine, port, duration), now);
    }

    ScratchFolder directory;
    std::unique_ptr<WaitingControl> control;
};

}  // namespace support
