#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "captures/base/five_tuple.hpp"
#include "policy/names.hpp"

namespace policy {

/// A port of the firewall that was given to a machine's port which no NAT rule maps. It stays that machine's for
/// good, so that a requester finds it again.
struct MappedPort {
    std::string machine;  ///< as configured
    std::uint16_t port = 0;
    captures::base::Endpoint listener;  ///< public address and port, the same for TCP and UDP

    bool operator==(const MappedPort&) const = default;
};

/// Who has which mapped port (facts of JIT with Azure Firewall: how Azure picks them is not documented).
class MappedPorts {
public:
    using Key = std::pair<std::string, std::uint16_t>;  ///< machine in lower case, and its port
    struct KeyLess {
        using is_transparent = void;
        template <class Left, class Right>
        [[nodiscard]] bool operator()(const Left& left, const Right& right) const noexcept {
            if (!same_name(left.first, right.first)) return is_before(left.first, right.first);
            return left.second < right.second;
        }
    };

    [[nodiscard]] const captures::base::Endpoint* find(std::string_view machine, std::uint16_t port) const noexcept;

    /// Takes one into account. A later one for the same machine and port replaces the earlier.
    void add(const MappedPort& mapped);

    /// Whether a listener is somebody's.
    [[nodiscard]] bool taken(captures::base::Endpoint listener) const noexcept { return taken_.contains(listener); }

    [[nodiscard]] const std::map<Key, captures::base::Endpoint, KeyLess>& all() const noexcept { return listeners_; }

private:
    std::map<Key, captures::base::Endpoint, KeyLess> listeners_;
    std::set<captures::base::Endpoint> taken_;
};

}  // namespace policy
