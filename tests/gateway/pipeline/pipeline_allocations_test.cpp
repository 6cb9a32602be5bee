#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <cstring>
#include <new>

#include "gateway/live/egress.hpp"
#include "tests/support/pipeline_bench.hpp"

// What happens to packets that are no flow's first takes no memory from the heap.

namespace {

std::size_t allocations = 0;

void* allocate(std::size_t size, std::size_t alignment) {
    ++allocations;
    void* const memory = std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

// Of this whole executable; the array forms come here, too, and so do those that may fail (std::stable_sort's buffer).
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace pipeline_allocations_test {

using policy::Reason;
using namespace support;
using namespace std::chrono_literals;

class Silence final : public gateway::pipeline::Observer {
public:
    void judged(const gateway::pipeline::Judged&) override {}
    void rewritten(const gateway::pipeline::Judged&) override {}
    void synthesized(const captures::packet::Frame&) override {}
};

class NoWire final : public captures::port::Port {
public:
    std::size_t receive(std::span<captures::packet::Frame>) override { return 0; }
    bool send(const captures::packet::Frame&) override { return true; }
    void flush() override {}
    [[nodiscard]] int descriptor() const noexcept override { return -1; }
    [[nodiscard]] bool works() const noexcept override { return true; }
    Numbers numbers() override { return {}; }
};

/// Allocations while the frames are processed a second time, and a third.
std::size_t allocations_of(Bench& bench, const std::vector<OwnedFrame>& owned) {
    Silence silence;
    auto copies = owned;
    std::vector<captures::packet::Frame> frames(owned.size());
    std::size_t before = 0;
    for (int round = 0; round < 3; ++round) {
        if (round == 1) before = allocations;
        for (std::size_t i = 0; i < owned.size(); ++i) {
            frames[i] = copies[i].frame();
            std::memcpy(frames[i].data, owned[i].bytes().data(), owned[i].bytes().size());
        }
        bench.pipeline().process(frames, silence);
    }
    return allocations - before;
}

}  // namespace pipeline_allocations_test

BOOST_AUTO_TEST_SUITE(pipeline_allocations_test)

BOOST_AUTO_TEST_CASE(allocations_are_counted) {
    const auto before = allocations;
    const auto memory = std::make_unique<std::vector<int>>(100);
    BOOST_TEST(allocations == before + 2);
    BOOST_TEST(memory->size() == 100U);
}

BOOST_AUTO_TEST_CASE(established_packets_and_drops_take_no_memory) {
    Bench bench;
    bench.connect("198.51.100.7:40000");
    const auto window = bench.open_window("198.51.100.8", 1h);
    bench.from_outside(tcp("198.51.100.8:40000", "203.0.113.10:50022").syn());
    bench.cut(window);
    bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53"));
    struct Row {
        PacketBuilder packet;
        Reason reason;
    };
    const auto reply = tcp("203.0.113.10:8080", "198.51.100.7:40000").ack(1001).seq(5001);
    for (const auto& row : {
             Row{tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(5001).seq(1001), Reason::established},
             Row{udp("198.51.100.7:5000", "203.0.113.10:53").payload("question"), Reason::established},
             Row{tcp("10.1.0.4:80", "10.0.1.5:40000").ack(1001).seq(5001).inside(), Reason::reply},
             Row{udp("10.1.0.4:53", "10.0.1.5:5000").inside(), Reason::reply},
             Row{icmp_error(3, 1, "198.51.100.7", "203.0.113.10").quoting(reply), Reason::related},
             Row{tcp("198.51.100.7:40000", "203.0.113.10:9").syn(), Reason::no_listener},
             Row{tcp("198.51.100.7:40001", "203.0.113.10:8080").ack(1), Reason::invalid_state},
             Row{tcp("198.51.100.7:40001", "203.0.113.10:5432").syn(), Reason::no_nat_rule},
             Row{tcp("198.51.100.7:40001", "203.0.113.10:50022").syn(), Reason::jit_closed},
             Row{tcp("198.51.100.7:40001", "203.0.113.10:50080").syn(), Reason::nsg_deny},
             Row{tcp("198.51.100.8:40000", "203.0.113.10:50022").ack(1), Reason::window_cut},
             Row{tcp("10.1.0.4:80", "10.0.1.5:40009").ack(1).inside(), Reason::no_flow},
             Row{tcp("10.1.0.4:80", "203.0.113.10:80").syn().inside(), Reason::hairpin},
             Row{tcp("198.51.100.7:40000", "203.0.113.10:8080").ack(1).ttl(1), Reason::ttl_expired},
             Row{tcp("198.51.100.7:40000", "203.0.113.10:8080").syn().bad_ip_checksum(), Reason::malformed},
             Row{ipv6(), Reason::unsupported},
             Row{arp("198.51.100.7", "203.0.113.10"), Reason::not_ip},
         }) {
        const auto before = bench.count(row.reason);
        BOOST_TEST_CONTEXT(row.reason) {
            BOOST_TEST(allocations_of(bench, std::vector<OwnedFrame>(256, row.packet.build())) == 0U);
            BOOST_TEST(bench.count(row.reason) == before + 3UL * 256);
        }
    }
}

BOOST_AUTO_TEST_CASE(fragments_in_order_take_no_memory) {
    Bench bench;
    bench.from_outside(udp("198.51.100.7:5000", "203.0.113.10:53"));
    const auto fragments = fragments_of(udp("198.51.100.7:5000", "203.0.113.10:53").payload_size(1000).id(5), 64);
    BOOST_TEST(allocations_of(bench, fragments) == 0U);
    BOOST_TEST(bench.count(Reason::established) == 3 * fragments.size());
}

BOOST_AUTO_TEST_CASE(what_leaves_or_waits_for_a_neighbour_takes_no_memory) {
    using gateway::live::Egress;
    const auto own = Where{"10.1.0.1"}.endpoint.address;
    NoWire wire;
    Egress egress{{.address = own, .on_link = *captures::base::Prefix::parse("10.1.0.0/24")}, {}};
    const gateway::live::MacAddress us{std::byte{2}};
    const gateway::live::MacAddress vm{std::byte{2}, std::byte{1}};
    egress.bind(wire, us, 1500, start_time);
    auto fits = udp("198.51.100.7:5000", "10.1.0.4:53").build();
    auto long_one = udp("198.51.100.7:5000", "10.1.0.4:53").payload_size(9000).build();
    auto reply = gateway::live::build_arp(
        {gateway::live::ArpPacket::Operation::reply, vm, Where{"10.1.0.4"}.endpoint.address, us, own}, us);
    captures::packet::Frame answer;
    answer.data = reply.data();
    answer.captured = answer.length = static_cast<std::uint32_t>(reply.size());
    std::size_t before = 0;
    for (int round = 0; round < 3; ++round) {
        const auto now = start_time + round * 1h;  // the neighbour was forgotten in between
        while (egress.next_deadline() < now) egress.advance(egress.next_deadline());
        if (round == 1) before = allocations;
        BOOST_TEST((egress.send(fits, now) == Egress::Outcome::held));
        egress.receive_arp(answer, now);
        for (int i = 0; i < 100; ++i) {
            static_cast<void>(egress.send(fits, now));
            static_cast<void>(egress.send_copy(long_one, now));
        }
        egress.flush();
    }
    BOOST_TEST(allocations == before);
    BOOST_TEST(egress.numbers().fragmented == 300U);
}

BOOST_AUTO_TEST_SUITE_END()
