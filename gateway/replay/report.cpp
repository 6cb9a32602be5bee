#include "gateway/replay/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace gateway::replay {

namespace {

using policy::Fate;
using policy::Reason;

struct FateCounts {
    std::array<std::uint64_t, 3> counts{};

    explicit FateCounts(const pipeline::PipelineCounters& counters) {
        for (std::size_t i = 0; i < counters.reasons.size(); ++i) {
            counts[static_cast<std::size_t>(policy::fate_of(static_cast<Reason>(i)))] += counters.reasons[i];
        }
    }
    [[nodiscard]] std::uint64_t operator[](Fate fate) const { return counts[static_cast<std::size_t>(fate)]; }
};

double rate_of(const ReplayResult& result) {
    return result.seconds > 0 ? static_cast<double>(result.counters.packets) / result.seconds : 0;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? "" : fmt::format("  {:5.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string sources_text(const policy::AccessRecord& record) {
    std::string text;
    for (const auto& source : record.sources) text += (text.empty() ? "" : ", ") + to_string(source);
    return text;
}

void add_verdicts(std::string& text, const pipeline::PipelineCounters& counters) {
    const FateCounts fates{counters};
    const auto out = std::back_inserter(text);
    for (const auto& [fate, name] :
         {std::pair{Fate::forward, "forwarded"}, {Fate::drop, "dropped"}, {Fate::ignore, "ignored"}}) {
        fmt::format_to(out, "  {:<20}{:>12}{}\n", name, fates[fate], percent(fates[fate], counters.packets));
        for (std::size_t i = 0; i < counters.reasons.size(); ++i) {
            const auto reason = static_cast<Reason>(i);
            if (counters.reasons[i] == 0 || policy::fate_of(reason) != fate) continue;
            fmt::format_to(out, "    {:<18}{:>12}           {}\n", to_string(reason), counters.reasons[i],
                           gloss(reason));
        }
    }
    if (counters.synthesized != 0) {
        fmt::format_to(out, "  {:<20}{:>12}           RSTs that the firewall sent itself\n", "synthesized",
                       counters.synthesized);
    }
}

void add_rules(std::string& text, const std::vector<RuleUse>& rules) {
    constexpr std::size_t most_shown = 20;
    auto hit = rules;
    std::erase_if(hit, [](const RuleUse& use) { return use.flows == 0; });
    std::ranges::stable_sort(hit, std::greater{}, &RuleUse::flows);
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "\n  NAT rules: {} of {} hit\n", hit.size(), rules.size());
    for (std::size_t i = 0; i < std::min(hit.size(), most_shown); ++i) {
        fmt::format_to(out, "    {:<40}{:>10} {}\n", hit[i].rule, hit[i].flows, hit[i].flows == 1 ? "flow" : "flows");
    }
    if (hit.size() > most_shown) fmt::format_to(out, "    and {} more\n", hit.size() - most_shown);
}

void add_windows(std::string& text, const std::vector<WindowUse>& windows) {
    if (windows.empty()) return;
    const auto out = std::back_inserter(text);
    const auto used = std::ranges::count_if(windows, [](const WindowUse& use) { return use.flows != 0; });
    fmt::format_to(out, "\n  windows: {} used, {} unused\n", used, static_cast<std::ptrdiff_t>(windows.size()) - used);
    for (const auto& [record, flows] : windows) {
        const auto state = record.status == policy::Status::revoked
                               ? fmt::format("{} ({})", to_string(record.status), to_string(record.status_reason))
                               : std::string{to_string(record.status)};
        fmt::format_to(out, "    {:<3} {} port {} from {} for {}, {} to {}, {}: {}\n", record.id, record.machine,
                       record.port, sources_text(record), record.requestor, captures::base::to_rfc3339(record.start, 0),
                       captures::base::to_rfc3339(record.end, 0), state,
                       flows == 0 ? "unused" : fmt::format("{} {}", flows, flows == 1 ? "flow" : "flows"));
    }
}

void add_refused(std::string& text, const ReplayResult& result) {
    const auto out = std::back_inserter(text);
    if (!result.refused.empty()) fmt::format_to(out, "\n  refused\n");
    for (const auto& each : result.refused) {
        fmt::format_to(out, "    {}:{}: {} at {}\n        {}: {}\n", each.place.file, each.place.line, each.what,
                       captures::base::to_rfc3339(each.time, 0), each.refusal.code, each.refusal.message);
    }
    if (result.events_not_reached != 0) {
        fmt::format_to(out, "\n  {} after the last packet and did not happen\n",
                       result.events_not_reached == 1
                           ? "1 event of the scenario comes"
                           : fmt::format("{} events of the scenario come", result.events_not_reached));
    }
}

}  // namespace

