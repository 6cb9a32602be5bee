#include <array>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>

#include "gateway/replay/scenario_tables.hpp"

namespace gateway::replay {

namespace {

config::Parsed<Moment> parse_at(std::string_view text) {
    if (text.starts_with('+')) {
        const auto offset = config::parse_span(text.substr(1));
        if (offset) return Moment{*offset};
        return tl::unexpected{offset.error()};
    }
    if (const auto time = config::parse_moment(text)) return Moment{*time};
    return tl::unexpected{
        fmt::format("{} is not a time; write +2s for two seconds after the first packet, or RFC 3339 "
                    "with an offset, such as 2026-01-31T09:30:00Z",
                    config::in_quotes(text))};
}

config::Parsed<std::string> parse_path(std::string_view text) {
    if (!text.empty() && text.find('\0') == std::string_view::npos) return std::string{text};
    return tl::unexpected{fmt::format("{} is not a path; name a configuration file", config::in_quotes(text))};
}

std::string text_or_empty(config_file::TomlTable& table, std::string_view key) {
    auto text = table.text(key);
    return text ? std::move(text->value) : std::string{};
}

std::uint16_t read_port(config_file::TomlTable& table) {
    const auto port = table.value("port", config::parse_port_number, config_file::Accept::text_or_number);
    return port ? port->value : std::uint16_t{0};
}

/// Exactly one of two keys; what is wrong otherwise is reported.
void require_one(config_file::TomlTable& table, std::string_view one, std::string_view other) {
    if (table.has(one) && table.has(other)) {
        table.error(other, fmt::format("{} is given, too; give one of them", one));
    } else if (!table.has(one) && !table.has(other)) {
        table.error(fmt::format("needs {} or {}; add one", one, other));
    }
}

/// The one that stands further down in the file.
std::string_view later_of(config_file::TomlTable& table, std::string_view one, std::string_view other) {
    const auto a = table.position(one);
    const auto b = table.position(other);
    return std::tuple{a.line, a.column} < std::tuple{b.line, b.column} ? other : one;
}

/// Whether the policy allows it is not asked here: a refusal is something that a scenario may want to show.
RequestEvent read_request(config_file::TomlTable& table) {
    policy::RequestedPort port;
    require_one(table, "port", "ports");
    require_one(table, "source", "sources");
    require_one(table, "duration", "end_time");
    if (auto source = table.text("source")) port.sources.push_back(std::move(source->value));
    for (auto& source : table.texts("sources")) port.sources.push_back(std::move(source.value));
    if (table.is_empty_array("sources"))
        table.error("sources", "names none; a replay has no caller's address to stand in");
    if (const auto duration = table.value("duration", config::parse_span)) port.duration = duration->value;
    if (const auto end = table.value("end_time", config::parse_moment, config_file::Accept::text_or_time))
        port.end_time = end->value;

    RequestEvent event;
    auto& request = event.request;
    request.requestor = text_or_empty(table, "by");
    request.machine = text_or_empty(table, "vm");
    request.justification = text_or_empty(table, "justification");
    if (table.has("port")) {
        port.number = read_port(table);
        request.ports.push_back(port);
    }
    if (table.is_empty_array("ports")) table.error("ports", "names none; give at least one port");
    auto numbers = table.values("ports", config::parse_port_number, config_file::Accept::text_or_number);
    if (numbers.size() > policy::most_ports) {
        table.error("ports", numbers[policy::most_ports].at, fmt::format("more than {} ports", policy::most_ports));
        numbers.clear();
    }
    for (const auto& number : numbers) {
        port.number = number.value;
        request.ports.push_back(port);
    }
    return event;
}

ExtendEvent read_extend(config_file::TomlTable& table) {
    table.require({"port", "duration"});
    ExtendEvent event;
    event.by = text_or_empty(table, "by");
    event.machine = text_or_empty(table, "vm");
    event.port = read_port(table);
    if (const auto duration = table.value("duration", config::parse_span)) event.duration = duration->value;
    return event;
}

RevokeEvent read_revoke(config_file::TomlTable& table) {
    table.require({"port"});
    RevokeEvent event;
    event.by = text_or_empty(table, "by");
    event.machine = text_or_empty(table, "vm");
    event.port = read_port(table);
    event.cut = table.boolean("cut").value_or(false);
    return event;
}

ReloadEvent read_reload(config_file::TomlTable& table, const std::string& directory) {
    table.require({"config"});
    const auto config = table.value("config", parse_path);
    if (!config) return {};
    const std::filesystem::path path{config->value};
    const bool is_whole = path.is_absolute() || directory == ".";
    return {.config = is_whole ? path.string() : (std::filesystem::path{directory} / path).string()};
}

}  // namespace

void read_event(config_file::TomlTable& table, const std::string& directory, config::Problems& problems,
                Scenario& scenario) {
    constexpr std::array<std::string_view, 4> kinds{"request", "extend", "revoke", "reload"};
    Event event{.at = captures::base::Duration{}, .what = ReloadEvent{}, .place = problems.place(table.position())};
    table.require({"at"});
    if (const auto at = table.value("at", parse_at, config_file::Accept::text_or_time)) event.at = at->value;
    std::optional<std::string_view> given;
    for (const auto kind : kinds) {
        if (!table.has(kind)) continue;
        if (given) table.error(later_of(table, *given, kind), "an event does one thing; make another event of it");
        given = kind;
    }
    if (!given) table.error(fmt::format("does nothing; give it one of {}", fmt::join(kinds, ", ")));

    if (auto request = table.table("request", "request")) {
        request->require({"by", "vm"});
        event.what = read_request(*request);
        request->refuse_unknown_keys();
    }
    if (auto extend = table.table("extend", "extend")) {
        extend->require({"by", "vm"});
        event.what = read_extend(*extend);
        extend->refuse_unknown_keys();
    }
    if (auto revoke = table.table("revoke", "revoke")) {
        revoke->require({"by", "vm"});
        event.what = read_revoke(*revoke);
        revoke->refuse_unknown_keys();
    }
    if (auto reload = table.table("reload", "reload")) {
        event.what = read_reload(*reload, directory);
        reload->refuse_unknown_keys();
    }
    table.refuse_unknown_keys();
    scenario.events.push_back(std::move(event));
}

}  // namespace gateway::replay
