#include "gateway/api/http/tls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "gateway/api/http/openssl.hpp"

namespace gateway::api::http {

using openssl::Bio;
using openssl::Key;
using openssl::X509Certificate;

namespace {

constexpr mode_t secret = S_IRUSR | S_IWUSR;
constexpr mode_t readable = secret | S_IRGRP | S_IROTH;
constexpr captures::base::Duration clocks_differ = std::chrono::hours{1};
constexpr long version_3 = 2;  // RFC 5280 §4.1.2.1: v3(2)
constexpr int serial_bits = 126;

std::string system_error() { return std::generic_category().message(errno); }

X509Certificate read_certificate(const std::string& file) {
    const Bio bio{BIO_new_file(file.c_str(), "r")};
    return X509Certificate{bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr};
}

Key read_key(const std::string& file) {
    const Bio bio{BIO_new_file(file.c_str(), "r")};
    return Key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr};
}

std::time_t seconds(captures::base::Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

bool expired(const X509* certificate, captures::base::Time now) {
    auto at = seconds(now);
    return X509_cmp_time(X509_get0_notAfter(certificate), &at) < 0;
}

std::string alternative_names(const CertificateNames& names) {
    std::string text;
    for (const auto& name : names.dns) text += fmt::format("{}DNS:{}", text.empty() ? "" : ",", name);
    for (const auto address : names.addresses)
        text += fmt::format("{}IP:{}", text.empty() ? "" : ",", to_string(address));
    return text;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    using Extension = std::unique_ptr<X509_EXTENSION, openssl::Freed<X509_EXTENSION_free>>;
    const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool number(X509* certificate) {
    using Number = std::unique_ptr<BIGNUM, openssl::Freed<BN_free>>;
    const Number random{BN_new()};
    return random && BN_rand(random.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(random.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool name(X509* certificate) {
    auto* const subject = X509_get_subject_name(certificate);
    const std::string text = "portcullis";
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

X509Certificate self_signed(EVP_PKEY* key, const CertificateNames& names, captures::base::Time now) {
    X509Certificate made{X509_new()};
    auto* const certificate = made.get();
    const bool good = certificate != nullptr && X509_set_version(certificate, version_3) == 1 && number(certificate) &&
                      ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(now - clocks_differ)) != nullptr &&
                      ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(now + certificate_life)) != nullptr &&
                      name(certificate) && X509_set_pubkey(certificate, key) == 1 &&
                      add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
                      add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
                      add_extension(certificate, NID_subject_key_identifier, "hash") &&
                      add_extension(certificate, NID_subject_alt_name, alternative_names(names)) &&
                      X509_sign(certificate, key, EVP_sha256()) != 0;
    if (!good) made.reset();
    return made;
}

/// What `write` writes as PEM.
template <class Write>
std::string pem(Write write) {
    const Bio bio{BIO_new(BIO_s_mem())};
    if (!bio || write(bio.get()) != 1) return {};
    char* text = nullptr;
    const auto length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// Puts a file there whole, or leaves what was there. What went wrong, if anything.
std::string put_file(const std::string& path, std::string_view text, mode_t mode) {
    const auto draft = path + ".new";
    ::unlink(draft.c_str());
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file < 0) return fmt::format("cannot write {}: {}", draft, system_error());
    const bool written = write_all(file, text) && ::fsync(file) == 0;
    auto problem = written ? std::string{} : fmt::format("cannot write {}: {}", draft, system_error());
    ::close(file);
    if (problem.empty() && ::rename(draft.c_str(), path.c_str()) != 0) {
        problem = fmt::format("cannot rename {} to {}: {}", draft, path, system_error());
    }
    if (!problem.empty()) ::unlink(draft.c_str());
    return problem;
}

/// Why the certificate in these files will not do; empty: it will.
std::string certificate_error(const Certificate& files, const CertificateNames& names, captures::base::Time now) {
    const auto certificate = read_certificate(files.chain_file);
    const auto key = read_key(files.key_file);
    ERR_clear_error();
    if (!certificate || !key) return "there was none";
    const bool belong = X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    if (!belong) return "certificate and key did not belong together";
    if (expired(certificate.get(), now)) return "the old one had expired";
    if (names.addresses.empty()) return {};
    const auto address = to_string(names.addresses.back());
    if (X509_check_ip_asc(certificate.get(), address.c_str(), 0) == 1) return {};
    return "the old one was not for " + address;
}

}  // namespace

CertificateNames names_of_this_host(captures::base::Ipv4Address listen) {
    constexpr captures::base::Ipv4Address loopback{0x7f000001};
    CertificateNames names{{"localhost"}, {loopback}};
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) == 0 && host.front() != '\0' && names.dns.front() != host.data()) {
        names.dns.emplace_back(host.data());
    }
    if (listen.value != 0 && listen != loopback) names.addresses.push_back(listen);
    return names;
}

tl::expected<OwnCertificate, std::string> own_certificate(const std::string& folder, const CertificateNames& names,
                                                          captures::base::Time now) {
    const std::filesystem::path base{folder};
    OwnCertificate own{{base / "portcullis-cert.pem", base / "portcullis-key.pem"}, {}};
    own.made_because = certificate_error(own.files, names, now);
    if (own.made_because.empty()) return own;
    const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    const auto certificate = key ? self_signed(key.get(), names, now) : X509Certificate{};
    if (!certificate) return tl::unexpected{"cannot make a certificate: " + openssl::last_error()};
    const auto secret_text = pem(
        [&](BIO* to) { return PEM_write_bio_PKCS8PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    const auto text = pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
    if (secret_text.empty() || text.empty())
        return tl::unexpected{std::string{"cannot write a certificate: no memory"}};
    // A crash between the two leaves a pair that does not belong together, which is made anew.
    auto problem = put_file(own.files.key_file, secret_text, secret);
    if (problem.empty()) problem = put_file(own.files.chain_file, text, readable);
    if (problem.empty()) return own;
    return tl::unexpected{problem +
                          "; the certificate is made beside the store: give [api] tls_certificate and tls_key"};
}

std::optional<std::string> certificate_problem(const Certificate& certificate, captures::base::Time now) {
    const auto chain = read_certificate(certificate.chain_file);
    if (!chain) return fmt::format("{}: no certificate in PEM form: {}", certificate.chain_file, openssl::last_error());
    const auto key = read_key(certificate.key_file);
    if (!key) return fmt::format("{}: no private key in PEM form: {}", certificate.key_file, openssl::last_error());
    if (X509_check_private_key(chain.get(), key.get()) != 1) {
        ERR_clear_error();
        return fmt::format("{} is not the key of {}", certificate.key_file, certificate.chain_file);
    }
    if (expired(chain.get(), now)) return fmt::format("{} has expired", certificate.chain_file);
    return {};
}

tl::expected<std::string, std::string> fingerprint(const std::string& pem_file) {
    const auto certificate = read_certificate(pem_file);
    if (certificate) return openssl::fingerprint(certificate.get());
    return tl::unexpected{fmt::format("{}: no certificate in PEM form: {}", pem_file, openssl::last_error())};
}

std::string openssl::fingerprint(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return {};
    std::string text;
    for (const auto byte : std::span{digest}.first(length))
        text += fmt::format("{}{:02X}", text.empty() ? "" : ":", byte);
    return text;
}

}  // namespace gateway::api::http