std::string_view gloss(Reason reason) {
    switch (reason) {
        case Reason::dnat: return "first packets of flows that a NAT rule admitted";
        case Reason::established: return "later packets from clients";
        case Reason::reply: return "replies from VMs";
        case Reason::related: return "ICMP errors about tracked flows";
        case Reason::malformed: return "not what their protocol allows";
        case Reason::unsupported: return "IPv6, or a protocol that DNAT does not know";
        case Reason::fragment: return "fragments without their first, tiny or overlapping";
        case Reason::ttl_expired: return "time to live ran out";
        case Reason::too_big: return "longer than the wire takes, and not to be fragmented";
        case Reason::hairpin: return "from inside to a public IP";
        case Reason::no_listener: return "no NAT rule names their destination";
        case Reason::invalid_state: return "TCP outside of a connection";
        case Reason::no_nat_rule: return "no rule of the listener admits their source";
        case Reason::network_rule_deny: return "a network rule denies them";
        case Reason::jit_closed: return "no just-in-time window was open";
        case Reason::nsg_deny: return "a network security group denies them";
        case Reason::no_flow: return "replies without a flow";
        case Reason::window_cut: return "their window was cut";
        case Reason::ports_exhausted: return "no source port left toward the machine";
        case Reason::table_full: return "flow table full ([limits] flows)";
        case Reason::not_ip: return "ARP and other frames that are not IP";
        case Reason::departure: return "what the firewall itself sent";
    }
    return "";
}

std::string summary_json(const ReplayResult& result) {
    const auto& counters = result.counters;
    const FateCounts fates{counters};
    std::string reasons;
    for (std::size_t i = 0; i < counters.reasons.size(); ++i) {
        if (counters.reasons[i] == 0) continue;
        reasons += fmt::format(R"({}"{}":{})", reasons.empty() ? "" : ",", to_string(static_cast<Reason>(i)),
                               counters.reasons[i]);
    }
    return fmt::format(
        R"({{"packets":{},"bytes":{},"forwarded":{},"dropped":{},"ignored":{},"synthesized":{},"reasons":{{{}}},)"
        R"("flows":{{"created":{},"peak":{},"active":{}}},"seconds":{:.6f},"packets_per_second":{:.0f}}})"
        "\n",
        counters.packets, counters.bytes, fates[Fate::forward], fates[Fate::drop], fates[Fate::ignore],
        counters.synthesized, reasons, counters.flows_created, counters.flows_peak, result.flows_active, result.seconds,
        rate_of(result));
}

std::string summary_table(const ReplayResult& result, const std::string& input) {
    const auto& counters = result.counters;
    std::string text;
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "{}: {} packets, {} bytes, replayed in {:.3f} s\n", input, counters.packets, counters.bytes,
                   result.seconds);
    if (counters.packets != 0) {
        fmt::format_to(out, "{} to {}\n", captures::base::to_rfc3339(result.first, 6),
                       captures::base::to_rfc3339(result.last, 6));
    }
    text += '\n';
    add_verdicts(text, counters);
    fmt::format_to(out, "\n  flows: {} created, at most {} at once, {} live at the end\n", counters.flows_created,
                   counters.flows_peak, result.flows_active);
    add_rules(text, result.rules);
    add_windows(text, result.windows);
    add_refused(text, result);
    if (result.several_wires) {
        text +=
            "\n  some frames are from another interface than the first: if it is the inside wire, say --vantage both\n";
    }
    if (counters.clock_steps_back != 0) {
        fmt::format_to(out, "\n  packets older than one before them: {}; for these the clock stood still\n",
                       counters.clock_steps_back);
    }
    return text;
}

}  // namespace gateway::replay
