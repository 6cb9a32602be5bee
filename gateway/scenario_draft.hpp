#pragma once

#include <string>

#include "gateway/scenario.hpp"
#include "gateway/toml_reader.hpp"

namespace gateway {

// The tables of a scenario. What can be understood of each is added to `scenario`; mistakes are reported to `problems`.

/// `directory` is what the path of a `reload` is relative to.
void read_event(TomlTable& table, const std::string& directory, Problems& problems, Scenario& scenario);
void read_expectation(TomlTable& table, Problems& problems, Scenario& scenario);

}  // namespace gateway
