#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "captures/base/time.hpp"
#include "gateway/api/http/http.hpp"

namespace gateway::api::http {

/// A server to ask, over TLS and with its certificate verified.
struct Endpoint {
    std::string host;  ///< name or address
    std::string port = "443";
    std::string prefix;  ///< before every path; empty or `/…`, without a slash at its end

    [[nodiscard]] std::string url() const;

    /// `https://HOST[:PORT][/PREFIX]`. The error is for a person.
    [[nodiscard]] static tl::expected<Endpoint, std::string> parse(std::string_view url);
};

struct ClientOptions {
    Endpoint endpoint;
    std::string token;    ///< empty: none is sent
    std::string ca_file;  ///< PEM; empty: those that the system trusts
    bool insecure = false;
    captures::base::Duration timeout = std::chrono::seconds{30};  ///< for each step
};

/// Why there is no answer. `fingerprint` is that of a certificate which is not trusted; what was to be asked, and the
/// token, have not been sent then.
struct NoAnswer {
    std::string message;
    std::string fingerprint;
};

/// One request on a connection of its own. `target` begins with `/`; a body is JSON.
[[nodiscard]] tl::expected<Response, NoAnswer> ask(const ClientOptions& options, const std::string& method,
                                                   const std::string& target, std::string body = {});

}  // namespace gateway::api::http
