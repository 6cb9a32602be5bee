#include "dnat/rewrite.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>

#include "captures/base/checksum.hpp"
#include "dnat/flow_table.hpp"
#include "tests/support/packet_checks.hpp"
#include "tools/synth/random.hpp"

namespace rewrite_test {

using captures::base::ChecksumDelta;
using captures::base::Endpoint;
using captures::base::Protocol;
using captures::packet::LinkType;
using dnat::Flow;
using dnat::rewrite;
using dnat::Translation;
using dnat::TtlStep;
using support::Decoded;
using support::fragment_of;
using support::icmp_error;
using support::OwnedFrame;
using support::PacketBuilder;
using support::tcp;
using support::udp;
using support::Where;

struct Ends {
    Endpoint client;
    Endpoint called;
    Endpoint target;
    Endpoint instance;  // its port is the client's
};

const Ends ssh{Where{"198.51.100.7:40000"}.endpoint, Where{"203.0.113.10:50022"}.endpoint,
               Where{"10.1.0.4:22"}.endpoint, Where{"10.0.1.5:40000"}.endpoint};

/// A flow with the deltas that the table computes.
Flow flow_of(const Ends& ends, Protocol protocol = Protocol::tcp) {
    dnat::FlowTable table{1};
    return table[table.insert({{ends.client, ends.called, protocol}}, ends.target, ends.instance)];
}

/// A packet that can be built in either realm.
struct Sample {
    std::string sentence;
    std::function<OwnedFrame(Endpoint from, Endpoint to, std::uint8_t ttl)> build;
};

Sample sample(std::string sentence, PacketBuilder (*make)(Where, Where),
              const std::function<void(PacketBuilder&)>& adorn = {}) {
    return {std::move(sentence), [=](Endpoint from, Endpoint to, std::uint8_t ttl) {
                auto packet = make(from, to).ttl(ttl);
                if (adorn) adorn(packet);
                return packet.build();
            }};
}

/// One fragment of a datagram with 300 bytes of payload.
Sample fragment_sample(std::string sentence, PacketBuilder (*make)(Where, Where), std::size_t offset,
                       std::size_t size) {
    return {std::move(sentence), [=](Endpoint from, Endpoint to, std::uint8_t ttl) {
                return fragment_of(make(from, to).ttl(ttl).id(77).ack().payload_size(300), offset, size);
            }};
}

/// An error about a packet in the other direction, from its receiver.
Sample error_sample(std::string sentence, PacketBuilder (*make)(Where, Where), std::size_t quoted,
                    const std::function<void(PacketBuilder&)>& adorn = {}) {
    return {std::move(sentence), [=](Endpoint from, Endpoint to, std::uint8_t ttl) {
                auto about = make(to, from).ttl(3).payload("about this");
                if (adorn) adorn(about);
                return icmp_error(3, 4, from.address, to.address).ttl(ttl).mtu(1400).quoting(about, quoted).build();
            }};
}

std::vector<Sample> samples() {
    using P = PacketBuilder&;
    std::vector<Sample> all{
        sample("a SYN with all options", tcp,
               [](P p) { p.syn().seq(1000).mss(1460).sack_permitted().timestamps(1, 0).window_scale(7); }),
        sample("a segment of odd length", tcp, [](P p) { p.ack(5).psh().payload("odd"); }),
        sample("a TCP segment without payload", tcp, [](P p) { p.ack(5); }),
        sample("a UDP packet", udp, [](P p) { p.payload("question"); }),
        sample("an empty UDP packet", udp),
        sample("a UDP packet without checksum", udp, [](P p) { p.payload("unchecked").no_checksum(); }),
        sample("IP options", tcp,
               [](P p) {
                   p.ack(5).ip_options({148, 4, 0, 0}).payload("with an option");
               }),
        sample("an offloaded IP checksum", tcp, [](P p) { p.ack(5).no_ip_checksum().payload("to be filled in"); }),
        sample("IP total length 0", tcp, [](P p) { p.ack(5).total_length(0).payload_size(3000); }),
        sample("padding of a short frame", tcp, [](P p) { p.ack(5).pad_to(60, 0xee); }),
        sample("a VLAN tag and padding", udp, [](P p) { p.payload("tagged").vlan(7).pad_to(80, 0xee); }),
        sample("two tags", udp, [](P p) { p.payload("tagged twice").qinq(7, 8); }),
        sample("a capture cut behind the TCP header", tcp, [](P p) { p.ack(5).payload_size(900).snap(54); }),
        sample("a capture cut behind the UDP header", udp, [](P p) { p.payload_size(900).snap(42); }),
        fragment_sample("a first fragment of TCP", tcp, 0, 64),
        fragment_sample("a first fragment of UDP", udp, 0, 8),
        fragment_sample("a fragment in the middle", udp, 64, 64),
        fragment_sample("a last fragment", tcp, 256, 64),
        error_sample("an error that quotes 8 bytes of TCP", tcp, 8),
        error_sample("an error that quotes TCP up to its checksum", tcp, 16),
        error_sample("an error that quotes TCP with its checksum", tcp, 18),
        error_sample("an error that quotes all of TCP", tcp, 1000),
        error_sample("an error that quotes 8 bytes of UDP", udp, 8),
        error_sample("an error that quotes all of UDP", udp, 1000),
        error_sample("an error that quotes UDP without checksum", udp, 1000, [](P p) { p.no_checksum(); }),
        error_sample("an error that quotes IP options", udp, 8,
                     [](P p) {
                         p.ip_options({148, 4, 0, 0});
                     }),
    };
    for (const auto type : {LinkType::raw, LinkType::linux_sll, LinkType::linux_sll2, LinkType::null, LinkType::loop}) {
        all.push_back(sample("link type " + std::to_string(static_cast<int>(type)), tcp,
                             [type](P p) { p.ack(5).payload("x").on(type); }));
    }
    return all;
}

/// `rewritten` has the datagram of `expected`, and around it what `original` has.
void check_same(const Decoded& rewritten, const Decoded& expected, const Decoded& original) {
    const auto& bytes = rewritten.owned.bytes();
    auto should = original.owned.bytes();
    BOOST_REQUIRE_EQUAL(bytes.size(), should.size());
    BOOST_REQUIRE_EQUAL(expected.packet.captured, original.packet.captured);
    std::copy_n(expected.packet.ip, expected.packet.captured,
                should.begin() + (original.packet.ip - original.frame.data));
    BOOST_CHECK_MESSAGE(bytes == should, "rewritten to\n"
                                             << support::to_hex(bytes) << "\nnot to\n"
                                             << support::to_hex(should));
}

/// How far a checksum is from the right one, in one's complement.
std::uint16_t wrongness(std::uint16_t found, std::uint16_t right) {
    return ChecksumDelta{}.replace16(right, found).folded();
}

Translation reversed(const Translation& translation, Endpoint source, Endpoint destination) {
    return {source, destination, static_cast<std::uint16_t>(~translation.address_delta),
            static_cast<std::uint16_t>(~translation.transport_delta)};
}

}  // namespace rewrite_test

