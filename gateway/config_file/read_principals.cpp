#include <fmt/format.h>

#include "gateway/config_file/draft.hpp"

namespace gateway::config_file {

namespace {

constexpr std::size_t digest_digits = 64;  // SHA-256

config::Parsed<std::string> parse_digest(std::string_view text) {
    auto digest = policy::to_lower(text);
    if (digest.size() == digest_digits && digest.find_first_not_of("0123456789abcdef") == std::string::npos)
        return digest;
    return tl::unexpected{
        fmt::format("this is no SHA-256 digest; give its {} hex digits, for instance of: printf %s "
                    "TOKEN | sha256sum",
                    digest_digits)};
}

/// An Azure action such as `Microsoft.Compute/virtualMachines/read`, with `*` anywhere.
config::Parsed<std::string> parse_action(std::string_view text) {
    const bool is_clean = std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter <= '~'; });
    const bool has_form = text == "*" || text.find('/') != std::string_view::npos;
    if (is_clean && has_form) return std::string{text};
    return tl::unexpected{
        fmt::format("{} is not an action; write for example "
                    "Microsoft.Security/locations/jitNetworkAccessPolicies/*",
                    config::in_quotes(text))};
}

config::Parsed<std::string> parse_scope(std::string_view text) {
    const bool is_clean = std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter <= '~'; });
    if (is_clean && text.starts_with('/')) return std::string{text};
    return tl::unexpected{
        fmt::format("{} is not a scope; write a resource id such as /subscriptions/ID/resourceGroups/NAME",
                    config::in_quotes(text))};
}

}  // namespace

void read_principals(TomlTable& root, Draft& draft) {
    Names digests;
    for (auto& table : root.tables("principal", "principal")) {
        table.require({"name"});
        policy::Principal principal;
        if (auto digest = table.value("token_sha256", parse_digest)) {
            principal.token_sha256 = std::move(digest->value);
            if (!digests.add(principal.token_sha256)) {
                table.error("token_sha256", "another principal has this token; give each their own");
            }
        }
        const auto name = table.value("name", config::parse_principal_name);
        table.refuse_unknown_keys();
        if (!name) continue;
        if (!draft.principals.add(name->value)) {
            table.error("name",
                        fmt::format("there is another principal {}; names are unique", config::in_quotes(name->value)));
            continue;
        }
        principal.name = name->value;
        draft.config.principals.push_back(std::move(principal));
    }
}

void read_roles(TomlTable& root, Draft& draft) {
    const auto built_in = policy::built_in_roles();
    for (auto& table : root.tables("role", "role")) {
        table.require({"name", "actions"});
        policy::Role role;
        for (auto& action : table.values("actions", parse_action)) role.actions.push_back(std::move(action.value));
        for (auto& action : table.values("not_actions", parse_action))
            role.not_actions.push_back(std::move(action.value));
        if (table.is_empty_array("actions")) table.error("actions", "names none, so that the role allows nothing");
        auto name = table.value("name", config::parse_rule_name);
        table.refuse_unknown_keys();
        if (!name) continue;
        role.name = std::move(name->value);
        const auto has_its_name = [&](const policy::Role& other) { return policy::same_name(other.name, role.name); };
        if (std::ranges::any_of(built_in, has_its_name)) {
            table.error("name",
                        fmt::format("{} is built in; give the role another name", config::in_quotes(role.name)));
        } else if (!draft.roles.add(role.name)) {
            table.error("name",
                        fmt::format("there is another role {}; names are unique", config::in_quotes(role.name)));
        } else {
            draft.config.roles.push_back(std::move(role));
        }
    }
}

namespace {

/// The built-in ones, then the configured ones.
Names names_of_roles(const Draft& draft) {
    Names names;
    for (const auto& role : policy::built_in_roles()) names.add(role.name);
    for (const auto& role : draft.config.roles) names.add(role.name);
    return names;
}

/// Whether the scope has anything in it that this firewall's machines and policies are, or are in.
bool reaches_something(std::string_view scope, const config::Config& config) {
    const auto machine = config.machine_id("x");
    const auto group = std::string_view{machine}.substr(0, machine.find("/providers/"));
    return policy::within_scope(group, scope) || policy::within_scope(scope, group);
}

}  // namespace

void read_role_assignments(TomlTable& root, Draft& draft) {
    const auto roles = names_of_roles(draft);
    for (auto& table : root.tables("role_assignment", "role assignment")) {
        table.require({"principal", "role", "scope"});
        const auto principal = table.text("principal");
        const auto role = table.text("role");
        auto scope = table.value("scope", parse_scope);
        table.refuse_unknown_keys();
        if (principal && !draft.principals.find(principal->value)) {
            table.error("principal", fmt::format("there is no principal {}{}", config::in_quotes(principal->value),
                                                 draft.hint(draft.principals, principal->value)));
        }
        if (role && !roles.find(role->value)) {
            table.error("role", fmt::format("there is no role {}{}", config::in_quotes(role->value),
                                            draft.hint(roles, role->value)));
        }
        if (scope && !reaches_something(scope->value, draft.config)) {
            table.warn(scope->at, "the scope is outside the firewall's resource group, so that it grants nothing here");
        }
        if (principal && role && scope) {
            draft.config.role_assignments.push_back({principal->value, role->value, std::move(scope->value)});
        }
    }
}

}  // namespace gateway::config_file
