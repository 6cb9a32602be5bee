#include "policy/classifier.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <random>

namespace classifier_test {

using captures::base::AddressRange;
using captures::base::FiveTuple;
using captures::base::Ipv4Address;
using captures::base::PortRange;
using captures::base::Protocol;
using policy::Classifier;
using policy::Condition;

struct Rule {
    bool tcp = true;
    bool udp = true;
    bool never_through_window = false;
    std::vector<AddressRange> sources;
    std::vector<PortRange> source_ports;
    std::vector<AddressRange> destinations;
    std::vector<PortRange> destination_ports;

    [[nodiscard]] Condition condition() const {
        return {.tcp = tcp,
                .udp = udp,
                .never_through_window = never_through_window,
                .sources = sources,
                .source_ports = source_ports,
                .destinations = destinations,
                .destination_ports = destination_ports};
    }
    [[nodiscard]] bool matches(const FiveTuple& tuple, bool through_window) const {
        if (through_window && never_through_window) return false;
        if (!(tuple.protocol == Protocol::tcp ? tcp : udp)) return false;
        return has(sources, tuple.source.address) && has(source_ports, tuple.source.port) &&
               has(destinations, tuple.destination.address) && has(destination_ports, tuple.destination.port);
    }

private:
    template <class Range, class Value>
    [[nodiscard]] static bool has(const std::vector<Range>& ranges, Value value) {
        return std::any_of(ranges.begin(), ranges.end(),
                           [&](const Range& range) { return range.first <= value && value <= range.last; });
    }
};

Rule any_packet() {
    return {.sources = {AddressRange::any()},
            .source_ports = {PortRange{}},
            .destinations = {AddressRange::any()},
            .destination_ports = {PortRange{}}};
}

/// Random rules and packets over few addresses and ports, so that they often meet; edges of the field among them.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_(seed) {}

    [[nodiscard]] std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
    [[nodiscard]] bool one_in(std::uint32_t count) { return below(count) == 0; }
    [[nodiscard]] Ipv4Address address() {
        constexpr std::array<std::uint32_t, 4> zones{0, 0x0a000000, 0x7fffff80, 0xffffff00};
        const auto offset = one_in(4) ? (one_in(2) ? 0 : 255) : below(256);
        return {zones[below(zones.size())] + offset};
    }
    [[nodiscard]] std::uint16_t port() {
        constexpr std::array<std::uint16_t, 6> ports{0, 1, 22, 443, 65534, 65535};
        return one_in(2) ? ports[below(ports.size())] : static_cast<std::uint16_t>(below(65536));
    }
    [[nodiscard]] Rule rule() {
        auto rule = any_packet();
        rule.tcp = !one_in(4);
        rule.udp = !one_in(4);
        rule.never_through_window = one_in(8);
        rule.sources = list<AddressRange>([this] { return address(); }, AddressRange::any());
        rule.destinations = list<AddressRange>([this] { return address(); }, AddressRange::any());
        rule.destination_ports = list<PortRange>([this] { return port(); }, PortRange{});
        if (one_in(4)) rule.source_ports = list<PortRange>([this] { return port(); }, PortRange{});
        return rule;
    }
    [[nodiscard]] FiveTuple packet() {
        return {{address(), port()}, {address(), port()}, one_in(2) ? Protocol::tcp : Protocol::udp};
    }

private:
    /// None, all, or a few that may touch, overlap, repeat or run backwards.
    template <class Range, class Value>
    [[nodiscard]] std::vector<Range> list(Value value, Range all) {
        if (one_in(6)) return {all};
        std::vector<Range> ranges(one_in(30) ? 0 : 1 + below(4));
        for (auto& range : ranges) {
            range = {value(), value()};
            if (range.last < range.first && !one_in(10)) std::swap(range.first, range.last);
            if (one_in(3)) range.last = range.first;
        }
        return ranges;
    }

    std::minstd_rand random_;
};

void check_against_trying_each(const std::vector<Rule>& rules, const Classifier::Limits& limits, Dice& dice) {
    const Classifier classifier{policy::conditions_of(rules), limits};
    for (int packets = 0; packets < 400; ++packets) {
        const auto packet = dice.packet();
        const bool through_window = dice.one_in(3);
        const auto first = std::find_if(rules.begin(), rules.end(),
                                        [&](const Rule& rule) { return rule.matches(packet, through_window); });
        const auto found = classifier.first_match(packet, through_window);
        BOOST_REQUIRE_EQUAL(found.has_value(), first != rules.end());
        if (found) BOOST_REQUIRE_EQUAL(*found, static_cast<std::uint32_t>(first - rules.begin()));
    }
}

