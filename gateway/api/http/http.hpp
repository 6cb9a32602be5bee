#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "captures/base/address.hpp"

namespace gateway::api::http {

/// Names and values, in the order of the names. They are few: a sorted array costs less than a tree.
using Fields = boost::container::flat_map<std::string, std::string, std::less<>>;

/// A request as the handlers see it: what travelled on the connection is parsed and bounded already.
struct Request {         // NOLINT(bugprone-exception-escape): moving what Boost calls noexcept does not throw
    std::string method;  ///< as sent, upper case: GET, PUT, …
    std::vector<std::string> path;  ///< segments, percent-decoded; `/` has none
    Fields query;                   ///< names in lower case, values decoded; of several the first
    Fields headers;                 ///< names in lower case
    std::string body;
    std::string base_url;  ///< `https://host:port` as the client named it, for absolute links
    std::string peer;      ///< the client's address as text
    std::optional<captures::base::Ipv4Address> peer_ipv4;

    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view lower_case_name) const;
};

/// Content-Length, Date and Connection are the server's; a body without Content-Type is JSON.
struct Response {
    int status = 200;
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< the names are literals
    std::string body;
};

/// Takes the answer to a request: called once, by the server's thread, perhaps later.
using Reply = std::function<void(Response)>;

/// Splits and decodes `/a/b?c=d`. Empty where an escape is broken, a segment is `.` or `..`, or a byte is not to be
/// in a URL: such a request is answered 400.
[[nodiscard]] std::optional<std::pair<std::vector<std::string>, Fields>> parse_target(std::string_view target);

}  // namespace gateway::api::http
