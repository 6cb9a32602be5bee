#pragma once

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/live/neighbours.hpp"
#include "tests/support/packet_builder.hpp"

/// A side's neighbours and their link, where what is said is one line each: `request 10.0.1.5/us 10.0.1.9/- to all`.
namespace support::neighbours_lab {

using captures::base::Ipv4Address;
using captures::base::Prefix;
using captures::base::Time;
using captures::packet::Frame;
using gateway::live::ArpPacket;
using gateway::live::broadcast_mac;
using gateway::live::build_arp;
using gateway::live::MacAddress;
using gateway::live::Neighbours;
using gateway::live::NeighbourSink;
using support::start_time;
using Resolution = Neighbours::Resolution;

using Lines = std::vector<std::string>;

inline Ipv4Address ip(std::string_view text) { return Ipv4Address::parse(text).value(); }

/// Of a host in this test, by a number.
inline MacAddress mac(unsigned host) { return {std::byte{2}, {}, {}, {}, std::byte(host >> 8), std::byte(host)}; }
inline const MacAddress us = mac(0xffff);

inline std::string text_of(const MacAddress& address) {
    if (address == us) return "us";
    if (address == broadcast_mac) return "all";
    if (address == MacAddress{}) return "-";
    return "m" + std::to_string(std::to_integer<unsigned>(address[4]) * 256 + std::to_integer<unsigned>(address[5]));
}

/// Writes down what a side does, a line each.
class Wire final : public NeighbourSink {
public:
    void send_arp(std::span<const std::byte> frame) override {
        BOOST_TEST(frame.size() >= 60U);
        const auto packet = gateway::live::parse_arp(frame).value();
        MacAddress to;
        std::copy_n(frame.begin(), 6, to.begin());
        BOOST_TEST(std::equal(us.begin(), us.end(), frame.begin() + 6));
        lines.push_back((packet.operation == ArpPacket::Operation::request ? "request " : "reply ") +
                        to_string(packet.sender) + "/" + text_of(packet.sender_mac) + " " + to_string(packet.target) +
                        "/" + text_of(packet.target_mac) + " to " + text_of(to));
    }
    void release(const Frame& frame, const MacAddress& to) override {
        lines.push_back("release " + std::to_string(frame.number) + " to " + text_of(to));
        released.push_back({frame.bytes().begin(), frame.bytes().end()});
        offloads.push_back(frame.offload);
    }
    void abandon(const Frame& frame) override { lines.push_back("abandon " + std::to_string(frame.number)); }

    /// What was done since this was asked last.
    Lines done() { return std::exchange(lines, {}); }

    Lines lines;
    std::vector<std::vector<std::byte>> released;
    std::vector<captures::packet::Offload> offloads;
};

/// A host's ARP packet and the Ethernet header before it.
struct Said {
    ArpPacket::Operation operation;
    unsigned host;
    const char* sender;
    const char* target;
    MacAddress to = broadcast_mac;
    MacAddress target_mac{};
};

inline Said asks(unsigned host, const char* sender, const char* target) {
    return {ArpPacket::Operation::request, host, sender, target};
}
inline Said answers(unsigned host, const char* sender) {
    return {ArpPacket::Operation::reply, host, sender, "10.0.1.5", us, us};
}
inline Said announces(unsigned host, const char* address) { return asks(host, address, address); }

struct Lab {
    Wire wire;
    Neighbours neighbours{{.mac = us,
                           .address = ip("10.0.1.5"),
                           .on_link = *Prefix::parse("10.0.1.0/24"),
                           .others = {ip("10.0.1.6"), ip("203.0.113.10")}},
                          wire};
    Time now = start_time;
    std::uint64_t number = 0;

    void receive(std::vector<std::byte> bytes) {
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(bytes.size());
        BOOST_TEST(gateway::live::is_arp(bytes));
        neighbours.receive(frame, now);
    }
    void receive(const Said& said) { receive(bytes_of(said)); }
    static std::vector<std::byte> bytes_of(const Said& said) {
        const auto frame = build_arp(
            {said.operation, mac(said.host), ip(said.sender), said.target_mac, ip(said.target)}, said.to);
        return {frame.begin(), frame.end()};
    }

    void pass(captures::base::Duration duration) {
        const auto until = now + duration;
        while (neighbours.next_deadline() <= until) {
            now = neighbours.next_deadline();
            neighbours.advance(now);
            BOOST_REQUIRE((neighbours.next_deadline() > now));
        }
        now = until;
    }

    /// As a sender does: looks up, and holds what is not known yet. Frames count from 1.
    Resolution send(const char* to, std::size_t size = 100) {
        std::vector<std::byte> bytes(size, std::byte(++number));
        Frame frame;
        frame.data = bytes.data();
        frame.captured = frame.length = static_cast<std::uint32_t>(size);
        frame.number = number;
        frame.offload = {.segment_size = static_cast<std::uint16_t>(number), .partial_checksum = true};
        const auto answer = neighbours.look_up(ip(to), now);
        if (answer.resolution == Resolution::pending) neighbours.hold(ip(to), frame);
        last = answer.mac;
        return answer.resolution;
    }
    MacAddress last{};

    /// `10.0.1.9 m9 reachable`, a line each.
    Lines list() const {
        static constexpr const char* states[] = {"incomplete", "reachable", "stale", "probing", "unreachable"};
        Lines lines;
        for (const auto& entry : neighbours.list(now)) {
            lines.push_back(to_string(entry.address) + " " + (entry.mac ? text_of(*entry.mac) : "-") + " " +
                            states[static_cast<int>(entry.state)]);
        }
        return lines;
    }
    void make_reachable(unsigned host, const char* address) {
        BOOST_TEST_REQUIRE((send(address) == Resolution::pending));
        receive(answers(host, address));
        wire.done();
    }
};

inline void check(const Lines& actual, const Lines& expected, int line = __builtin_LINE()) {
    BOOST_TEST_CONTEXT("line " << line) BOOST_TEST(actual == expected, boost::test_tools::per_element());
}

}  // namespace support::neighbours_lab
