#include "gateway/pipeline/tcp_reset.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_checks.hpp"

namespace tcp_reset_test {

using captures::packet::LinkType;
using captures::packet::Side;
using gateway::pipeline::Reset;
using gateway::pipeline::ResetFrame;
using namespace support;

const Reset reset{.from = Where{"203.0.113.10:50022"}.endpoint,
                  .to = Where{"198.51.100.7:40000"}.endpoint,
                  .sequence = 0xfffffff0,
                  .acknowledgment = 0x12345678};

}  // namespace tcp_reset_test

BOOST_AUTO_TEST_SUITE(tcp_reset_test)

BOOST_AUTO_TEST_CASE(it_is_a_sound_frame_behind_every_link_layer) {
    struct Row {
        LinkType type;
        std::size_t header;
    };
    for (const auto& row : {Row{LinkType::ethernet, 14}, Row{LinkType::linux_sll, 16}, Row{LinkType::linux_sll2, 20},
                            Row{LinkType::null, 4}, Row{LinkType::loop, 4}, Row{LinkType::raw, 0},
                            Row{LinkType::raw_12, 0}, Row{LinkType::raw_14, 0}, Row{LinkType::ipv4, 0}}) {
        const ResetFrame sent{reset, row.type, Side::inside, start_time};
        const auto& frame = sent.frame();
        check(frame, is_tcp, from("203.0.113.10:50022"), to("198.51.100.7:40000"), flags("R."), seq(0xfffffff0),
              ack_number(0x12345678), ttl(64), id(0), length(40), payload(""), on_side(Side::inside), on_link(row.type),
              captured_bytes(row.header + 40), checksums_hold);
        BOOST_TEST(frame.length == row.header + 40);
        BOOST_TEST((frame.time == start_time));
        BOOST_TEST(frame.number == 0U);
    }
}

BOOST_AUTO_TEST_CASE(who_has_sent_nothing_is_told_no_acknowledgment) {
    auto unanswered = reset;
    unanswered.acknowledges = false;
    check(ResetFrame{unanswered, LinkType::raw, Side::outside, start_time}.frame(), flags("R"), seq(0xfffffff0),
          ack_number(0), on_side(Side::outside), checksums_hold);
}

BOOST_AUTO_TEST_CASE(it_may_not_be_fragmented_and_offers_no_window) {
    const ResetFrame sent{reset, LinkType::raw, Side::outside, start_time};
    const auto packet = captures::packet::decode(sent.frame());
    BOOST_TEST(packet.ipv4().dont_fragment());
    BOOST_TEST(packet.window == 0U);
    BOOST_TEST(packet.tcp().header_length() == 20U);
}

BOOST_AUTO_TEST_CASE(on_ethernet_its_addresses_are_the_gateways_own) {
    const ResetFrame sent{reset, LinkType::ethernet, Side::outside, start_time};
    BOOST_TEST(to_hex(sent.frame().bytes().first(14)) == "02 50 43 00 00 02 02 50 43 00 00 01 08 00");
}

BOOST_AUTO_TEST_SUITE_END()
