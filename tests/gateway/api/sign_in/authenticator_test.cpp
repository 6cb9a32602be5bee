#include "gateway/api/sign_in/authenticator.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

#include "gateway/api/http/text.hpp"
#include "gateway/api/sign_in/jwt.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/service_lab.hpp"

namespace authenticator_test {

using namespace std::chrono_literals;
using boost::json::object;
using gateway::api::http::from_base64url;
using gateway::api::http::to_base64url;
using gateway::api::sign_in::Authenticator;
using support::noon;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string number_of(EVP_PKEY* key, const char* name, int width = 0) {
    BIGNUM* number = nullptr;
    BOOST_REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    const int size = std::max(width, BN_num_bytes(number));
    std::string bytes(static_cast<std::size_t>(size), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size);
    BN_free(number);
    return to_base64url(bytes);
}

object rsa_jwk(EVP_PKEY* key, const char* id) {
    return {{"kty", "RSA"},
            {"kid", id},
            {"use", "sig"},
            {"n", number_of(key, OSSL_PKEY_PARAM_RSA_N)},
            {"e", number_of(key, OSSL_PKEY_PARAM_RSA_E)}};
}

object ec_jwk(EVP_PKEY* key, const char* id) {
    return {{"kty", "EC"},
            {"kid", id},
            {"crv", "P-256"},
            {"x", number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)},
            {"y", number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)}};
}

std::string signature_of(EVP_PKEY* key, std::string_view text) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    BOOST_REQUIRE(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
    BOOST_REQUIRE(EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1);
    std::string signature(size, '\0');
    BOOST_REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                                 text.size()) == 1);
    signature.resize(size);
    return signature;
}

/// DER to r and s, 32 bytes each: each number has a tag, a length and perhaps a zero in front.
std::string raw_signature(const std::string& der) {
    std::string raw;
    std::size_t at = 2;
    for (int i = 0; i < 2; ++i) {
        const std::size_t length = static_cast<unsigned char>(der.at(at + 1));
        auto number = der.substr(at + 2, length);
        if (number.size() > 32) number.erase(0, number.size() - 32);
        raw += std::string(32 - number.size(), '\0') + number;
        at += 2 + length;
    }
    return raw;
}

std::string signed_text(const std::string& header, const std::string& claims) {
    return to_base64url(header) + '.' + to_base64url(claims);
}

std::int64_t seconds(captures::base::Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

object claims_for(const char* upn = "requester@lab.example") {
    return {{"iss", "https://issuer.example/"},
            {"aud", "api://portcullis"},
            {"exp", seconds(noon + 1h)},
            {"nbf", seconds(noon - 1min)},
            {"upn", upn}};
}

struct Issuer {
    Issuer() {
        rsa.reset(EVP_RSA_gen(2048));
        ec.reset(EVP_EC_gen("P-256"));
        write({rsa_jwk(rsa.get(), "rsa-1"), ec_jwk(ec.get(), "ec-1")});
    }

    void write(boost::json::array keys) const {
        std::ofstream{directory.path() / "jwks.json"} << boost::json::serialize(object{{"keys", std::move(keys)}});
    }
    [[nodiscard]] gateway::config::Config config() const {
        auto loaded = gateway::config_file::parse_config(support::service_lab_toml, "lab.toml");
        BOOST_REQUIRE(loaded);
        loaded->config.api.jwt = gateway::config::JwtConfig{(directory.path() / "jwks.json").string(),
                                                            "https://issuer.example/", "api://portcullis"};
        return std::move(loaded->config);
    }
    [[nodiscard]] std::string error() const {
        const auto made = Authenticator::create(config());
        return made ? "" : made.error();
    }

    [[nodiscard]] std::string rs256(const object& claims,
                                    const std::string& header = R"({"alg":"RS256","kid":"rsa-1","typ":"JWT"})") const {
        const auto text = signed_text(header, boost::json::serialize(claims));
        return text + '.' + to_base64url(signature_of(rsa.get(), text));
    }
    [[nodiscard]] std::string es256(const object& claims,
                                    const std::string& header = R"({"alg":"ES256","kid":"ec-1"})") const {
        const auto text = signed_text(header, boost::json::serialize(claims));
        return text + '.' + to_base64url(raw_signature(signature_of(ec.get(), text)));
    }
    [[nodiscard]] std::string whose(const std::string& token, captures::base::Time now = noon) const {
        if (!authenticator) authenticator.emplace(Authenticator::create(config()).value());
        const auto principal = authenticator->principal_of("Bearer " + token, now);
        return principal ? *principal : principal.error().code;
    }

    support::ScratchFolder directory;
    Key rsa;
    Key ec;
    mutable std::optional<Authenticator> authenticator;
};

const std::string requester = "requester@lab.example";
const std::string invalid = "InvalidAuthenticationToken";
const std::string expired = "ExpiredAuthenticationToken";

object with(object claims, const char* name, boost::json::value value) {
    claims[name] = std::move(value);
    return claims;
}
object without(object claims, const char* name) {
    claims.erase(name);
    return claims;
}

}  // namespace authenticator_test

