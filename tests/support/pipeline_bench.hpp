#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/pipeline/pipeline.hpp"
#include "tests/support/packet_checks.hpp"

/// A pipeline with a small lab around it, for tests that read as sentences:
///
///     Bench bench;
///     bench.open_window("198.51.100.7", 1h);
///     check(bench.from_outside(tcp("198.51.100.7:40000", "203.0.113.10:50022").syn()),
///           is_forwarded, because(Reason::dnat), to("10.1.0.4:22"), checksums_hold);
namespace support {

/// What the pipeline told about one frame.
struct Told {
    std::uint64_t number = 0;  ///< 0: sent by the firewall itself
    captures::base::Time time;
    policy::Reason reason = policy::Reason::not_ip;                 ///< of a frame with a number
    captures::packet::Side side = captures::packet::Side::outside;  ///< where it leaves, or where it was dropped
    std::string rule;                                               ///< `collection/rule`
    policy::WindowId window = 0;
    std::string detail;
    std::vector<std::byte> before;  ///< as it came
    std::vector<std::byte> bytes;   ///< as it leaves, or as it came
    captures::packet::LinkType link_type = captures::packet::LinkType::ethernet;

    [[nodiscard]] policy::Fate fate() const noexcept { return policy::fate_of(reason); }
    [[nodiscard]] captures::packet::Frame frame() noexcept;

    bool operator==(const Told&) const = default;
};

/// `3: forward dnat, inside`; a line for messages.
[[nodiscard]] std::string to_string(const Told& told);

/// Remembers all that a pipeline tells, in order.
class Recorder final : public gateway::pipeline::Observer {
public:
    void judged(const gateway::pipeline::Judged& burst) override;
    void rewritten(const gateway::pipeline::Judged& burst) override;
    void synthesized(const captures::packet::Frame& frame) override;

    std::vector<Told> told;

private:
    std::size_t unfinished_ = 0;  // judged, not rewritten yet: these are at the end of `told`
};

/// The lab: listeners of 203.0.113.10, and of 10.0.1.4 for machines that come from inside Azure.
///
///     203.0.113.10:50022 TCP -> web01 (10.1.0.4):22, guarded      203.0.113.10:8080 TCP -> web01:80
///     203.0.113.10:5432 TCP  -> db01 (10.1.0.5):5432, from 192.0.2.0/24 only
///     203.0.113.10:53 UDP    -> web01:53                          203.0.113.10:5353 UDP -> web01:5353, guarded
///     203.0.113.10:50023 TCP -> app01 (10.1.0.6):22, before NSGs that allow port 22 from the firewall
///     203.0.113.10:50080 TCP -> app01:80, which those deny        10.0.1.4:2222 TCP -> web01:2222
[[nodiscard]] gateway::config::Config lab();

/// The configuration's rule of this name, to be changed.
[[nodiscard]] dnat::NatRule& nat_rule(gateway::config::Config& config, std::string_view name);

class Bench {
public:
    explicit Bench(const gateway::config::Config& config = lab(),
                   gateway::pipeline::Vantage vantage = gateway::pipeline::Vantage::both,
                   std::size_t flows_at_once = SIZE_MAX);

    /// Processes one packet now. What is told about it; of a fragment that waits, a Told without bytes.
    Told from_outside(const PacketBuilder& packet) { return process(packet.build(), captures::packet::Side::outside); }
    Told from_inside(const PacketBuilder& packet) { return process(packet.build(), captures::packet::Side::inside); }
    Told from_outside(OwnedFrame frame) { return process(std::move(frame), captures::packet::Side::outside); }
    Told from_inside(OwnedFrame frame) { return process(std::move(frame), captures::packet::Side::inside); }
    /// Frames as they are, in one burst.
    void feed(std::span<captures::packet::Frame> frames) { pipeline_->process(frames, recorder_); }

    /// Lets time pass.
    void after(captures::base::Duration duration);
    [[nodiscard]] captures::base::Time now() const noexcept { return now_; }
    /// The next packets' time only, be it in the past.
    void set_clock(captures::base::Time time) noexcept { now_ = time; }

    /// Lets a source reach web01's guarded ports from now on.
    policy::WindowId open_window(std::string_view source, captures::base::Duration duration);
    /// Of windows, before the first is opened.
    void number_windows_from(policy::WindowId first) { first_window_ = first; }
    void close_window(policy::WindowId id);
    void cut(policy::WindowId id) { cut({&id, 1}); }
    void cut(std::span<const policy::WindowId> ids) { pipeline_->cut(ids, now_, recorder_); }
    void adopt(std::span<const policy::Adoption> adoptions) { pipeline_->adopt(adoptions, recorder_); }
    void reload(const gateway::config::Config& config);
    void sweep() { pipeline_->sweep(recorder_); }
    void finish() { pipeline_->finish(recorder_); }

    /// What was told since this was last asked, frames of the firewall's own included.
    std::vector<Told> all_told();
    /// Of these, the frames that the firewall sent itself.
    std::vector<Told> synthesized();

    /// Opens a connection through 203.0.113.10:8080 to web01:80: the client is at 1001, the server at 5001.
    void connect(std::string_view client);

    [[nodiscard]] gateway::pipeline::Pipeline& pipeline() noexcept { return *pipeline_; }
    [[nodiscard]] std::uint64_t count(policy::Reason reason) const noexcept {
        return pipeline_->counters().reasons[static_cast<std::size_t>(reason)];
    }

private:
    Told process(OwnedFrame owned, captures::packet::Side side);

    captures::base::Time now_ = start_time;
    policy::Doors doors_;
    policy::WindowId first_window_ = 1;
    std::vector<policy::Window> opened_;
    std::unique_ptr<gateway::pipeline::Pipeline> pipeline_;
    Recorder recorder_;
    std::uint64_t number_ = 0;
};

// Checks of what was told, beside those of packets

using VerdictCheck = std::function<std::string(const Told&)>;

struct CheckedTold {
    Told told;
    const char* file;
    int line;

    CheckedTold(Told value, const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE())
        : told{std::move(value)}, file{at_file}, line{at_line} {}
};

bool check_verdict(CheckedTold& checked, const VerdictCheck& holds);

/// Runs the checks, of the packet or of its verdict; true if all hold.
template <class... Checks>
bool check(CheckedTold checked, const Checks&... checks) {
    const auto one = [&](const auto& holds) {
        if constexpr (std::is_invocable_v<decltype(holds), const Told&>) {
            return check_verdict(checked, holds);
        } else {
            return check_all({checked.told.frame(), checked.file, checked.line}, {PacketCheck{holds}});
        }
    };
    bool all = true;
    ((all = one(checks) && all), ...);  // each is run, whatever the others say
    return all;
}

[[nodiscard]] std::string is_forwarded(const Told& told);
[[nodiscard]] std::string is_dropped(const Told& told);
[[nodiscard]] std::string is_ignored(const Told& told);
[[nodiscard]] std::string is_held(const Told& told);
[[nodiscard]] std::string is_unchanged(const Told& told);
[[nodiscard]] VerdictCheck because(policy::Reason reason);
[[nodiscard]] VerdictCheck by_rule(std::string_view name);
[[nodiscard]] VerdictCheck with_window(policy::WindowId id);
[[nodiscard]] VerdictCheck with_detail(std::string_view text);
[[nodiscard]] VerdictCheck leaves(captures::packet::Side side);

}  // namespace support

namespace policy {

std::ostream& operator<<(std::ostream& out, Reason reason);

}  // namespace policy
