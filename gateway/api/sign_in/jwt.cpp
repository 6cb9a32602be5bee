#include "gateway/api/sign_in/jwt.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/serialize.hpp>

#include "gateway/api/http/json_document.hpp"
#include "gateway/api/http/text.hpp"
#include "policy/access_request.hpp"
#include "policy/names.hpp"

namespace gateway::api::sign_in {

namespace {

constexpr std::size_t longest_token = 16UL * 1024;
constexpr std::size_t most_keys = 1000;
constexpr auto leeway = std::chrono::seconds{60};  // for clocks that differ, RFC 7519 §4.1.4

std::optional<boost::json::object> object_in(std::string_view encoded) {
    const auto text = http::from_base64url(encoded);
    if (!text) return {};
    auto object = http::parse_object(*text);
    if (!object || http::has_duplicate_names(*text)) return {};
    return std::move(*object);
}

std::string_view member(const boost::json::object& object, std::string_view name) noexcept {
    const auto* value = object.if_contains({name.data(), name.size()});
    return value == nullptr ? std::string_view{} : http::text_of(*value).value_or(std::string_view{});
}

/// NumericDate: seconds since 1970, perhaps with a fraction. The outer optional is empty where it is no such number.
std::optional<std::optional<captures::base::Time>> time_of(const boost::json::object& claims, std::string_view name) {
    const auto* value = claims.if_contains({name.data(), name.size()});
    if (value == nullptr) return std::optional<captures::base::Time>{};
    constexpr double latest = 9e9;  // year 2255, which Time can tell
    if (!value->is_number()) return {};
    const auto seconds = value->to_number<double>();
    if (!(seconds >= 0 && seconds <= latest)) return {};
    const auto span = std::chrono::duration_cast<captures::base::Duration>(std::chrono::duration<double>{seconds});
    return captures::base::Time{span};
}

bool is_for(const Jwt& token, std::string_view audience) {
    const auto* value = token.claims.if_contains("aud");
    if (value == nullptr) return false;
    if (const auto text = http::text_of(*value)) return audience.empty() || *text == audience;
    const auto* list = value->if_array();
    if (list == nullptr) return false;
    const auto is_text = [](const auto& one) { return http::text_of(one).has_value(); };
    const auto is_it = [&](const auto& one) { return audience.empty() || http::text_of(one) == audience; };
    return std::all_of(list->begin(), list->end(), is_text) && std::any_of(list->begin(), list->end(), is_it);
}

}  // namespace

std::optional<Jwt> Jwt::parse(std::string_view token) {
    if (token.size() > longest_token || std::ranges::count(token, '.') != 2) return {};
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    const auto header = object_in(token.substr(0, first));
    auto claims = object_in(token.substr(first + 1, last - first - 1));
    auto signature = http::from_base64url(token.substr(last + 1));
    if (!header || !claims || !signature || header->contains("crit")) return {};
    if (header->contains("typ") && !policy::same_name(member(*header, "typ"), "JWT") &&
        !policy::same_name(member(*header, "typ"), "at+jwt")) {
        return {};
    }
    Jwt jwt{.algorithm = std::string{member(*header, "alg")},
            .key_id = std::string{member(*header, "kid")},
            .claims = std::move(*claims),
            .signed_text = token.substr(0, last),
            .signature = std::move(*signature)};
    if (jwt.algorithm.empty() || jwt.key_id.empty()) return {};
    return jwt;
}

std::string_view Jwt::text(std::string_view claim) const noexcept { return member(claims, claim); }

tl::expected<KeySet, std::string> KeySet::parse(std::string_view jwks) {
    const auto document = http::parse_object(jwks);
    if (!document) return tl::unexpected{document.error()};
    const auto* keys = document->if_contains("keys");
    const auto* list = keys == nullptr ? nullptr : keys->if_array();
    if (list == nullptr) return tl::unexpected<std::string>{"it has no array \"keys\""};
    if (list->size() > most_keys) return tl::unexpected<std::string>{"it has more than 1000 keys"};
    KeySet set;
    std::string left_out;
    for (const auto& item : *list) {
        const auto* jwk = item.if_object();
        if (jwk == nullptr) return tl::unexpected<std::string>{"a key is no object"};
        std::string id{member(*jwk, "kid")};
        auto key = id.empty() ? tl::unexpected<std::string>{"it has no kid"} : SigningKey::from_jwk(*jwk);
        if (!key) {
            left_out += " Key " + http::shown(id) + ": " + key.error() + '.';
            continue;
        }
        if (std::ranges::any_of(set.entries_, [&](const Entry& entry) { return entry.id == id; })) {
            return tl::unexpected<std::string>{"two keys have the kid " + http::shown(id)};
        }
        set.entries_.push_back({std::move(id), std::move(*key)});
    }
    if (set.entries_.empty()) return tl::unexpected<std::string>{"it has no key for RS256 or ES256." + left_out};
    return set;
}

bool KeySet::has_signed(const Jwt& token) const {
    const auto entry = std::ranges::find(entries_, token.key_id, &Entry::id);
    return entry != entries_.end() && token.algorithm == entry->key.algorithm() &&
           entry->key.verifies(token.signed_text, token.signature);
}

Validity validity(const Jwt& token, std::string_view issuer, std::string_view audience, captures::base::Time now) {
    const auto expiry = time_of(token.claims, "exp");
    const auto not_before = time_of(token.claims, "nbf");
    if (!expiry || !*expiry || !not_before) return Validity::invalid;
    if (token.text("iss") != issuer || !is_for(token, audience)) return Validity::invalid;
    if (*not_before && policy::later(now, leeway) < **not_before) return Validity::invalid;
    return now < policy::later(**expiry, leeway) ? Validity::valid : Validity::expired;
}

std::optional<captures::base::Time> expiry_of(const Jwt& token) {
    return time_of(token.claims, "exp").value_or(std::optional<captures::base::Time>{});
}

std::optional<std::string> signed_token(const boost::json::object& claims, const SigningKey& key,
                                        std::string_view key_id) {
    const boost::json::object header{{"typ", "JWT"},
                                     {"alg", boost::json::string_view{key.algorithm().data(), key.algorithm().size()}},
                                     {"kid", boost::json::string_view{key_id.data(), key_id.size()}}};
    auto text = http::to_base64url(boost::json::serialize(header)) + '.' +
                http::to_base64url(boost::json::serialize(claims));
    const auto signature = key.sign(text);
    if (!signature) return {};
    return text + '.' + http::to_base64url(*signature);
}

}  // namespace gateway::api::sign_in
