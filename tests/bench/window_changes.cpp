// What a change of windows costs the packet thread, with 100,000 rules, 10,000 windows and a million flows alive.
//
//   window_changes [--quick]
//
// As the live gateway does it: doors change beside the packet thread and are handed over between two bursts; what is left of
// a change is done a little at a time, before each of the next bursts. `handed over` is the time of the first part, `longest turn` that
// of the slowest round of a burst and such a part until nothing is left: the time by which a packet may be later. A round
// without any change comes first, for comparison.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "captures/base/checksum.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace {

using captures::base::Endpoint;
using captures::base::Ipv4Address;
using captures::base::Time;
using captures::packet::Frame;
using gateway::pipeline::Pipeline;
using gateway::pipeline::Tables;

constexpr std::uint32_t frame_size = 60;
constexpr std::uint32_t burst = captures::packet::burst_capacity;
constexpr Ipv4Address mapped_ip{0xcb007100};
constexpr Ipv4Address first_ip{0xcb00710a};
constexpr Ipv4Address first_vm{0x0a010004};
constexpr Endpoint mapped_listener{mapped_ip, 50000};
constexpr Endpoint mapped_target{{0x0a800001}, 22};

std::uint32_t rules = 100'000;
std::uint32_t flows = 1'000'000;
std::uint32_t open_windows = 10'000;

class Resets final : public gateway::pipeline::Observer {
public:
    void judged(const gateway::pipeline::Judged&) override {}
    void rewritten(const gateway::pipeline::Judged&) override {}
    void synthesized(const Frame&) override { ++count; }

    std::uint64_t count = 0;
};

template <class Work>
double milliseconds(Work work) {
    const auto started = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count();
}

/// Rules on ports 1.. of successive public addresses, to VMs of their own.
gateway::config::Config config() {
    gateway::config::Config config;
    config.firewall.instance_ip = {0x0a000105};
    config.firewall.public_ips = {mapped_ip};
    for (std::uint32_t index = 0; index < rules; ++index) {
        const Ipv4Address address{first_ip.value + index / 60000};
        if (index % 60000 == 0) config.firewall.public_ips.push_back(address);
        const auto port = static_cast<std::uint16_t>(1 + index % 60000);
        config.nat_rules.push_back({{"bench", std::to_string(index), "", ""},
                                    {captures::base::Protocol::tcp},
                                    {captures::base::AddressRange::any()},
                                    address,
                                    {{port, port}},
                                    {{first_vm.value + index}, 22}});
    }
    return config;
}

policy::Window window(policy::WindowId id, Endpoint target, std::optional<Endpoint> mapped_port = {}) {
    return {.id = id,
            .target = target,
            .protocol = {},
            .sources = {{{0xc6120000}, 15}},
            .start = Time::min(),
            .end = Time::max(),
            .mapped_port = mapped_port};
}

class Gateway {
public:
    Gateway() {
        policy::DoorState state;
        state.mapped_rules = {{{"MDC-JIT", "web01-22", "", ""}, mapped_listener, mapped_target}};
        state.guards = {{mapped_target, {}}};
        for (std::uint32_t index = 0; index < open_windows; ++index) {
            const Endpoint target{{first_vm.value + index}, 22};
            state.guards.push_back({target, {}});
            state.windows.push_back(window(1 + index, target));
        }
        for (auto& doors : doors_) doors = policy::Doors{state};
        auto mapped = std::make_shared<dnat::RuleList>();
        gateway::pipeline::append(*mapped, state.mapped_rules);
        pipeline_ = std::make_unique<Pipeline>(
            Tables::build(config(), mapped).value(), doors_[0],
            Pipeline::Settings{.vantage = gateway::pipeline::Vantage::both,
                               .limits = {.flows = flows + 1024, .fragmented_datagrams = 4096, .held_fragments = 64},
                               .flow_index = dnat::FlowTable::Index::sized_ahead,
                               .flows_at_once = 256});
        for (std::uint32_t flow = 0; flow < flows; flow += burst) turn(flow, 0x02);
    }

    [[nodiscard]] const Pipeline& pipeline() const noexcept { return *pipeline_; }

    void change(std::string_view what, const policy::WindowDelta& delta) {
        const auto beside = milliseconds([&] { spare().apply(delta); });
        const auto resets = observer_.count;
        auto longest = milliseconds([&] {
            pipeline_->use(spare());
            pipeline_->adopt(delta.adopted, observer_);
            pipeline_->cut(delta.cut, {}, observer_);
        });
        const auto handed_over = longest;
        asked_ = 1 - asked_;
        spare().apply(delta);
        std::size_t turns = 0;
        for (; pipeline_->is_behind() || turns < 64; ++turns) longest = std::max(longest, ordinary_turn());
        fmt::print("{:<44} beside {:7.3f} ms, handed over {:7.3f} ms, longest turn {:7.3f} ms, {} turns, {} resets\n",
                   what, beside, handed_over, longest, turns, observer_.count - resets);
    }
    void nothing() {
        double longest = 0;
        for (int turns = 0; turns < 64; ++turns) longest = std::max(longest, ordinary_turn());
        fmt::print("{:<44} longest turn {:7.3f} ms\n", "no change", longest);
    }

private:
    policy::Doors& spare() noexcept { return doors_.at(1 - asked_); }

