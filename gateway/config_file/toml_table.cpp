#include "gateway/config_file/toml_table.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "gateway/config_file/toml_guard.hpp"

namespace gateway::config_file {

namespace {

config::Position position_of(const toml::source_region& region) noexcept {
    return {region.begin.line, region.begin.column};
}

std::string_view type_name(const toml::node& node) noexcept {
    switch (node.type()) {
        case toml::node_type::table: return "a table";
        case toml::node_type::array: return "an array";
        case toml::node_type::string: return "a text";
        case toml::node_type::integer: return "a whole number";
        case toml::node_type::floating_point: return "a fraction";
        case toml::node_type::boolean: return "a boolean";
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time: return "a date or time";
        case toml::node_type::none: break;
    }
    return "nothing";
}

}  // namespace

std::optional<toml::table> parse_toml(std::string_view text, config::Problems& problems) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        problems.error({1, 1}, "the file is UTF-16; save it as UTF-8");
        return {};
    }
    if (const auto unfit = unfit_for_toml(text)) {
        problems.error(unfit->at, std::string{unfit->why});
        return {};
    }
    try {
        return toml::parse(moved_to_private_use(text));
    } catch (const toml::parse_error& failure) {
        auto message = moved_back(failure.description());
        std::ranges::replace_if(
            message, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
        problems.error(position_of(failure.source()), "not TOML: " + message + "; mend this first, the rest is unread");
    }
    return {};
}

void TomlTable::require(std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        if (!has(key)) error(fmt::format("needs the key \"{}\"; add it", key));
    }
}

void TomlTable::refuse_unknown_keys() {
    for (const auto& [key, node] : *table_) {
        if (std::ranges::find(known_, key.str()) != known_.end()) continue;
        if (problems_->has_most_errors()) {
            problems_->error({}, {});
            continue;
        }
        auto hint = config::did_you_mean(key.str(), known_);
        if (hint.empty()) hint = fmt::format("; the keys here are {}", fmt::join(known_, ", "));
        problems_->error(position_of(key.source()),
                         fmt::format("{}: unknown key {}{}", what_, config::in_quotes(key.str()), hint));
    }
}

bool TomlTable::is_empty_array(std::string_view key) {
    const auto* const node = find(key);
    return node != nullptr && node->is_array() && node->as_array()->empty();
}

config::Position TomlTable::position() const {
    const auto at = position_of(table_->source());
    return at.line == 0 ? config::Position{1, 1} : at;
}

config::Position TomlTable::position(std::string_view key) {
    const auto* const node = find(key);
    return node == nullptr ? position() : position_of(node->source());
}

std::optional<Located<std::string>> TomlTable::text(std::string_view key, Accept accept) {
    const auto* const node = find(key);
    if (node == nullptr) return {};
    return text_of(key, *node, accept);
}

std::vector<Located<std::string>> TomlTable::texts(std::string_view key, Accept accept) {
    std::vector<Located<std::string>> all;
    const auto* const node = find(key);
    if (node == nullptr) return all;
    const auto* const array = node->as_array();
    if (array == nullptr) {
        wrong_type(key, *node, "an array; put the values into [ ]");
        return all;
    }
    all.reserve(array->size());
    for (const auto& element : *array) {
        if (auto one = text_of(key, element, accept)) all.push_back(std::move(*one));
    }
    return all;
}

std::optional<bool> TomlTable::boolean(std::string_view key) {
    const auto* const node = find(key);
    if (node == nullptr) return {};
    const auto* const value = node->as_boolean();
    if (value != nullptr) return value->get();
    wrong_type(key, *node, "true or false, without quotes");
    return {};
}

std::optional<std::int64_t> TomlTable::integer(std::string_view key, std::int64_t least, std::int64_t most) {
    const auto* const node = find(key);
    if (node == nullptr) return {};
    const auto* const value = node->as_integer();
    if (value == nullptr) {
        wrong_type(key, *node, "a whole number, without quotes");
        return {};
    }
    if (least <= value->get() && value->get() <= most) return value->get();
    error(key, fmt::format("{} is out of range; give a number from {} to {}", value->get(), least, most));
    return {};
}

std::optional<TomlTable> TomlTable::table(std::string_view key, std::string_view what) {
    const auto* const node = find(key);
    if (node == nullptr) return {};
    const auto* const table = node->as_table();
    if (table != nullptr) return TomlTable{*table, what, *problems_};
    wrong_type(key, *node, node->is_array() ? "one table; write it once, in single brackets" : "a table");
    return {};
}

std::vector<TomlTable> TomlTable::tables(std::string_view key, std::string_view what) {
    std::vector<TomlTable> all;
    const auto* const node = find(key);
    if (node == nullptr) return all;
    const auto* const array = node->as_array();
    if (array == nullptr) {
        wrong_type(key, *node, "an array of tables; write [[...]] with double brackets");
        return all;
    }
    all.reserve(array->size());
    for (const auto& element : *array) {
        if (const auto* const table = element.as_table()) {
            all.emplace_back(*table, what, *problems_);
        } else {
            wrong_type(key, element, "a table");
        }
    }
    return all;
}

void TomlTable::error(std::string_view key, config::Position at, std::string_view message) {
    problems_->error(at, fmt::format("{}: {}: {}", what_, key, message));
}

void TomlTable::error(std::string_view message) { problems_->error(position(), fmt::format("{}: {}", what_, message)); }

const toml::node* TomlTable::find(std::string_view key) {
    if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
    return table_->get(key);
}

std::optional<Located<std::string>> TomlTable::text_of(std::string_view key, const toml::node& node, Accept accept) {
    const auto at = position_of(node.source());
    if (const auto* const text = node.as_string()) return Located<std::string>{moved_back(text->get()), at};
    if (const auto* const number = node.as_integer(); number != nullptr && accept == Accept::text_or_number) {
        return Located<std::string>{std::to_string(number->get()), at};
    }
    if (accept == Accept::text_or_time && (node.is_date_time() || node.is_date() || node.is_time())) {
        std::ostringstream text;
        text << toml::node_view{node};
        return Located<std::string>{text.str(), at};
    }
    wrong_type(key, node, accept == Accept::text_or_time ? "a text or a time" : "a text in quotes");
    return {};
}

void TomlTable::wrong_type(std::string_view key, const toml::node& node, std::string_view wanted) {
    error(key, position_of(node.source()), fmt::format("is {}, but must be {}", type_name(node), wanted));
}

}  // namespace gateway::config_file
