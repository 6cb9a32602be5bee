#pragma once

#include <fstream>

#include "gateway/live/live_gateway.hpp"
#include "gateway/service/reload.hpp"
#include "tests/support/api_lab.hpp"
#include "tests/support/live_wires.hpp"

namespace support {

inline constexpr const char* live_lab_toml = R"(
[live]
outside = { interface = "outside0", address = "203.0.113.1/24", gateway = "203.0.113.254" }
inside = { interface = "inside0", address = "10.0.1.5/24", gateway = "10.0.1.1" }
)";

/// The lab of `api_lab.hpp` with packets between two wires in memory, and a configuration on disk that can be reloaded.
struct SeeingLab : ApiLab {
    SeeingLab() { restart_live(service_lab_toml); }
    ~SeeingLab() {
        api.reset();
        control.reset();  // it calls the gateway
    }

    /// `toml`: all but `[live]`.
    void restart_live(const std::string& toml) {
        api.reset();
        control.reset();
        live.reset();
        write_config(toml);
        restart(noon, toml + live_lab_toml);
        wires = {MemoryWire{}, MemoryWire{}};
        auto opened = gateway::live::LiveGateway::over(control->config(), {wires[0].wire(), wires[1].wire()}, {},
                                                       [](auto, const auto&) {});
        BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error()));
        live = std::move(*opened);
        control->enforce_by(*live, noon);
        dependencies.live = live.get();
        dependencies.reload = [this](const gateway::control_plane::Caller& caller, const auto& done) {
            gateway::service::reload(config_path(), control->plane(), *authenticator, &caller, noon, done);
        };
    }

    [[nodiscard]] std::string config_path() const { return (directory.path() / "lab.toml").string(); }
    void write_config(const std::string& toml) const { std::ofstream{config_path()} << toml + live_lab_toml; }

    /// What the client sends, and the gateway has judged when this returns.
    void from_client(const PacketBuilder& packet) {
        const auto before = live->status(gateway::live::LiveGateway::Detail::numbers)->counters.packets;
        wires[0].put(packet);
        BOOST_REQUIRE(comes_true(
            [&] { return live->status(gateway::live::LiveGateway::Detail::numbers)->counters.packets > before; }));
    }

    std::array<MemoryWire, 2> wires;
    std::unique_ptr<gateway::live::LiveGateway> live;
};

}  // namespace support