BOOST_AUTO_TEST_SUITE(rewrite_test)

BOOST_AUTO_TEST_CASE(a_rewritten_packet_is_the_one_that_its_sender_would_have_built) {
    const auto flow = flow_of(ssh);
    for (const auto& sample : samples()) {
        BOOST_TEST_CONTEXT(sample.sentence) {
            const Decoded original{sample.build(ssh.client, ssh.called, 64)};
            Decoded request{sample.build(ssh.client, ssh.called, 64)};
            BOOST_REQUIRE(request.packet.kind != captures::packet::Kind::malformed);
            rewrite(request.packet, toward_target(flow), TtlStep::down);
            check_same(request, Decoded{sample.build(ssh.instance, ssh.target, 63)}, original);

            const Decoded answer{sample.build(ssh.target, ssh.instance, 2)};
            Decoded reply{sample.build(ssh.target, ssh.instance, 2)};
            rewrite(reply.packet, toward_client(flow), TtlStep::down);
            check_same(reply, Decoded{sample.build(ssh.called, ssh.client, 1)}, answer);

            const Decoded seen_outside{sample.build(ssh.called, ssh.client, 254)};
            Decoded undone_reply{sample.build(ssh.called, ssh.client, 254)};
            rewrite(undone_reply.packet, untranslated(flow), TtlStep::up);
            check_same(undone_reply, Decoded{sample.build(ssh.target, ssh.instance, 255)}, seen_outside);
        }
    }
}

