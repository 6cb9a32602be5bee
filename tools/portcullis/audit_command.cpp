#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/store/store.hpp"
#include "policy/audit.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/remote.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

using policy::AuditEvent;

struct AuditOptions {
    RemoteFlags remote;
    std::string machine;
    std::string principal;
    std::string from;
    std::string to;
    std::uint32_t limit = 100;
    std::string head;
    std::string store;
};

/// Where a chain stands.
struct Head {
    std::uint64_t sequence = 0;
    std::string hash = policy::first_hash();
};

/// Events that follow the given one, in their order; none at the end.
using Pages = std::function<tl::expected<std::vector<AuditEvent>, int>(std::uint64_t after)>;

constexpr std::size_t page_size = 1000;

std::string query_of(const AuditOptions& options, std::size_t limit) {
    std::string query;
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, escaped(value));
    };
    add("machine", options.machine);
    add("principal", options.principal);
    add("from", options.from);
    add("to", options.to);
    add("limit", std::to_string(limit));
    return query;
}

int list(const AuditOptions& options) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto events = remote->list(
        "/portcullis/v1/activity" + query_of(options, std::min<std::size_t>(options.limit, page_size)), options.limit);
    if (!events) return events.error();
    if (remote->json()) {
        print_json(boost::json::object{{"value", *events}});
        return exit_done;
    }
    for (const auto& event : *events) {
        const auto* const operation = event.as_object().if_contains("operationName");
        const auto name = operation != nullptr && operation->is_object() ? field(*operation, "localizedValue")
                                                                         : field(event, "operationName");
        const auto* const status = event.as_object().if_contains("status");
        const auto outcome = status != nullptr && status->is_object() ? field(*status, "value")
                                                                      : field(event, "status");
        fmt::print("{:<28} {:<9} {:<24} {}\n", printable(field(event, "eventTimestamp")), printable(outcome),
                   printable(field(event, "caller")), printable(name));
    }
    return exit_done;
}

/// A table as it is, but for what a terminal would obey.
std::string printable_lines(std::string_view table) {
    std::string text;
    while (!table.empty()) {
        const auto end = std::min(table.find_first_of("\r\n"), table.size());
        text += printable(table.substr(0, end));
        table.remove_prefix(end);
        const auto next = std::min(table.find_first_not_of("\r\n"), table.size());
        text += table.substr(0, next);
        table.remove_prefix(next);
    }
    return text;
}

int csv(const AuditOptions& options) {
    if (options.remote.json) {
        complain("a table is no JSON: that is `portcullis audit list --json`");
        return exit_usage;
    }
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto text = remote->text("GET", "/portcullis/v1/activity" + query_of(options, options.limit) + "&format=csv");
    if (!text) return text.error();
    fmt::print("{}", printable_lines(*text));
    return exit_done;
}

std::uint64_t number(const boost::json::value& value, std::string_view name) {
    const auto text = field(value, name);
    std::uint64_t result = 0;
    std::from_chars(text.data(), text.data() + text.size(), result);
    return result;
}

AuditEvent event_of(const boost::json::value& json) {
    AuditEvent event;
    event.sequence = number(json, "sequence");
    event.time = captures::base::parse_time(field(json, "time")).value_or(captures::base::Time{});
    event.operation = field(json, "operation");
    event.status = field(json, "status");
    event.sub_status = field(json, "subStatus");
    event.caller = field(json, "caller");
    event.caller_address = field(json, "callerAddress");
    event.resource = field(json, "resource");
    event.machine = field(json, "machine");
    event.correlation_id = field(json, "correlationId");
    event.client_request_id = field(json, "clientRequestId");
    event.detail = field(json, "detail");
    event.hash = field(json, "hash");
    return event;
}

/// `SEQUENCE:HASH`, as `verify` printed it some time ago.
tl::expected<Head, int> parse_head(const std::string& text) {
    Head head;
    const auto colon = std::min(text.find(':'), text.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, head.sequence);
    head.hash = colon == text.size() ? "" : text.substr(colon + 1);
    if (error == std::errc{} && end == text.data() + colon && !head.hash.empty()) return head;
    complain(fmt::format("\"{}\" is no head; give SEQUENCE:HASH as an earlier verify printed it", text));
    return tl::unexpected<int>{exit_usage};
}

int broken(bool json, std::uint64_t at, const std::string& why) {
    if (json) {
        print_json(boost::json::object{{"intact", false}, {"sequence", at}, {"why", why}});
    } else {
        complain(fmt::format("the audit is NOT intact at event {}: {}", at, why));
    }
    return exit_refused;
}

