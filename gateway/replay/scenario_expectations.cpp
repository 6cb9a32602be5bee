#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "gateway/replay/scenario_tables.hpp"
#include "policy/names.hpp"

namespace gateway::replay {

using captures::base::Protocol;
using policy::Fate;
using policy::Reason;

namespace {

constexpr std::int64_t most_packets = std::numeric_limits<std::int64_t>::max();

config::Parsed<Fate> parse_fate(std::string_view text) {
    for (const auto fate : {Fate::forward, Fate::drop, Fate::ignore}) {
        if (text == to_string(fate)) return fate;
    }
    return tl::unexpected{fmt::format("{} is not a fate; write forward, drop or ignore", config::in_quotes(text))};
}

config::Parsed<Reason> parse_reason(std::string_view text) {
    const auto& texts = policy::reason_texts;
    const auto* const found = std::ranges::find(texts, text);
    if (found != texts.end()) return static_cast<Reason>(found - texts.begin());
    return tl::unexpected{fmt::format("{} is not a reason{}; reasons are {}", config::in_quotes(text),
                                      config::did_you_mean(text, texts), fmt::join(texts, ", "))};
}

config::Parsed<Protocol> parse_protocol(std::string_view text) {
    if (policy::same_name(text, "TCP")) return Protocol::tcp;
    if (policy::same_name(text, "UDP")) return Protocol::udp;
    return tl::unexpected{fmt::format("{} is not a protocol; write tcp or udp", config::in_quotes(text))};
}

/// `collection/rule`, as decisions show it.
config::Parsed<std::string> parse_rule(std::string_view text) {
    const auto slash = text.find('/');
    const bool has_form = slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
    if (has_form && text.find('/', slash + 1) == std::string_view::npos) return std::string{text};
    return tl::unexpected{fmt::format("{} is not a rule; write collection/rule", config::in_quotes(text))};
}

template <class T>
std::optional<T> value_of(const std::optional<config_file::Located<T>>& found) {
    return found ? std::optional{found->value} : std::nullopt;
}

std::optional<std::uint64_t> read_count(config_file::TomlTable& table, std::string_view key) {
    const auto count = table.integer(key, 0, most_packets);
    return count ? std::optional{static_cast<std::uint64_t>(*count)} : std::nullopt;
}

void read_packet(config_file::TomlTable& table, config::Problems& problems, Scenario& scenario) {
    PacketExpectation expectation;
    expectation.place = problems.place(table.position());
    if (const auto number = table.integer("packet", 1, most_packets)) {
        expectation.packet = static_cast<std::uint64_t>(*number);
    }
    expectation.fate = value_of(table.value("fate", parse_fate));
    expectation.reason = value_of(table.value("reason", parse_reason));
    expectation.rule = value_of(table.value("rule", parse_rule));
    if (!table.has("fate") && !table.has("reason") && !table.has("rule")) {
        table.error("expects nothing of the packet; give fate, reason or rule");
    }
    if (expectation.fate && expectation.reason && fate_of(*expectation.reason) != *expectation.fate) {
        table.error("reason", fmt::format("{} is a reason of fate {}, never of {}; correct one of them",
                                          to_string(*expectation.reason), to_string(fate_of(*expectation.reason)),
                                          to_string(*expectation.fate)));
    }
    scenario.packets.push_back(std::move(expectation));
}

captures::base::FiveTuple read_tuple(config_file::TomlTable& flow) {
    captures::base::FiveTuple tuple;
    flow.require({"from", "to"});
    if (const auto from = flow.value("from", config::parse_endpoint)) tuple.source = from->value;
    if (const auto to = flow.value("to", config::parse_endpoint)) tuple.destination = to->value;
    if (const auto protocol = flow.value("protocol", parse_protocol)) tuple.protocol = protocol->value;
    flow.refuse_unknown_keys();
    return tuple;
}

void read_flow(config_file::TomlTable& table, config::Problems& problems, Scenario& scenario) {
    FlowExpectation expectation;
    expectation.place = problems.place(table.position());
    if (auto flow = table.table("flow", "flow")) expectation.flow = read_tuple(*flow);
    expectation.forwarded = read_count(table, "forwarded");
    expectation.dropped = read_count(table, "dropped");
    expectation.reason = value_of(table.value("reason", parse_reason));
    if (!table.has("forwarded") && !table.has("dropped") && !table.has("reason")) {
        table.error("expects nothing of the flow; give forwarded, dropped or reason");
    }
    scenario.flows.push_back(std::move(expectation));
}

}  // namespace

void read_expectation(config_file::TomlTable& table, config::Problems& problems, Scenario& scenario) {
    const bool of_packet = table.has("packet");
    const bool of_flow = table.has("flow");
    if (of_packet && of_flow) {
        table.error("flow", "packet is given, too; make another [[expect]] of it");
        return;
    }
    if (!of_packet && !of_flow) {
        table.error("needs the key packet or flow; say what is expected of which");
        return;
    }
    of_packet ? read_packet(table, problems, scenario) : read_flow(table, problems, scenario);
    table.refuse_unknown_keys();
}

}  // namespace gateway::replay
