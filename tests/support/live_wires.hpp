#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "captures/base/file_descriptor.hpp"
#include "captures/port/port.hpp"
#include "gateway/live/data_plane.hpp"
#include "tests/support/packet_builder.hpp"

/// A wire in memory, for tests of the live gateway that need no interface: what a test puts in arrives, and what the gateway
/// sends can be looked at. Any thread.
namespace support {

class MemoryWire {
public:
    static constexpr captures::port::MacAddress mac{std::byte{2}, {}, {}, {}, {}, std::byte{1}};

    /// Arrives, addressed to the gateway.
    void put(const PacketBuilder& packet) {
        const auto built = packet.build();
        std::vector<std::byte> bytes{built.bytes().begin(), built.bytes().end()};
        std::memcpy(bytes.data(), mac.data(), mac.size());
        const std::lock_guard lock{state_->mutex};
        state_->arriving.push_back(std::move(bytes));
        const std::uint64_t one = 1;
        static_cast<void>(::write(state_->event.number(), &one, sizeof one));
    }

    /// What has left, of EtherType IPv4 only.
    [[nodiscard]] std::vector<std::vector<std::byte>> left() const {
        const std::lock_guard lock{state_->mutex};
        return state_->left;
    }

    /// As when its interface is removed.
    void lose() { state_->works = false; }

    /// To be given to the gateway, once.
    [[nodiscard]] gateway::live::Wire wire(std::uint32_t mtu = 1500) const {
        return {std::make_unique<Port>(state_), mac, mtu};
    }

private:
    struct State {
        std::mutex mutex;
        std::deque<std::vector<std::byte>> arriving;
        std::vector<std::vector<std::byte>> left;
        captures::base::FileDescriptor event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
        std::atomic<bool> works{true};
    };

    class Port final : public captures::port::Port {
    public:
        explicit Port(std::shared_ptr<State> state) : state_{std::move(state)} {}

        std::size_t receive(std::span<captures::packet::Frame> frames) override {
            const std::lock_guard lock{state_->mutex};
            std::uint64_t ignored = 0;
            static_cast<void>(::read(state_->event.number(), &ignored, sizeof ignored));
            held_.clear();
            while (!state_->arriving.empty() && held_.size() < frames.size()) {
                held_.push_back(std::move(state_->arriving.front()));
                state_->arriving.pop_front();
                auto& frame = frames[held_.size() - 1];
                frame = {};
                frame.data = held_.back().data();
                frame.captured = frame.length = static_cast<std::uint32_t>(held_.back().size());
                ++numbers_.received;
                numbers_.received_bytes += frame.length;
            }
            return held_.size();
        }
        bool send(const captures::packet::Frame& frame) override {
            const std::lock_guard lock{state_->mutex};
            ++numbers_.sent;
            numbers_.sent_bytes += frame.captured;
            if (frame.data[12] == std::byte{8} && frame.data[13] == std::byte{0}) {
                state_->left.emplace_back(frame.bytes().begin(), frame.bytes().end());
            }
            return true;
        }
        void flush() override {}
        [[nodiscard]] int descriptor() const noexcept override { return state_->event.number(); }
        [[nodiscard]] bool works() const noexcept override { return state_->works; }
        Numbers numbers() override { return numbers_; }

    private:
        std::shared_ptr<State> state_;
        std::deque<std::vector<std::byte>> held_;
        Numbers numbers_;
    };

    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Whether it comes true; a busy machine has two minutes for it.
inline bool comes_true(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{2};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

}  // namespace support
