#include "gateway/live/live_gateway.hpp"

#include <pthread.h>

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "captures/packet/print.hpp"
#include "captures/port/open_port.hpp"

namespace gateway::live {

using captures::base::Duration;
using captures::base::Time;
using captures::packet::both_sides;
using captures::packet::Side;

namespace {

/// Less is what the two clocks' readings differ by.
constexpr auto clock_step = std::chrono::milliseconds{2};

/// Between two warnings of addresses that others use.
constexpr auto patience_with_conflicts = std::chrono::minutes{1};

std::optional<captures::port::Driver> driver_of(config::DriverChoice choice) noexcept {
    switch (choice) {
        case config::DriverChoice::automatic: break;
        case config::DriverChoice::pcap: return captures::port::Driver::pcap;
        case config::DriverChoice::ring: return captures::port::Driver::ring;
        case config::DriverChoice::xdp: return captures::port::Driver::xdp;
    }
    return {};
}

Network network_of(const config::LiveConfig& live, Side side) {
    const auto& wire = live.at(side);
    Network network{wire.address, wire.on_link, wire.gateway, {}};
    for (const auto& route : live.routes) {
        if (route.side == side) network.routes.push_back({route.destination, route.via});
    }
    return network;
}

/// Beside a side's own address: public IPs outside, what VMs see inside, and the private IP on whose link it is.
std::vector<captures::base::Ipv4Address> others_of(const config::Config& config, Side side) {
    const auto& firewall = config.firewall;
    const auto own = config.live->at(side).address;
    std::vector<captures::base::Ipv4Address> others;
    const auto add = [&](captures::base::Ipv4Address address) {
        if (address != own && std::ranges::find(others, address) == others.end()) others.push_back(address);
    };
    if (side == Side::outside) {
        for (const auto address : firewall.public_ips) add(address);
    } else {
        add(firewall.instance_ip);
    }
    if (firewall.private_ip && config.live->at(side).on_link.contains(*firewall.private_ip)) add(*firewall.private_ip);
    return others;
}

/// Those that must be the gateway's alone.
std::vector<captures::base::Ipv4Address> own_addresses(const config::Config& config) {
    auto all = config.firewall.public_ips;
    all.push_back(config.firewall.instance_ip);
    if (config.firewall.private_ip) all.push_back(*config.firewall.private_ip);
    for (const auto side : both_sides) all.push_back(config.live->at(side).address);
    return all;
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    // Cannot fail once the system has started; if it does, collisions can be chosen, and nothing else.
    static_cast<void>(RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed));
    return seed;
}

}  // namespace

tl::expected<std::unique_ptr<LiveGateway>, std::string> LiveGateway::open(const config::Config& config,
                                                                          const LogFiles& logs, Log log) {
    std::unique_ptr<LiveGateway> live{new LiveGateway{config, std::move(log)}};
    if (auto problem = live->open_logs(config, logs)) return tl::unexpected{std::move(*problem)};
    if (auto owned = captures::port::kernel_owns(own_addresses(config))) return tl::unexpected{std::move(*owned)};
    for (const auto side : both_sides) {
        auto opened = live->open_wire(side);
        if (!opened) return tl::unexpected{opened.error()};
        live->drivers_[index(side)] = opened->driver;
        live->wires_[index(side)] = std::move(opened->wire);
        live->holds_[index(side)].emplace(std::move(opened->hold));
    }
    return live;
}

tl::expected<std::unique_ptr<LiveGateway>, std::string> LiveGateway::over(const config::Config& config,
                                                                          std::array<Wire, 2> wires,
                                                                          const LogFiles& logs, Log log) {
    std::unique_ptr<LiveGateway> live{new LiveGateway{config, std::move(log)}};
    live->wires_ = std::move(wires);
    live->drivers_.fill("given");
    if (auto problem = live->open_logs(config, logs)) return tl::unexpected{std::move(*problem)};
    return live;
}

std::optional<std::string> LiveGateway::open_logs(const config::Config& config, const LogFiles& logs) {
    const auto warn = [log = log_](const std::string& text) { log(Level::warning, text); };
    auto recorder = Recorder::open(logs, config.firewall.resource_id(), warn);
    if (!recorder) return recorder.error();
    recorder_ = std::move(*recorder);
    return {};
}

