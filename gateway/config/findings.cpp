#include "gateway/config/findings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policy/names.hpp"

namespace gateway::config {

namespace {

/// Levenshtein's, without regard to case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto change = diagonal + (policy::to_lower(a[i]) == policy::to_lower(b[j]) ? 0 : 1);
            diagonal = std::exchange(row[j + 1], std::min({change, row[j] + 1, row[j + 1] + 1}));
        }
    }
    return row.back();
}

template <class Candidate>
std::string closest(std::string_view text, std::span<const Candidate> candidates) {
    constexpr std::size_t longest = 64;  // both bound the time that a hostile file can take
    constexpr std::size_t most_tried = 200;
    if (text.size() > longest) return {};
    std::string_view best;
    auto best_distance = std::max<std::size_t>(1, text.size() / 3) + 1;
    for (const std::string_view candidate : candidates.first(std::min(candidates.size(), most_tried))) {
        if (candidate.size() > longest) continue;
        const auto distance = edit_distance(text, candidate);
        if (distance < best_distance) std::tie(best, best_distance) = std::tuple{candidate, distance};
    }
    return best.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", best);
}

}  // namespace

std::string to_string(const Finding& finding) {
    const auto* const severity = finding.severity == Finding::Severity::error ? "error" : "warning";
    const auto& place = finding.place;
    if (place.line == 0) return fmt::format("{}: {}: {}", place.file, severity, finding.message);
    return fmt::format("{}:{}:{}: {}: {}", place.file, place.line, place.column, severity, finding.message);
}

void Problems::add(Kind Problems::*kind_of, Finding::Severity severity, Position at, std::string message) {
    auto& kind = this->*kind_of;
    if (kind.findings.size() < most_findings) {
        kind.findings.push_back({severity, place(at), std::move(message)});
    } else {
        ++kind.more;
    }
}

Findings Problems::take() {
    Findings all;
    for (auto* kind : {&errors_, &warnings_}) {
        std::move(kind->findings.begin(), kind->findings.end(), std::back_inserter(all));
    }
    std::ranges::stable_sort(all, {}, [](const Finding& one) { return std::tuple{one.place.line, one.place.column}; });
    if (errors_.more > 0) {
        all.push_back({Finding::Severity::error, place({}), fmt::format("and {} more mistakes", errors_.more)});
    }
    if (warnings_.more > 0) {
        all.push_back({Finding::Severity::warning, place({}), fmt::format("and {} more warnings", warnings_.more)});
    }
    return all;
}

std::string did_you_mean(std::string_view text, std::span<const std::string_view> candidates) {
    return closest(text, candidates);
}

std::string did_you_mean(std::string_view text, std::span<const std::string> candidates) {
    return closest(text, candidates);
}

std::optional<std::string> read_text(const std::string& path, std::size_t most, Problems& problems) {
    const auto failed = [&] {
        problems.error({}, fmt::format("cannot be read: {}; name a file that this user may read",
                                       std::generic_category().message(errno)));
        return std::optional<std::string>{};
    };
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rbe"), &std::fclose};
    if (!file) return failed();
    std::string text;
    constexpr std::size_t chunk = 1U << 16;
    for (std::size_t got = chunk; got == chunk && text.size() <= most;) {
        const auto before = text.size();
        text.resize(before + chunk);
        got = std::fread(text.data() + before, 1, chunk, file.get());
        text.resize(before + got);
    }
    if (std::ferror(file.get()) != 0) return failed();
    if (text.size() <= most) return text;
    problems.error({}, fmt::format("is larger than {} MiB; leave out what is not needed, or split it", most >> 20U));
    return {};
}

}  // namespace gateway::config
