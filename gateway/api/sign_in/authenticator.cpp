#include "gateway/api/sign_in/authenticator.hpp"

#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include <openssl/crypto.h>

#include "gateway/api/http/text.hpp"
#include "gateway/api/sign_in/jwt.hpp"
#include "gateway/control_plane/guid.hpp"
#include "policy/names.hpp"

namespace gateway::api::sign_in {

namespace {

constexpr std::size_t longest_header = 20UL * 1024;  // a token of 16 kB and what stands before it
constexpr auto lab_token_lifetime = std::chrono::hours{1};

struct HashedToken {
    http::Sha256 digest{};
    std::string principal;
};

/// The lab's own issuer, with a key that dies with the process.
struct LabIssuer {
    SigningKey key;
    std::string key_id;
    std::string issuer;
    std::string tenant;
    std::string principal;
};

struct TrustedIssuer {
    KeySet keys;
    std::string name;
    std::string audience;
};

control_plane::Problem unauthenticated(std::string code, std::string message) {
    return {401, std::move(code), std::move(message)};
}

control_plane::Problem invalid_token() {
    return unauthenticated("InvalidAuthenticationToken", "The access token is invalid.");
}

control_plane::Problem expired_token(const Jwt& token, captures::base::Time now) {
    const auto expiry = expiry_of(token).value_or(now);
    return unauthenticated("ExpiredAuthenticationToken",
                           "The access token expiry UTC time '" + captures::base::to_rfc3339(expiry, 0) +
                               "' is earlier than current UTC time '" + captures::base::to_rfc3339(now, 0) + "'.");
}

/// Beyond the longest file that a JWKS can sensibly be, only so much is read that it is no JSON any more.
std::optional<std::string> contents_of(const std::string& path) {
    constexpr std::size_t most = 1024UL * 1024;
    std::ifstream file{path, std::ios::binary};
    if (!file) return {};
    std::string text(most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || text.size() > most) return {};
    return text;
}

tl::expected<TrustedIssuer, std::string> trusted_issuer(const config::JwtConfig& config) {
    const auto text = contents_of(config.jwks);
    if (!text) {
        return tl::unexpected<std::string>{"[api.jwt]: the keys in " + http::shown(config.jwks) +
                                           " cannot be read: name a file with a JWKS of at most 1 MB"};
    }
    auto keys = KeySet::parse(*text);
    if (!keys) {
        return tl::unexpected<std::string>{"[api.jwt]: " + http::shown(config.jwks) +
                                           " is no usable JWKS: " + keys.error()};
    }
    return TrustedIssuer{std::move(*keys), config.issuer, config.audience};
}

tl::expected<LabIssuer, std::string> lab_issuer(const config::ApiConfig& config) {
    auto key = SigningKey::generate();
    if (!key) return tl::unexpected<std::string>{"[api.lab_sign_in]: no key could be made, OpenSSL has no randomness"};
    return LabIssuer{std::move(*key), control_plane::new_guid(), "https://sts.windows.net/" + config.tenant + '/',
                     config.tenant, config.lab_sign_in->principal};
}

}  // namespace

struct Authenticator::Keys {
    std::vector<HashedToken> tokens;
    std::vector<std::string> principals;
    std::optional<TrustedIssuer> issuer;
    std::optional<LabIssuer> lab;

    [[nodiscard]] const std::string* named(std::string_view name) const {
        for (const auto& principal : principals) {
            if (policy::same_name(principal, name)) return &principal;
        }
        return nullptr;
    }

    /// Compares with all, each in constant time: how long it takes tells nothing.
    [[nodiscard]] const std::string* of_token(std::string_view token) const {
        const auto digest = http::sha256(token);
        const std::string* found = nullptr;
        for (const auto& one : tokens) {
            if (CRYPTO_memcmp(one.digest.data(), digest.data(), digest.size()) == 0) found = &one.principal;
        }
        return found;
    }

    [[nodiscard]] control_plane::Answer<std::string> of_jwt(const Jwt& token, captures::base::Time now) const {
        if (lab && token.key_id == lab->key_id) return of_lab_token(token, now);
        if (!issuer || !issuer->keys.has_signed(token)) return tl::unexpected{invalid_token()};
        const auto verdict = validity(token, issuer->name, issuer->audience, now);
        if (verdict == Validity::expired) return tl::unexpected{expired_token(token, now)};
        if (verdict == Validity::invalid) return tl::unexpected{invalid_token()};
        for (const std::string_view claim : {"oid", "upn", "preferred_username"}) {
            const auto* principal = token.text(claim).empty() ? nullptr : named(token.text(claim));
            if (principal != nullptr) return *principal;
        }
        return tl::unexpected{invalid_token()};
    }