LiveGateway::LiveGateway(const config::Config& config, Log log) : live_{*config.live}, log_{std::move(log)} {}

LiveGateway::~LiveGateway() {
    if (data_plane_) data_plane_->stop();
}

tl::expected<LiveGateway::Opened, std::string> LiveGateway::open_wire(Side side) const {
    auto claim = captures::port::InterfaceClaim::of(name(side));
    if (!claim) return tl::unexpected{claim.error()};
    auto opened = open_port(side);
    if (!opened) return opened;
    opened->hold.claim.emplace(std::move(*claim));
    if (!live_.isolate) return opened;
    auto isolation = captures::port::Isolation::of(name(side));
    if (!isolation) return tl::unexpected{isolation.error()};
    opened->hold.isolation.emplace(std::move(*isolation));
    return opened;
}

tl::expected<LiveGateway::Opened, std::string> LiveGateway::open_port(Side side) const {
    const auto interface = captures::port::find_usable_interface(name(side));
    if (!interface) return tl::unexpected{interface.error()};
    auto port = captures::port::open_port(name(side), driver_of(live_.driver));
    if (!port) return tl::unexpected{port.error()};
    tell(side, *port);
    return Opened{
        {std::move(port->port), interface->mac, interface->mtu}, port->driver, {{}, {}, std::move(port->offloads)}};
}

void LiveGateway::tell(Side side, const captures::port::OpenedPort& opened) const {
    const auto& off = opened.offloads.features();
    log_(Level::info,
         fmt::format("{} interface {}: driver {}{}; {}{}", to_string(side), name(side), opened.driver,
                     opened.remarks.empty() ? "" : " (" + opened.remarks + ")",
                     off.empty() ? "offloads stay as they are" : "turned off meanwhile: ", fmt::join(off, ", ")));
}

DataPlane::Settings LiveGateway::settings_of(const config::Config& config) const {
    DataPlane::Settings settings;
    for (const auto side : both_sides) {
        settings.networks[index(side)] = network_of(live_, side);
        settings.others[index(side)] = others_of(config, side);
    }
    settings.limits = config.limits;
    settings.hash_seed = random_seed();
    return settings;
}

void LiveGateway::load(const config::Config& config, const policy::DoorState& state, Time now) noexcept {
    auto mapped_rules = std::make_shared<dnat::RuleList>();
    pipeline::append(*mapped_rules, state.mapped_rules);
    auto tables = pipeline::Tables::build(config, mapped_rules);
    if (!tables) {
        problem_ = tables.error();
        log_(Level::warning, "the rules cannot be used, nothing is forwarded any more: " + problem_);
        if (data_plane_) data_plane_->stop();
        return;
    }
    tables_ = std::move(*tables);
    mapped_rules_ = std::move(mapped_rules);
    recorder_->keep(tables_);
    spare_ = std::make_unique<policy::Doors>(state);
    if (!data_plane_) {
        ahead_ = now - Time{std::chrono::system_clock::now().time_since_epoch()};
        std::swap(asked_, spare_);
        begin(config);
    } else {
        for (const auto side : both_sides) static_cast<void>(data_plane_->answer_for(side, others_of(config, side)));
        hand_over(now, {});
    }
    spare_ = std::make_unique<policy::Doors>(state);
}

void LiveGateway::apply(const policy::WindowDelta& delta, Time now) noexcept {
    if (!data_plane_) return;
    pipeline::append(*mapped_rules_, delta.mapped_rules);
    spare_->apply(delta);
    hand_over(now, delta);
    spare_->apply(delta);
}

/// The spare doors become those that are asked.
void LiveGateway::hand_over(Time now, const policy::WindowDelta& delta) {
    // Never less: a decision's time is from before the store's sync, which may have been slow; and the service's clock
    // does not run backwards.
    ahead_ = std::max(ahead_, now - data_plane_->now());
    Handover handover{{tables_, spare_.get(), ahead_}, delta.adopted, delta.cut};
    static_cast<void>(data_plane_->use(handover));
    std::swap(asked_, spare_);
}

void LiveGateway::begin(const config::Config& config) {
    data_plane_ = std::make_unique<DataPlane>(settings_of(config), pipeline::RuleSet{tables_, asked_.get(), ahead_},
                                              std::move(wires_), recorder_.get());
    measured_at_ = started_ = data_plane_->now();
    thread_ = std::jthread{[this] { data_plane_->run(); }};
    static_cast<void>(::pthread_setname_np(thread_.native_handle(), "packets"));
}

