#include "captures/port/receive_ring.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "captures/base/bytes.hpp"
#include "captures/port/vnet_header.hpp"

namespace captures::port {

namespace {

constexpr std::uint32_t block_size = 1U << 16;
constexpr std::uint32_t ring_bytes = 8U << 20;
constexpr std::uint32_t largest_slot = 1U << 14;  ///< jumbo frames; what is longer is read
constexpr int queue_bytes = 32 << 20;             ///< of whole frames, as the kernel counts them
constexpr std::uint32_t longest_whole = 65535 + 14 + 8;
constexpr std::uint32_t tag_size = 4;

constexpr std::uint32_t aligned(std::uint32_t size) noexcept {
    return (size + TPACKET_ALIGNMENT - 1U) & ~(TPACKET_ALIGNMENT - 1U);
}

/// Before the frame: the kernel's header of a slot, with the alignment of tpacket_rcv, and ours.
constexpr std::uint32_t slot_header = aligned(aligned(sizeof(tpacket2_hdr)) + sizeof(sockaddr_ll) + 16) +
                                      sizeof(VnetHeader);

template <class Value>
bool set(int socket, int level, int option, const Value& value) noexcept {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

}  // namespace

/// One, as the kernel fills it.
class ReceiveRing::Slot {
public:
    explicit Slot(std::byte* at) noexcept : header_(reinterpret_cast<tpacket2_hdr*>(at)) {}

    [[nodiscard]] std::uint32_t status() const noexcept {
        return std::atomic_ref{header_->tp_status}.load(std::memory_order_acquire);
    }
    void give_back() const noexcept {
        std::atomic_ref{header_->tp_status}.store(TP_STATUS_KERNEL, std::memory_order_release);
    }
    [[nodiscard]] const tpacket2_hdr& header() const noexcept { return *header_; }
    [[nodiscard]] std::byte* frame() const noexcept { return reinterpret_cast<std::byte*>(header_) + header_->tp_mac; }

private:
    tpacket2_hdr* header_;
};

namespace {

/// Puts back in the tag that the kernel took out; there are 4 bytes of room before the frame.
void insert_tag(const tpacket2_hdr& slot, packet::Frame& frame, VnetHeader& offload) noexcept {
    constexpr std::size_t addresses = 12;
    std::memmove(frame.data - tag_size, frame.data, addresses);
    frame.data -= tag_size;
    frame.captured += tag_size;
    frame.length += tag_size;
    const bool named = (slot.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
    base::store_be16(frame.data + addresses, named ? slot.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q});
    base::store_be16(frame.data + addresses + 2, slot.tp_vlan_tci);
    offload.checksum_start += tag_size;
}

}  // namespace

tl::expected<ReceiveRing, std::string> ReceiveRing::open(const Interface& interface, Share share) {
    const auto failed = [&] { return tl::unexpected(interface_error(interface.name, "no packet ring", errno)); };
    ReceiveRing ring;
    ring.socket_ = base::FileDescriptor{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!ring.socket_) return failed();
    const int socket = ring.socket_.number();

    ring.slot_size_ = std::min(aligned(slot_header + interface.largest_frame()), largest_slot);
    ring.slots_a_block_ = block_size / ring.slot_size_;
    ring.slots_ = ring.slots_a_block_ * (ring_bytes / block_size);
    const tpacket_req geometry{block_size, ring_bytes / block_size, ring.slot_size_, ring.slots_};
    constexpr int yes = 1;
    if (!set(socket, SOL_PACKET, PACKET_VERSION, int{TPACKET_V2}) || !set(socket, SOL_PACKET, PACKET_VNET_HDR, yes) ||
        !set(socket, SOL_PACKET, PACKET_COPY_THRESH, yes) || !set(socket, SOL_PACKET, PACKET_RX_RING, geometry)) {
        return failed();
    }
    // Else each frame that anybody here sends is put in the ring, too: Linux 4.20.
    if (!set(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, yes)) return failed();
    if (!set(socket, SOL_SOCKET, SO_RCVBUFFORCE, queue_bytes)) return failed();
    if (!take_only(socket, share)) return failed();
    ring.memory_ = {mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket, 0),
                    ring_bytes};
    if (ring.memory_.data() == nullptr) return failed();
    ring.whole_ = std::make_unique_for_overwrite<std::byte[]>(whole_bytes + longest_whole + tag_size);

    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = interface.index;
    if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return failed();
    return ring;
}

ReceiveRing::Slot ReceiveRing::slot(std::uint32_t index) const noexcept {
    const std::size_t block = index / slots_a_block_;
    return Slot{memory_.data() + block * block_size + std::size_t{index % slots_a_block_} * slot_size_};
}

std::size_t ReceiveRing::receive(std::span<packet::Frame> frames) {
    std::size_t count = 0;
    while (count < frames.size() && can_receive() && used_ < slots_) {
        const auto filled = slot(next_);
        if ((filled.status() & TP_STATUS_USER) == 0) break;
        next_ = next_ + 1 == slots_ ? 0 : next_ + 1;
        ++used_;
        if (take(filled, frames[count])) {
            used_for_[held_ + count++] = used_;
        } else {
            ++lost_;
        }
    }
    held_ += count;
    return count;
}

void ReceiveRing::release(std::size_t count) noexcept {
    auto unused = used_;
    if (count < held_) unused = count == 0 ? 0 : used_for_[count - 1];
    for (auto index = next_ + slots_ - used_, left = unused; left > 0; --left, ++index)
        slot(index % slots_).give_back();
    used_ -= unused;
    held_ -= count;
    for (std::size_t i = 0; i < held_; ++i) used_for_[i] = used_for_[i + count] - unused;
    if (held_ == 0) whole_size_ = 0;
}

bool ReceiveRing::take(const Slot& slot, packet::Frame& frame) {
    const auto& header = slot.header();
    VnetHeader offload;
    std::memcpy(&offload, slot.frame() - sizeof offload, sizeof offload);
    frame = {};
    frame.data = slot.frame();
    frame.captured = header.tp_snaplen;
    frame.length = header.tp_len;
    frame.time = base::Time{std::chrono::seconds{header.tp_sec} + std::chrono::nanoseconds{header.tp_nsec}};
    if ((header.tp_status & TP_STATUS_COPY) != 0 && !read_whole(frame, offload)) return false;
    if (frame.captured != frame.length) return false;  // the queue was full
    if ((header.tp_status & TP_STATUS_VLAN_VALID) != 0) [[unlikely]]
        insert_tag(header, frame, offload);
    return take_offload(offload, frame);
}

/// What the slot holds the beginning of. Behind the last one; there is room for one more.
bool ReceiveRing::read_whole(packet::Frame& frame, VnetHeader& offload) {
    std::byte* const at = whole_.get() + whole_size_ + tag_size;
    std::array<iovec, 2> parts{{{&offload, sizeof offload}, {at, longest_whole}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const auto got = recvmsg(socket_.number(), &message, MSG_DONTWAIT | MSG_TRUNC);
    works_ = works_ && got >= 0;  // what is told before all else
    if (got != static_cast<ssize_t>(sizeof offload + frame.length) || frame.length > longest_whole) return false;
    frame.data = at;
    frame.captured = frame.length;
    whole_size_ += frame.length + tag_size;
    return true;
}

std::uint64_t ReceiveRing::lost() {
    tpacket_stats since{};  // the kernel's begin anew with each look
    socklen_t size = sizeof since;
    if (getsockopt(socket_.number(), SOL_PACKET, PACKET_STATISTICS, &since, &size) == 0) lost_ += since.tp_drops;
    return lost_;
}

}  // namespace captures::port
