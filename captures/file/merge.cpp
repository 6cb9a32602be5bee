#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "captures/file/capture_reader.hpp"

namespace captures::file {

namespace {

/// One input and those of its frames that have not gone out yet.
struct Input {
    std::unique_ptr<Source> source;
    packet::Side side = packet::Side::outside;
    packet::Burst burst;
    std::size_t next = 0;
    bool ended = false;

    [[nodiscard]] bool exhausted() const noexcept { return next == burst.count; }
    [[nodiscard]] base::Time time() const noexcept { return burst.frames[next].time; }
    void refill();
    packet::Frame take() noexcept;
};

/// An input that breaks ends the whole: what the other one carried after its last good packet would be replayed
/// without its counterpart.
class Merge final : public Source {
public:
    Merge(std::unique_ptr<Source> outside, std::unique_ptr<Source> inside) {
        inputs_[0].source = std::move(outside);
        inputs_[1].source = std::move(inside);
        inputs_[1].side = packet::Side::inside;
    }

    void read(packet::Burst& burst) override;
    void use_zero_copy(const std::function<void()>& before_reuse) override {
        for (Input& input : inputs_) input.source->use_zero_copy(before_reuse);
    }
    [[nodiscard]] const std::optional<ReadError>& error() const noexcept override { return error_; }
    [[nodiscard]] std::optional<packet::LinkType> link_type() const noexcept override {
        const auto outside = inputs_[0].source->link_type();
        return outside ? outside : inputs_[1].source->link_type();
    }
    [[nodiscard]] Progress progress() const noexcept override;

private:
    std::array<Input, 2> inputs_;
    std::uint64_t delivered_ = 0;
    std::optional<ReadError> error_;
};

/// The frames that went out with the last burst have to live until this one is asked for, so an input is read
/// again only here, and the burst ends where one of them runs out.
void Merge::read(packet::Burst& burst) {
    burst.count = 0;
    auto& [outside, inside] = inputs_;
    for (Input& input : inputs_) {
        if (error_) return;
        if (!input.exhausted() || input.ended) continue;
        input.refill();
        if (input.ended) error_ = input.source->error();
    }
    if (error_) return;
    while (burst.count < packet::burst_capacity) {
        const bool outside_waits = outside.exhausted();
        const bool inside_waits = inside.exhausted();
        if ((outside_waits && !outside.ended) || (inside_waits && !inside.ended)) return;
        if (outside_waits && inside_waits) return;
        const bool inside_next = outside_waits || (!inside_waits && inside.time() < outside.time());
        packet::Frame& frame = burst.frames[burst.count++];
        frame = (inside_next ? inside : outside).take();
        frame.number = ++delivered_;
    }
}

Source::Progress Merge::progress() const noexcept {
    const Progress outside = inputs_[0].source->progress();
    const Progress inside = inputs_[1].source->progress();
    const bool known = outside.total > 0 && inside.total > 0;
    return {outside.done + inside.done, known ? outside.total + inside.total : 0};
}

void Input::refill() {
    source->read(burst);
    next = 0;
    ended = burst.count == 0;
}

packet::Frame Input::take() noexcept {
    packet::Frame frame = burst.frames[next++];
    frame.side = side;
    return frame;
}

}  // namespace

std::unique_ptr<Source> merge_sides(std::unique_ptr<Source> outside, std::unique_ptr<Source> inside) {
    return std::make_unique<Merge>(std::move(outside), std::move(inside));
}

}  // namespace captures::file
