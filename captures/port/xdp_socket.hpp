#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xdp/xsk.h>
#include <tl/expected.hpp>

#include "captures/packet/frame.hpp"

namespace captures::port {

/// The memory that the kernel and the AF_XDP sockets of one queue share (UMEM), in chunks that take a frame each.
/// Locked once a socket is open on it: RLIMIT_MEMLOCK counts it where CAP_IPC_LOCK is wanting.
class XdpMemory {
public:
    /// What the kernel leaves free before a frame that it puts into a chunk (XDP_PACKET_HEADROOM).
    static constexpr std::uint32_t headroom = 256;
    static constexpr std::uint32_t largest_chunk = 4096;  // a page

    /// `chunk_size`: 2048 or 4096.
    XdpMemory(std::size_t chunks, std::uint32_t chunk_size);

    /// Addresses of chunks that have not been given out before. Precondition: there are so many.
    [[nodiscard]] std::vector<std::uint64_t> give_out(std::size_t chunks);

    [[nodiscard]] std::uint32_t chunk_size() const noexcept { return chunk_size_; }
    [[nodiscard]] std::byte* at(std::uint64_t address) const noexcept { return area_.get() + address; }

private:
    friend class XdpSocket;

    struct Delete {
        void operator()(std::byte* area) const noexcept;
        void operator()(xsk_umem* umem) const noexcept;
    };

    std::size_t size_;
    std::uint32_t chunk_size_;
    std::uint64_t given_out_ = 0;  ///< bytes
    std::unique_ptr<std::byte, Delete> area_;
    std::unique_ptr<xsk_umem, Delete> umem_;
};

/// An AF_XDP socket on one queue of an interface: receives what is steered to it, and sends.
///
/// Theory of operation (kernel: Documentation/networking/af_xdp.rst). Chunks for what arrives go round: fill ring, kernel,
/// receive ring, the caller, and back into the fill ring; that has twice the room that they need, since the kernel is late
/// to say what it has taken out. Sockets of one queue have the same fill ring, and chunks for all that wait in both. Chunks
/// for what is sent are others: free, send ring, kernel, completion ring, free. So neither way can starve the other.
class XdpSocket {
public:
    struct Settings {
        std::string interface;
        std::uint32_t queue = 0;
        bool native = false;            ///< as the XDP program is attached
        std::uint32_t chunks = 0;       ///< for what waits to be received; a power of two
        std::uint32_t send_chunks = 0;  ///< a power of two; 0: it does not send
        XdpSocket* first = nullptr;     ///< of this queue, if this is not; outlives it
    };
    /// `memory` outlives it. The error is an error number; EBUSY: another socket has the queue, or had it until just now.
    [[nodiscard]] static tl::expected<std::unique_ptr<XdpSocket>, int> open(XdpMemory& memory,
                                                                            const Settings& settings);
    XdpSocket(const XdpSocket&) = delete;
    XdpSocket& operator=(const XdpSocket&) = delete;
    ~XdpSocket();

    [[nodiscard]] int descriptor() const noexcept { return xsk_socket__fd(socket_); }

    /// As an ArrivalQueue's.
    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) noexcept;
    void release(std::size_t count) noexcept;
    [[nodiscard]] static base::Time time_of(const packet::Frame& frame) noexcept;

    /// Frames since the opening for which there was no chunk, or that were larger than one.
    [[nodiscard]] std::uint64_t not_received() const noexcept;

    /// Room for the next frame to be sent; empty: there is none now.
    [[nodiscard]] std::span<std::byte> room() noexcept;
    /// So many bytes of the room are a frame.
    void put(std::uint32_t bytes) noexcept;

    struct Flushed {
        std::uint32_t refused = 0;  ///< frames: by the interface
        bool again = false;         ///< there was no room for all now: some wait for the next flush
        int error = 0;              ///< the socket is of no use any more
    };
    /// Has the kernel send what was put.
    Flushed flush() noexcept;

private:
    explicit XdpSocket(XdpMemory& memory) noexcept : memory_(memory) {}

    [[nodiscard]] int open(const Settings& settings);
    void make_room_to_send(const Settings& settings);
    void reclaim() noexcept;
    [[nodiscard]] std::uint32_t waiting() const noexcept;

    XdpMemory& memory_;
    xsk_socket* socket_ = nullptr;
    xsk_ring_prod own_fill_{};
    xsk_ring_prod* fill_ = &own_fill_;
    xsk_ring_cons receive_{};
    xsk_ring_prod send_{};
    xsk_ring_cons completion_{};
    std::uint32_t held_ = 0;           ///< of the receive ring, by the caller
    std::uint32_t put_ = 0;            ///< since the last flush
    std::vector<std::uint64_t> free_;  ///< chunks to send
};

}  // namespace captures::port
