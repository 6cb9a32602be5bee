#pragma once

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/control_plane/control_plane.hpp"

namespace support {

namespace cp = gateway::control_plane;
using captures::base::Time;

/// A control plane whose use cases return what becomes of them, once that is on disk. What is over ends before each.
class WaitingControl {
public:
    explicit WaitingControl(std::unique_ptr<cp::ControlPlane> plane) : plane_{std::move(plane)} {}

    [[nodiscard]] cp::ControlPlane& plane() noexcept { return *plane_; }

    auto initiate(const cp::Caller& caller, std::string_view policy, cp::InitiateRequest request, Time now) {
        return wait<cp::RequestView>(
            [&](auto done) { plane_->requests().initiate(caller, policy, std::move(request), now, std::move(done)); });
    }
    auto extend(const cp::Caller& caller, std::string_view machine, std::uint16_t port,
                captures::base::Duration duration, Time now) {
        return wait<cp::ConnectionView>(
            [&](auto done) { plane_->requests().extend(caller, machine, port, duration, now, std::move(done)); });
    }
    auto revoke(const cp::Caller& caller, std::string_view machine, std::uint16_t port, bool cut, Time now) {
        return wait<std::vector<policy::AccessRecord>>(
            [&](auto done) { plane_->requests().revoke(caller, machine, port, cut, now, std::move(done)); });
    }
    auto put_policy(const cp::Caller& caller, std::string_view name, const cp::PolicyDraft& draft, Time now) {
        return wait<cp::PolicyView>(
            [&](auto done) { plane_->policies().put(caller, name, draft, now, std::move(done)); });
    }
    auto delete_policy(const cp::Caller& caller, std::string_view name, Time now) {
        return wait<bool>([&](auto done) { plane_->policies().remove(caller, name, now, std::move(done)); });
    }
    auto enable(const cp::Caller& caller, std::string_view machine, std::vector<policy::JitPort> ports, Time now) {
        return wait<cp::PolicyView>(
            [&](auto done) { plane_->policies().enable(caller, machine, std::move(ports), now, std::move(done)); });
    }
    auto disable(const cp::Caller& caller, std::string_view machine, Time now) {
        return wait<cp::PolicyView>(
            [&](auto done) { plane_->policies().disable(caller, machine, now, std::move(done)); });
    }
    auto activity(const cp::Caller& caller, const gateway::store::EventFilter& filter, Time now) {
        return wait<std::vector<policy::AuditEvent>>(
            [&](auto done) { plane_->audit().activity(caller, filter, now, std::move(done)); });
    }
    cp::Answer<std::vector<policy::AuditEvent>> audit_chain(const cp::Caller& caller, std::uint64_t after,
                                                            std::size_t limit, Time now) {
        auto chain = wait<cp::AuditChain>(
            [&](auto done) { plane_->audit().chain(caller, after, limit, now, std::move(done)); });
        if (!chain) return tl::unexpected{chain.error()};
        return std::move(chain->events);
    }
    auto reload(gateway::config::Config config, const cp::Caller* caller, Time now) {
        std::optional<cp::Policies::Changes> told;
        plane_->policies().reload(std::move(config), caller, now, [&](auto changes) { told = std::move(changes); });
        plane_->finish();
        BOOST_REQUIRE(told.has_value());
        return std::move(*told);
    }

    auto list_policies(const cp::Caller& caller, const cp::ListScope& scope, Time now) {
        return plane_->policies().list(caller, scope, now);
    }
    auto policy(const cp::Caller& caller, std::string_view name, Time now) {
        return plane_->policies().policy(caller, name, now);
    }
    auto request(const cp::Caller& caller, const std::string& id, Time now) {
        plane_->tick(now);
        return plane_->requests().request(caller, id, now);
    }
    auto connections(const cp::Caller& caller, std::optional<std::string> machine, std::optional<std::uint16_t> port,
                     Time now) {
        return plane_->machines().connections(caller, std::move(machine), port, now);
    }
    auto machines(const cp::Caller& caller, Time now) { return plane_->machines().list(caller, now); }

    /// Whether the store works after it.
    bool flush(Time now) {
        plane_->flush(now);
        plane_->finish();
        return plane_->numbers().store_works;
    }
    void tick(Time now) {
        plane_->tick(now);
        plane_->finish();
    }
    void finish() { plane_->finish(); }
    void enforce_by(gateway::access::Enforcer& enforcer, Time now) { plane_->enforce_by(enforcer, now); }
    [[nodiscard]] auto next_expiry() const { return plane_->next_expiry(); }
    [[nodiscard]] auto numbers() const { return plane_->numbers(); }
    [[nodiscard]] const auto& config() const { return plane_->config(); }
    [[nodiscard]] const auto& directory() const { return plane_->directory(); }

private:
    template <class T>
    cp::Answer<T> wait(auto start) {
        std::optional<cp::Answer<T>> told;
        start(cp::Done<T>{[&](cp::Answer<T> answer) { told = std::move(answer); }});
        plane_->finish();
        BOOST_REQUIRE(told.has_value());
        return std::move(*told);
    }

    std::unique_ptr<cp::ControlPlane> plane_;
};

}  // namespace support
