#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/access/access.hpp"

/// A small lab with a policy, and who may ask for what in it, for the tests of access.
namespace support::access_lab {

using captures::base::Duration;
using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Protocol;
using captures::base::Time;
using gateway::access::Access;
using gateway::config::Config;
using policy::AccessRequest;
using policy::JitPort;
using policy::OnExpiry;
using policy::Refusal;
using policy::Status;
using policy::StatusReason;
using policy::WindowEnd;
using policy::WindowId;
using namespace std::chrono_literals;

namespace refusal_code = policy::refusal_code;

inline constexpr Time noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};
inline constexpr Endpoint web_ssh{{0x0a010004}, 22};
inline constexpr Endpoint web_dns{{0x0a010004}, 53};
inline constexpr Endpoint db_ssh{{0x0a010005}, 22};
inline constexpr const char* group = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab";
inline constexpr const char* web01_id =
    "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
    "/providers/Microsoft.Compute/virtualMachines/web01";

inline constexpr const char* operator_1 = "operator@lab.example";
inline constexpr const char* operator_2 = "second@lab.example";
inline constexpr const char* reader = "reader@lab.example";
inline constexpr const char* admin = "admin@lab.example";
inline constexpr const char* nobody = "nobody@lab.example";  // configured, but without any role

inline std::vector<Prefix> anywhere() { return {Prefix{{0}, 0}}; }

/// web01 and db01 in the policy, web02 in none; operators may ask for all machines, the administrator for everything.
inline Config lab() {
    Config config;
    config.firewall.subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23";
    config.firewall.resource_group = "lab";
    for (const auto* const name : {"web01", "db01", "web02"}) {
        gateway::config::VirtualMachine machine;
        machine.name = name;
        machine.private_ip = {0x0a010004 + static_cast<std::uint32_t>(config.machines.size())};
        config.machines.push_back(std::move(machine));
    }
    config.jit_policies = {{.machines = {{"web01",
                                          {{22, Protocol::tcp, anywhere(), 3h},
                                           {3389, {}, {Prefix::parse("198.51.100.0/24").value()}, 1h},
                                           {53, Protocol::tcp, anywhere(), 3h},
                                           {53, Protocol::udp, anywhere(), 2h}}},
                                         {"db01", {{22, Protocol::tcp, anywhere(), 3h}}}}}};
    for (const auto* const name : {operator_1, operator_2, reader, admin, nobody})
        config.principals.push_back({name, {}});
    config.role_assignments = {{operator_1, "JIT Requester", group},
                               {operator_2, "JIT Requester", group},
                               {reader, "Reader", group},
                               {admin, "Security Admin", group}};
    return config;
}

inline AccessRequest asks(std::string_view by, std::uint16_t port = 22, Duration duration = 1h,
                          std::string_view source = "198.51.100.7", std::string_view machine = "web01") {
    AccessRequest request;
    request.requestor = by;
    request.machine = machine;
    request.ports = {{.number = port, .sources = {std::string{source}}, .duration = duration, .end_time = {}}};
    return request;
}

inline AccessRequest asks_for(std::string_view machine) { return asks(operator_1, 22, 1h, "198.51.100.7", machine); }

inline WindowId found(const Access& access, Time now, std::string_view source = "198.51.100.7",
                      Endpoint target = web_ssh, Protocol protocol = Protocol::tcp) {
    return access.windows().find(target, protocol, Ipv4Address::parse(source).value(), now).value_or(0);
}

inline std::string status(const Access& access, WindowId id) {
    const auto* record = access.record(id);
    BOOST_REQUIRE(record != nullptr);
    std::string text{to_string(record->status)};
    return text + ' ' + std::string{to_string(record->status_reason)};
}

/// The empty refusal where there is none.
template <class Result>
Refusal refusal_of(const Result& result) {
    return result ? Refusal{} : result.error();
}

struct Lab {
    Config config = lab();
    Access access{config};
};

using Ids = std::vector<WindowId>;
using Ends = std::vector<WindowEnd>;

}  // namespace support::access_lab
