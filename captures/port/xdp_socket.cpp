#include "captures/port/xdp_socket.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

namespace captures::port {

namespace {

constexpr std::align_val_t page{XdpMemory::largest_chunk};
/// Times the chunks of one socket: two sockets fill the ring, and the kernel is late.
constexpr std::uint32_t fill_room = 4;

}  // namespace

XdpMemory::XdpMemory(std::size_t chunks, std::uint32_t chunk_size)
    : size_(chunks * chunk_size),
      chunk_size_(chunk_size),
      area_(static_cast<std::byte*>(::operator new(size_, page))) {}

void XdpMemory::Delete::operator()(std::byte* area) const noexcept { ::operator delete(area, page); }

void XdpMemory::Delete::operator()(xsk_umem* umem) const noexcept { static_cast<void>(xsk_umem__delete(umem)); }

std::vector<std::uint64_t> XdpMemory::give_out(std::size_t chunks) {
    assert(given_out_ + chunks * chunk_size_ <= size_);
    std::vector<std::uint64_t> addresses(chunks);
    for (auto& address : addresses) {
        address = given_out_;
        given_out_ += chunk_size_;
    }
    return addresses;
}

tl::expected<std::unique_ptr<XdpSocket>, int> XdpSocket::open(XdpMemory& memory, const Settings& settings) {
    std::unique_ptr<XdpSocket> made{new XdpSocket{memory}};
    if (const int error = made->open(settings); error != 0) return tl::unexpected(error);
    return made;
}

int XdpSocket::open(const Settings& settings) {
    const bool first = settings.first == nullptr;
    if (first) {
        const xsk_umem_config config{fill_room * settings.chunks, std::max(settings.send_chunks, 1U),
                                     memory_.chunk_size_, 0, 0};
        xsk_umem* umem = nullptr;
        if (const int failed = xsk_umem__create(&umem, memory_.area_.get(), memory_.size_, &own_fill_, &completion_,
                                                &config);
            failed != 0) {
            return -failed;
        }
        memory_.umem_.reset(umem);
    }
    xsk_socket_config config{};
    config.rx_size = settings.chunks;
    config.tx_size = settings.send_chunks;
    config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;  // NOLINT(*-union-access): its other name is older
    config.xdp_flags = settings.native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    // Without a word on copies the kernel tries to do without them.
    config.bind_flags = static_cast<std::uint16_t>(XDP_USE_NEED_WAKEUP | (settings.native ? 0 : XDP_COPY));
    if (const int failed = xsk_socket__create_shared(
            &socket_, settings.interface.c_str(), settings.queue, memory_.umem_.get(), &receive_,
            settings.send_chunks == 0 ? nullptr : &send_, &own_fill_, &completion_, &config);
        failed != 0) {
        if (first) memory_.umem_.reset();  // which has our rings
        return -failed;
    }
    if (settings.send_chunks != 0) make_room_to_send(settings);
    if (!first) fill_ = settings.first->fill_;
    std::uint32_t at = 0;
    static_cast<void>(xsk_ring_prod__reserve(fill_, settings.chunks, &at));
    for (const auto address : memory_.give_out(settings.chunks)) *xsk_ring_prod__fill_addr(fill_, at++) = address;
    xsk_ring_prod__submit(fill_, settings.chunks);
    return 0;
}

/// Else the kernel's buffers for a few hundred small frames would be all that the socket may have.
void XdpSocket::make_room_to_send(const Settings& settings) {
    free_ = memory_.give_out(settings.send_chunks);
    const auto bytes = static_cast<int>(settings.send_chunks * memory_.chunk_size());
    static_cast<void>(setsockopt(descriptor(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes));
}

XdpSocket::~XdpSocket() { xsk_socket__delete(socket_); }

std::size_t XdpSocket::receive(std::span<packet::Frame> frames) noexcept {
    std::uint32_t at = 0;
    const auto count = xsk_ring_cons__peek(&receive_, static_cast<std::uint32_t>(frames.size()), &at);
    for (packet::Frame& frame : frames.first(count)) {
        const auto& arrived = *xsk_ring_cons__rx_desc(&receive_, at++);
        frame = {};
        frame.data = memory_.at(arrived.addr);
        frame.captured = frame.length = arrived.len;
    }
    held_ += count;
    return count;
}

base::Time XdpSocket::time_of(const packet::Frame& frame) noexcept {
    std::uint64_t nanoseconds = 0;
    std::memcpy(&nanoseconds, frame.data - sizeof nanoseconds, sizeof nanoseconds);
    return base::Time{std::chrono::nanoseconds{nanoseconds}};
}

void XdpSocket::release(std::size_t count) noexcept {
    const auto chunks = static_cast<std::uint32_t>(count);
    if (chunks == 0) return;
    std::uint32_t to = 0;
    // There is room: see the class.
    static_cast<void>(xsk_ring_prod__reserve(fill_, chunks, &to));
    auto from = receive_.cached_cons - held_;
    for (const auto end = from + chunks; from != end; ++from) {
        *xsk_ring_prod__fill_addr(fill_, to++) = xsk_ring_cons__rx_desc(&receive_, from)->addr;
    }
    xsk_ring_prod__submit(fill_, chunks);
    xsk_ring_cons__release(&receive_, chunks);
    held_ -= chunks;
    if (xsk_ring_prod__needs_wakeup(fill_) != 0) {
        static_cast<void>(recvfrom(descriptor(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr));
    }
}

std::uint64_t XdpSocket::not_received() const noexcept {
    xdp_statistics seen{};
    socklen_t size = sizeof seen;
    if (getsockopt(descriptor(), SOL_XDP, XDP_STATISTICS, &seen, &size) != 0) return 0;
    return seen.rx_dropped + seen.rx_ring_full;
}

std::span<std::byte> XdpSocket::room() noexcept {
    if (free_.empty()) reclaim();
    if (free_.empty()) return {};
    return {memory_.at(free_.back()), memory_.chunk_size()};
}

void XdpSocket::put(std::uint32_t bytes) noexcept {
    std::uint32_t at = 0;
    static_cast<void>(xsk_ring_prod__reserve(&send_, 1, &at));  // it has room for all chunks
    *xsk_ring_prod__tx_desc(&send_, at) = {free_.back(), bytes, 0};
    free_.pop_back();
    ++put_;
}

void XdpSocket::reclaim() noexcept {
    std::uint32_t at = 0;
    const auto count = xsk_ring_cons__peek(&completion_, completion_.size, &at);
    for (std::uint32_t i = 0; i < count; ++i) free_.push_back(*xsk_ring_cons__comp_addr(&completion_, at++));
    xsk_ring_cons__release(&completion_, count);
}

std::uint32_t XdpSocket::waiting() const noexcept {
    return send_.cached_prod - __atomic_load_n(send_.consumer, __ATOMIC_ACQUIRE);
}

XdpSocket::Flushed XdpSocket::flush() noexcept {
    Flushed flushed;
    if (put_ != 0) xsk_ring_prod__submit(&send_, put_);
    put_ = 0;
    for (auto left = waiting(); left != 0 && xsk_ring_prod__needs_wakeup(&send_) != 0;) {
        const bool done = sendto(descriptor(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0;
        if (!done && errno == EBUSY) {
            ++flushed.refused;
        } else if (!done && errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
            flushed.error = errno;
            break;
        }
        // The kernel takes so many at a time and asks for another call. If it took none, it has no room.
        const auto still = waiting();
        flushed.again = still == left;
        if (flushed.again) break;
        left = still;
    }
    return flushed;
}

}  // namespace captures::port
