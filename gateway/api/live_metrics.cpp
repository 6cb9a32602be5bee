#include "gateway/api/live_metrics.hpp"

#include <fmt/format.h>

#include <chrono>
#include <initializer_list>
#include <utility>

#include "gateway/api/http/metrics_page.hpp"

namespace gateway::api {

namespace {

using live::SideStatus;

class LivePage {
public:
    explicit LivePage(const live::LiveStatus& status) : status_{&status} {}

    /// A number of either side.
    template <class Of>
    void sides(std::string_view name, std::string_view type, std::string_view help, Of of) {
        page_.head(name, type, help);
        page_.line(fmt::format("{}{{side=\"outside\"}}", name), of(status_->sides[0]));
        page_.line(fmt::format("{}{{side=\"inside\"}}", name), of(status_->sides[1]));
    }

    using Number = std::uint64_t (*)(const SideStatus&);
    /// Numbers of either side, by another label.
    void labelled(std::string_view name, std::string_view label, std::string_view help,
                  std::initializer_list<std::pair<std::string_view, Number>> all) {
        page_.head(name, "counter", help);
        for (const auto& [value, of] : all) {
            page_.line(fmt::format(R"({}{{side="outside",{}="{}"}})", name, label, value), of(status_->sides[0]));
            page_.line(fmt::format(R"({}{{side="inside",{}="{}"}})", name, label, value), of(status_->sides[1]));
        }
    }

    [[nodiscard]] http::MetricsPage& page() noexcept { return page_; }

private:
    const live::LiveStatus* status_;
    http::MetricsPage page_;
};

void add_interfaces(LivePage& to) {
    to.sides("live_interface_up", "gauge", "Whether the interface is there.",
             [](const SideStatus& side) { return side.driver.empty() ? 0 : 1; });
    to.sides("live_received_packets_total", "counter", "Frames that arrived.",
             [](const SideStatus& side) { return side.numbers.received; });
    to.sides("live_received_bytes_total", "counter", "Bytes of frames that arrived.",
             [](const SideStatus& side) { return side.numbers.received_bytes; });
    to.sides("live_receive_lost_packets_total", "counter", "Frames that the driver lost before they were looked at.",
             [](const SideStatus& side) { return side.numbers.not_received; });
    to.sides("live_not_for_us_packets_total", "counter", "Frames to other MAC addresses.",
             [](const SideStatus& side) { return side.not_for_us; });
    to.sides("live_sent_packets_total", "counter", "Frames that left.",
             [](const SideStatus& side) { return side.numbers.sent; });
    to.sides("live_sent_bytes_total", "counter", "Bytes of frames that left.",
             [](const SideStatus& side) { return side.numbers.sent_bytes; });
    to.labelled("live_send_lost_packets_total", "cause", "Packets that were to leave and did not, by why.",
                {{"driver", [](const SideStatus& side) { return side.numbers.not_sent; }},
                 {"unreachable", [](const SideStatus& side) { return side.egress.unreachable; }},
                 {"abandoned", [](const SideStatus& side) { return side.egress.abandoned; }},
                 {"no_room", [](const SideStatus& side) { return side.egress.no_room; }},
                 {"too_big", [](const SideStatus& side) { return side.egress.too_big; }},
                 {"unfit", [](const SideStatus& side) { return side.egress.unfit; }}});
    to.sides("live_fragmented_packets_total", "counter", "Datagrams that left in fragments.",
             [](const SideStatus& side) { return side.egress.fragmented; });
}

void add_arp(LivePage& to) {
    to.labelled("live_arp_packets_total", "kind", "ARP: what was heard, said and objected to.",
                {{"request_heard", [](const SideStatus& side) { return side.arp.requests; }},
                 {"reply_heard", [](const SideStatus& side) { return side.arp.replies; }},
                 {"malformed", [](const SideStatus& side) { return side.arp.malformed; }},
                 {"answered", [](const SideStatus& side) { return side.arp.answered; }},
                 {"asked", [](const SideStatus& side) { return side.arp.asked; }},
                 {"announced", [](const SideStatus& side) { return side.arp.announced; }},
                 {"conflict", [](const SideStatus& side) { return side.arp.conflicts; }}});
    to.sides("live_arp_unanswered_total", "counter", "Neighbours that were given up.",
             [](const SideStatus& side) { return side.arp.unanswered; });
}

void add_packets(http::MetricsPage& page, const live::LiveStatus& status) {
    page.head("live_packets_total", "counter", "Packets by what was decided about them and why.");
    for (std::size_t i = 0; i < status.counters.reasons.size(); ++i) {
        const auto reason = static_cast<policy::Reason>(i);
        page.line(fmt::format(R"(live_packets_total{{fate="{}",reason="{}"}})", to_string(fate_of(reason)),
                              to_string(reason)),
                  status.counters.reasons.at(i));
    }
    page.one("live_synthesized_packets_total", "counter", "Segments that end connections.",
             status.counters.synthesized);
    page.one("live_flows", "gauge", "Flows that are tracked.", status.flows);
    page.one("live_flows_capacity", "gauge", "Flows that can be tracked.", status.flows_capacity);
    page.one("live_flows_created_total", "counter", "Flows that were admitted.", status.counters.flows_created);
    page.head("live_icmp_errors_sent_total", "counter", "ICMP errors to senders, by type.");
    page.line("live_icmp_errors_sent_total{type=\"time_exceeded\"}", status.icmp.time_exceeded);
    page.line("live_icmp_errors_sent_total{type=\"fragmentation_needed\"}", status.icmp.too_big);
    page.line("live_icmp_errors_sent_total{type=\"host_unreachable\"}", status.icmp.unreachable);
    page.one("live_icmp_errors_suppressed_total", "counter", "ICMP errors that the rate, or manners, forbade.",
             status.icmp.suppressed);
}

void add_logs(http::MetricsPage& page, const live::LiveStatus& status) {
    std::uint64_t lost = 0;
    for (const auto& file : status.logs.files) lost += file.lost;
    page.head("live_log_lost_records_total", "counter", "Records that are missing in logs and recordings, by why.");
    page.line("live_log_lost_records_total{cause=\"too_slow\"}", status.logs.not_queued);
    page.line("live_log_lost_records_total{cause=\"disk\"}", lost);
    page.one("live_uptime_seconds", "gauge", "Since packets began to move.",
             std::chrono::duration<double>(status.uptime).count());
}

}  // namespace

std::string live_metrics(const live::LiveStatus& status) {
    LivePage to{status};
    add_interfaces(to);
    add_arp(to);
    add_packets(to.page(), status);
    add_logs(to.page(), status);
    return to.page().take();
}

}  // namespace gateway::api
