#include <boost/algorithm/string/replace.hpp>
#include <set>

#include "gateway/api/routes.hpp"
#include "tests/support/open_api.hpp"
#include "tests/support/seeing_lab.hpp"

namespace api_document_test {

using namespace support;

std::string source(const std::string& path) {
    const auto* const root = std::getenv("PORTCULLIS_SOURCE_DIR");
    return std::string{root == nullptr ? "." : root} + '/' + path;
}

std::string filled(std::string_view pattern, const std::string& machine, const std::string& id) {
    std::string target{pattern};
    boost::replace_all(target, "{subscriptionId}", "20ff7fc3-e762-44dd-bd96-b71116dcdc23");
    boost::replace_all(target, "{resourceGroupName}", "lab");
    boost::replace_all(target, "{ascLocation}", "westeurope");
    boost::replace_all(target, "{jitNetworkAccessPolicyName}", "default");
    boost::replace_all(target, "{vmName}", machine);
    boost::replace_all(target, "{name}", machine);
    boost::replace_all(target, "{id}", id);
    return target.starts_with("/subscriptions") ? target + version : target;
}

/// A body that the operation takes, in an order in which all succeed.
std::string body_for(std::string_view method, std::string_view pattern) {
    if (pattern.ends_with("/initiate")) return ApiLab::initiate_body("web01", 22);
    if (pattern.ends_with("/requests")) return R"({"machine":"db01","ports":[{"number":3389,"duration":"PT30M"}]})";
    if (pattern.ends_with("/extend")) return R"({"machine":"web01","port":22,"duration":"PT2H"})";
    if (pattern.ends_with("/revoke")) return R"({"machine":"web01","port":22})";
    if (pattern.ends_with("/enable")) return R"({"ports":"recommended"})";
    if (pattern.ends_with("/flows/end")) {
        return R"({"protocol":"tcp","client":"198.51.100.7:40000","called":"203.0.113.10:50122"})";
    }
    if (method != "PUT") return {};
    return R"({"properties":{"virtualMachines":[{"id":")" + ApiLab::machine_id("web01") +
           R"(","ports":[{"number":22,"protocol":"TCP","allowedSourceAddressPrefixes":["10.0.0.0/8","198.51.100.0/24"],)"
           R"("maxRequestAccessDuration":"PT3H"}]},{"id":")" +
           ApiLab::machine_id("db01") +
           R"(","ports":[{"number":3389,"protocol":"*","allowedSourceAddressPrefix":"*","maxRequestAccessDuration":"PT1H"}]}],)"
           R"("onExpiry":"cut","justificationRequired":false}})";
}

std::string media_type(const gateway::api::http::Response& response) {
    const auto type = header_of(response, "Content-Type");
    return type == "(none)" ? "" : type.substr(0, type.find(';'));
}

struct Documented : SeeingLab {
    OpenApi document{source("docs/api.yaml")};

    std::string difference(const std::string& method, std::string_view pattern,
                           const gateway::api::http::Response& answer) {
        return document.difference(method, pattern, answer.status, media_type(answer), answer.body);
    }
};

}  // namespace api_document_test

BOOST_FIXTURE_TEST_SUITE(api_document_test, Documented)

BOOST_AUTO_TEST_CASE(what_is_served_is_what_is_documented) {
    std::set<std::string> served;
    for (const auto routes : {gateway::api::arm_routes(), gateway::api::portcullis_routes()}) {
        for (const auto& route : routes) served.insert(std::string{route.method} + ' ' + std::string{route.pattern});
    }
    const auto documented = document.operations();
    BOOST_TEST(std::vector<std::string>(served.begin(), served.end()) == documented, boost::test_tools::per_element());
    BOOST_TEST(document.loose_ends().empty(), (document.loose_ends().empty() ? "" : document.loose_ends().front()));
}

BOOST_AUTO_TEST_CASE(every_operation_succeeds_with_what_the_document_says) {
    std::vector<std::string> operations;
    // Readings once before anything is open and once after; then what ends things.
    for (const auto& one : document.operations()) {
        if (one.starts_with("GET ") && one.find("{id}") == std::string::npos && one.find("/rdp") == std::string::npos) {
            operations.push_back(one);
        }
    }
    const auto of = [](const std::string& method, std::string_view ending) {
        for (const auto routes : {gateway::api::arm_routes(), gateway::api::portcullis_routes()}) {
            for (const auto& route : routes) {
                if (route.method == method && route.pattern.ends_with(ending))
                    return method + ' ' + std::string{route.pattern};
            }
        }
        return std::string{};
    };
    for (const auto& [method, ending] : std::vector<std::pair<std::string, std::string>>{{"PUT", "PolicyName}"},
                                                                                         {"POST", "/enable"},
                                                                                         {"POST", "/disable"},
                                                                                         {"POST", "/initiate"},
                                                                                         {"POST", "/requests"},
                                                                                         {"POST", "/extend"},
                                                                                         {"POST", "/reload"},
                                                                                         {"POST", "/flows/end"}}) {
        operations.push_back(of(method, ending));
    }
    const auto all = document.operations();
    for (const auto& one : all) {
        if (one.starts_with("GET ")) operations.push_back(one);
    }
    operations.push_back(of("POST", "/revoke"));
    operations.push_back(of("DELETE", "PolicyName}"));

    std::set<std::string> seen;
    std::string id;
    from_client(tcp("198.51.100.7:40000", "203.0.113.10:50122").syn());
    for (const auto& operation : operations) {
        const auto method = operation.substr(0, operation.find(' '));
        const auto pattern = operation.substr(operation.find(' ') + 1);
        const bool is_change = pattern.ends_with("/enable") || pattern.ends_with("/disable");
        const auto* const machine = is_change ? "app01" : pattern.ends_with("/rdp") ? "db01" : "web01";
        const auto answer = send(method, "admin", filled(pattern, machine, id), body_for(method, pattern));
        if (pattern == "/portcullis/v1/requests") id = text_at(answer, "/id");
        BOOST_TEST(answer.status < 300, operation + ' ' + answer.body);
        BOOST_TEST(difference(method, pattern, answer) == "", operation + ' ' + answer.body);
        seen.insert(operation);
    }
    BOOST_TEST(std::vector<std::string>(seen.begin(), seen.end()) == all, boost::test_tools::per_element());
    const auto csv = get("admin", "/portcullis/v1/activity?format=csv");
    BOOST_TEST(difference("GET", "/portcullis/v1/activity", csv) == "");
    const auto page = get("admin", "/portcullis/v1/activity?limit=1");
    BOOST_TEST(!part(page, "/nextLink").is_null());
    BOOST_TEST(difference("GET", "/portcullis/v1/activity", page) == "");
}

BOOST_AUTO_TEST_CASE(every_operation_fails_with_what_the_document_says) {
    for (const auto& operation : document.operations()) {
        const auto method = operation.substr(0, operation.find(' '));
        const auto pattern = operation.substr(operation.find(' ') + 1);
        for (const auto* const who : {"", "nobody", "reader", "admin"}) {
            for (const auto* const body : {"", "{", "{}"}) {
                const auto answer = send(method, who, filled(pattern, "web99", "none"), body);
                BOOST_TEST(difference(method, pattern, answer) == "", operation + ' ' + answer.body);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
