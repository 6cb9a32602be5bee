#include "tests/support/traffic_play.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <iterator>

namespace support {

using captures::packet::Side;
using gateway::pipeline::Vantage;
using policy::Fate;
using policy::Reason;
using What = TrafficStep::What;

namespace {

/// Only what reference and pipeline must agree about.
void make_comparable(Told& one) {
    one.before.clear();
    one.detail.clear();
    if (one.number != 0 && one.fate() != Fate::forward) one.side = Side::outside;
    if (one.reason == Reason::fragment) {
        one.rule.clear();
        one.window = 0;
    }
}

/// The frames that one cut sends come in an order of its own.
void sort_resets(std::vector<Told>& all, std::size_t from) {
    std::sort(all.begin() + static_cast<std::ptrdiff_t>(from), all.end(), [](const Told& one, const Told& other) {
        return std::pair{one.time, one.bytes} < std::pair{other.time, other.bytes};
    });
}

void append(std::vector<Told>& all, std::vector<Told> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

TrafficPlay make_up(std::uint64_t seed, Vantage vantage, std::size_t size) {
    RandomTraffic traffic{seed, vantage};
    ReferenceNat reference{traffic_configs()[0], vantage};
    TrafficPlay play;
    while (play.steps.size() < size) {
        auto step = traffic.next();
        std::vector<Told> told;
        switch (step.what) {
            case What::packet: told = reference.packet(step.frame->frame()); break;
            case What::open_window: reference.open_window(step.source, step.duration, step.time); break;
            case What::close_window: reference.close_window(step.window); break;
            case What::cut_window: told = reference.cut(step.window, step.time); break;
            case What::reload: reference.reload(traffic_configs()[step.config]); break;
        }
        for (auto& one : told) {
            const bool its_own = step.what == What::packet && one.number == step.frame->frame().number;
            if (!its_own || one.fate() != Fate::forward || one.side != Side::inside) continue;
            const auto packet = captures::packet::decode(one.frame());
            if (packet.kind != captures::packet::Kind::tcp && packet.kind != captures::packet::Kind::udp) continue;
            if (one.reason != Reason::reply) traffic.learn(step.talk, packet.tuple.source, packet.tuple.destination);
        }
        const auto from = play.expected.size();
        append(play.expected, std::move(told));
        if (step.what == What::cut_window) sort_resets(play.expected, from);
        play.steps.push_back(std::move(step));
    }
    append(play.expected, reference.finish());
    std::ranges::for_each(play.expected, make_comparable);
    return play;
}

std::vector<Told> TrafficStage::play(const std::vector<TrafficStep>& steps, std::size_t burst) {
    std::vector<Told> all;
    for (const auto& step : steps) {
        if (step.what == What::packet) {
            auto owned = *step.frame;
            frames_.push_back(owned.frame());
            bytes_.push_back(owned.bytes());
            if (frames_.size() == burst) feed();
            continue;
        }
        feed();
        append(all, bench_.all_told());
        const auto from = all.size();
        happen(step);
        append(all, bench_.all_told());
        if (step.what == What::cut_window) sort_resets(all, from);
    }
    feed();
    bench_.finish();
    append(all, bench_.all_told());
    return all;
}

std::vector<Told> TrafficStage::play_comparable(const std::vector<TrafficStep>& steps, std::size_t burst) {
    auto all = play(steps, burst);
    std::ranges::for_each(all, make_comparable);
    return all;
}

void TrafficStage::feed() {
    for (std::size_t i = 0; i < frames_.size(); ++i) frames_[i].data = bytes_[i].data();
    bench_.feed(frames_);
    frames_.clear();
    bytes_.clear();
}

void TrafficStage::happen(const TrafficStep& step) {
    bench_.set_clock(step.time);
    switch (step.what) {
        case What::packet: break;
        case What::open_window: bench_.open_window(step.source, step.duration); break;
        case What::close_window: bench_.close_window(step.window); break;
        case What::cut_window: bench_.cut(step.window); break;
        case What::reload: bench_.reload(traffic_configs()[step.config]); break;
    }
}

bool check_same(const std::vector<Told>& found, const std::vector<Told>& expected) {
    const auto [one, other] = std::ranges::mismatch(found, expected);
    if (one == found.end() && other == expected.end()) return true;
    const auto at = one - found.begin();
    std::string before;
    for (auto i = std::max<std::ptrdiff_t>(at - 4, 0); i < at; ++i) {
        before += "  " + to_string(found[static_cast<std::size_t>(i)]) + '\n';
    }
    BOOST_ERROR("they part at " << at << " of " << found.size() << " and " << expected.size() << "\nbefore:\n"
                                << before << "\nfound: " << (one == found.end() ? "the end" : to_string(*one))
                                << "\nexpected: " << (other == expected.end() ? "the end" : to_string(*other)));
    return false;
}

}  // namespace support