bool LiveGateway::tick(Time now) {
    if (!data_plane_->inspect([](DataPlane&, Time) {})) return false;
    if (const auto ahead = now - data_plane_->now(); ahead > ahead_ + clock_step) {
        ahead_ = ahead;
        Handover handover{{tables_, asked_.get(), ahead_}, {}, {}};
        static_cast<void>(data_plane_->use(handover));
    }
    for (const auto side : both_sides) supervise(side);
    measure();
    return true;
}

void LiveGateway::supervise(Side side) {
    if (lost_[index(side)]) return get_back(side);
    if (const auto why = health_problem(side)) {
        lose(side, *why);
        return get_back(side);
    }
    keep_isolated(side);
    tell_of_conflict(side);
}

/// Nothing: it works, and is what the data plane takes it for.
std::optional<std::string> LiveGateway::health_problem(Side side) {
    bool works = true;
    captures::port::MacAddress mac{};
    std::uint32_t mtu = 0;
    static_cast<void>(data_plane_->inspect([&](DataPlane& plane, Time) {
        const auto& wire = plane.wire(side);
        works = wire.port != nullptr && wire.port->works();
        mac = wire.mac;
        mtu = wire.mtu;
    }));
    if (!works) return "is lost; trying to get it back every second";
    if (!holds_[index(side)]) return {};
    const auto interface = captures::port::find_interface(name(side));
    if (!interface) return {};  // it may have another name now
    if (interface->mtu != mtu) return fmt::format("has an MTU of {} now, not {}; opening it anew", interface->mtu, mtu);
    if (interface->mac != mac) return "has another Ethernet address now; opening it anew";
    return {};
}

/// Whoever reloads the rules of nftables takes that of isolation away, too.
void LiveGateway::keep_isolated(Side side) {
    auto& hold = holds_[index(side)];
    if (!hold || !hold->isolation || hold->isolation->is_in_place()) return;
    const auto renewed = hold->isolation->renew();
    log_(Level::warning,
         fmt::format("somebody has removed the nftables table that keeps the kernel from the {} interface {}; {}",
                     to_string(side), name(side), renewed ? "it is there again" : renewed.error()));
}

void LiveGateway::tell_of_conflict(Side side) {
    std::optional<Neighbours::Conflict> conflict;
    static_cast<void>(data_plane_->inspect(
        [&](DataPlane& plane, Time) { conflict = plane.egress(side).neighbours().last_conflict(); }));
    auto& told = conflict_told_[index(side)];
    if (!conflict || conflict->time == told || (told != Time{} && conflict->time < told + patience_with_conflicts))
        return;
    told = conflict->time;
    log_(Level::warning, fmt::format("on the {} wire {} says that it has {}, which is this gateway's", to_string(side),
                                     captures::port::to_string(conflict->mac), to_string(conflict->address)));
}

void LiveGateway::lose(Side side, const std::string& why) {
    lost_[index(side)] = true;
    drivers_[index(side)].clear();
    log_(Level::warning, fmt::format("the {} interface {} {}", to_string(side), name(side), why));
    static_cast<void>(
        data_plane_->inspect([&](DataPlane& plane, Time) { bygone_[index(side)] = numbers_of(plane, side); }));
    Wire none;
    static_cast<void>(data_plane_->bind(side, none));
}

void LiveGateway::get_back(Side side) {
    if (!holds_[index(side)]) return;  // whoever opened it sees to it
    auto& hold = *holds_[index(side)];
    // Before all else: the kernel's own stack must not have it meanwhile, however long that is.
    if (hold.isolation && !hold.isolation->renew()) return;
    if (!captures::port::find_usable_interface(name(side))) return;
    hold.offloads.reset();  // as they were, for the next port to see to
    auto opened = open_port(side);
    if (!opened) return;
    lost_[index(side)] = false;
    hold.offloads.emplace(std::move(*opened->hold.offloads));
    drivers_[index(side)] = opened->driver;
    static_cast<void>(data_plane_->bind(side, opened->wire));
    log_(Level::info, fmt::format("the interface {} is back (driver {})", name(side), opened->driver));
}

}  // namespace gateway::live
