#pragma once

#include <string>

#include "gateway/config_file/toml_table.hpp"
#include "gateway/replay/scenario.hpp"

namespace gateway::replay {

// The tables of a scenario. What can be understood of each is added to `scenario`; mistakes are reported to `problems`.

/// `directory` is what the path of a `reload` is relative to.
void read_event(config_file::TomlTable& table, const std::string& directory, config::Problems& problems,
                Scenario& scenario);
void read_expectation(config_file::TomlTable& table, config::Problems& problems, Scenario& scenario);

}  // namespace gateway::replay
