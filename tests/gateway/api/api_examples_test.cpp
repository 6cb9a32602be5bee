#include <boost/json/array.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/api_lab.hpp"
#include "tests/support/skips.hpp"

namespace api_examples_test {

// Microsoft's own examples of the API, where somebody has put them: they are not ours to publish.

using namespace support;

std::filesystem::path folder() {
    const auto* const source = std::getenv("PORTCULLIS_SOURCE_DIR");
    return std::filesystem::path{source == nullptr ? "." : source}.parent_path() /
           "shared/azure/jit/examples-2020-01-01";
}

bool are_here() {
    if (std::filesystem::is_directory(folder())) return true;
    support::tell_skipped("no examples in " + folder().string());
    return false;
}

boost::json::value example(const std::string& name) {
    std::ifstream file{folder() / (name + "_example.json")};
    return boost::json::parse(std::string{std::istreambuf_iterator<char>{file}, {}});
}

constexpr const char* lab_toml = R"(
[firewall]
subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
resource_group = "myRg1"
location = "westeurope"
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
[jit]
mapped_ports = ""
[[virtual_machine]]
name = "vm1"
private_ip = "10.1.0.4"
[[principal]]
name = "barbara@contoso.com"
token_sha256 = "47736f3a2b34f7f36ba93874745efa96c67707390dc74443d38defa81b58535d"
[[role_assignment]]
principal = "barbara@contoso.com"
role = "Owner"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
)";

const std::string example_policy =
    "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/myRg1/providers/Microsoft.Security/locations/"
    "westeurope/jitNetworkAccessPolicies/default";

/// Without what Azure's answers have and its examples lack.
boost::json::object as_in_examples(const boost::json::value& policy) {
    auto object = policy.as_object();
    auto& properties = object.at("properties").as_object();
    properties.erase("appendMode");
    for (auto& machine : properties.at("virtualMachines").as_array()) machine.as_object().erase("publicIpAddress");
    return object;
}

/// The names of members in their order, at every depth.
std::string shape(const boost::json::value& value) {
    std::string text;
    if (const auto* object = value.if_object()) {
        for (const auto& member : *object) text += std::string{member.key()} + '(' + shape(member.value()) + ')';
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        text = '[' + shape(array->front()) + ']';
    }
    return text;
}

}  // namespace api_examples_test

BOOST_FIXTURE_TEST_SUITE(api_examples_test, ApiLab)

BOOST_AUTO_TEST_CASE(a_policy_is_put_and_got_as_in_the_example) {
    if (!are_here()) return;
    restart(noon, lab_toml);
    const auto put_example = example("CreateJitNetworkAccessPolicy");
    const auto body = boost::json::serialize(put_example.at("parameters").at("body"));
    BOOST_TEST(outcome(send("PUT", "admin", example_policy + version, body)) == "200");
    const auto got = as_in_examples(json_of(get("admin", example_policy + version)));
    const auto& wanted = put_example.at("responses").at("200").at("body");
    for (const auto* const name : {"kind", "name", "type", "location"}) BOOST_TEST(got.at(name) == wanted.at(name));
    BOOST_TEST(got.at("properties").at("virtualMachines") == wanted.at("properties").at("virtualMachines"));
    BOOST_TEST(got.at("properties").at("provisioningState") == wanted.at("properties").at("provisioningState"));
}

BOOST_AUTO_TEST_CASE(a_request_is_answered_in_the_shape_of_the_example) {
    if (!are_here()) return;
    restart(noon, lab_toml);
    send("PUT", "admin", example_policy + version,
         boost::json::serialize(example("CreateJitNetworkAccessPolicy").at("parameters").at("body")));
    const auto initiate = example("InitiateJitNetworkAccessPolicy");
    const auto body = boost::json::serialize(initiate.at("parameters").at("body"));
    const auto then = captures::base::parse_time("2018-07-12T08:53:03.3658798Z").value();
    restart(then, lab_toml);
    const auto answer = send("POST", "admin", example_policy + "/initiate" + version, body, {}, then);
    BOOST_TEST(outcome(answer) == "202");
    auto wanted = initiate.at("responses").at("202").at("body");
    wanted.at("virtualMachines").at(0).as_object()["id"] = initiate.at("parameters")
                                                               .at("body")
                                                               .at("virtualMachines")
                                                               .at(0)
                                                               .at("id");  // the example has another subscription's
    BOOST_TEST(answer.body == boost::json::serialize(wanted));
}

BOOST_AUTO_TEST_CASE(lists_and_policies_have_the_examples_members_in_the_examples_order) {
    if (!are_here()) return;
    restart(noon, lab_toml);
    send("PUT", "admin", example_policy + version,
         boost::json::serialize(example("CreateJitNetworkAccessPolicy").at("parameters").at("body")));
    send(
        "POST", "admin", example_policy + "/initiate" + version,
        R"({"virtualMachines":[{"id":"/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/myRg1/providers/)"
        R"(Microsoft.Compute/virtualMachines/vm1","ports":[{"number":22,"duration":"PT1H"}]}],"justification":"x"})");
    const auto got = as_in_examples(json_of(get("admin", example_policy + version)));
    BOOST_TEST(shape(got) == shape(example("GetJitNetworkAccessPolicy").at("responses").at("200").at("body")));
    const auto path = example_policy.substr(0, example_policy.rfind('/')) + version;
    BOOST_TEST(json_of(get("admin", path)).at("value").as_array().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
