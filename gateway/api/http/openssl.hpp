#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace gateway::api::http::openssl {

template <auto free>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};

using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, Freed<X509_free>>;

/// The reason of the last failure of this thread; forgets all of them.
[[nodiscard]] inline std::string last_error() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
    return text == nullptr ? "unknown error" : text;
}

/// `AB:CD:…`: SHA-256 over a certificate.
[[nodiscard]] std::string fingerprint(const X509* certificate);

}  // namespace gateway::api::http::openssl
