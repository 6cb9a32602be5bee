#include "gateway/live/byte_ring.hpp"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace byte_ring_test {

using gateway::live::ByteRing;

bool write(ByteRing& ring, std::size_t size, unsigned char fill) {
    auto* const room = ring.claim(size);
    if (room == nullptr) return false;
    std::memset(room, fill, size);
    return true;
}

bool holds(std::span<const std::byte> record, std::size_t size, unsigned char fill) {
    return record.size() == size &&
           std::all_of(record.begin(), record.end(), [=](std::byte one) { return one == std::byte{fill}; });
}

}  // namespace byte_ring_test

BOOST_AUTO_TEST_SUITE(byte_ring_test)

BOOST_AUTO_TEST_CASE(records_come_out_as_they_went_in_once_they_are_published) {
    ByteRing ring{5000};
    BOOST_TEST(ring.capacity() == 8192U);
    BOOST_TEST(write(ring, 10, 1));
    BOOST_TEST(write(ring, 33, 2));
    BOOST_TEST(ring.front().empty());
    ring.publish();
    BOOST_TEST(holds(ring.front(), 10, 1));
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(ring.front().data()) % ByteRing::alignment == 0U);
    ring.pop();
    BOOST_TEST(holds(ring.front(), 33, 2));
    ring.pop();
    BOOST_TEST(ring.front().empty());
}

BOOST_AUTO_TEST_CASE(a_full_ring_refuses_and_takes_again_what_was_read) {
    ByteRing ring{4096};
    std::size_t taken = 0;
    while (write(ring, 100, static_cast<unsigned char>(taken))) ++taken;
    BOOST_TEST(taken == 4096U / (112 + 16));
    ring.publish();
    for (std::size_t i = 0; i < taken; ++i) {
        BOOST_TEST(holds(ring.front(), 100, static_cast<unsigned char>(i)));
        ring.pop();
        BOOST_TEST(write(ring, 100, 200));
        BOOST_TEST(!write(ring, 100, 201));
        ring.publish();
    }
    BOOST_TEST(holds(ring.front(), 100, 200));
}

BOOST_AUTO_TEST_CASE(what_could_never_fit_is_refused_at_once) {
    ByteRing ring{4096};
    BOOST_TEST(!write(ring, 2048, 1));
    BOOST_TEST(write(ring, 2032, 1));
}

BOOST_AUTO_TEST_CASE(two_threads_pass_any_sizes_in_order) {
    constexpr int count = 200'000;
    ByteRing ring{1 << 14};
    const auto size_of = [](int i) { return static_cast<std::size_t>(i) * 7919 % 3000; };
    std::thread writer{[&] {
        for (int i = 0; i < count;) {
            auto* const room = ring.claim(size_of(i) + sizeof i);
            if (room == nullptr) {
                ring.publish();
                std::this_thread::yield();
                continue;
            }
            std::memcpy(room, &i, sizeof i);
            std::memset(room + sizeof i, i & 0xff, size_of(i));
            if (++i % 5 == 0) ring.publish();
        }
        ring.publish();
    }};
    int wrong = 0;
    for (int i = 0; i < count;) {
        const auto record = ring.front();
        if (record.empty()) {
            std::this_thread::yield();
            continue;
        }
        int number = -1;
        std::memcpy(&number, record.data(), sizeof number);
        const bool right = number == i && holds(record.subspan(sizeof i), size_of(i), static_cast<unsigned char>(i));
        wrong += right ? 0 : 1;
        ring.pop();
        ++i;
    }
    writer.join();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
