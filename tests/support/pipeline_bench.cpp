#include "tests/support/pipeline_bench.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "gateway/outputs/verdict_text.hpp"

namespace support {

using captures::base::AddressRange;
using captures::base::Endpoint;
using captures::base::Protocol;
using captures::packet::Frame;
using captures::packet::Side;
using policy::Reason;

// What is told

Frame Told::frame() noexcept {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return {.data = bytes.data(),
            .captured = size,
            .length = size,
            .time = time,
            .number = number,
            .link_type = link_type,
            .side = side};
}

std::string to_string(const Told& told) {
    std::string text = told.number == 0 ? "synthesized" : std::to_string(told.number) + ": ";
    if (told.number != 0) text += std::string{to_string(told.fate())} + ' ' + std::string{to_string(told.reason)};
    text += told.side == Side::outside ? ", outside" : ", inside";
    if (!told.rule.empty()) text += ", rule " + told.rule;
    if (told.window != 0) text += ", window " + std::to_string(told.window);
    if (!told.detail.empty()) text += ": " + told.detail;
    return text + '\n' + to_hex(told.bytes);
}

void Recorder::judged(const gateway::pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        const auto& frame = burst.frames[i];
        const auto& verdict = burst.verdicts[i];
        if (verdict.held) continue;
        Told one;
        one.number = frame.number;
        one.time = frame.time;
        one.reason = verdict.reason;
        one.rule = gateway::outputs::rule_text(verdict, *burst.tables);
        one.window = verdict.window;
        one.detail = gateway::outputs::detail_text(verdict, burst.packets[i], *burst.tables);
        one.before.assign(frame.bytes().begin(), frame.bytes().end());
        one.link_type = frame.link_type;
        told.push_back(std::move(one));
        ++unfinished_;
    }
}

void Recorder::rewritten(const gateway::pipeline::Judged& burst) {
    for (std::size_t i = 0; i < burst.frames.size(); ++i) {
        if (burst.verdicts[i].held) continue;
        auto& one = told[told.size() - unfinished_--];
        one.bytes.assign(burst.frames[i].bytes().begin(), burst.frames[i].bytes().end());
        one.side = burst.frames[i].side;
    }
}

void Recorder::synthesized(const Frame& frame) {
    BOOST_CHECK_EQUAL(unfinished_, 0U);
    Told one;
    one.number = frame.number;
    one.time = frame.time;
    one.side = frame.side;
    one.bytes.assign(frame.bytes().begin(), frame.bytes().end());
    one.link_type = frame.link_type;
    told.push_back(std::move(one));
}

// The lab

namespace {

dnat::NatRule rule(std::string name, Where destination, Where target, Protocol protocol = Protocol::tcp,
                   AddressRange source = AddressRange::any()) {
    return {.name = {.collection = "inbound", .rule = std::move(name), .group = {}, .policy = {}},
            .protocols = {protocol},
            .sources = {source},
            .destination = destination.endpoint.address,
            .destination_ports = {{destination.endpoint.port, destination.endpoint.port}},
            .translated = target.endpoint};
}

policy::Nsg nsg_for_ssh(std::string name, const policy::ServiceTags& tags) {
    const auto anywhere = std::vector{AddressRange::any()};
    const policy::SecurityRule ssh{.name = "ssh",
                                   .priority = 100,
                                   .access = policy::Access::allow,
                                   .protocol = Protocol::tcp,
                                   .sources = {AddressRange::parse("10.0.1.0/24").value()},
                                   .source_ports = {{}},
                                   .destinations = anywhere,
                                   .destination_ports = {{22, 22}}};
    const policy::SecurityRule nothing_else{.name = "nothing-else",
                                            .priority = 200,
                                            .access = policy::Access::deny,
                                            .protocol = {},
                                            .sources = anywhere,
                                            .source_ports = {{}},
                                            .destinations = anywhere,
                                            .destination_ports = {{}}};
    return {std::move(name), {ssh, nothing_else}, false, tags};
}

gateway::config::VirtualMachine machine(std::string name, Where address, std::vector<std::string> nsg = {}) {
    gateway::config::VirtualMachine one;
    one.name = std::move(name);
    one.private_ip = address.endpoint.address;
    one.nsg = std::move(nsg);
    return one;
}

std::shared_ptr<const gateway::pipeline::Tables> tables_of(const gateway::config::Config& config) {
    auto tables = gateway::pipeline::Tables::build(config);
    if (!tables) throw std::invalid_argument{tables.error()};
    return *tables;
}

const Endpoint guarded_ssh = Where{"10.1.0.4:22"}.endpoint;
const Endpoint guarded_udp = Where{"10.1.0.4:5353"}.endpoint;

}  // namespace

