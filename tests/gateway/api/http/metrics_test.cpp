#include "gateway/api/http/metrics.hpp"

#include <boost/test/unit_test.hpp>
#include <regex>
#include <set>
#include <sstream>

namespace metrics_test {

using namespace std::chrono_literals;
using gateway::api::http::Metrics;

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace metrics_test

BOOST_AUTO_TEST_SUITE(metrics_test)

BOOST_AUTO_TEST_CASE(every_line_is_as_prometheus_reads_it) {
    Metrics metrics;
    metrics.observe(200, 3ms);
    const std::regex sample{R"re(([a-z_]+)(\{[a-z]+="[^"]*"\})? ([0-9.e+-]+))re"};
    const std::regex comment{R"(# (HELP|TYPE) ([a-z_]+) (.+))"};
    std::set<std::string> typed;
    std::set<std::string> samples;
    std::istringstream lines{metrics.text({}, {})};
    for (std::string line; std::getline(lines, line);) {
        std::smatch part;
        if (std::regex_match(line, part, comment)) {
            if (part[1] == "TYPE") BOOST_TEST(typed.insert(part[2]).second, line);
            continue;
        }
        BOOST_REQUIRE_MESSAGE(std::regex_match(line, part, sample), line);
        const auto family = std::regex_replace(part[1].str(), std::regex{"_(bucket|sum|count)$"}, "");
        BOOST_TEST(typed.contains(family), line << " has no TYPE before it");
        BOOST_TEST(samples.insert(part[1].str() + part[2].str()).second, line << " comes twice");
        BOOST_TEST(part[1].str().starts_with("portcullis_"));
    }
    BOOST_TEST(samples.size() > 25U);
}

BOOST_AUTO_TEST_CASE(answers_are_counted_by_class_and_time) {
    Metrics metrics;
    for (int i = 0; i < 3; ++i) metrics.observe(202, 400us);
    metrics.observe(404, 5ms);
    metrics.observe(503, 2s);
    const auto text = metrics.text({}, {});
    for (const auto* const line : {
             "_requests_total{status=\"2xx\"} 3\n",
             "_requests_total{status=\"4xx\"} 1\n",
             "_requests_total{status=\"5xx\"} 1\n",
             "_requests_total{status=\"3xx\"} 0\n",
             "_bucket{le=\"0.0005\"} 3\n",
             "_bucket{le=\"0.0025\"} 3\n",
             "_bucket{le=\"0.005\"} 4\n",
             "_bucket{le=\"1\"} 4\n",
             "_bucket{le=\"+Inf\"} 5\n",
             "_seconds_count 5\n",
             "_seconds_sum 2.0062\n",
         }) {
        BOOST_TEST(holds(text, line), text << " lacks " << line);
    }
}

BOOST_AUTO_TEST_CASE(the_numbers_of_access_and_connections_are_told) {
    gateway::control_plane::ControlPlane::Numbers control{
        .open_windows = 7, .policies = 2, .machines = 5, .approved = 11, .refused = 3};
    control.store_works = false;
    const auto text = Metrics{}.text(control,
                                     {.connections = 4, .accepted = 9, .refused = 1, .timed_out = 6, .malformed = 8});
    for (const auto* const line : {"_windows_open 7\n", "_machines 5\n", "outcome=\"approved\"} 11\n", "_store_up 0\n",
                                   "_http_connections 4\n", "_timeouts_total 6\n", "_malformed_total 8\n"}) {
        BOOST_TEST(holds(text, line), text << " lacks " << line);
    }
}

BOOST_AUTO_TEST_SUITE_END()
