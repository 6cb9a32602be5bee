// The one main() of every unit test; each test file is a suite named after its header.
#define BOOST_TEST_MODULE portcullis
#include <boost/test/unit_test.hpp>
