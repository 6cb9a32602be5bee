#include "captures/port/send_batch.hpp"

#include <cerrno>

#include <linux/if_packet.h>

namespace captures::port {

namespace {

constexpr int send_queue_bytes = 32 << 20;  ///< on their way, as the kernel counts them

template <class Value>
bool set_option(int socket, int level, int option, const Value& value) noexcept {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

}  // namespace

tl::expected<SendBatch, std::string> SendBatch::open(const Interface& interface) {
    SendBatch batch;
    batch.socket_ = base::FileDescriptor{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = interface.index;
    constexpr int yes = 1;
    if (!batch.socket_ || !set_option(batch.socket_.number(), SOL_PACKET, PACKET_VNET_HDR, yes) ||
        !set_option(batch.socket_.number(), SOL_SOCKET, SO_SNDBUFFORCE, send_queue_bytes) ||
        bind(batch.socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(interface_error(interface.name, "cannot send", errno));
    }
    batch.batch_ = std::make_unique<Messages>();
    auto& [headers, parts, messages] = *batch.batch_;
    for (std::size_t i = 0; i < packet::burst_capacity; ++i) {
        parts[i][0] = {&headers[i], sizeof headers[i]};
        messages[i].msg_hdr.msg_iov = parts[i].data();
        messages[i].msg_hdr.msg_iovlen = parts[i].size();
    }
    return batch;
}

bool SendBatch::add(const packet::Frame& frame) {
    if (count_ == packet::burst_capacity) flush();
    auto whole = frame;
    if (!hand_offload(whole, batch_->headers[count_])) {
        ++numbers_.not_sent;
        return false;
    }
    batch_->parts[count_][1] = {whole.data, whole.captured};
    ++count_;
    return true;
}

void SendBatch::flush() {
    for (std::size_t done = 0; done < count_;) {
        const int sent = sendmmsg(socket_.number(), &batch_->messages[done], static_cast<unsigned>(count_ - done),
                                  MSG_DONTWAIT);
        for (int i = 0; i < sent; ++i)
            numbers_.sent_bytes += batch_->parts[done + static_cast<std::size_t>(i)][1].iov_len;
        if (sent > 0) {
            numbers_.sent += static_cast<std::uint64_t>(sent);
            done += static_cast<std::size_t>(sent);
            continue;
        }
        // This one is refused; the others go the same way if the queue is full or the interface gone.
        const bool all = errno == EAGAIN || errno == ENETDOWN || errno == ENXIO || errno == ENODEV;
        const auto lost = all ? count_ - done : 1;
        numbers_.not_sent += lost;
        done += lost;
    }
    count_ = 0;
}

}  // namespace captures::port
