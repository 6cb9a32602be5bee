#include "gateway/service/reload.hpp"
#include "gateway/config_file/load.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace gateway::service {

namespace {

constexpr std::string_view store_scheme = "sqlite:";

void put_into(const std::filesystem::path& folder, std::string& path) {
    if (!path.empty()) path = (folder / path).lexically_normal().string();
}

/// Keeps what only a start can change as it is; their names.
std::vector<std::string> keep_what_a_start_decides(config::Config& config, const config::Config& old) {
    std::vector<std::string> kept;
    const auto keep = [&](auto& now, const auto& before, const char* what) {
        if (now == before) return;
        kept.emplace_back(what);
        now = before;
    };
    keep(config.store.url, old.store.url, "store.url");
    keep(config.api.listen, old.api.listen, "api.listen");
    keep(config.api.tls_certificate, old.api.tls_certificate, "api.tls_certificate");
    keep(config.api.tls_key, old.api.tls_key, "api.tls_key");
    keep(config.api.max_connections, old.api.max_connections, "api.max_connections");
    keep(config.api.max_connections_per_address, old.api.max_connections_per_address,
         "api.max_connections_per_address");
    keep(config.api.requests_per_minute, old.api.requests_per_minute, "api.requests_per_minute");
    keep(config.api.request_timeout, old.api.request_timeout, "api.request_timeout");
    if (config.api.lab_sign_in && old.api.lab_sign_in) {
        keep(config.api.lab_sign_in->listen, old.api.lab_sign_in->listen, "api.lab_sign_in.listen");
    } else if (config.api.lab_sign_in) {
        kept.emplace_back("[api.lab_sign_in]");
        config.api.lab_sign_in.reset();
    }
    keep(config.limits, old.limits, "[limits]");
    keep(config.live, old.live, "[live]");
    return kept;
}

}  // namespace

void reload(const std::filesystem::path& path, control_plane::ControlPlane& control,
            api::sign_in::Authenticator& authenticator, const control_plane::Caller* caller, captures::base::Time now,
            std::function<void(config::ReloadReport)> done) {
    config::ReloadReport report;
    const auto refuse = [](std::string why) {
        config::ReloadReport refused;
        refused.refusal = std::move(why);
        return refused;
    };
    auto loaded = config_file::load_config(path.string());
    if (!loaded) {
        report.findings = std::move(loaded.error());
        return done(std::move(report));
    }
    auto& config = loaded->config;
    make_absolute(config, path.parent_path());
    auto kept = keep_what_a_start_decides(config, control.config());
    auto known = api::sign_in::Authenticator::create(config);
    if (!known) return done(refuse(known.error()));
    report = {true, std::move(loaded->warnings), {}, {}, std::move(kept)};
    control.policies().reload(std::move(config), caller, now,
                              [&authenticator, refuse, report = std::move(report), done = std::move(done),
                               known = std::make_shared<api::sign_in::Authenticator>(std::move(*known))](
                                  control_plane::Policies::Changes changes) mutable {
                                  if (!changes) return done(refuse(changes.error()));
                                  authenticator = std::move(*known);
                                  report.changes = std::move(*changes);
                                  done(std::move(report));
                              });
}

void make_absolute(config::Config& config, const std::filesystem::path& folder) {
    auto file = store_file(config);
    put_into(folder, file);
    config.store.url = std::string{store_scheme} + file;
    put_into(folder, config.api.tls_certificate);
    put_into(folder, config.api.tls_key);
    if (config.api.jwt) put_into(folder, config.api.jwt->jwks);
}

std::string store_file(const config::Config& config) { return config.store.url.substr(store_scheme.size()); }

}  // namespace gateway::service
