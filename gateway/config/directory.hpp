#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"
#include "policy/names.hpp"

namespace gateway::config {

/// Names of a configuration, found in constant time and without regard to case. What it returns points into the
/// configuration, which must not change while this exists.
class Directory {
public:
    Directory() = default;
    explicit Directory(const Config& config);

    [[nodiscard]] const VirtualMachine* machine(std::string_view name) const;
    /// All of them, sorted by name.
    [[nodiscard]] std::span<const VirtualMachine* const> machines() const noexcept { return sorted_machines_; }
    /// By a resource id in any case; a name alone is none.
    [[nodiscard]] const VirtualMachine* machine_of_id(std::string_view id) const;
    [[nodiscard]] const policy::Principal* principal(std::string_view name) const;

    /// The policy that covers a machine, and its entry there.
    struct Coverage {
        const policy::JitPolicy* policy = nullptr;
        const policy::JitMachine* machine = nullptr;
    };
    [[nodiscard]] Coverage coverage(std::string_view machine) const;

private:
    policy::NameMap<const VirtualMachine*> machines_;
    std::vector<const VirtualMachine*> sorted_machines_;
    policy::NameMap<const policy::Principal*> principals_;
    policy::NameMap<Coverage> coverage_;
    std::string id_prefix_;  ///< of machines' resource ids
};

}  // namespace gateway::config
