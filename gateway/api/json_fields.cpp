#include "gateway/api/json_fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "captures/base/address.hpp"
#include "gateway/api/http/json_document.hpp"
#include "gateway/api/http/text.hpp"
#include "policy/names.hpp"

namespace gateway::api {

namespace {

std::string_view view(boost::json::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

JsonFields::JsonFields(const boost::json::object& object, std::string place, std::string& error)
    : object_(&object), place_(std::move(place)), error_(&error) {}

bool JsonFields::has(std::string_view name) const { return find(name) != nullptr; }

bool JsonFields::is_array(std::string_view name) const {
    const auto* value = find(name);
    return value != nullptr && value->is_array();
}

std::optional<std::string> JsonFields::text(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    const auto text = http::text_of(*value);
    if (text && text->find('\0') == std::string_view::npos) return std::string{*text};
    fail(name, text ? "holds a character U+0000" : "is not a string");
    return {};
}

std::optional<bool> JsonFields::boolean(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (const auto* boolean = value->if_bool()) return *boolean;
    fail(name, "is neither true nor false");
    return {};
}

std::optional<std::uint16_t> JsonFields::port(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    std::optional<std::uint16_t> port;
    if (const auto text = http::text_of(*value)) {
        port = captures::base::parse_port(*text);
    } else if (value->is_number()) {
        const auto number = value->to_number<double>();
        if (number >= 0 && number <= 65535 && number == std::floor(number)) port = static_cast<std::uint16_t>(number);
    }
    if (port && *port > 0) return port;
    fail(name, "is not a port, 1 to 65535");
    return {};
}

std::optional<captures::base::Duration> JsonFields::duration(std::string_view name) {
    const auto given = text(name);
    if (!given) return {};
    // The short form of scenarios is not the API's.
    const auto duration = given->starts_with('P') ? captures::base::parse_duration(*given) : std::nullopt;
    if (!duration) fail(name, http::shown(*given) + " is not a duration in ISO 8601, such as PT3H");
    return duration;
}

std::optional<captures::base::Time> JsonFields::time(std::string_view name) {
    const auto given = text(name);
    if (!given) return {};
    const auto time = captures::base::parse_time(*given);
    if (!time) fail(name, http::shown(*given) + " is not a time in RFC 3339 before 2262, such as 2026-01-31T09:30:00Z");
    return time;
}

std::vector<std::string> JsonFields::texts(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    std::vector<std::string> texts;
    const auto* array = value->if_array();
    if (array == nullptr) {
        fail(name, "is not an array of strings");
        return {};
    }
    for (const auto& item : *array) {
        const auto text = http::text_of(item);
        if (!text || text->find('\0') != std::string_view::npos) {
            fail(name, "is not an array of strings");
            return {};
        }
        texts.emplace_back(*text);
    }
    return texts;
}

std::vector<JsonFields> JsonFields::objects(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    const auto* array = value->if_array();
    if (array == nullptr) {
        fail(name, "is not an array of objects");
        return {};
    }
    std::vector<JsonFields> objects;
    for (const auto& item : *array) {
        const auto place = place_of(name) + '[' + std::to_string(objects.size()) + ']';
        if (const auto* object = item.if_object()) {
            objects.emplace_back(*object, place, *error_);
        } else {
            fail(name, "is not an array of objects");
            return {};
        }
    }
    return objects;
}

std::optional<JsonFields> JsonFields::object(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (const auto* object = value->if_object()) return JsonFields{*object, place_of(name), *error_};
    fail(name, "is not an object");
    return {};
}

void JsonFields::require(std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (!has(name)) fail(name, "is missing");
    }
}

void JsonFields::refuse_others(std::initializer_list<std::string_view> names) {
    for (const auto& member : *object_) {
        const auto is_it = [&](std::string_view name) { return policy::same_name(view(member.key()), name); };
        if (std::ranges::none_of(names, is_it)) fail("", "has no field " + http::shown(view(member.key())));
    }
}

void JsonFields::fail(std::string_view name, std::string_view message) {
    if (!error_->empty()) return;
    const auto place = place_of(name);
    *error_ = (place.empty() ? std::string{"it"} : place) + ' ' + std::string{message};
}

const boost::json::value* JsonFields::find(std::string_view name) const {
    const auto* exact = object_->if_contains({name.data(), name.size()});
    if (exact != nullptr) return exact->is_null() ? nullptr : exact;
    for (const auto& member : *object_) {
        if (policy::same_name(view(member.key()), name) && !member.value().is_null()) return &member.value();
    }
    return nullptr;
}

std::string JsonFields::place_of(std::string_view name) const {
    if (name.empty() || place_.empty()) return place_ + std::string{name};
    return place_ + '.' + std::string{name};
}

}  // namespace gateway::api