constexpr Classifier::Limits indexed{.most_tried_ranges = 0};

}  // namespace classifier_test

BOOST_AUTO_TEST_SUITE(classifier_test)

BOOST_AUTO_TEST_CASE(it_finds_what_trying_each_rule_finds) {
    Dice dice{1};
    for (const std::size_t count : {1U, 2U, 25U, 64U, 65U, 300U}) {
        for (int round = 0; round < 20; ++round) {
            std::vector<Rule> rules;
            for (std::size_t n = 0; n < count; ++n) rules.push_back(dice.rule());
            check_against_trying_each(rules, indexed, dice);
            check_against_trying_each(rules, {.most_tried_ranges = 0, .most_bytes_of_field = 0}, dice);
            check_against_trying_each(rules, {.most_tried_ranges = 0, .most_bytes_of_field = 4000}, dice);
            check_against_trying_each(rules, {}, dice);
        }
    }
}

BOOST_AUTO_TEST_CASE(it_finds_the_last_of_thousands) {
    // What precedes it matches in every field but one, so that each word of the sets is read.
    for (const std::size_t count : {4095U, 4096U, 4097U, 9000U}) {
        auto never = any_packet();
        std::vector<Rule> rules;
        for (std::size_t n = 0; n < count; ++n) {
            auto rule = any_packet();
            if (n % 3 == 0) rule.sources = {{{1}, {1}}};
            if (n % 3 == 1) rule.destinations = {{{1}, {1}}};
            if (n % 3 == 2) rule.destination_ports = {{1, 1}};
            rules.push_back(std::move(rule));
        }
        const FiveTuple packet{{{2}, 2}, {{2}, 2}, Protocol::udp};
        const auto find = [&] { return Classifier{policy::conditions_of(rules)}.first_match(packet, false); };
        BOOST_TEST(!find().has_value());
        rules.back() = any_packet();
        BOOST_TEST((find() == count - 1));
        rules[count / 2] = any_packet();
        BOOST_TEST((find() == count / 2));
    }
}

BOOST_AUTO_TEST_CASE(the_edges_of_every_field_are_found) {
    for (const auto address : {Ipv4Address{0}, Ipv4Address{0xffffffff}}) {
        for (const auto port : {std::uint16_t{0}, std::uint16_t{65535}}) {
            auto rule = any_packet();
            rule.sources = rule.destinations = {{address, address}};
            rule.source_ports = rule.destination_ports = {{port, port}};
            const std::vector rules{rule};
            const Classifier classifier{policy::conditions_of(rules), indexed};
            const FiveTuple packet{{address, port}, {address, port}, Protocol::tcp};
            BOOST_TEST(classifier.first_match(packet, false).has_value());
            auto other = packet;
            other.source.address.value ^= 1;
            BOOST_TEST(!classifier.first_match(other, false).has_value());
            other = packet;
            other.destination.port ^= 1;
            BOOST_TEST(!classifier.first_match(other, false).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(memory_grows_with_the_ranges_and_not_with_their_overlaps) {
    constexpr std::uint32_t count = 2000;
    std::vector<Rule> nested;  // around one another: on average a thousand at an address
    for (std::uint32_t n = 0; n < count; ++n) {
        auto rule = any_packet();
        rule.sources = {{{n * 1000}, {0xffffffff - n * 1000}}};
        rule.destinations = rule.sources;
        nested.push_back(std::move(rule));
    }
    const Classifier classifier{policy::conditions_of(nested)};
    BOOST_TEST(classifier.bytes() < std::size_t{count} * 2 * 2 * 600);
    const Classifier bounded{policy::conditions_of(nested), {.most_tried_ranges = 0, .most_bytes_of_field = 200'000}};
    BOOST_TEST(bounded.bytes() < 1'000'000U);
}

BOOST_AUTO_TEST_CASE(without_rules_there_is_no_match) {
    BOOST_TEST(!Classifier{}.first_match({}, false).has_value());
    BOOST_TEST(!(Classifier{{}, indexed}.first_match({}, false).has_value()));
}

BOOST_AUTO_TEST_SUITE_END()
