#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include "gateway/api/http/client.hpp"

namespace tools {

/// How to reach a server: flags, else the environment, else `~/.config/portcullis/client.toml`.
struct RemoteFlags {
    std::string endpoint;
    std::string token;
    std::string token_file;
    std::string ca;
    bool insecure = false;
    bool json = false;
};

void add_remote_flags(CLI::App& command, RemoteFlags& flags);

/// A server that a command asks. What goes wrong is told, on standard error or with `--json` as the server's own JSON,
/// and comes back as the exit code.
class Remote {
public:
    [[nodiscard]] static tl::expected<Remote, int> open(const RemoteFlags& flags);

    [[nodiscard]] tl::expected<boost::json::value, int> get(const std::string& target) const;
    /// The first `most` values of a list, which comes in pages.
    [[nodiscard]] tl::expected<boost::json::array, int> list(std::string target, std::size_t most = SIZE_MAX) const;
    /// `refused` is told of a refusal's `error`, for a person, before the refusal itself is.
    using OnRefusal = std::function<void(const boost::json::value& error)>;
    [[nodiscard]] tl::expected<boost::json::value, int> send(const std::string& method, const std::string& target,
                                                             const boost::json::value& body,
                                                             const OnRefusal& refused = {}) const;
    /// The body as it is; empty for 204.
    [[nodiscard]] tl::expected<std::string, int> text(const std::string& method, const std::string& target,
                                                      std::string body = {}, const OnRefusal& refused = {}) const;

    [[nodiscard]] bool json() const noexcept { return json_; }

private:
    Remote(gateway::api::http::ClientOptions options, bool json) : options_{std::move(options)}, json_{json} {}
    [[nodiscard]] int tell_refusal(const gateway::api::http::Response& response, const OnRefusal& refused) const;
    [[nodiscard]] int unreachable(const gateway::api::http::NoAnswer& why) const;

    gateway::api::http::ClientOptions options_;
    bool json_;
};

/// A field as text: strings as they are, numbers and the rest as JSON; empty where there is none.
[[nodiscard]] std::string field(const boost::json::value& object, std::string_view name);
/// The elements of an array's field; none where there is none.
[[nodiscard]] const boost::json::array& items(const boost::json::value& object, std::string_view name);

/// Somebody else's text for a terminal: without characters that could move the cursor, say things or turn the text around.
[[nodiscard]] std::string printable(std::string_view text);

/// On standard output, for a program.
void print_json(const boost::json::value& value);

/// For a path segment or a query value.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace tools