gateway::config::Config lab() {
    gateway::config::Config config;
    config.firewall.public_ips = {Where{"203.0.113.10"}.endpoint.address, Where{"203.0.113.11"}.endpoint.address};
    config.firewall.private_ip = Where{"10.0.1.4"}.endpoint.address;
    config.firewall.instance_ip = Where{"10.0.1.5"}.endpoint.address;
    config.machines = {machine("web01", "10.1.0.4"), machine("db01", "10.1.0.5"),
                       machine("app01", "10.1.0.6", {"subnet-nsg", "nic-nsg"})};
    config.nsgs = {nsg_for_ssh("subnet-nsg", config.service_tags), nsg_for_ssh("nic-nsg", config.service_tags)};
    config.nat_rules = {
        rule("ssh", "203.0.113.10:50022", "10.1.0.4:22"),
        rule("web", "203.0.113.10:8080", "10.1.0.4:80"),
        rule("db", "203.0.113.10:5432", "10.1.0.5:5432", Protocol::tcp, AddressRange::parse("192.0.2.0/24").value()),
        rule("dns", "203.0.113.10:53", "10.1.0.4:53", Protocol::udp),
        rule("mdns", "203.0.113.10:5353", "10.1.0.4:5353", Protocol::udp),
        rule("app-ssh", "203.0.113.10:50023", "10.1.0.6:22"),
        rule("app-web", "203.0.113.10:50080", "10.1.0.6:80"),
        rule("private", "10.0.1.4:2222", "10.1.0.4:2222"),
    };
    config.limits = {.flows = 64, .fragmented_datagrams = 16, .held_fragments = 16};
    return config;
}

dnat::NatRule& nat_rule(gateway::config::Config& config, std::string_view name) {
    const auto found = std::ranges::find(config.nat_rules, name, [](const auto& one) { return one.name.rule; });
    if (found == config.nat_rules.end()) throw std::invalid_argument{"no such NAT rule: " + std::string{name}};
    return *found;
}

// The bench

Bench::Bench(const gateway::config::Config& config, gateway::pipeline::Vantage vantage, std::size_t flows_at_once) {
    doors_.guard(guarded_ssh, Protocol::tcp);
    doors_.guard(guarded_udp, Protocol::udp);
    pipeline_ = std::make_unique<gateway::pipeline::Pipeline>(
        tables_of(config), doors_,
        gateway::pipeline::Pipeline::Settings{
            .vantage = vantage, .limits = config.limits, .flows_at_once = flows_at_once});
}

Told Bench::process(OwnedFrame owned, Side side) {
    auto frame = owned.frame();
    frame.time = now_;
    frame.side = side;
    frame.number = ++number_;
    const auto before = recorder_.told.size();
    pipeline_->process({&frame, 1}, recorder_);
    const auto found = std::find_if(recorder_.told.begin() + static_cast<std::ptrdiff_t>(before), recorder_.told.end(),
                                    [&](const Told& one) { return one.number == number_; });
    if (found != recorder_.told.end()) return *found;
    Told waiting;
    waiting.number = number_;
    return waiting;
}

void Bench::after(captures::base::Duration duration) {
    now_ += duration;
    pipeline_->advance(now_, recorder_);
}

