// Any bytes as a scenario: it is refused with reasons that name a place, or all in it is within bounds.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/config_file/load.hpp"
#include "gateway/replay/scenario_warnings.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const gateway::config::Findings& findings) {
    for (const auto& finding : findings) {
        require(!finding.message.empty());
        // What came from the file must not reach a terminal as it is.
        const auto text = to_string(finding);
        require(std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; }));
    }
}

void check(const gateway::replay::Scenario& scenario) {
    for (const auto& event : scenario.events) {
        const auto* request = std::get_if<gateway::replay::RequestEvent>(&event.what);
        if (request == nullptr) continue;
        require(!request->request.ports.empty());
        for (const auto& port : request->request.ports) {
            require(port.number != 0 && !port.sources.empty() &&
                    port.duration.has_value() != port.end_time.has_value());
        }
    }
    for (const auto& expectation : scenario.packets) {
        require(expectation.packet != 0);
        require(!expectation.fate || !expectation.reason || fate_of(*expectation.reason) == *expectation.fate);
    }
    for (const auto& expectation : scenario.flows) {
        require(expectation.flow.source.port != 0 && expectation.flow.destination.port != 0);
    }
}

constexpr std::string_view lab = R"(
firewall = { public_ips = ["203.0.113.10"], instance_ip = "10.0.1.5" }
virtual_machine = [ { name = "web01", private_ip = "10.1.0.4" } ]
principal = [ { name = "ana" } ]
role_assignment = [ { principal = "ana", role = "JIT Requester", scope = "/" } ]
[[jit_policy]]
virtual_machine = [ { name = "web01", ports = [ { number = 22, allowed_source_address_prefix = "198.51.100.0/24" } ] } ]
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto config = gateway::config_file::parse_config(lab, "lab.toml");
    require(config.has_value());
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto scenario = gateway::replay::parse_scenario(text, "fuzz.toml");
    if (!scenario) {
        require(!scenario.error().empty());
        check(scenario.error());
        return 0;
    }
    check(*scenario);
    check(check_scenario(*scenario, config->config));
    return 0;
}
