#pragma once

#include <stdexcept>
#include <string>

#include "gateway/store/store.hpp"

namespace gateway::store {

/// What this folder throws beside SOCI's exceptions; neither leaves the folder. `what` is the cause alone.
class Fault : public std::runtime_error {
public:
    using Kind = StoreError::Kind;

    Fault(Kind kind, const std::string& cause) : std::runtime_error{cause}, kind_{kind} {}

    [[nodiscard]] Kind kind() const noexcept { return kind_; }

private:
    Kind kind_;
};

/// The fault of a system call that set `errno` to this.
[[nodiscard]] Fault system_fault(int error);

/// The fault of a call of SQLite's that gave `result`, and of the system call behind it; `message` where there is no better one.
[[nodiscard]] Fault sqlite_fault(int result, int system_error, const std::string& message);

/// The exception that is being handled. Why the system refused is taken from `errno`, as sqlite3_system_errno knows
/// nothing of a COMMIT: set it to 0 before the attempt. Without the values of a statement, which SOCI adds to `what`: clients
/// wrote them, and faults are logged.
[[nodiscard]] Fault current_fault();

/// With the file's name and how to mend it.
[[nodiscard]] StoreError error_of(const Fault& fault, const std::string& path);

}  // namespace gateway::store
