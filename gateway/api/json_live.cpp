#include "gateway/api/json_live.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <chrono>
#include <iterator>
#include <utility>

#include "captures/packet/print.hpp"
#include "captures/port/interface.hpp"
#include "gateway/api/http/json_document.hpp"
#include "gateway/api/json_fields.hpp"
#include "gateway/api/json_text.hpp"

namespace gateway::api {

using boost::json::array;
using boost::json::object;

namespace {

double in_seconds(captures::base::Duration time) { return std::chrono::duration<double>(time).count(); }

std::string_view name_of(live::NeighbourState state) {
    switch (state) {
        case live::NeighbourState::incomplete: return "incomplete";
        case live::NeighbourState::reachable: return "reachable";
        case live::NeighbourState::stale: return "stale";
        case live::NeighbourState::probing: return "probing";
        case live::NeighbourState::unreachable: return "unreachable";
    }
    return "";
}

std::string_view name_of(captures::base::Protocol protocol) {
    return protocol == captures::base::Protocol::tcp ? "tcp" : "udp";
}

object arp_json(const live::Neighbours::Numbers& arp) {
    return {{"requests", arp.requests},     {"replies", arp.replies}, {"malformed", arp.malformed},
            {"answered", arp.answered},     {"asked", arp.asked},     {"announced", arp.announced},
            {"conflicts", arp.conflicts},   {"moved", arp.moved},     {"movesRefused", arp.moves_refused},
            {"unanswered", arp.unanswered}, {"noRoom", arp.no_room},  {"held", arp.held},
            {"heldLost", arp.held_lost}};
}

array neighbours_json(const std::vector<live::Neighbours::Entry>& neighbours) {
    array all;
    for (const auto& one : neighbours) {
        object json{{"address", to_string(one.address)},
                    {"state", json_text(name_of(one.state))},
                    {"ageSeconds", in_seconds(one.age)}};
        if (one.mac) json["mac"] = captures::port::to_string(*one.mac);
        all.push_back(std::move(json));
    }
    return all;
}

object side_json(const live::SideStatus& side, captures::packet::Side which) {
    const auto& egress = side.egress;
    object received{{"packets", side.numbers.received},
                    {"bytes", side.numbers.received_bytes},
                    {"packetsPerSecond", side.rates.received_packets},
                    {"bytesPerSecond", side.rates.received_bytes},
                    {"lost", side.numbers.not_received},
                    {"notForUs", side.not_for_us}};
    object sent{{"packets", side.numbers.sent},
                {"bytes", side.numbers.sent_bytes},
                {"packetsPerSecond", side.rates.sent_packets},
                {"bytesPerSecond", side.rates.sent_bytes},
                {"lost", side.numbers.not_sent},
                {"unreachable", egress.unreachable},
                {"tooBig", egress.too_big},
                {"noRoom", egress.no_room},
                {"unfit", egress.unfit},
                {"abandoned", egress.abandoned},
                {"fragmented", egress.fragmented}};
    return {{"side", json_text(to_string(which))},
            {"interface", side.interface},
            {"driver", side.driver},
            {"up", !side.driver.empty()},
            {"mac", captures::port::to_string(side.mac)},
            {"mtu", side.mtu},
            {"received", std::move(received)},
            {"sent", std::move(sent)},
            {"arp", arp_json(side.arp)},
            {"neighbours", neighbours_json(side.neighbours)}};
}

object packets_json(const pipeline::PipelineCounters& counters) {
    object reasons;
    std::array<std::uint64_t, 3> fates{};
    for (std::size_t i = 0; i < counters.reasons.size(); ++i) {
        const auto reason = static_cast<policy::Reason>(i);
        fates.at(static_cast<std::size_t>(policy::fate_of(reason))) += counters.reasons.at(i);
        if (counters.reasons.at(i) != 0) reasons[json_text(policy::to_string(reason))] = counters.reasons.at(i);
    }
    return {{"judged", counters.packets},   {"bytes", counters.bytes}, {"forwarded", fates[0]},
            {"dropped", fates[1]},          {"ignored", fates[2]},     {"synthesized", counters.synthesized},
            {"reasons", std::move(reasons)}};
}

object finding_json(const config::Finding& finding) {
    return {{"file", finding.place.file},
            {"line", finding.place.line},
            {"column", finding.place.column},
            {"message", finding.message}};
}

}  // namespace

object live_json(const live::LiveStatus& status) {
    array interfaces;
    for (const auto side : {captures::packet::Side::outside, captures::packet::Side::inside}) {
        interfaces.push_back(side_json(status.sides.at(static_cast<std::size_t>(side)), side));
    }
    array files;
    for (const auto& file : status.logs.files) files.push_back(object{{"path", file.path}, {"lost", file.lost}});
    return {{"uptimeSeconds", in_seconds(status.uptime)},
            {"interfaces", std::move(interfaces)},
            {"packets", packets_json(status.counters)},
            {"flows", object{{"active", status.flows},
                             {"capacity", status.flows_capacity},
                             {"created", status.counters.flows_created},
                             {"peak", status.counters.flows_peak}}},
            {"icmp", object{{"timeExceeded", status.icmp.time_exceeded},
                            {"fragmentationNeeded", status.icmp.too_big},
                            {"hostUnreachable", status.icmp.unreachable},
                            {"suppressed", status.icmp.suppressed}}},
            {"logs", object{{"notQueued", status.logs.not_queued}, {"files", std::move(files)}}}};
}

object flow_json(const live::FlowView& view) {
    const auto& flow = view.flow;
    object json{{"protocol", json_text(name_of(flow.protocol))},
                {"state", json_text(dnat::to_string(flow.state))},
                {"client", to_string(flow.client)},
                {"called", to_string(flow.called)},
                {"instance", to_string(flow.instance)},
                {"target", to_string(flow.target)},
                {"rule", view.rule},
                {"idleSeconds", in_seconds(view.idle)},
                {"endsInSeconds", in_seconds(view.left)}};
    if (flow.window != 0) json["window"] = flow.window;
    return json;
}

void append_watched(std::string& to, const outputs::Decision& decision) {
    outputs::append_json(to, decision);
    to.pop_back();
    if (decision.addressed && decision.kind != captures::packet::Kind::unsupported) {
        fmt::format_to(std::back_inserter(to), R"(,"protocol":"{}")", name_of(decision.tuple.protocol));
    }
    if (decision.kind == captures::packet::Kind::tcp) {
        fmt::format_to(std::back_inserter(to), R"(,"flags":"{}")", captures::packet::flag_letters(decision.tcp_flags));
    }
    fmt::format_to(std::back_inserter(to), R"(,"length":{}}})", decision.length);
}

object reload_json(const config::ReloadReport& report) {
    array changes;
    for (const auto& change : report.changes) {
        changes.push_back(object{{"what", json_text(config::to_string(change.what))},
                                 {"kind", json_text(change.kind)},
                                 {"name", change.name}});
    }
    array warnings;
    for (const auto& finding : report.findings) warnings.push_back(finding_json(finding));
    return {{"changes", std::move(changes)},
            {"kept", array(report.kept.begin(), report.kept.end())},
            {"warnings", std::move(warnings)}};
}

object refused_reload_json(const config::ReloadReport& report, const control_plane::Problem& problem) {
    array details;
    for (const auto& finding : report.findings) {
        auto detail = finding_json(finding);
        detail["code"] = "ConfigurationMistake";
        detail["target"] = fmt::format("{}:{}:{}", finding.place.file, finding.place.line, finding.place.column);
        details.push_back(std::move(detail));
    }
    return {{"error", object{{"code", problem.code}, {"message", problem.message}, {"details", std::move(details)}}}};
}

tl::expected<dnat::Arrived, std::string> flow_body(std::string_view body) {
    auto parsed = http::parse_object(body);
    if (!parsed) return tl::unexpected{parsed.error()};
    std::string error;
    JsonFields fields{*parsed, "", error};
    fields.require({"protocol", "client", "called"});
    fields.refuse_others({"protocol", "client", "called"});
    dnat::Arrived arrived;
    auto& tuple = arrived.tuple;
    const auto end = [&](const char* name, captures::base::Endpoint& to) {
        const auto text = fields.text(name);
        const auto endpoint = captures::base::Endpoint::parse(text.value_or(""));
        if (text && !endpoint) fields.fail(name, "is no address and port, such as 198.51.100.7:40000");
        if (endpoint) to = *endpoint;
    };
    end("client", tuple.source);
    end("called", tuple.destination);
    const auto protocol = fields.text("protocol");
    const bool is_udp = protocol == "udp" || protocol == "UDP";
    if (protocol && !is_udp && protocol != "tcp" && protocol != "TCP")
        fields.fail("protocol", "is neither tcp nor udp");
    tuple.protocol = is_udp ? captures::base::Protocol::udp : captures::base::Protocol::tcp;
    if (!error.empty()) return tl::unexpected{std::move(error)};
    return arrived;
}

}  // namespace gateway::api