    [[nodiscard]] control_plane::Answer<std::string> of_lab_token(const Jwt& token, captures::base::Time now) const {
        const bool is_signed = token.algorithm == lab->key.algorithm() &&
                               lab->key.verifies(token.signed_text, token.signature);
        const auto verdict = is_signed ? validity(token, lab->issuer, "", now) : Validity::invalid;
        if (verdict == Validity::expired) return tl::unexpected{expired_token(token, now)};
        const auto* principal = verdict == Validity::valid ? named(lab->principal) : nullptr;
        if (principal == nullptr) return tl::unexpected{invalid_token()};
        return *principal;
    }
};

Authenticator::Authenticator(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
Authenticator::Authenticator(Authenticator&&) noexcept = default;
Authenticator& Authenticator::operator=(Authenticator&&) noexcept = default;
Authenticator::~Authenticator() = default;

tl::expected<Authenticator, std::string> Authenticator::create(const config::Config& config) {
    auto keys = std::make_unique<Keys>();
    for (const auto& principal : config.principals) {
        keys->principals.push_back(principal.name);
        if (principal.token_sha256.empty()) continue;
        const auto bytes = http::from_hex(principal.token_sha256);
        if (!bytes || bytes->size() != http::sha256_size) {
            return tl::unexpected<std::string>{"token_sha256 of " + http::shown(principal.name) +
                                               " is no SHA-256 digest in hex"};
        }
        HashedToken token{.principal = principal.name};
        std::copy(bytes->begin(), bytes->end(), token.digest.begin());
        keys->tokens.push_back(std::move(token));
    }
    if (config.api.jwt) {
        auto issuer = trusted_issuer(*config.api.jwt);
        if (!issuer) return tl::unexpected{issuer.error()};
        keys->issuer = std::move(*issuer);
    }
    if (config.api.lab_sign_in) {
        auto lab = lab_issuer(config.api);
        if (!lab) return tl::unexpected{lab.error()};
        keys->lab = std::move(*lab);
    }
    return Authenticator{std::move(keys)};
}

control_plane::Answer<std::string> Authenticator::principal_of(std::string_view authorization,
                                                               captures::base::Time now) const {
    constexpr std::string_view scheme = "Bearer";
    if (authorization.empty()) {
        return tl::unexpected{unauthenticated("AuthenticationFailed",
                                              "The authentication failed because of missing 'Authorization' header.")};
    }
    const auto given = authorization.substr(0, authorization.find(' '));
    if (!policy::same_name(given, scheme) || authorization.size() > longest_header) {
        return tl::unexpected{
            unauthenticated("AuthenticationFailedInvalidHeader",
                            "Authentication failed. The 'Authorization' header is provided in an invalid format.")};
    }
    auto token = authorization.substr(given.size());
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    token = token.substr(0, token.find_last_not_of(' ') + 1);
    if (token.empty()) {
        return tl::unexpected{
            unauthenticated("AuthenticationFailedMissingToken",
                            "Authentication failed. The 'Authorization' header is missing the access token.")};
    }
    if (const auto* principal = keys_->of_token(token)) return *principal;
    if (const auto jwt = Jwt::parse(token)) return keys_->of_jwt(*jwt, now);
    return tl::unexpected{invalid_token()};
}

std::optional<std::string> Authenticator::lab_token(std::string_view resource, captures::base::Time now) const {
    if (!keys_->lab) return {};
    const auto& lab = *keys_->lab;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const auto lifetime = std::chrono::seconds{lab_token_lifetime}.count();
    const auto text = [](std::string_view view) { return boost::json::string(view.data(), view.size()); };
    const boost::json::object claims{{"aud", text(resource)},
                                     {"iss", text(lab.issuer)},
                                     {"iat", seconds},
                                     {"nbf", seconds},
                                     {"exp", seconds + lifetime},
                                     {"oid", text(http::guid_of(http::sha256(lab.principal)))},
                                     {"tid", text(lab.tenant)},
                                     {"upn", text(lab.principal)}};
    return signed_token(claims, lab.key, lab.key_id);
}

}  // namespace gateway::api::sign_in
