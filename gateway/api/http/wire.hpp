#pragma once

#include <string>
#include <string_view>

#include "captures/base/time.hpp"
#include "gateway/api/http/http.hpp"

namespace gateway::api::http {

/// How an answer goes over the connection.
struct Delivery {
    bool keep_alive = true;
    bool http_1_0 = false;   ///< such a client is told of keep-alive, not of close
    bool only_head = false;  ///< HEAD: the length of the body, without the body
    captures::base::Time date;
};

/// An answer as HTTP/1.1 text (RFC 9112). A header that would break out of its line is left out.
[[nodiscard]] std::string to_wire(const Response& response, const Delivery& delivery);

/// A refusal by the listener itself, in ARM's form: `{"error":{"code":…,"message":…}}`.
[[nodiscard]] Response refusal(int status, std::string_view code, std::string_view message);

/// What a request asks for (RFC 9112 §3.2): the path with its query, and the authority of absolute-form or `Host`.
/// The authority is checked: it comes back in links, so that nothing but a name or address and a port may be in it.
struct Target {
    std::string path;       ///< `/…`; of any other form as it is, which no route knows
    std::string authority;  ///< empty where there is none, or a bad one
};
[[nodiscard]] Target split_target(std::string_view target, std::string_view host);

}  // namespace gateway::api::http