    double ordinary_turn() {
        next_ = (next_ + 7919 * burst) % flows;
        return turn(next_, 0x10);
    }

    /// A burst of the flows from `first` on, and before it what is left of changes.
    double turn(std::uint32_t first, std::uint8_t flags) {
        for (std::size_t i = 0; i < burst; ++i) {
            auto* const at = &bytes_[i * frame_size];
            write_frame(at, (first + static_cast<std::uint32_t>(i)) % flows, flags);
            frames_[i] = {.data = at,
                          .captured = frame_size,
                          .length = frame_size,
                          .time = {},
                          .number = 1,
                          .link_type = captures::packet::LinkType::ethernet,
                          .side = captures::packet::Side::outside};
        }
        return milliseconds([&] {
            if (pipeline_->is_behind()) pipeline_->sweep(observer_);
            pipeline_->process(frames_, observer_);
        });
    }

    static void write_frame(std::byte* at, std::uint32_t flow, std::uint8_t flags) {
        using namespace captures::base;
        const auto rule = flow % rules;
        std::fill_n(at, frame_size, std::byte{0});
        store_be16(at + 12, 0x0800);
        auto* const ip = at + 14;
        store_u8(ip, 0x45);
        store_be16(ip + 2, 40);
        store_u8(ip + 8, 64);
        store_u8(ip + 9, 6);
        store_be32(ip + 12, 0xc6120000 + flow / 60000);
        store_be32(ip + 16, first_ip.value + rule / 60000);
        store_be16(ip + 10, checksum_of({ip, 20}));
        store_be16(ip + 20, static_cast<std::uint16_t>(1024 + flow % 60000));
        store_be16(ip + 22, static_cast<std::uint16_t>(1 + rule % 60000));
        store_be32(ip + 24, 1);
        store_u8(ip + 32, 0x50);
        store_u8(ip + 33, flags);
    }

    std::array<policy::Doors, 2> doors_;
    std::size_t asked_ = 0;
    std::unique_ptr<Pipeline> pipeline_;
    Resets observer_;
    std::vector<std::byte> bytes_ = std::vector<std::byte>(std::size_t{burst} * frame_size);
    std::vector<Frame> frames_ = std::vector<Frame>(burst);
    std::uint32_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view{argv[1]} == "--quick") {
        rules = 1000;
        flows = 10'240;
        open_windows = 100;
    }
    Gateway gateway;
    fmt::print("{} rules, {} windows, {} flows\n", rules, open_windows, gateway.pipeline().flows().size());
    const auto first = [](std::uint32_t index) { return Endpoint{{first_vm.value + index}, 22}; };
    policy::WindowId next = open_windows + 1;
    for (int round = 0; round < 3; ++round) {
        gateway.nothing();
        const auto mapped = window(next++, mapped_target, mapped_listener);
        auto longer = mapped;
        longer.end = Time::max() - std::chrono::seconds{1};
        gateway.change("opened on a mapped port",
                       {.mapped_rules = {}, .closed = {}, .opened = {mapped}, .adopted = {}, .cut = {}});
        gateway.change("extended",
                       {.mapped_rules = {}, .closed = {mapped}, .opened = {longer}, .adopted = {}, .cut = {}});
        gateway.change("expired", {.mapped_rules = {}, .closed = {longer}, .opened = {}, .adopted = {}, .cut = {}});
        const auto index = static_cast<std::uint32_t>(round);
        const auto renewed = window(next++, first(index));
        gateway.change("renewed, with its flows", {.mapped_rules = {},
                                                   .closed = {window(1 + index, first(index))},
                                                   .opened = {renewed},
                                                   .adopted = {{1 + index, renewed.id}},
                                                   .cut = {}});
        gateway.change("closed with a cut",
                       {.mapped_rules = {}, .closed = {renewed}, .opened = {}, .adopted = {}, .cut = {renewed.id}});
    }
    policy::WindowDelta all;
    for (std::uint32_t index = 3; index < open_windows; ++index) {
        all.closed.push_back(window(1 + index, first(index)));
        all.cut.push_back(1 + index);
    }
    gateway.change("all windows closed with a cut", all);
}
