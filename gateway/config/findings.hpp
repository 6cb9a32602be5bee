#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::config {

/// A place in a file, 1-based; line 0 where there is none.
struct Place {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// A mistake, or a likely mistake, in a configuration: where, what, and how to mend it.
struct Finding {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    Place place;
    std::string message;
};

/// `lab.toml:12:5: error: …`, the form that editors and compilers know.
[[nodiscard]] std::string to_string(const Finding& finding);

using Findings = std::vector<Finding>;

/// A place within the one file that is being read, 1-based; line 0 means the file as such.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// Collects what is wrong with one file. Bounded: beyond `most_findings` of a kind, the rest is only counted.
class Problems {
public:
    static constexpr std::size_t most_findings = 1000;

    explicit Problems(std::string file) : file_(std::move(file)) {}

    void error(Position at, std::string message) {
        add(&Problems::errors_, Finding::Severity::error, at, std::move(message));
    }
    void warn(Position at, std::string message) {
        add(&Problems::warnings_, Finding::Severity::warning, at, std::move(message));
    }

    [[nodiscard]] bool has_errors() const noexcept { return !errors_.findings.empty(); }
    /// Whether further errors are only counted: no need to find words for them.
    [[nodiscard]] bool has_most_errors() const noexcept { return errors_.findings.size() == most_findings; }
    [[nodiscard]] Place place(Position at) const { return {file_, at.line, at.column}; }

    /// All of them in the order of the file; where some were only counted, the last says how many.
    [[nodiscard]] Findings take();

private:
    struct Kind {
        Findings findings;
        std::size_t more = 0;
    };

    void add(Kind Problems::*kind_of, Finding::Severity severity, Position at, std::string message);

    std::string file_;
    Kind errors_;
    Kind warnings_;
};

/// `; did you mean "priority"?`, or nothing where no candidate is close. Of very many candidates only the first are tried.
[[nodiscard]] std::string did_you_mean(std::string_view text, std::span<const std::string_view> candidates);
[[nodiscard]] std::string did_you_mean(std::string_view text, std::span<const std::string> candidates);

/// The text of a file of at most `most` bytes; nothing, and an error, if it cannot be read whole.
[[nodiscard]] std::optional<std::string> read_text(const std::string& path, std::size_t most, Problems& problems);

}  // namespace gateway::config
