#include <boost/test/unit_test.hpp>

#include "tests/support/captured.hpp"

namespace merge_test {

using captures::file::merge_sides;
using captures::packet::Side;
using support::open_bytes;
using support::payload;
using support::PcapFile;
using support::read_all;

/// A capture with one packet at each of these seconds; the packet's size tells which it is.
std::unique_ptr<captures::file::Source> at_seconds(const std::vector<unsigned>& seconds) {
    PcapFile file;
    for (unsigned index = 0; index < seconds.size(); ++index) file.record(seconds[index], 0, payload(index));
    return open_bytes(file.bytes());
}

/// `o0 i0 o1`: the side of each packet and its place in its own input.
std::string order_of(captures::file::Source& source) {
    std::string order;
    for (const auto& packet : read_all(source)) {
        if (!order.empty()) order += ' ';
        order += (packet.frame.side == Side::outside ? 'o' : 'i') + std::to_string(packet.bytes.size());
    }
    return order;
}

std::string merged(const std::vector<unsigned>& outside, const std::vector<unsigned>& inside) {
    return order_of(*merge_sides(at_seconds(outside), at_seconds(inside)));
}

}  // namespace merge_test

BOOST_AUTO_TEST_SUITE(merge_test)

BOOST_AUTO_TEST_CASE(packets_come_in_order_of_time_and_outside_first_where_it_is_equal) {
    BOOST_CHECK_EQUAL(merged({1, 3, 5}, {2, 4, 6}), "o0 i0 o1 i1 o2 i2");
    BOOST_CHECK_EQUAL(merged({5, 5}, {5, 5}), "o0 o1 i0 i1");
    BOOST_CHECK_EQUAL(merged({7, 8}, {1, 2}), "i0 i1 o0 o1");
}

BOOST_AUTO_TEST_CASE(one_side_may_be_empty) {
    BOOST_CHECK_EQUAL(merged({}, {1, 2}), "i0 i1");
    BOOST_CHECK_EQUAL(merged({1, 2}, {}), "o0 o1");
    BOOST_CHECK_EQUAL(merged({}, {}), "");
}

BOOST_AUTO_TEST_CASE(each_input_keeps_its_own_order_though_its_clock_runs_backwards) {
    BOOST_CHECK_EQUAL(merged({10, 1, 11}, {5, 6}), "i0 i1 o0 o1 o2");
    BOOST_CHECK_EQUAL(merged({1, 9}, {5, 2, 10}), "o0 i0 i1 o1 i2");
}

BOOST_AUTO_TEST_CASE(bursts_of_both_inputs_run_out_at_different_times) {
    std::vector<unsigned> outside;
    std::vector<unsigned> inside;
    std::string expected;
    for (unsigned second = 0; second < 3000; ++second) {
        auto& side = second % 7 < 2 ? inside : outside;
        expected += (expected.empty() ? "" : " ") + std::string(second % 7 < 2 ? "i" : "o") +
                    std::to_string(side.size());
        side.push_back(second);
    }
    BOOST_CHECK_EQUAL(merged(outside, inside), expected);
}

BOOST_AUTO_TEST_CASE(an_input_that_breaks_ends_the_whole_right_after_its_last_packet) {
    PcapFile broken;
    broken.record(2, 0, payload(0)).record(4, 0, payload(1)).record(9, 0, payload(8), 0xffffffff);
    const auto source = merge_sides(at_seconds({1, 3, 5, 7}), open_bytes(broken.bytes()));
    BOOST_CHECK_EQUAL(order_of(*source), "o0 i0 o1 i1");
    BOOST_REQUIRE(source->error());
    BOOST_CHECK_EQUAL(source->error()->packet, 3U);
    BOOST_CHECK_EQUAL(source->error()->offset, broken.starts().back());

    const auto swapped = merge_sides(open_bytes(broken.bytes()), at_seconds({1, 3, 5, 7}));
    BOOST_CHECK_EQUAL(order_of(*swapped), "i0 o0 i1 o1");
    BOOST_CHECK(swapped->error());
}

BOOST_AUTO_TEST_CASE(progress_is_that_of_both) {
    const auto source = merge_sides(at_seconds({1, 2}), at_seconds({3}));
    const std::size_t total = 2 * 24 + 3 * 16 + 1;
    BOOST_CHECK_EQUAL(source->progress().total, total);
    BOOST_CHECK_EQUAL(source->progress().done, 2U * 24);
    read_all(*source);
    BOOST_CHECK_EQUAL(source->progress().done, total);
}

BOOST_AUTO_TEST_SUITE_END()
