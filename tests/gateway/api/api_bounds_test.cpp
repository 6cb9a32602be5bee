#include "captures/base/utf8.hpp"
#include "tests/support/api_lab.hpp"

namespace api_bounds_test {

// What a client sends costs the audit and its readers little, however much it is.

using namespace support;

const std::string v1 = "/portcullis/v1";

/// All values of a list, page after page; each page is small.
std::vector<boost::json::value> all_of(ApiLab& lab, const std::string& who, std::string target) {
    constexpr std::size_t most_bytes = 16 << 20;
    std::vector<boost::json::value> all;
    for (int pages = 0; !target.empty() && pages < 1000; ++pages) {
        const auto page = lab.get(who, target);
        BOOST_REQUIRE_MESSAGE(page.status == 200, page.body.substr(0, 500));
        BOOST_TEST(page.body.size() < most_bytes);
        const auto values = part(page, "/value").as_array();
        all.insert(all.end(), values.begin(), values.end());
        const auto next = part(page, "/nextLink");
        target = next.is_string()
                     ? std::string{next.as_string().c_str()}.substr(std::string{"https://localhost:8443"}.size())
                     : std::string{};
    }
    return all;
}

struct BoundsLab : ApiLab {
    /// Events as a service wrote them that kept whatever a client sent.
    void write_old_events(int count, std::size_t bytes) {
        api.reset();
        control.reset();
        auto store = gateway::store::Store::open("sqlite:" + (directory.path() / "store.db").string());
        BOOST_REQUIRE(store.has_value());
        for (int i = 0; i < count; ++i) {
            policy::AuditEvent event;
            event.time = noon;
            event.operation = "Microsoft.Security/locations/jitNetworkAccessPolicies/extend/action";
            event.status = "Failed";
            event.caller = "nobody@lab.example";
            event.detail = std::string(bytes, 'a');
            gateway::store::Commit commit;
            commit.events.push_back(std::move(event));
            BOOST_REQUIRE((*store)->commit(commit).has_value());
        }
        store->reset();
        restart(noon);
    }
};

}  // namespace api_bounds_test

BOOST_FIXTURE_TEST_SUITE(api_bounds_test, BoundsLab)

BOOST_AUTO_TEST_CASE(a_refusal_is_audited_in_few_bytes_however_long_its_machine_is) {
    for (const auto* const who : {"nobody", "admin"}) {
        for (const auto& letter : {"a", "\xc3\xa9", "\\u0001"}) {
            std::string machine;
            for (int i = 0; i < 100'000; ++i) machine += letter;
            const auto ports = R"("ports":[{"number":22,"duration":"PT1H","allowedSourceAddressPrefix":")" + machine +
                               "\"}]}";
            for (const auto& [target, body] : std::vector<std::pair<std::string, std::string>>{
                     {v1 + "/extend", R"({"port":22,"duration":"PT1H","machine":")" + machine + "\"}"},
                     {v1 + "/revoke", R"({"port":22,"machine":")" + machine + "\"}"},
                     {v1 + "/requests", R"({"machine":")" + machine + "\"," + ports},
                     {v1 + "/requests", R"({"machine":"web01",)" + ports},
                     {policy_path + "/initiate" + version,
                      R"({"virtualMachines":[{"id":")" + machine + "\"," + ports + "]}"},
                     {policy_path + "/initiate" + version,
                      R"({"virtualMachines":[{"id":")" + machine_id("web01") + "\"," + ports + "]}"}}) {
                const auto answer = send("POST", who, target, body);
                BOOST_TEST((answer.status == 400 || answer.status == 403), answer.status);
            }
            const auto put = R"({"properties":{"virtualMachines":[{"id":")" + machine + R"(","ports":[]}]}})";
            BOOST_TEST(send("PUT", who, policy_path + version, put).status >= 400);
        }
        const std::string name(4000, 'n');
        BOOST_TEST(send("POST", who, v1 + "/machines/" + name + "/enable", R"({"ports":"default"})").status >= 400);
        BOOST_TEST(get(who, v1 + "/connections?machine=" + name).status == 404);
    }
    const auto events = all_of(*this, "admin", v1 + "/audit?limit=1000");
    BOOST_TEST(events.size() >= 40U);
    constexpr std::size_t most_bytes = 20'000;  // one byte may be six in JSON
    for (const auto& event : events) {
        const auto text = boost::json::serialize(event);
        BOOST_TEST(text.size() < most_bytes);
        BOOST_TEST(captures::base::is_utf8(text));
    }
}

BOOST_AUTO_TEST_CASE(what_is_cut_off_shows) {
    send("POST", "nobody", v1 + "/machines/" + std::string(4000, 'n') + "/enable", R"({"ports":"default"})");
    const auto events = all_of(*this, "nobody", v1 + "/activity");
    BOOST_REQUIRE(events.size() == 1U);
    const auto resource = std::string{events[0].at("resourceId").as_string().c_str()};
    BOOST_TEST(resource.size() == 1024U);
    BOOST_TEST(resource.ends_with("nnn..."));
}

BOOST_AUTO_TEST_CASE(huge_events_of_old_come_in_small_pages) {
    write_old_events(40, 1'000'000);
    const auto page = get("nobody", v1 + "/activity?limit=1000");
    BOOST_TEST(page.body.size() < std::size_t{4} << 20U);
    BOOST_TEST(part(page, "/nextLink").is_string());
    BOOST_TEST(all_of(*this, "nobody", v1 + "/activity?limit=1000").size() == 40U);
    std::uint64_t after = 0;
    std::size_t read = 0;
    while (true) {
        const auto chain = get("admin", v1 + "/audit?limit=1000&after=" + std::to_string(after));
        BOOST_TEST(chain.body.size() < std::size_t{4} << 20U);
        const auto events = part(chain, "/value").as_array();
        if (events.empty()) break;
        read += events.size();
        after = events.back().at("sequence").to_number<std::uint64_t>();
    }
    BOOST_TEST(read == 40U);
}

BOOST_AUTO_TEST_SUITE_END()
