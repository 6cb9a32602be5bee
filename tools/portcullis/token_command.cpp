#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <string>

#include "gateway/api/http/text.hpp"
#include "gateway/config/values.hpp"
#include "tools/portcullis/commands.hpp"
#include "tools/portcullis/terminal.hpp"

namespace tools {

namespace {

constexpr std::size_t token_bytes = 32;

int make_token(const std::string& name) {
    std::array<unsigned char, token_bytes> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
        complain("this system has no random numbers");
        return exit_incomplete;
    }
    const std::string bytes{random.begin(), random.end()};
    const auto token = "ptc_" + gateway::api::http::to_base64url(bytes);
    fmt::print("{}\n", token);
    fmt::print(
        "\n# Give the line above to its owner: it is kept nowhere. This goes into the configuration:\n[[principal]]\n");
    fmt::print("name = \"{}\"\ntoken_sha256 = \"{}\"\n", name,
               gateway::api::http::to_hex(gateway::api::http::sha256(token)));
    return exit_done;
}

}  // namespace

void add_token_command(CLI::App& app, int& exit_code) {
    auto* const group = app.add_subcommand("token", "Tokens of principals");
    group->require_subcommand(1);
    auto* const command = group->add_subcommand("new", "Make a token, and the lines that make it known");
    const auto name = std::make_shared<std::string>("somebody@lab.example");
    command->add_option("--name", *name, "Whose")->check([](const std::string& text) {
        const auto parsed = gateway::config::parse_principal_name(text);
        const bool needs_escapes = text.find_first_of("\"\\") != std::string::npos;
        return !parsed ? parsed.error() : needs_escapes ? "a name has no quotes or backslashes" : std::string{};
    });
    command->callback([name, &exit_code] { exit_code = make_token(*name); });
}

}  // namespace tools
