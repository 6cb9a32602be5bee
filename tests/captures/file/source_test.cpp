#include "captures/file/source.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(source_test)

BOOST_AUTO_TEST_CASE(a_read_error_names_input_packet_byte_and_reason) {
    const captures::file::ReadError error{
        .packet = 12, .offset = 3456, .input = "day.pcap", .what = "the input ends inside the packet"};
    BOOST_CHECK_EQUAL(to_string(error),
                      "day.pcap: packet 12 at byte 3456 cannot be read: the input ends inside the packet");
}

BOOST_AUTO_TEST_SUITE_END()
