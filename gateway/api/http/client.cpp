#include "gateway/api/http/client.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>
#include <optional>

#include "gateway/api/http/openssl.hpp"

namespace gateway::api::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::redirect_error;
using asio::use_awaitable;
using Error = boost::system::error_code;

namespace {

constexpr std::uint64_t largest_answer = std::uint64_t{256} << 20;
constexpr int request_version = 11;

std::string owned(beast::string_view text) { return {text.data(), text.size()}; }

/// An IPv6 address without the brackets that it has in a URL.
std::string without_brackets(const std::string& host) {
    return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

/// One question and its answer; the steps stand in their order.
class Exchange {
public:
    explicit Exchange(const ClientOptions& options) : options_{options} {}

    tl::expected<Response, NoAnswer> run(http::request<http::string_body> request) {
        if (auto problem = trust()) return tl::unexpected{std::move(*problem)};
        asio::co_spawn(io_, talk(std::move(request)), asio::detached);
        io_.run();
        if (answer_) return std::move(*answer_);
        if (no_answer_.message.empty()) no_answer_.message = "no answer from " + options_.endpoint.url();
        return tl::unexpected{no_answer_};
    }

private:
    std::optional<NoAnswer> trust() {
        Error error;
        if (options_.ca_file.empty()) {
            context_.set_default_verify_paths(error);
        } else {
            context_.load_verify_file(options_.ca_file, error);
        }
        if (error) return NoAnswer{fmt::format("{}: {}", options_.ca_file, error.message()), {}};
        // On the stream, which took its settings from the context when it was made.
        SSL_set_min_proto_version(stream_.native_handle(), TLS1_2_VERSION);
        stream_.set_verify_mode(options_.insecure ? ssl::verify_none : ssl::verify_peer);
        return {};
    }

    asio::awaitable<void> talk(http::request<http::string_body> request) {
        const bool connected = co_await connect();
        if (!connected) co_return;
        const bool safe = co_await handshake();
        if (!safe) co_return;
        Error error;
        stream_.next_layer().expires_after(timeout());
        co_await http::async_write(stream_, request, redirect_error(use_awaitable, error));
        if (error) co_return fail(error);
        beast::flat_buffer buffer;
        http::response_parser<http::string_body> parser;
        parser.body_limit(largest_answer);
        stream_.next_layer().expires_after(timeout());
        co_await http::async_read(stream_, buffer, parser, redirect_error(use_awaitable, error));
        if (error) co_return fail(error);
        keep(parser.release());
    }

    asio::awaitable<bool> connect() {
        Error error;
        asio::ip::tcp::resolver resolver{io_};
        const auto addresses = co_await resolver.async_resolve(
            without_brackets(options_.endpoint.host), options_.endpoint.port, redirect_error(use_awaitable, error));
        if (!error) {
            stream_.next_layer().expires_after(timeout());
            co_await stream_.next_layer().async_connect(addresses, redirect_error(use_awaitable, error));
        }
        if (error) fail(error);
        co_return !error;
    }

    asio::awaitable<bool> handshake() {
        const auto host = without_brackets(options_.endpoint.host);
        auto name = host;
        SSL_ctrl(stream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
        if (!options_.insecure) {
            stream_.set_verify_callback(
                [this, host](bool good, ssl::verify_context& context) { return verify(good, context, host); });
        }
        Error error;
        stream_.next_layer().expires_after(timeout());
        co_await stream_.async_handshake(ssl::stream_base::client, redirect_error(use_awaitable, error));
        if (error) fail(error);
        co_return !error;
    }

    bool verify(bool good, ssl::verify_context& context, const std::string& host) {
        auto* const chain = context.native_handle();
        const bool named = ssl::host_name_verification{host}(good, context);
        if (good && named) return true;
        const auto* const leaf = X509_STORE_CTX_get0_cert(chain);
        no_answer_.fingerprint = leaf == nullptr ? "" : openssl::fingerprint(leaf);
        no_answer_.message = fmt::format(
            "the certificate of {} is not trusted: {}", options_.endpoint.url(),
            good ? "it is not for " + host : X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain)));
        return false;
    }

    void keep(http::response<http::string_body> response) {
        Response answer;
        answer.status = static_cast<int>(response.result_int());
        for (const auto& field : response.base()) {
            answer.headers.emplace_back(owned(field.name_string()), owned(field.value()));
        }
        answer.body = std::move(response.body());
        answer_ = std::move(answer);
    }

    void fail(const Error& error) {
        if (!no_answer_.message.empty()) return;
        const auto why = error == beast::error::timeout ? "no answer in time" : error.message();
        no_answer_.message = fmt::format("cannot reach {}: {}", options_.endpoint.url(), why);
    }

    [[nodiscard]] std::chrono::steady_clock::duration timeout() const {
        return std::chrono::duration_cast<std::chrono::steady_clock::duration>(options_.timeout);
    }

    const ClientOptions& options_;
    asio::io_context io_{1};
    ssl::context context_{ssl::context::tls_client};
    ssl::stream<beast::tcp_stream> stream_{beast::tcp_stream{io_}, context_};
    std::optional<Response> answer_;
    NoAnswer no_answer_;
};

}  // namespace

std::string Endpoint::url() const { return fmt::format("https://{}:{}{}", host, port, prefix); }

tl::expected<Endpoint, std::string> Endpoint::parse(std::string_view url) {
    const auto parsed = boost::urls::parse_uri({url.data(), url.size()});
    const auto refuse = [&](std::string_view why) {
        return tl::unexpected{fmt::format("\"{}\" {}; write https://HOST:PORT", url, why)};
    };
    if (!parsed) return refuse("is no URL");
    if (parsed->scheme_id() != boost::urls::scheme::https) return refuse("would send the token in the clear");
    if (parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment()) return refuse("says more than where");
    if (parsed->encoded_host().empty()) return refuse("names no host");
    Endpoint endpoint;
    const auto host = parsed->encoded_host();
    const auto port = parsed->port();
    const auto path = parsed->encoded_path();
    endpoint.host = std::string{host.data(), host.size()};
    if (!port.empty()) endpoint.port = std::string{port.data(), port.size()};
    endpoint.prefix = std::string{path.data(), path.size()};
    while (endpoint.prefix.ends_with('/')) endpoint.prefix.pop_back();
    return endpoint;
}

tl::expected<Response, NoAnswer> ask(const ClientOptions& options, const std::string& method, const std::string& target,
                                     std::string body) {
    try {
        http::request<http::string_body> request;
        request.version(request_version);
        request.method_string(method);
        request.target(options.endpoint.prefix + target);
        request.set(http::field::host, options.endpoint.host + ":" + options.endpoint.port);
        request.set(http::field::user_agent, "portcullis");
        request.set(http::field::accept, "*/*");
        request.set(http::field::connection, "close");
        if (!options.token.empty()) request.set(http::field::authorization, "Bearer " + options.token);
        if (!body.empty()) request.set(http::field::content_type, "application/json");
        request.body() = std::move(body);
        request.prepare_payload();
        return Exchange{options}.run(std::move(request));
    } catch (const std::exception& error) {
        return tl::unexpected{NoAnswer{error.what(), {}}};
    }
}

}  // namespace gateway::api::http