BOOST_FIXTURE_TEST_SUITE(authenticator_test, Issuer)

BOOST_AUTO_TEST_CASE(a_configured_token_is_its_principals) {
    BOOST_TEST(whose("token-of-requester") == requester);
    BOOST_TEST(whose("token-of-admin") == "admin@lab.example");
    BOOST_TEST(whose("token-of-nobody") == "nobody@lab.example");
    BOOST_TEST(whose("token-of-somebody") == invalid);
    BOOST_TEST(whose("token-of-requester2") == invalid);
    BOOST_TEST(whose("Token-of-requester") == invalid);
    BOOST_TEST(whose("ccbd6a5c8599ca9d3507451b158c5e822bd203ddc677cc211e80708c58cb7a15") == invalid);
}

BOOST_AUTO_TEST_CASE(the_header_must_be_a_bearers) {
    const auto made = Authenticator::create(config()).value();
    const auto code = [&](std::string_view header) {
        const auto principal = made.principal_of(header, noon);
        return principal ? *principal : std::to_string(principal.error().status) + ' ' + principal.error().code;
    };
    BOOST_TEST(code("Bearer token-of-requester") == requester);
    BOOST_TEST(code("bearer   token-of-requester ") == requester);
    BOOST_TEST(code("") == "401 AuthenticationFailed");
    BOOST_TEST(code("Bearer") == "401 AuthenticationFailedMissingToken");
    BOOST_TEST(code("Bearer  ") == "401 AuthenticationFailedMissingToken");
    BOOST_TEST(code("Basic dG9rZW4=") == "401 AuthenticationFailedInvalidHeader");
    BOOST_TEST(code("token-of-requester") == "401 AuthenticationFailedInvalidHeader");
    BOOST_TEST(code("Bearer" + std::string(30'000, 'x')) == "401 AuthenticationFailedInvalidHeader");
}

BOOST_AUTO_TEST_CASE(a_token_of_either_algorithm_names_its_principal_by_oid_upn_or_preferred_username) {
    BOOST_TEST(whose(rs256(claims_for())) == requester);
    BOOST_TEST(whose(es256(claims_for())) == requester);
    BOOST_TEST(whose(rs256(claims_for("Requester@Lab.Example"))) == requester);
    const auto anonymous = without(claims_for(), "upn");
    BOOST_TEST(whose(rs256(with(anonymous, "oid", "reader@lab.example"))) == "reader@lab.example");
    BOOST_TEST(whose(rs256(with(anonymous, "preferred_username", "reader@lab.example"))) == "reader@lab.example");
    BOOST_TEST(whose(rs256(with(claims_for(), "oid", "admin@lab.example"))) == "admin@lab.example");
    BOOST_TEST(whose(rs256(with(claims_for(), "oid", "87b16b44-0c52-4f62-8d0c-6d7a6a5a36e7"))) == requester);
    BOOST_TEST(whose(rs256(with(claims_for(), "aud", {"other", "api://portcullis"}))) == requester);
}

BOOST_AUTO_TEST_CASE(claims_that_do_not_fit_are_refused) {
    const std::vector<std::pair<object, std::string>> rows{
        {with(claims_for(), "iss", "https://issuer.example"), invalid},
        {without(claims_for(), "iss"), invalid},
        {with(claims_for(), "aud", "api://other"), invalid},
        {with(claims_for(), "aud", {"api://portcullis", 1}), invalid},
        {with(claims_for(), "aud", boost::json::array{}), invalid},
        {without(claims_for(), "aud"), invalid},
        {without(claims_for(), "exp"), invalid},
        {with(claims_for(), "exp", "2026-01-31"), invalid},
        {with(claims_for(), "exp", -1), invalid},
        {with(claims_for(), "exp", 1e300), invalid},
        {with(claims_for(), "exp", seconds(noon - 59s)), requester},
        {with(claims_for(), "exp", seconds(noon - 60s)), expired},
        {with(claims_for(), "nbf", seconds(noon + 60s)), requester},
        {with(claims_for(), "nbf", seconds(noon + 61s)), invalid},
        {with(claims_for(), "nbf", "soon"), invalid},
        {without(claims_for(), "nbf"), requester},
        {claims_for("somebody@lab.example"), invalid},
        {without(claims_for(), "upn"), invalid},
        {with(claims_for(), "upn", 7), invalid},
    };
    for (const auto& [claims, wanted] : rows) {
        BOOST_TEST(whose(rs256(claims)) == wanted, boost::json::serialize(claims));
        BOOST_TEST(whose(es256(claims)) == wanted, boost::json::serialize(claims));
    }
}

BOOST_AUTO_TEST_CASE(no_algorithm_but_the_keys_own_is_believed) {
    const auto claims = boost::json::serialize(claims_for());
    for (const std::string alg : {"none", "None", "HS256", "RS384", "PS256", "ES256", ""}) {
        const auto header = R"({"alg":")" + alg + R"(","kid":"rsa-1"})";
        BOOST_TEST(whose(signed_text(header, claims) + '.') == invalid, alg);
        BOOST_TEST(whose(rs256(claims_for(), header)) == invalid, alg);
    }
    BOOST_TEST(whose(es256(claims_for(), R"({"alg":"RS256","kid":"ec-1"})")) == invalid);
    BOOST_TEST(whose(es256(claims_for(), R"({"alg":"ES256","kid":"rsa-1"})")) == invalid);
}

BOOST_AUTO_TEST_CASE(a_public_key_is_no_secret_to_sign_with) {
    const auto text = signed_text(R"({"alg":"HS256","kid":"rsa-1"})", boost::json::serialize(claims_for()));
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory{BIO_new(BIO_s_mem()), BIO_free};
    BOOST_REQUIRE(PEM_write_bio_PUBKEY(memory.get(), rsa.get()) == 1);
    std::string pem(4096, '\0');
    pem.resize(static_cast<std::size_t>(BIO_read(memory.get(), pem.data(), static_cast<int>(pem.size()))));
    std::string code(32, '\0');
    unsigned int size = 0;
    HMAC(EVP_sha256(), pem.data(), static_cast<int>(pem.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), reinterpret_cast<unsigned char*>(code.data()), &size);
    BOOST_TEST(whose(text + '.' + to_base64url(code)) == invalid);
}

BOOST_AUTO_TEST_CASE(a_key_that_comes_with_the_token_is_not_used) {
    const Key other{EVP_RSA_gen(2048)};
    const auto jwk = boost::json::serialize(rsa_jwk(other.get(), "rsa-1"));
    const auto text = signed_text(R"({"alg":"RS256","kid":"rsa-1","jwk":)" + jwk + '}',
                                  boost::json::serialize(claims_for()));
    BOOST_TEST(whose(text + '.' + to_base64url(signature_of(other.get(), text))) == invalid);
}

BOOST_AUTO_TEST_CASE(headers_that_are_not_understood_are_refused) {
    BOOST_TEST(whose(rs256(claims_for(), R"({"alg":"RS256","kid":"rsa-1"})")) == requester);
    BOOST_TEST(whose(rs256(claims_for(), R"({"alg":"RS256","kid":"rsa-1","typ":"at+JWT"})")) == requester);
    for (const char* header : {R"({"alg":"RS256"})", R"({"alg":"RS256","kid":"rsa-2"})", R"({"alg":"RS256","kid":1})",
                               R"({"kid":"rsa-1"})", R"({"alg":"RS256","kid":"rsa-1","crit":["exp"],"exp":1})",
                               R"({"alg":"RS256","kid":"rsa-1","typ":"dpop+jwt"})",
                               R"({"alg":"RS256","kid":"rsa-1","alg":"RS256"})", R"(["RS256"])", "RS256"}) {
        BOOST_TEST(whose(rs256(claims_for(), header)) == invalid, header);
    }
}

BOOST_AUTO_TEST_CASE(a_claim_given_twice_is_refused) {
    const std::string header = R"({"alg":"RS256","kid":"rsa-1"})";
    auto claims = boost::json::serialize(claims_for());
    claims.insert(1, R"("upn":"admin@lab.example",)");
    const auto text = signed_text(header, claims);
    BOOST_TEST(whose(text + '.' + to_base64url(signature_of(rsa.get(), text))) == invalid);
}

BOOST_AUTO_TEST_CASE(a_token_that_was_changed_anywhere_is_refused) {
    for (const auto& token : {rs256(claims_for()), es256(claims_for())}) {
        BOOST_TEST(whose(token) == requester);
        for (std::size_t at = 0; at < token.size(); at += 7) {
            auto changed = token;
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            if (changed != token) BOOST_TEST(whose(changed) == invalid);
        }
        BOOST_TEST(whose(token.substr(0, token.size() - 1)) == invalid);
        BOOST_TEST(whose(token + "A") == invalid);
        BOOST_TEST(whose(token + "=") == invalid);
        BOOST_TEST(whose(token + ".") == invalid);
        BOOST_TEST(whose(token.substr(0, token.rfind('.'))) == invalid);
    }
    BOOST_TEST(whose(es256(claims_for()).substr(0, 100) + std::string(16'384, 'A')) == invalid);
    BOOST_TEST(whose("..") == invalid);
    BOOST_TEST(whose("a.b.c") == invalid);
}

BOOST_AUTO_TEST_CASE(a_token_of_16_kb_is_too_long) {
    BOOST_TEST(whose(rs256(with(claims_for(), "padding", boost::json::string(11'000, 'x')))) == requester);
    BOOST_TEST(whose(rs256(with(claims_for(), "padding", boost::json::string(12'300, 'x')))) == invalid);
}

BOOST_AUTO_TEST_CASE(an_expired_token_says_when) {
    const auto made = Authenticator::create(config()).value();
    const auto principal = made.principal_of("Bearer " + rs256(claims_for()), noon + 2h);
    BOOST_REQUIRE(!principal);
    BOOST_TEST(principal.error().message ==
               "The access token expiry UTC time '2026-01-31T13:00:00Z' is earlier than current UTC time "
               "'2026-01-31T14:00:00Z'.");
}

BOOST_AUTO_TEST_CASE(a_key_set_that_cannot_serve_is_named) {
    write({});
    BOOST_TEST(error().find("no key for RS256 or ES256") != std::string::npos, error());
    write({rsa_jwk(rsa.get(), "a"), ec_jwk(ec.get(), "a")});
    BOOST_TEST(error().find("two keys have the kid 'a'") != std::string::npos, error());
    const Key small{EVP_RSA_gen(1024)};
    write({rsa_jwk(small.get(), "a")});
    BOOST_TEST(error().find("1024 bits") != std::string::npos, error());
    auto off_curve = ec_jwk(ec.get(), "a");
    off_curve["y"] = off_curve["x"];
    write({off_curve});
    BOOST_TEST(error().find("no point of P-256") != std::string::npos, error());
    write({object{{"kty", "oct"}, {"kid", "a"}, {"k", "AAAA"}}});
    BOOST_TEST(error().find("is neither RSA") != std::string::npos, error());
    write({with(rsa_jwk(rsa.get(), "a"), "alg", "RS512")});
    BOOST_TEST(error().find("is neither RSA") != std::string::npos, error());
    write({with(rsa_jwk(rsa.get(), "a"), "use", "enc"), ec_jwk(ec.get(), "b")});
    BOOST_TEST(error() == "");
    std::ofstream{directory.path() / "jwks.json"} << "keys";
    BOOST_TEST(error().find("it is no JSON") != std::string::npos, error());
    std::filesystem::remove(directory.path() / "jwks.json");
    BOOST_TEST(error().find("cannot be read") != std::string::npos, error());
}

BOOST_AUTO_TEST_CASE(the_labs_token_is_good_for_an_hour_and_for_one_principal) {
    auto lab = config();
    lab.api.lab_sign_in = gateway::config::LabSignIn{.principal = "requester@lab.example"};
    const auto made = Authenticator::create(lab).value();
    const auto token = made.lab_token("https://localhost:8443/", noon);
    BOOST_REQUIRE(token);
    BOOST_TEST(made.principal_of("Bearer " + *token, noon).value() == requester);
    BOOST_TEST(made.principal_of("Bearer " + *token, noon + 61min).error().code == expired);
    const auto claims = gateway::api::sign_in::Jwt::parse(*token).value().claims;
    for (const char* name : {"tid", "oid", "upn", "aud", "iss", "exp", "nbf", "iat"}) {
        BOOST_TEST(claims.contains(name), name);
    }
    BOOST_TEST(claims.at("aud") == "https://localhost:8443/");

    const auto other = Authenticator::create(lab).value();
    BOOST_TEST(other.principal_of("Bearer " + *token, noon).error().code == invalid);
    const auto off = Authenticator::create(config()).value();
    BOOST_TEST(!off.lab_token("https://localhost:8443/", noon));
    BOOST_TEST(off.principal_of("Bearer " + *token, noon).error().code == invalid);
}

BOOST_AUTO_TEST_SUITE_END()
