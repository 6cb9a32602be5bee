#include "tools/portcullis/remote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "captures/base/utf8.hpp"
#include "gateway/api/http/text.hpp"
#include "gateway/config_file/client_config.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

constexpr std::size_t longest_token = std::size_t{16} * 1024;
constexpr int first_error = 400;
constexpr int first_server_error = 500;

std::string environment(const char* name) {
    const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    return value == nullptr ? "" : value;
}

std::string client_config_path() {
    if (const auto folder = environment("XDG_CONFIG_HOME"); !folder.empty()) return folder + "/portcullis/client.toml";
    const auto home = environment("HOME");
    return home.empty() ? "" : home + "/.config/portcullis/client.toml";
}

const std::string& first_of(const std::string& flag, const std::string& variable, const std::string& file) {
    if (!flag.empty()) return flag;
    return variable.empty() ? file : variable;
}

tl::expected<std::string, std::string> read_token(const std::string& path) {
    std::ifstream file{path};
    std::string token(longest_token, '\0');
    file.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (!token.empty()) return token;
    return tl::unexpected{fmt::format("cannot read a token from {}", path)};
}

/// The token of the flags, the environment or the files; empty where there is none.
tl::expected<std::string, std::string> token_of(const RemoteFlags& flags,
                                                const gateway::config_file::ClientConfig& config) {
    if (!flags.token.empty()) return flags.token;
    if (!flags.token_file.empty()) return read_token(flags.token_file);
    if (auto token = environment("PORTCULLIS_TOKEN"); !token.empty()) return token;
    if (!config.token_file.empty()) return read_token(config.token_file);
    return tl::unexpected{
        std::string{"no token: give --token-file FILE, or set PORTCULLIS_TOKEN, or token_file in "
                    "~/.config/portcullis/client.toml"}};
}

/// What a terminal obeys or turns around: C0 and C1 (ECMA-48), marks of direction and separators of lines (Unicode: Cc, Cf
/// of UAX 9, Zl, Zp).
bool is_control(char32_t character) {
    const auto is_between = [&](char32_t first, char32_t last) { return first <= character && character <= last; };
    return character < U' ' || is_between(0x7f, 0x9f) || is_between(0x200e, 0x200f) || is_between(0x2028, 0x202e) ||
           is_between(0x2066, 0x2069) || character == 0x061c;
}

/// The part of an answer's `nextLink` that is the server's own: the path and the query.
std::string path_of(const std::string& url) {
    const auto host = url.find("://");
    const auto path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
    return path == std::string::npos ? "" : url.substr(path);
}

bool is_token(std::string_view text) {
    return std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter < '\x7f'; });
}

}  // namespace

void add_remote_flags(CLI::App& command, RemoteFlags& flags) {
    command.add_option("--endpoint", flags.endpoint, "Server (else PORTCULLIS_ENDPOINT, or https://127.0.0.1:8443)");
    command.add_option("--token-file", flags.token_file, "File with your token (else PORTCULLIS_TOKEN)");
    command.add_option("--token", flags.token, "Your token; others on this machine can see it");
    command.add_option("--ca", flags.ca, "Certificate to trust, PEM (else PORTCULLIS_CA)");
    command.add_flag("--insecure", flags.insecure, "Trust any certificate: whoever is in between gets your token");
    command.add_flag("--json", flags.json, "The server's JSON, for programs");
}

tl::expected<Remote, int> Remote::open(const RemoteFlags& flags) {
    const auto usage = [](const std::string& text) {
        complain(text);
        return tl::unexpected<int>{exit_usage};
    };
    gateway::config_file::ClientConfig config;
    std::error_code ignored;
    if (const auto path = client_config_path(); !path.empty() && std::filesystem::exists(path, ignored)) {
        auto loaded = gateway::config_file::load_client_config(path);
        if (!loaded) print(loaded.error());
        if (!loaded) return tl::unexpected<int>{exit_usage};
        config = std::move(*loaded);
    }
    if (config.endpoint.empty()) config.endpoint = "https://127.0.0.1:8443";
    auto endpoint = gateway::api::http::Endpoint::parse(
        first_of(flags.endpoint, environment("PORTCULLIS_ENDPOINT"), config.endpoint));
    if (!endpoint) return usage(endpoint.error());
    auto token = token_of(flags, config);
    if (!token) return usage(token.error());
    if (!is_token(*token)) return usage("the token has letters that no token has: see whether it was copied whole");
    gateway::api::http::ClientOptions options;
    options.endpoint = std::move(*endpoint);
    options.token = std::move(*token);
    options.ca_file = first_of(flags.ca, environment("PORTCULLIS_CA"), config.ca);
    options.insecure = flags.insecure;
    return Remote{std::move(options), flags.json};
}

