#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "captures/base/time.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api::sign_in {

/// Whose token is it? Bearer tokens of the configuration (their SHA-256 is compared in constant time) and, where
/// `[api.jwt]` is there, JWTs: RS256 or ES256 by a key of the JWKS file, `iss`, `aud`, `exp`, `nbf`; `oid`, `upn` or
/// `preferred_username` names the principal. Nothing else is believed: no `alg` none, no key from the token.
class Authenticator {
public:
    /// Reads the JWKS file. The error is for a person.
    [[nodiscard]] static tl::expected<Authenticator, std::string> create(const config::Config& config);
    Authenticator(const Authenticator&) = delete;
    Authenticator& operator=(const Authenticator&) = delete;
    Authenticator(Authenticator&&) noexcept;
    Authenticator& operator=(Authenticator&&) noexcept;
    ~Authenticator();

    /// `authorization`: the header's value, empty where there is none. The principal's name as configured, or ARM's 401.
    [[nodiscard]] control_plane::Answer<std::string> principal_of(std::string_view authorization,
                                                                  captures::base::Time now) const;

    /// A token for `[api.lab_sign_in]`, signed with a key that this process made and no other has; empty where it is
    /// off. Valid for an hour. `resource` becomes its audience.
    [[nodiscard]] std::optional<std::string> lab_token(std::string_view resource, captures::base::Time now) const;

private:
    struct Keys;
    explicit Authenticator(std::unique_ptr<Keys> keys);

    std::unique_ptr<Keys> keys_;
};

}  // namespace gateway::api::sign_in
