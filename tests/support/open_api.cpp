#include "tests/support/open_api.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>
#include <stdexcept>

namespace support {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value scalar(const YAML::Node& node) {
    if (node.Tag() == "!") return value(boost::json::string(node.Scalar()));  // it was in quotes
    bool boolean = false;
    std::int64_t number = 0;
    if (YAML::convert<bool>::decode(node, boolean)) return boolean;
    if (YAML::convert<std::int64_t>::decode(node, number)) return number;
    return value(boost::json::string(node.Scalar()));
}

value json_of(const YAML::Node& node) {
    if (node.IsMap()) {
        object json;
        for (const auto& member : node) {
            if (json.contains(member.first.Scalar())) throw std::runtime_error{"twice: " + member.first.Scalar()};
            json[member.first.Scalar()] = json_of(member.second);
        }
        return json;
    }
    if (node.IsSequence()) {
        array json;
        for (const auto& item : node) json.push_back(json_of(item));
        return json;
    }
    return node.IsScalar() ? scalar(node) : value{};
}

void collect_references(const value& json, std::set<std::string>& references) {
    if (const auto* list = json.if_array()) {
        for (const auto& item : *list) collect_references(item, references);
    } else if (const auto* members = json.if_object()) {
        for (const auto& member : *members) {
            if (member.key() == "$ref") references.insert(std::string{member.value().as_string()}.substr(1));
            collect_references(member.value(), references);
        }
    }
}

bool is_of_type(const value& json, std::string_view type) {
    if (type == "object") return json.is_object();
    if (type == "array") return json.is_array();
    if (type == "string") return json.is_string();
    if (type == "boolean") return json.is_bool();
    if (type == "number") return json.is_number();
    return type == "integer" && (json.is_int64() || json.is_uint64());
}

std::string lower(std::string_view text) {
    std::string result{text};
    for (auto& letter : result) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    return result;
}

const value* member(const value& json, std::string_view name) {
    const auto* members = json.if_object();
    return members == nullptr ? nullptr : members->if_contains({name.data(), name.size()});
}

}  // namespace

OpenApi::OpenApi(const std::string& path) : document_(json_of(YAML::LoadFile(path))) {}

std::vector<std::string> OpenApi::operations() const {
    std::vector<std::string> all;
    for (const auto& path : document_.at("paths").as_object()) {
        for (const auto* const method : {"GET", "PUT", "POST", "DELETE"}) {
            if (member(path.value(), lower(method)) != nullptr) all.push_back(method + (' ' + std::string{path.key()}));
        }
    }
    std::ranges::sort(all);
    return all;
}

std::string OpenApi::difference(std::string_view method, std::string_view pattern, int status, const std::string& type,
                                const std::string& body) const {
    const auto& operation = document_.at("paths").at({pattern.data(), pattern.size()}).at(lower(method));
    const auto& responses = operation.at("responses");
    const auto* named = member(responses, std::to_string(status));
    if (named == nullptr && status < 400) return "status " + std::to_string(status) + " is not in the document";
    const auto& response = resolved(named == nullptr ? responses.at("default") : *named);
    const auto* content = member(response, "content");
    if (content == nullptr) return body.empty() && type.empty() ? "" : "has a body, and none in the document";
    const auto* media = member(*content, type);
    if (media == nullptr) return "media type " + type + " is not in the document";
    return mismatch(media->at("schema"), type == "application/json" ? boost::json::parse(body) : value(body), "");
}

std::vector<std::string> OpenApi::loose_ends() const {
    std::set<std::string> references;
    collect_references(document_, references);
    std::vector<std::string> loose;
    for (const auto& reference : references) {
        boost::json::error_code error;
        if (document_.find_pointer(reference, error) == nullptr) loose.push_back(reference + " is not there");
    }
    for (const auto& kind : document_.at("components").as_object()) {
        if (kind.key() == "securitySchemes") continue;
        for (const auto& component : kind.value().as_object()) {
            const auto place = "/components/" + std::string{kind.key()} + '/' + std::string{component.key()};
            if (!references.contains(place)) loose.push_back(place + " is not used");
        }
    }
    return loose;
}

const value& OpenApi::resolved(const value& json) const {
    const auto* reference = member(json, "$ref");
    if (reference == nullptr) return json;
    boost::json::error_code error;
    const auto* found = document_.find_pointer(std::string{reference->as_string()}.substr(1), error);
    if (found == nullptr) throw std::runtime_error{"no " + std::string{reference->as_string()}};
    return *found;
}

std::string OpenApi::mismatch(const value& schema_or_reference, const value& json, const std::string& place) const {
    const auto& schema = resolved(schema_or_reference).as_object();
    const auto* nullable = schema.if_contains("nullable");
    if (json.is_null() && nullable != nullptr && nullable->as_bool()) return {};
    const std::string type{schema.at("type").as_string()};
    if (!is_of_type(json, type)) return place + ": " + boost::json::serialize(json) + " is no " + type;
    if (const auto* allowed = schema.if_contains("enum")) {
        const auto& values = allowed->as_array();
        if (std::find(values.begin(), values.end(), json) == values.end()) {
            return place + ": " + boost::json::serialize(json) + " is not among those listed";
        }
    }
    for (const auto& [name, sign] : {std::pair{"minimum", 1}, std::pair{"maximum", -1}}) {
        const auto* limit = schema.if_contains(name);
        if (limit != nullptr && sign * (json.to_number<std::int64_t>() - limit->as_int64()) < 0) {
            return place + ": is beyond the " + name;
        }
    }
    if (type == "object") return object_mismatch(schema, json.as_object(), place);
    if (type == "array") {
        for (const auto& item : json.as_array()) {
            if (auto found = mismatch(schema.at("items"), item, place + "[]"); !found.empty()) return found;
        }
    }
    return {};
}

std::string OpenApi::object_mismatch(const object& schema, const object& json, const std::string& place) const {
    if (const auto* required = schema.if_contains("required")) {
        for (const auto& name : required->as_array()) {
            if (!json.contains(name.as_string())) return place + ": lacks " + std::string{name.as_string()};
        }
    }
    const auto* closed = schema.if_contains("additionalProperties");
    if (closed == nullptr || closed->as_bool()) return place + ": the document does not say that these are all fields";
    for (const auto& one : json) {
        const auto where = place + '.' + std::string{one.key()};
        const auto* property = schema.at("properties").as_object().if_contains(one.key());
        if (property == nullptr) return where + ": is not in the document";
        if (auto found = mismatch(*property, one.value(), where); !found.empty()) return found;
    }
    return {};
}

}  // namespace support
