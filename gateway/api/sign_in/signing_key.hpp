#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

struct evp_pkey_st;

namespace gateway::api::sign_in {

/// A key of RFC 7518: RSA for RS256, P-256 for ES256. The key says the algorithm, never the token.
class SigningKey {
public:
    /// Of a JWK (RFC 7517): `RSA` with 2048..8192 bits, or `EC` on P-256. The error is for a person.
    [[nodiscard]] static tl::expected<SigningKey, std::string> from_jwk(const boost::json::object& jwk);
    /// A new one on P-256. Empty where OpenSSL has no randomness.
    [[nodiscard]] static std::optional<SigningKey> generate();

    [[nodiscard]] std::string_view algorithm() const noexcept { return algorithm_; }  ///< `RS256` or `ES256`
    /// Of a signature as JWTs have it: for ES256 r and s, 32 bytes each.
    [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;
    /// Only with a key that was generated here; empty otherwise.
    [[nodiscard]] std::optional<std::string> sign(std::string_view text) const;

private:
    struct Free {
        void operator()(evp_pkey_st* key) const noexcept;
    };
    using Handle = std::unique_ptr<evp_pkey_st, Free>;
    SigningKey(Handle key, std::string_view algorithm);

    Handle key_;
    std::string_view algorithm_;
};

}  // namespace gateway::api::sign_in
