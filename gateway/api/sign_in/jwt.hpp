#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <tl/expected.hpp>

#include "captures/base/time.hpp"
#include "gateway/api/sign_in/signing_key.hpp"

namespace gateway::api::sign_in {

/// A JSON Web Token (RFC 7519) in its compact form, read but not believed.
struct Jwt {
    std::string algorithm;
    std::string key_id;
    boost::json::object claims;
    std::string_view signed_text;  ///< of the token it was read from
    std::string signature;

    /// Empty for what is no such token: more than 16 kB, not three parts, not base64url of JSON objects, a name
    /// twice, no `alg` or `kid`, another `typ` than JWT, or a `crit` (RFC 7515 §4.1.11).
    [[nodiscard]] static std::optional<Jwt> parse(std::string_view token);

    /// The text of a claim; empty where there is none.
    [[nodiscard]] std::string_view text(std::string_view claim) const noexcept;
};

/// Public keys by their id (RFC 7517).
class KeySet {
public:
    /// Reads a JWKS. Keys for other algorithms or uses are left out; the error, for a person, where none is left or two have
    /// the same id.
    [[nodiscard]] static tl::expected<KeySet, std::string> parse(std::string_view jwks);

    /// Whether the key that the token names has signed it with the key's own algorithm.
    [[nodiscard]] bool has_signed(const Jwt& token) const;

private:
    struct Entry {
        std::string id;
        SigningKey key;
    };
    std::vector<Entry> entries_;
};

/// What a token says about itself, beside its signature.
enum class Validity { valid, expired, invalid };

/// `iss` and `aud` (one or several) as wanted, `exp` and `nbf` with a leeway of 60 s; without `exp` it is invalid.
/// An empty audience stands for any.
[[nodiscard]] Validity validity(const Jwt& token, std::string_view issuer, std::string_view audience,
                                captures::base::Time now);

/// `exp` as a time, where there is one that can be told.
[[nodiscard]] std::optional<captures::base::Time> expiry_of(const Jwt& token);

/// Signed by a key that was generated here; empty where that fails.
[[nodiscard]] std::optional<std::string> signed_token(const boost::json::object& claims, const SigningKey& key,
                                                      std::string_view key_id);

}  // namespace gateway::api::sign_in
