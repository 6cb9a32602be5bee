// The one main() of every unit test; each test file is a suite named after its header.
#define BOOST_TEST_MODULE portcullis
#include <boost/test/unit_test.hpp>

#include "tests/support/skips.hpp"

namespace {

namespace boost_test = boost::unit_test;

/// Boost.Test by itself passes a suite in silence whose precondition does not hold.
class SkipsAreTold : public boost_test::test_observer {
public:
    SkipsAreTold() { boost_test::framework::register_observer(*this); }
    SkipsAreTold(const SkipsAreTold&) = delete;
    SkipsAreTold& operator=(const SkipsAreTold&) = delete;
    ~SkipsAreTold() override { boost_test::framework::deregister_observer(*this); }

    void test_unit_skipped(const boost_test::test_unit& unit, boost_test::const_string reason) override {
        const bool asked_for = unit.is_enabled();
        if (asked_for) support::tell_skipped(unit.full_name() + ": " + std::string{reason.begin(), reason.end()});
    }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(SkipsAreTold);