tl::expected<boost::json::value, int> Remote::get(const std::string& target) const {
    return send("GET", target, nullptr);
}

tl::expected<boost::json::array, int> Remote::list(std::string target, std::size_t most) const {
    boost::json::array all;
    while (!target.empty() && all.size() < most) {
        const auto page = get(target);
        if (!page) return tl::unexpected{page.error()};
        for (const auto& one : items(*page, "value")) all.push_back(one);
        target = path_of(field(*page, "nextLink"));
    }
    if (all.size() > most) all.resize(most);
    return all;
}

tl::expected<boost::json::value, int> Remote::send(const std::string& method, const std::string& target,
                                                   const boost::json::value& body, const OnRefusal& refused) const {
    const auto answer = text(method, target, body.is_null() ? "" : boost::json::serialize(body), refused);
    if (!answer) return tl::unexpected{answer.error()};
    if (answer->empty()) return boost::json::value{};
    boost::json::error_code error;
    auto value = boost::json::parse(*answer, error);
    if (!error) return value;
    complain(options_.endpoint.url() + " did not answer in JSON: is it a portcullis server?");
    return tl::unexpected<int>{exit_unreachable};
}

tl::expected<std::string, int> Remote::text(const std::string& method, const std::string& target, std::string body,
                                            const OnRefusal& refused) const {
    auto response = gateway::api::http::ask(options_, method, target, std::move(body));
    if (!response) return tl::unexpected{unreachable(response.error())};
    if (response->status >= first_error) return tl::unexpected{tell_refusal(*response, refused)};
    return std::move(response->body);
}

int Remote::tell_refusal(const gateway::api::http::Response& response, const OnRefusal& refused) const {
    boost::json::error_code error;
    const auto body = boost::json::parse(response.body, error);
    const auto* const told = !error && body.is_object() ? body.as_object().if_contains("error") : nullptr;
    if (told != nullptr && json_) {
        print_json(body);
    } else if (told != nullptr) {
        if (refused) refused(*told);
        complain(fmt::format("{} ({})", printable(field(*told, "message")), printable(field(*told, "code"))));
    } else {
        complain(fmt::format("{} answered {}", options_.endpoint.url(), response.status));
    }
    return response.status >= first_server_error ? exit_unreachable : exit_refused;
}

int Remote::unreachable(const gateway::api::http::NoAnswer& why) const {
    complain(why.message);
    if (!why.fingerprint.empty() && !options_.ca_file.empty()) {
        complain(
            fmt::format("its SHA-256 fingerprint is {}; {} is what is trusted", why.fingerprint, options_.ca_file));
        complain(
            "if that is the one that `portcullis run` printed, ask by a name or address that the certificate has "
            "(openssl "
            "x509 -noout -ext subjectAltName -in FILE), or let the server have one for this address: "
            "api.tls_certificate");
    } else if (!why.fingerprint.empty()) {
        complain("its SHA-256 fingerprint is " + why.fingerprint);
        complain(
            "if that is the one that `portcullis run` printed, copy the certificate file that it named from there, and "
            "trust it: --ca FILE (or PORTCULLIS_CA, or ca in ~/.config/portcullis/client.toml)");
    }
    return exit_unreachable;
}

std::string field(const boost::json::value& object, std::string_view name) {
    const auto* const value = object.is_object() ? object.as_object().if_contains({name.data(), name.size()}) : nullptr;
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return {value->as_string().data(), value->as_string().size()};
    return boost::json::serialize(*value);
}

const boost::json::array& items(const boost::json::value& object, std::string_view name) {
    static const boost::json::array none;
    const auto* const value = object.is_object() ? object.as_object().if_contains({name.data(), name.size()}) : nullptr;
    return value != nullptr && value->is_array() ? value->as_array() : none;
}

std::string printable(std::string_view text) {
    std::string clean;
    while (!text.empty()) {
        const auto character = captures::base::first_character(text);
        const auto bytes = text.substr(0, character ? character->size : 1);
        text.remove_prefix(bytes.size());
        clean += !character || is_control(character->code_point) ? "?" : bytes;
    }
    return clean;
}

void print_json(const boost::json::value& value) { fmt::print("{}\n", boost::json::serialize(value)); }

std::string escaped(std::string_view text) { return gateway::api::http::percent_encoded(text); }

}  // namespace tools
