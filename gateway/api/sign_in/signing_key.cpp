#include "gateway/api/sign_in/signing_key.hpp"

#include <utility>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "gateway/api/http/openssl.hpp"
#include "gateway/api/http/text.hpp"

namespace gateway::api::sign_in {

namespace {

using Number = std::unique_ptr<BIGNUM, http::openssl::Freed<BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, http::openssl::Freed<ECDSA_SIG_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, http::openssl::Freed<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, http::openssl::Freed<EVP_PKEY_CTX_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, http::openssl::Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, http::openssl::Freed<OSSL_PARAM_free>>;

constexpr std::size_t coordinate_size = 32;  // of P-256
constexpr int fewest_rsa_bits = 2048;
constexpr int most_rsa_bits = 8192;  // a key that is larger makes every look at a token slow

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Number number_of(std::string_view bytes) {
    return Number{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

std::optional<std::string> bytes_at(const boost::json::object& jwk, std::string_view name) {
    constexpr std::size_t longest = 2048;
    const auto* value = jwk.if_contains(name);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr || text->size() > longest) return {};
    return http::from_base64url({text->data(), text->size()});
}

EVP_PKEY* key_from(const char* type, OSSL_PARAM_BLD* builder) {
    const Params params{OSSL_PARAM_BLD_to_param(builder)};
    const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) return nullptr;
    const KeyContext check{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    if (check && EVP_PKEY_public_check(check.get()) == 1) return key;
    EVP_PKEY_free(key);
    return nullptr;
}

EVP_PKEY* rsa_key(const boost::json::object& jwk) {
    const auto modulus = bytes_at(jwk, "n");
    const auto exponent = bytes_at(jwk, "e");
    if (!modulus || !exponent) return nullptr;
    const auto n = number_of(*modulus);
    const auto e = number_of(*exponent);
    const ParamBuilder builder{OSSL_PARAM_BLD_new()};
    if (!n || !e || !builder) return nullptr;
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
    return key_from("RSA", builder.get());
}

EVP_PKEY* ec_key(const boost::json::object& jwk) {
    const auto x = bytes_at(jwk, "x");
    const auto y = bytes_at(jwk, "y");
    if (!x || !y || x->size() != coordinate_size || y->size() != coordinate_size) return nullptr;
    const std::string point = '\x04' + *x + *y;
    const ParamBuilder builder{OSSL_PARAM_BLD_new()};
    if (!builder) return nullptr;
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    return key_from("EC", builder.get());
}

/// r and s as DER, which is what OpenSSL knows.
std::optional<std::string> to_der(std::string_view raw) {
    if (raw.size() != 2 * coordinate_size) return {};
    const Signature signature{ECDSA_SIG_new()};
    auto r = number_of(raw.substr(0, coordinate_size));
    auto s = number_of(raw.substr(coordinate_size));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    if (size <= 0) return {};
    std::string text{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
    OPENSSL_free(der);
    return text;
}

std::optional<std::string> from_der(std::string_view der) {
    const auto* at = bytes_of(der);
    const Signature signature{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    std::string raw(2 * coordinate_size, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(raw.data());
    constexpr int size = coordinate_size;
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + size, size) != size) {
        return {};
    }
    return raw;
}

bool is(const boost::json::object& jwk, std::string_view name, std::string_view wanted) {
    const auto* value = jwk.if_contains(name);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    return text != nullptr && std::string_view{text->data(), text->size()} == wanted;
}

}  // namespace

SigningKey::SigningKey(Handle key, std::string_view algorithm) : key_(std::move(key)), algorithm_(algorithm) {}

void SigningKey::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

tl::expected<SigningKey, std::string> SigningKey::from_jwk(const boost::json::object& jwk) {
    const auto fits = [&](std::string_view algorithm) { return !jwk.contains("alg") || is(jwk, "alg", algorithm); };
    if (jwk.contains("use") && !is(jwk, "use", "sig")) return tl::unexpected<std::string>{"its use is not sig"};
    if (is(jwk, "kty", "RSA") && fits("RS256")) {
        Handle key{rsa_key(jwk)};
        if (!key) return tl::unexpected<std::string>{"n and e are no RSA key in base64url"};
        const int bits = EVP_PKEY_get_bits(key.get());
        if (bits >= fewest_rsa_bits && bits <= most_rsa_bits) return SigningKey{std::move(key), "RS256"};
        return tl::unexpected<std::string>{"has " + std::to_string(bits) + " bits; an RSA key has 2048 to 8192"};
    }
    if (is(jwk, "kty", "EC") && is(jwk, "crv", "P-256") && fits("ES256")) {
        Handle key{ec_key(jwk)};
        if (key) return SigningKey{std::move(key), "ES256"};
        return tl::unexpected<std::string>{"x and y are no point of P-256 in base64url"};
    }
    return tl::unexpected<std::string>{"is neither RSA for RS256 nor EC on P-256 for ES256"};
}

std::optional<SigningKey> SigningKey::generate() {
    Handle key{EVP_EC_gen("P-256")};
    if (!key) return {};
    return SigningKey{std::move(key), "ES256"};
}

bool SigningKey::verifies(std::string_view text, std::string_view signature) const {
    const bool is_ecdsa = algorithm_ == "ES256";
    const auto der = is_ecdsa ? to_der(signature) : std::string{signature};
    const DigestContext context{EVP_MD_CTX_new()};
    if (!der || !context) return false;
    if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1) return false;
    return EVP_DigestVerify(context.get(), bytes_of(*der), der->size(), bytes_of(text), text.size()) == 1;
}

std::optional<std::string> SigningKey::sign(std::string_view text) const {
    const DigestContext context{EVP_MD_CTX_new()};
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
        return {};
    }
    std::string der(size, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(der.data());
    if (EVP_DigestSign(context.get(), to, &size, bytes_of(text), text.size()) != 1) return {};
    der.resize(size);
    return algorithm_ == "ES256" ? from_der(der) : der;
}

}  // namespace gateway::api::sign_in
