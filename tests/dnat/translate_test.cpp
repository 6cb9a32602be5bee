#include "dnat/translate.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/support/packet_builder.hpp"

namespace translate_test {

using dnat::Flow;
using dnat::Translation;
using support::Where;

Flow flow() {
    Flow flow;
    flow.client = Where{"198.51.100.7:40000"}.endpoint;
    flow.called = Where{"203.0.113.10:50022"}.endpoint;
    flow.target = Where{"10.1.0.4:22"}.endpoint;
    flow.instance = Where{"10.0.1.5:40001"}.endpoint;
    flow.address_delta = 0x1234;
    flow.transport_delta = 0xfedc;
    return flow;
}

std::string text(const Translation& translation) {
    return to_string(translation.source) + " > " + to_string(translation.destination);
}

}  // namespace translate_test

BOOST_AUTO_TEST_SUITE(translate_test)

BOOST_AUTO_TEST_CASE(toward_the_target_the_instance_speaks_to_the_machine) {
    const auto translation = toward_target(flow());
    BOOST_TEST(text(translation) == "10.0.1.5:40001 > 10.1.0.4:22");
    BOOST_TEST(translation.address_delta == 0x1234);
    BOOST_TEST(translation.transport_delta == 0xfedc);
}

BOOST_AUTO_TEST_CASE(toward_the_client_the_address_it_called_answers) {
    const auto translation = toward_client(flow());
    BOOST_TEST(text(translation) == "203.0.113.10:50022 > 198.51.100.7:40000");
    BOOST_TEST(translation.address_delta == 0xedcb);
    BOOST_TEST(translation.transport_delta == 0x0123);
}

BOOST_AUTO_TEST_CASE(undone_a_reply_is_again_the_machines_to_the_instance) {
    const auto translation = untranslated(flow());
    BOOST_TEST(text(translation) == "10.1.0.4:22 > 10.0.1.5:40001");
    BOOST_TEST(translation.address_delta == 0x1234);
    BOOST_TEST(translation.transport_delta == 0xfedc);
}

BOOST_AUTO_TEST_SUITE_END()
