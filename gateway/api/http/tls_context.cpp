#include "gateway/api/http/tls_context.hpp"

#include <fmt/format.h>

#include <boost/asio/ssl/error.hpp>
#include <boost/system/system_error.hpp>

namespace gateway::api::http {

namespace ssl = boost::asio::ssl;

tl::expected<std::shared_ptr<ssl::context>, std::string> server_context(const Certificate& certificate) {
    const auto failed = [](const std::string& file, const boost::system::error_code& error) {
        return tl::unexpected{
            fmt::format("{}: {}; give PEM files as [api] tls_certificate and tls_key", file, error.message())};
    };
    try {
        auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
        auto* const native = context->native_handle();
        SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
        SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);  // clients keep theirs: tickets
        boost::system::error_code error;
        context->use_certificate_chain_file(certificate.chain_file, error);
        if (error) return failed(certificate.chain_file, error);
        context->use_private_key_file(certificate.key_file, ssl::context::pem, error);
        if (error) return failed(certificate.key_file, error);
        return context;
    } catch (const boost::system::system_error& error) {
        return tl::unexpected{fmt::format("cannot set up TLS: {}", error.what())};
    }
}

}  // namespace gateway::api::http
