#include "gateway/config/directory.hpp"

#include <algorithm>

#include "policy/names.hpp"

namespace gateway::config {

namespace {

template <class Value>
Value find(const policy::NameMap<Value>& map, std::string_view name) {
    const auto found = map.find(name);
    return found == map.end() ? Value{} : found->second;
}

}  // namespace

Directory::Directory(const Config& config) : id_prefix_{config.machine_id("")} {
    for (const auto& machine : config.machines) {
        machines_.emplace(machine.name, &machine);
        sorted_machines_.push_back(&machine);
    }
    std::ranges::sort(sorted_machines_, policy::is_before, &VirtualMachine::name);
    for (const auto& principal : config.principals) principals_.emplace(principal.name, &principal);
    for (const auto& policy : config.jit_policies) {
        for (const auto& machine : policy.machines) {
            coverage_.emplace(machine.name, Coverage{&policy, &machine});
        }
    }
}

const VirtualMachine* Directory::machine(std::string_view name) const { return find(machines_, name); }

const VirtualMachine* Directory::machine_of_id(std::string_view id) const {
    if (!policy::same_name(id.substr(0, id_prefix_.size()), id_prefix_)) return nullptr;
    return machine(id.substr(id_prefix_.size()));
}

const policy::Principal* Directory::principal(std::string_view name) const { return find(principals_, name); }

Directory::Coverage Directory::coverage(std::string_view machine) const { return find(coverage_, machine); }

}  // namespace gateway::config