policy::WindowId Bench::open_window(std::string_view source, captures::base::Duration duration) {
    const policy::WindowId id = first_window_ + opened_.size() / 2;
    for (const auto& [target, protocol] :
         {std::pair{guarded_ssh, Protocol::tcp}, std::pair{guarded_udp, Protocol::udp}}) {
        opened_.push_back({.id = id,
                           .target = target,
                           .protocol = protocol,
                           .sources = {captures::base::Prefix::parse(source).value()},
                           .start = now_,
                           .end = now_ + duration});
        doors_.open(opened_.back());
    }
    return id;
}

void Bench::close_window(policy::WindowId id) {
    for (const auto& one : opened_) {
        if (one.id == id) doors_.close(one);
    }
}

void Bench::reload(const gateway::config::Config& config) { pipeline_->use(tables_of(config), recorder_); }

std::vector<Told> Bench::all_told() { return std::exchange(recorder_.told, {}); }

std::vector<Told> Bench::synthesized() {
    auto all = all_told();
    std::erase_if(all, [](const Told& one) { return one.number != 0; });
    return all;
}

void Bench::connect(std::string_view client) {
    const auto from = from_outside(tcp(client, "203.0.113.10:8080").syn().seq(1000));
    auto sent = from;
    const auto instance = captures::packet::decode(sent.frame()).tuple.source;
    const auto answer = from_inside(tcp("10.1.0.4:80", instance).syn().ack(1001).seq(5000));
    const auto done = from_outside(tcp(client, "203.0.113.10:8080").ack(5001).seq(1001));
    BOOST_REQUIRE_EQUAL(from.reason, Reason::dnat);
    BOOST_REQUIRE_EQUAL(answer.reason, Reason::reply);
    BOOST_REQUIRE_EQUAL(done.reason, Reason::established);
}

// Checks

bool check_verdict(CheckedTold& checked, const VerdictCheck& holds) {
    const auto wrong = holds(checked.told);
    BOOST_CHECK_MESSAGE(wrong.empty(),
                        checked.file << ":" << checked.line << ": " << wrong << "\n  in " << to_string(checked.told));
    return wrong.empty();
}

namespace {

std::string compare(std::string_view what, std::string_view expected, std::string_view found) {
    if (expected == found) return {};
    return std::string{what} + " is \"" + std::string{found} + "\", not \"" + std::string{expected} + '"';
}

std::string compare_fate(const Told& told, policy::Fate expected) {
    if (told.bytes.empty()) return "nothing was told of it";
    return compare("fate", to_string(expected), to_string(told.fate()));
}

}  // namespace

std::string is_forwarded(const Told& told) { return compare_fate(told, policy::Fate::forward); }
std::string is_dropped(const Told& told) {
    const auto wrong = compare_fate(told, policy::Fate::drop);
    return wrong.empty() ? is_unchanged(told) : wrong;
}
std::string is_ignored(const Told& told) {
    const auto wrong = compare_fate(told, policy::Fate::ignore);
    return wrong.empty() ? is_unchanged(told) : wrong;
}
std::string is_held(const Told& told) { return told.bytes.empty() ? "" : "it does not wait"; }
std::string is_unchanged(const Told& told) { return told.before == told.bytes ? "" : "its bytes changed"; }

VerdictCheck because(Reason reason) {
    return [reason](const Told& told) { return compare("reason", to_string(reason), to_string(told.reason)); };
}

VerdictCheck by_rule(std::string_view name) {
    return [name = std::string{name}](const Told& told) { return compare("rule", name, told.rule); };
}

VerdictCheck with_window(policy::WindowId id) {
    return [id](const Told& told) { return compare("window", std::to_string(id), std::to_string(told.window)); };
}

VerdictCheck with_detail(std::string_view text) {
    return [text = std::string{text}](const Told& told) { return compare("detail", text, told.detail); };
}

VerdictCheck leaves(Side side) {
    return [side](const Told& told) { return told.side == side ? "" : "it leaves on the other side"; };
}

}  // namespace support

namespace policy {

std::ostream& operator<<(std::ostream& out, Reason reason) { return out << to_string(reason); }

}  // namespace policy
