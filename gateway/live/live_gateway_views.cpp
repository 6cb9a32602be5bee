// What the live gateway tells of itself, and the end of one flow. Each look is a task between two bursts.

#include <array>
#include <chrono>

#include "gateway/live/live_gateway.hpp"

namespace gateway::live {

using captures::base::Time;
using captures::packet::both_sides;
using captures::packet::Side;

/// Ticks may come more often than once a second.
void LiveGateway::measure() {
    if (data_plane_->now() - measured_at_ < std::chrono::seconds{1}) return;
    std::array<captures::port::Port::Numbers, 2> numbers;
    Time now{};
    const bool told = data_plane_->inspect([&](DataPlane& plane, Time at) {
        now = at;
        for (const auto side : both_sides) numbers[index(side)] = numbers_of(plane, side);
    });
    if (!told) return;
    const auto seconds = std::chrono::duration<double>(now - measured_at_).count();
    for (const auto side : both_sides) {
        const auto& before = measured_[index(side)];
        const auto& after = numbers[index(side)];
        const auto rate = [seconds](auto from, auto to) { return static_cast<double>(to - from) / seconds; };
        rates_[index(side)] = {rate(before.received, after.received), rate(before.received_bytes, after.received_bytes),
                               rate(before.sent, after.sent), rate(before.sent_bytes, after.sent_bytes)};
    }
    measured_ = numbers;
    measured_at_ = now;
}

captures::port::Port::Numbers LiveGateway::numbers_of(DataPlane& plane, Side side) const {
    auto sum = bygone_[index(side)];
    auto* const port = plane.wire(side).port.get();
    if (port == nullptr) return sum;
    const auto now = port->numbers();
    sum.received += now.received;
    sum.received_bytes += now.received_bytes;
    sum.sent += now.sent;
    sum.sent_bytes += now.sent_bytes;
    sum.not_received += now.not_received;
    sum.not_sent += now.not_sent;
    return sum;
}

std::optional<LiveStatus> LiveGateway::status(Detail detail) {
    LiveStatus status;
    status.logs = recorder_->numbers();
    const bool told = data_plane_->inspect([&](DataPlane& plane, Time now) {
        status.now = now;
        status.uptime = now - started_;
        status.counters = plane.pipeline().counters();
        status.flows = plane.pipeline().flows().size();
        status.flows_capacity = plane.pipeline().flows().capacity();
        status.icmp = plane.icmp();
        for (const auto side : both_sides) {
            auto& one = status.sides[index(side)];
            one.interface = name(side);
            one.driver = drivers_[index(side)];
            const auto& egress = plane.egress(side);
            const auto& wire = plane.wire(side);
            one.mac = wire.mac;
            one.mtu = wire.mtu;
            one.numbers = numbers_of(plane, side);
            one.rates = rates_[index(side)];
            one.not_for_us = plane.not_for_us(side);
            one.egress = egress.numbers();
            one.arp = egress.neighbours().numbers();
            if (detail == Detail::neighbours) one.neighbours = egress.neighbours().list(now);
        }
    });
    if (!told) return {};
    return status;
}

std::vector<FlowView> LiveGateway::flows(const FlowFilter& filter) {
    std::vector<FlowView> views;
    const auto wanted = [&](const dnat::Flow& flow) {
        return (!filter.client || filter.client->contains(flow.client.address)) &&
               (!filter.target || *filter.target == flow.target.address) &&
               (!filter.port || *filter.port == flow.called.port || *filter.port == flow.target.port) &&
               (!filter.protocol || *filter.protocol == flow.protocol) &&
               (!filter.window || *filter.window == flow.window);
    };
    constexpr std::uint32_t at_once = 1U << 12;  // less than a millisecond of the packet path's time
    bool more = true;
    for (std::uint32_t from = 0; more && views.size() < filter.limit; from += at_once) {
        const bool told = data_plane_->inspect([&](DataPlane& plane, Time now) {
            more = plane.pipeline().visit(from, at_once, [&](const dnat::Flow& flow) {
                if (views.size() >= filter.limit || !wanted(flow)) return;
                const auto& tables = plane.pipeline().tables();
                const auto left = flow.deadline(tables.timeouts()) - now;
                views.push_back(
                    {flow, now - flow.last_seen, left,
                     flow.rule == pipeline::no_rule ? std::string{} : to_string(tables.rule(flow.rule).name)});
            });
        });
        more = more && told;
    }
    return views;
}

bool LiveGateway::end_flow(const dnat::Arrived& arrived) {
    bool found = false;
    return data_plane_->end_flow(arrived, found) && found;
}

}  // namespace gateway::live
