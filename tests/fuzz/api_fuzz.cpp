// Any bytes as a request to the API, `METHOD WHO TARGET` in the first line and the body behind it: the answer is one that
// the document allows, whoever asks, and a stranger's never opens a window.

#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "captures/base/utf8.hpp"
#include "gateway/api/api.hpp"
#include "gateway/api/sign_in/authenticator.hpp"
#include "gateway/config_file/load.hpp"
#include "tests/support/service_lab.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

struct Service {
    Service() {
        auto config = gateway::config_file::parse_config(
            std::string{support::service_lab_toml} + "[api]\nrequests_per_minute = 10000000\n", "fuzz.toml");
        require(config.has_value());
        auto store = gateway::store::Store::open("sqlite:" + (directory.path() / "store.db").string());
        require(store.has_value());
        auto started = gateway::control_plane::ControlPlane::start(std::move(config->config), std::move(*store),
                                                                   support::noon);
        require(started.has_value());
        control = std::move(*started);
        auto made = gateway::api::sign_in::Authenticator::create(control->config());
        require(made.has_value());
        authenticator.emplace(std::move(*made));
        api.emplace(*control, *authenticator, dependencies);
    }

    support::ScratchFolder directory;
    std::unique_ptr<gateway::control_plane::ControlPlane> control;
    std::optional<gateway::api::sign_in::Authenticator> authenticator;
    gateway::api::Dependencies dependencies;
    std::optional<gateway::api::Api> api;
};

std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::string_view header_of(const gateway::api::http::Response& response, std::string_view name) {
    for (const auto& [one, value] : response.headers) {
        if (one == name) return value;
    }
    return {};
}

void check(const gateway::api::http::Response& response) {
    require((response.status >= 200 && response.status < 300) || (response.status >= 400 && response.status < 500));
    for (const auto& [name, value] : response.headers) require(value.find_first_of("\r\n") == std::string::npos);
    require(!header_of(response, "x-ms-correlation-request-id").empty());
    if (!header_of(response, "Content-Type").starts_with("application/json")) return;
    boost::json::error_code error;
    const auto json = boost::json::parse(response.body, error);
    require(!error && json.is_object());
    if (response.status < 400) return;
    const auto& problem = json.at("error").as_object();
    require(!problem.at("code").as_string().empty() && !problem.at("message").as_string().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t longest = std::size_t{64} * 1024;
    static Service service;
    static int requests = 0;
    if (++requests % 10'000 == 0) {  // so that what was approved does not fill the memory
        service.~Service();
        new (&service) Service;
    }
    std::string_view text{reinterpret_cast<const char*>(data), std::min(size, longest)};
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));

    gateway::api::http::Request request;
    request.method = take_word(line);
    const auto who = std::string{take_word(line)};
    if (const auto authorization = who.find('.') == std::string::npos ? "token-of-" + who : who; who != "-") {
        request.headers["authorization"] = "Bearer " + authorization;
    }
    auto target = gateway::api::http::parse_target(line);
    if (!target) return 0;
    for (const auto& segment : target->first) require(captures::base::is_utf8(segment) && !segment.empty());
    request.path = std::move(target->first);
    request.query = std::move(target->second);
    request.body = text;
    request.base_url = "https://localhost:8443";
    request.peer = "198.51.100.7";
    request.peer_ipv4 = captures::base::Ipv4Address{0xc6336407};

    const auto before = service.control->numbers().open_windows;
    std::optional<gateway::api::http::Response> response;
    service.api->answer(std::move(request), support::noon, [&](auto told) { response = std::move(told); });
    service.control->finish();
    require(response.has_value());
    check(*response);
    const bool may_open = who == "requester" || who == "second" || who == "one" || who == "admin";
    require(may_open || service.control->numbers().open_windows == before);
    return 0;
}
