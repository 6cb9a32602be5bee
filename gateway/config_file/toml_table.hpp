#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "gateway/config/findings.hpp"
#include "gateway/config/values.hpp"

namespace gateway::config_file {

/// A value and where it stands.
template <class T>
struct Located {
    T value{};
    config::Position at;
};

/// Sets the target to a value that was given.
template <class T>
void assign(T& target, std::optional<Located<T>> value) {
    if (value) target = std::move(value->value);
}

/// What a text may be given as. Ports are texts in Azure, but whoever writes TOML writes numbers.
enum class Accept : std::uint8_t { text, text_or_number, text_or_time };

/// One table of a TOML document.
///
/// Getters give nothing for a key that is absent, and for one of the wrong type, which they report. Every key asked for
/// is a known one: `refuse_unknown_keys` comes last and reports all others. Lives no longer than its document.
class TomlTable {
public:
    /// `what` names it in messages ("NAT rule"); a literal.
    TomlTable(const toml::table& table, std::string_view what, config::Problems& problems)
        : table_(&table), what_(what), problems_(&problems) {}

    /// Reports each key of these that is absent.
    void require(std::initializer_list<std::string_view> keys);
    void refuse_unknown_keys();

    [[nodiscard]] bool has(std::string_view key) { return find(key) != nullptr; }
    /// An array without elements.
    [[nodiscard]] bool is_empty_array(std::string_view key);
    [[nodiscard]] config::Position position() const;
    /// Of the key's value, or of the table where there is none.
    [[nodiscard]] config::Position position(std::string_view key);
    [[nodiscard]] std::string_view what() const noexcept { return what_; }

    [[nodiscard]] std::optional<Located<std::string>> text(std::string_view key, Accept accept = Accept::text);
    [[nodiscard]] std::vector<Located<std::string>> texts(std::string_view key, Accept accept = Accept::text);
    [[nodiscard]] std::optional<bool> boolean(std::string_view key);
    /// `least` to `most`, both included.
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);

    /// A text that `parse` understands; its error is reported.
    template <class T>
    [[nodiscard]] std::optional<Located<T>> value(std::string_view key, config::Parsed<T> (*parse)(std::string_view),
                                                  Accept accept = Accept::text) {
        const auto found = text(key, accept);
        if (!found) return {};
        return parsed(key, *found, parse);
    }
    /// The same of an array: those elements that `parse` understands.
    template <class T>
    [[nodiscard]] std::vector<Located<T>> values(std::string_view key, config::Parsed<T> (*parse)(std::string_view),
                                                 Accept accept = Accept::text) {
        std::vector<Located<T>> all;
        for (const auto& found : texts(key, accept)) {
            if (auto one = parsed(key, found, parse)) all.push_back(std::move(*one));
        }
        return all;
    }

    [[nodiscard]] std::optional<TomlTable> table(std::string_view key, std::string_view what);
    /// `[[key]]`, or an array of inline tables.
    [[nodiscard]] std::vector<TomlTable> tables(std::string_view key, std::string_view what);

    /// Reports a mistake in the value of a key, which the message then names.
    void error(std::string_view key, std::string_view message) { error(key, position(key), message); }
    void error(std::string_view key, config::Position at, std::string_view message);
    void error(std::string_view message);
    void warn(config::Position at, std::string message) { problems_->warn(at, std::move(message)); }

private:
    [[nodiscard]] const toml::node* find(std::string_view key);
    [[nodiscard]] std::optional<Located<std::string>> text_of(std::string_view key, const toml::node& node,
                                                              Accept accept);
    void wrong_type(std::string_view key, const toml::node& node, std::string_view wanted);

    template <class T>
    std::optional<Located<T>> parsed(std::string_view key, const Located<std::string>& text,
                                     config::Parsed<T> (*parse)(std::string_view)) {
        auto result = parse(text.value);
        if (result) return Located<T>{std::move(*result), text.at};
        error(key, text.at, result.error());
        return {};
    }

    const toml::table* table_;
    std::string_view what_;
    config::Problems* problems_;
    std::vector<std::string_view> known_;  ///< keys asked for; literals
};

/// Parses a document. A mistake in the syntax is reported, and ends the reading: what follows it cannot be understood.
[[nodiscard]] std::optional<toml::table> parse_toml(std::string_view text, config::Problems& problems);

}  // namespace gateway::config_file
