#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.hpp"

namespace test {

/// A whole configuration in one line, so that what a test adds begins at line 2, column 1.
inline constexpr std::string_view firewall_line =
    R"(firewall = { public_ips = ["203.0.113.10", "203.0.113.11"], private_ip = "10.0.1.4", instance_ip = "10.0.1.5" })"
    "\n";

/// Two machines; a line, too.
inline constexpr std::string_view machines_line =
    R"(virtual_machine = [{ name = "web01", private_ip = "10.1.0.4" }, { name = "db01", private_ip = "10.1.0.5" }])"
    "\n";

/// `line:column` of a finding.
[[nodiscard]] inline std::string position(const gateway::config::Finding& finding) {
    return std::to_string(finding.place.line) + ':' + std::to_string(finding.place.column);
}

/// All findings, a line each, as a person sees them.
[[nodiscard]] inline std::string text_of(const gateway::config::Findings& findings) {
    std::string text;
    for (const auto& finding : findings) text += to_string(finding) + '\n';
    return text;
}

/// What is wrong with a file; empty if it has loaded.
template <class Loaded>
[[nodiscard]] std::string errors_of(const tl::expected<Loaded, gateway::config::Findings>& loaded) {
    return loaded ? std::string{} : text_of(loaded.error());
}

/// A mistake: what stands in the file, and where and how it must be reported.
struct Mistake {
    std::string_view text;
    std::string_view at;       ///< line:column
    std::string_view message;  ///< a part of it
};

/// Whether `findings` are exactly one error, at the place and with the words of `mistake`; otherwise what differs.
[[nodiscard]] inline std::string difference(const gateway::config::Findings& findings, const Mistake& mistake) {
    std::size_t errors = 0;
    bool found = false;
    for (const auto& finding : findings) {
        if (finding.severity != gateway::config::Finding::Severity::error) continue;
        ++errors;
        found |= position(finding) == mistake.at && finding.message.find(mistake.message) != std::string::npos;
    }
    if (found && errors == 1) return {};
    return "wanted " + std::string{mistake.at} + " ..." + std::string{mistake.message} + "...\nfor\n" +
           std::string{mistake.text} + "\ngot\n" + text_of(findings);
}

}  // namespace test
