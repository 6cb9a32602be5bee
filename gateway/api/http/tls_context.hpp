#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <tl/expected.hpp>

#include "gateway/api/http/server.hpp"

namespace gateway::api::http {

/// A server's side of TLS 1.2 and later. The error names the file and the cure.
[[nodiscard]] tl::expected<std::shared_ptr<boost::asio::ssl::context>, std::string> server_context(
    const Certificate& certificate);

}  // namespace gateway::api::http