BOOST_AUTO_TEST_CASE(undoing_a_translation_gives_back_every_byte) {
    tools::Random random{1624};
    const auto all = samples();
    const auto an_endpoint = [&] {
        // Extremes make carries.
        static constexpr std::array<std::uint32_t, 6> odd{0x0a000000, 0x0affffff, 0x0100ffff,
                                                          0xdfffffff, 0x01000000, 1};
        const auto address = random.below(3) == 0 ? odd[random.below(5)]
                                                  : static_cast<std::uint32_t>(0x0a000000 + random.below(0x6f000000));
        const auto port = random.below(4) == 0 ? 0xffff * random.below(2) : random.below(65536);
        return Endpoint{{address}, static_cast<std::uint16_t>(port)};
    };
    for (int round = 0; round < 3000; ++round) {
        Ends ends{an_endpoint(), an_endpoint(), an_endpoint(), an_endpoint()};
        const auto flow = flow_of(ends);
        ends.instance = flow.instance;
        const auto& sample = all[random.below(all.size())];
        const auto ttl = static_cast<std::uint8_t>(random.below(253) + 2);
        Decoded reply{sample.build(ends.target, ends.instance, ttl)};
        BOOST_REQUIRE_MESSAGE(reply.packet.kind != captures::packet::Kind::malformed, to_string(reply.packet.defect));
        const auto before = reply.owned.bytes();
        rewrite(reply.packet, toward_client(flow), TtlStep::down);
        const auto between = captures::packet::decode(reply.frame);
        BOOST_REQUIRE_EQUAL(between.ttl, ttl - 1);
        rewrite(between, untranslated(flow), TtlStep::up);
        BOOST_REQUIRE_MESSAGE(reply.owned.bytes() == before, sample.sentence);

        Decoded request{sample.build(ends.client, ends.called, ttl)};
        const auto called = request.owned.bytes();
        rewrite(request.packet, toward_target(flow), TtlStep::down);
        rewrite(captures::packet::decode(request.frame), reversed(toward_target(flow), ends.client, ends.called),
                TtlStep::up);
        BOOST_REQUIRE_MESSAGE(request.owned.bytes() == called, sample.sentence);
    }
}

