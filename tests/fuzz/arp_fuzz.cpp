// Lets a hostile link speak ARP with a side's neighbours while packets are sent and time passes, and checks what they
// promise: bounds, nothing said for an address that is not the side's own, and deadlines that are met. Input: steps,
// each a byte and what it takes (see `step`).

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "gateway/live/neighbours.hpp"
#include "gateway/live/next_hop.hpp"

namespace {

using captures::base::Ipv4Address;
using captures::packet::Frame;
using gateway::live::ArpPacket;
using gateway::live::broadcast_mac;
using gateway::live::HeldFrames;
using gateway::live::MacAddress;
using gateway::live::Neighbours;

constexpr MacAddress us{std::byte{2}, {}, {}, {}, {}, std::byte{0xff}};
constexpr std::uint32_t network = 0x0a000000;  // 10.0.0.0/16
constexpr Ipv4Address own{network + 5};

void require(bool holds) {
    if (!holds) std::abort();
}

class Wire final : public gateway::live::NeighbourSink {
public:
    void send_arp(std::span<const std::byte> frame) override {
        const auto packet = gateway::live::parse_arp(frame);
        require(packet && packet->sender_mac == us);
        require(std::ranges::find(addresses, packet->sender) != addresses.end());
        MacAddress to;
        std::ranges::copy(frame.first(to.size()), to.begin());
        require(to == broadcast_mac || (gateway::live::is_station(to) && to != us));
    }
    void release(const Frame& frame, const MacAddress& to) override {
        require(gateway::live::is_station(to) && to != us);
        touch(frame);
    }
    void abandon(const Frame& frame) override { touch(frame); }

    std::vector<Ipv4Address> addresses{own};

private:
    static void touch(const Frame& frame) {
        for (const auto byte : frame.bytes()) require(byte == frame.bytes().front());
    }
};

/// The fuzzer's bytes; zeros when there are no more.
class Script {
public:
    explicit Script(std::span<const std::uint8_t> bytes) : left_{bytes} {}

    [[nodiscard]] bool is_over() const { return left_.empty(); }
    std::uint8_t u8() {
        if (left_.empty()) return 0;
        const auto value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    std::uint16_t u16() {
        const unsigned high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }

private:
    std::span<const std::uint8_t> left_;
};

class Lab {
public:
    void step(Script& script) {
        switch (script.u8() % 7) {
            case 0: receive(any_frame(script)); break;
            case 1: receive(sound_frame(script)); break;
            case 2: send({network + script.u16()}, script.u8()); break;
            case 3: pass(std::chrono::milliseconds{100} * script.u8()); break;
            case 4: own_others(script); break;
            case 5: neighbours_.restart({.mac = us, .address = own, .on_link = link_, .others = others_}, now_); break;
            default: send_many(script.u16()); break;
        }
        require(neighbours_.frames_held() <= HeldFrames::most_frames);
        require(neighbours_.next_deadline() > now_);
    }
    void finish() {
        pass(std::chrono::minutes{10});
        require(neighbours_.list(now_).empty() && neighbours_.frames_held() == 0);
        require(neighbours_.next_deadline() == captures::base::Time::max());
    }

private:
    static std::vector<std::byte> any_frame(Script& script) {
        std::vector<std::byte> bytes(14 + script.u8() % 64);
        for (auto& byte : bytes) byte = std::byte{script.u8()};
        bytes[12] = std::byte{0x08};
        bytes[13] = std::byte{0x06};
        return bytes;
    }
    static std::vector<std::byte> sound_frame(Script& script) {
        ArpPacket packet;
        const auto kind = script.u8();
        packet.operation = (kind & 1) != 0 ? ArpPacket::Operation::reply : ArpPacket::Operation::request;
        packet.sender_mac = {std::byte{2}, {}, {}, {}, {}, std::byte{script.u8()}};
        packet.sender = {(kind & 4) != 0 ? 0 : network + script.u16()};
        packet.target = {network + script.u16()};
        const auto frame = gateway::live::build_arp(packet, (kind & 2) != 0 ? us : broadcast_mac);
        return {frame.begin(), frame.end()};
    }
    void receive(std::vector<std::byte> bytes) {
        bytes.shrink_to_fit();
        neighbours_.receive(frame_of(bytes), now_);
    }
    void send(Ipv4Address to, std::size_t size) {
        std::vector<std::byte> bytes(std::max<std::size_t>(size, 1) * 200, std::byte{0x5a});
        const auto answer = neighbours_.look_up(to, now_);
        const bool is_own = std::ranges::find(wire_.addresses, to) != wire_.addresses.end();
        require(!is_own || answer.resolution == Neighbours::Resolution::unreachable);
        if (answer.resolution == Neighbours::Resolution::known) {
            require(gateway::live::is_station(answer.mac) && answer.mac != us);
        }
        if (answer.resolution == Neighbours::Resolution::pending) neighbours_.hold(to, frame_of(bytes));
    }
    void send_many(std::uint32_t first) {
        if (floods_ == most_floods) return;
        ++floods_;
        for (std::uint32_t i = 0; i < 1000; ++i) send({network + (first + i) % 0x10000}, 1);
        require(neighbours_.list(now_).size() <= Neighbours::capacity);
    }
    void own_others(Script& script) {
        others_.clear();
        for (auto count = script.u8() % 4; count > 0; --count) others_.push_back({network + script.u16()});
        wire_.addresses = others_;
        wire_.addresses.push_back(own);
        neighbours_.answer_for(others_, now_);
    }
    void pass(captures::base::Duration duration) {
        const auto until = now_ + duration;
        while (neighbours_.next_deadline() <= until) {
            now_ = neighbours_.next_deadline();
            neighbours_.advance(now_);
            require(neighbours_.next_deadline() > now_);
        }
        now_ = until;
    }
    static Frame frame_of(std::vector<std::byte>& bytes) {
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        return frame;
    }

    static constexpr int most_floods = 6;  ///< enough to fill the table; more only takes time

    int floods_ = 0;
    captures::base::Prefix link_{{network}, 16};
    std::vector<Ipv4Address> others_;
    Wire wire_;
    Neighbours neighbours_{{.mac = us, .address = own, .on_link = link_, .others = {}}, wire_};
    captures::base::Time now_{std::chrono::hours{1}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script{{data, size}};
    Lab lab;
    while (!script.is_over()) lab.step(script);
    lab.finish();
    return 0;
}
