#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"

namespace gateway::control_plane {

/// Who asks, from where. The principal is authenticated, and named as the configuration names it.
struct Caller {
    std::string principal;
    std::string address;                              ///< of the connection, for the audit
    std::optional<captures::base::Ipv4Address> ipv4;  ///< stands in for an omitted source
    std::string correlation_id;
    std::string client_request_id;  ///< may be empty
};

/// A refusal with its HTTP status, in ARM's form.
struct Problem {
    int status = 500;
    std::string code;
    std::string message;

    bool operator==(const Problem&) const = default;
};

template <class T>
using Answer = tl::expected<T, Problem>;

}  // namespace gateway::control_plane
