#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"
#include "captures/base/time.hpp"
#include "gateway/api/http/server.hpp"

namespace gateway::api::http {

/// Whom a certificate is for.
struct CertificateNames {
    std::vector<std::string> dns;
    std::vector<captures::base::Ipv4Address> addresses;
};

/// `localhost`, 127.0.0.1, this host's name, and the address listened on where it is a definite one.
[[nodiscard]] CertificateNames names_of_this_host(captures::base::Ipv4Address listen);

struct OwnCertificate {
    Certificate files;
    std::string made_because;  ///< empty: it was there already
};

/// The certificate `portcullis-cert.pem` in a folder and its key `portcullis-key.pem`: self-signed, EC P-256, the key readable
/// by its owner only. Made where there is none, where key and certificate do not belong together, where it has expired
/// and where it does not name the last of `names.addresses`; otherwise left alone, since clients have come to know it.
/// Each file is there whole or not at all. The error is for a person.
[[nodiscard]] tl::expected<OwnCertificate, std::string> own_certificate(const std::string& folder,
                                                                        const CertificateNames& names,
                                                                        captures::base::Time now);

/// How long a certificate that was made is good for: as long as clients take it (Apple's limit for certificates that a
/// person installs).
inline constexpr captures::base::Duration certificate_life = std::chrono::hours{24} * 825;

/// What is wrong with a certificate or its key: unreadable, not belonging together, expired.
[[nodiscard]] std::optional<std::string> certificate_problem(const Certificate& certificate, captures::base::Time now);

/// SHA-256 of the first certificate of a PEM file: `AB:CD:…`, as browsers and openssl show it.
[[nodiscard]] tl::expected<std::string, std::string> fingerprint(const std::string& pem_file);

}  // namespace gateway::api::http