/// Every value of one payload word takes the checksum through all its values, 0 and 0xffff included.
BOOST_AUTO_TEST_CASE(an_updated_checksum_is_the_recomputed_one_at_every_value) {
    const auto flow = flow_of(ssh, Protocol::udp);
    Decoded packet{udp(ssh.client, ssh.called).payload("??")};
    auto* const payload = packet.packet.transport() + captures::packet::UdpView::size;
    bool saw_all_ones = false;
    for (std::uint32_t word = 0; word <= 0xffff; ++word) {
        captures::base::store_be16(payload, static_cast<std::uint16_t>(word));
        packet.packet.udp().set_checksum(captures::packet::transport_checksum(packet.packet).value());
        rewrite(packet.packet, toward_target(flow), TtlStep::down);
        const auto found = captures::packet::decode(packet.frame);
        const auto right = captures::packet::transport_checksum(found).value();
        if (found.udp().checksum() != right) BOOST_FAIL("payload " << word);
        saw_all_ones = saw_all_ones || right == 0xffff;
        rewrite(found, reversed(toward_target(flow), ssh.client, ssh.called), TtlStep::up);
    }
    BOOST_TEST(saw_all_ones);
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_stays_wrong_by_the_same_amount) {
    tools::Random random{7};
    const auto flow = flow_of(ssh);
    for (int round = 0; round < 2000; ++round) {
        for (auto* const make : {tcp, udp}) {
            Decoded packet{make(ssh.client, ssh.called).flags(captures::packet::tcp_flag::ack).payload("wrong")};
            const bool is_tcp = packet.packet.kind == captures::packet::Kind::tcp;
            const auto wrong = static_cast<std::uint16_t>(random.below(0xfffe) + 1);
            const auto before = wrongness(wrong, captures::packet::transport_checksum(packet.packet).value());
            is_tcp ? packet.packet.tcp().set_checksum(wrong) : packet.packet.udp().set_checksum(wrong);
            rewrite(packet.packet, toward_target(flow), TtlStep::down);
            const auto after = captures::packet::decode(packet.frame);
            const auto found = is_tcp ? after.tcp().checksum() : after.udp().checksum();
            BOOST_REQUIRE_EQUAL(wrongness(found, captures::packet::transport_checksum(after).value()) % 0xffff,
                                before % 0xffff);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_checksum_in_a_quoted_packet_stays_wrong_and_the_outer_one_right) {
    const auto flow = flow_of(ssh);
    for (auto* const make : {tcp, udp}) {
        const auto build = [&](Endpoint from, Endpoint to, std::uint8_t ttl) {
            const auto about = make(to, from).payload("spoiled").bad_checksum();
            return icmp_error(3, 1, from.address, to.address).ttl(ttl).quoting(about, 1000);
        };
        Decoded error{build(ssh.client, ssh.called, 64)};
        rewrite(error.packet, toward_target(flow), TtlStep::down);
        support::check(error.frame, support::is_icmp_error, support::from("10.0.1.5"), support::to("10.1.0.4"),
                       support::quotes_from("10.1.0.4:22"), support::quotes_to("10.0.1.5:40000"), support::ttl(63));
        const auto payload = captures::base::sum_of({error.packet.icmp().at, error.packet.length - 20});
        BOOST_TEST(captures::base::fold(payload) == 0xffff);
    }
}

BOOST_AUTO_TEST_CASE(half_a_quoted_checksum_is_left_alone) {
    const auto about = tcp(ssh.called, ssh.client).ack(1);
    Decoded error{icmp_error(3, 1, ssh.client.address, ssh.called.address).quoting(about, 17)};
    const auto half = error.owned.bytes().back();
    rewrite(error.packet, toward_target(flow_of(ssh)), TtlStep::down);
    BOOST_TEST((error.owned.bytes().back() == half));
    support::check(error.frame, support::quotes_from("10.1.0.4:22"), support::checksums_hold);
}

BOOST_AUTO_TEST_CASE(an_error_from_a_router_on_the_way_leaves_with_the_flows_address) {
    const auto flow = flow_of(ssh);
    Decoded outside{icmp_error(11, 0, "192.0.2.254", "203.0.113.10").quoting(tcp(ssh.called, ssh.client).ack(1))};
    rewrite(outside.packet, toward_target(flow), TtlStep::down);
    support::check(outside.frame, support::from("10.0.1.5"), support::to("10.1.0.4"), support::icmp(11, 0),
                   support::quotes_from("10.1.0.4:22"), support::quotes_to("10.0.1.5:40000"), support::checksums_hold);

    Decoded inside{icmp_error(3, 1, "10.0.1.1", "10.0.1.5").quoting(tcp(ssh.instance, ssh.target).syn())};
    rewrite(inside.packet, toward_client(flow), TtlStep::down);
    support::check(inside.frame, support::from("203.0.113.10"), support::to("198.51.100.7"), support::icmp(3, 1),
                   support::quotes_from("198.51.100.7:40000"), support::quotes_to("203.0.113.10:50022"),
                   support::checksums_hold);
}

BOOST_AUTO_TEST_CASE(time_to_live_goes_down_by_one_or_up_to_255) {
    struct Row {
        std::uint8_t ttl;
        TtlStep step;
        int expected;
    };
    for (const auto& row : {Row{2, TtlStep::down, 1}, Row{255, TtlStep::down, 254}, Row{1, TtlStep::up, 2},
                            Row{254, TtlStep::up, 255}, Row{255, TtlStep::up, 255}}) {
        Decoded packet{tcp(ssh.called, ssh.client).ack(1).ttl(row.ttl)};
        rewrite(packet.packet, untranslated(flow_of(ssh)), row.step);
        support::check(packet.frame, support::ttl(row.expected), support::checksums_hold);
    }
}

BOOST_AUTO_TEST_SUITE_END()
