// Any bytes as a configuration: it is refused with reasons that name a place, or it is one that the packet path can use.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/config/config.hpp"
#include "gateway/config_file/load.hpp"
#include "gateway/pipeline/tables.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const gateway::config::Findings& findings, bool failed) {
    const auto is_error = [](const gateway::config::Finding& one) {
        return one.severity == gateway::config::Finding::Severity::error;
    };
    require(std::ranges::any_of(findings, is_error) == failed);
    for (const auto& finding : findings) {
        require(!finding.message.empty());
        // What came from the file must not reach a terminal as it is.
        const auto text = to_string(finding);
        require(std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; }));
    }
}

void check(const gateway::config::Config& config) {
    require(config.nat_rule_places.size() == config.nat_rules.size());
    require(config.jit_policy_places.size() == config.jit_policies.size());
    require(gateway::pipeline::Tables::build(config).has_value());
    for (const auto& policy : config.jit_policies) {
        for (const auto& machine : policy.machines) require(config.machine(machine.name) != nullptr);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto loaded = gateway::config_file::parse_config(text, "fuzz.toml");
    check(loaded ? loaded->warnings : loaded.error(), !loaded);
    if (loaded) check(loaded->config);
    return 0;
}