/// Walks the chain; `last` is where it must have come to at least, `noted` a place that it must go through.
int walk(const Pages& pages, const Head& last, const Head& noted, bool json) {
    Head at;
    bool met = noted.sequence == 0;
    while (true) {
        const auto events = pages(at.sequence);
        if (!events) return events.error();
        if (events->empty()) break;
        if (const auto gap = policy::first_break(*events, at.sequence + 1, at.hash)) {
            return broken(json, *gap,
                          "it does not follow from the event before it: something was changed, removed or put in");
        }
        for (const auto& event : *events) {
            if (event.sequence != noted.sequence) continue;
            if (event.hash != noted.hash) return broken(json, event.sequence, "its hash is not the one that was noted");
            met = true;
        }
        at = {events->back().sequence, events->back().hash};
    }
    if (!met) return broken(json, at.sequence, fmt::format("the end was cut off: event {} was noted", noted.sequence));
    if (at.sequence < last.sequence || (at.sequence == last.sequence && at.hash != last.hash)) {
        return broken(json, at.sequence, "the end is not the one that the store knows");
    }
    if (json) {
        print_json(boost::json::object{{"intact", true}, {"sequence", at.sequence}, {"hash", at.hash}});
    } else {
        fmt::print("{} events, each follows from the one before it\n", at.sequence);
        fmt::print("note this head elsewhere, to know later that none was cut off: --head {}:{}\n", at.sequence,
                   at.hash);
    }
    return exit_done;
}

int verify_store(const AuditOptions& options, const Head& noted) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(options.store, error)) {
        complain("there is no store " + options.store);
        return exit_usage;
    }
    const auto store = gateway::store::Store::open("sqlite:" + options.store);
    if (!store) {
        complain(store.error().message);
        return exit_unreachable;
    }
    const auto pages = [&](std::uint64_t after) -> tl::expected<std::vector<AuditEvent>, int> {
        gateway::store::EventFilter filter;
        filter.after = after;
        filter.limit = page_size;
        auto events = (*store)->events(filter);
        if (events) return std::move(*events);
        complain(events.error().message);
        return tl::unexpected<int>{exit_unreachable};
    };
    return walk(pages, {(*store)->head().sequence, (*store)->head().hash}, noted, options.remote.json);
}

int verify_server(const AuditOptions& options, const Head& noted) {
    const auto remote = Remote::open(options.remote);
    if (!remote) return remote.error();
    const auto first = remote->get("/portcullis/v1/audit?limit=1");
    if (!first) return first.error();
    const auto* const told = first->as_object().if_contains("head");
    const Head last = told == nullptr ? Head{} : Head{number(*told, "sequence"), field(*told, "hash")};
    const auto pages = [&](std::uint64_t after) -> tl::expected<std::vector<AuditEvent>, int> {
        std::vector<AuditEvent> events;
        if (after != 0 && after >= last.sequence) return events;  // that the audit was read is an event, too
        const auto page = remote->get(fmt::format("/portcullis/v1/audit?after={}&limit={}", after, page_size));
        if (!page) return tl::unexpected{page.error()};
        for (const auto& json : items(*page, "value")) events.push_back(event_of(json));
        return events;
    };
    return walk(pages, last, noted, remote->json());
}

int verify(const AuditOptions& options) {
    Head noted;
    if (!options.head.empty()) {
        const auto head = parse_head(options.head);
        if (!head) return head.error();
        noted = *head;
    }
    return options.store.empty() ? verify_server(options, noted) : verify_store(options, noted);
}

}  // namespace

void add_audit_command(CLI::App& app, int& exit_code) {
    auto* const group = app.add_subcommand("audit", "Who asked for what, and what was decided");
    group->require_subcommand(1);
    const auto add = [&](const char* name, const char* what, int (*run)(const AuditOptions&)) {
        const auto options = std::make_shared<AuditOptions>();
        auto* const command = group->add_subcommand(name, what);
        add_remote_flags(*command, options->remote);
        command->callback([options, run, &exit_code] { exit_code = run(*options); });
        return std::pair{command, options};
    };
    const auto filter = [](const auto& made) {
        made.first->add_option("--machine", made.second->machine, "Only of this machine");
        made.first->add_option("--principal", made.second->principal, "Only of this principal");
        made.first->add_option("--from", made.second->from, "From this time on, RFC 3339");
        made.first->add_option("--to", made.second->to, "Before this time");
        made.first->add_option("--limit", made.second->limit, "The newest so many");
    };
    filter(add("list", "Newest first", list));
    const auto table = add("csv", "The columns of Azure's activity log", csv);
    table.second->limit = 10'000;
    filter(table);
    const auto checked = add("verify", "Check that nothing was changed, removed or put in", verify);
    checked.first->add_option("--head", checked.second->head, "SEQUENCE:HASH that an earlier verify printed");
    checked.first->add_option("--store", checked.second->store, "Of a service that is down: its store's file");
}

}  // namespace tools
