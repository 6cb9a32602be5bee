#include "captures/port/live_port.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <linux/if_packet.h>
#include <pcap.h>
#include <sys/socket.h>

#include "captures/port/arrival_filter.hpp"
#include "captures/port/interface.hpp"
#include "captures/port/lanes.hpp"
#include "captures/port/link_watch.hpp"
#include "captures/port/offload.hpp"

namespace captures::port {

namespace {

using Handle = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

/// The largest IPv4 datagram, an Ethernet header and two VLAN tags: segments of a connection come uncut. libpcap's slots are
/// as large, so more would be taken from their number.
constexpr int largest_uncut = 65535 + 14 + 8;
constexpr int ring_bytes = 16 << 20;  ///< of each queue

/// A socket of libpcap and a copy of what was read from it: libpcap's bytes are gone with the next read.
class PcapQueue {
public:
    PcapQueue(Handle handle, std::uint32_t mtu) : handle_(std::move(handle)), mtu_(mtu) {}

    [[nodiscard]] static bool can_receive() noexcept { return true; }
    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames);
    void release(std::size_t count) noexcept;
    [[nodiscard]] static base::Time time_of(const packet::Frame& frame) noexcept { return frame.time; }

    [[nodiscard]] pcap_t* handle() const noexcept { return handle_.get(); }
    [[nodiscard]] bool works() const noexcept { return works_; }
    /// Lost since the start: for want of room, or since nobody can know what they stand for.
    [[nodiscard]] std::uint64_t lost() const;

private:
    struct Hearing {
        PcapQueue& queue;
        std::span<packet::Frame> frames;
        std::size_t count;
    };
    static void take(u_char* hearing, const pcap_pkthdr* header, const u_char* bytes);
    [[nodiscard]] bool recognise_offload(packet::Frame& frame) const noexcept;

    Handle handle_;
    std::uint32_t mtu_;
    std::size_t slot_size_ = static_cast<std::size_t>(pcap_snapshot(handle_.get()));
    /// For a frame each, in a circle; what is never used is never backed by memory.
    std::unique_ptr<std::byte[]> slots_ = std::make_unique_for_overwrite<std::byte[]>(packet::burst_capacity *
                                                                                      slot_size_);
    std::size_t next_ = 0;  ///< slot
    std::size_t held_ = 0;  ///< slots before it
    std::uint64_t lost_ = 0;
    bool works_ = true;
};

std::size_t PcapQueue::receive(std::span<packet::Frame> frames) {
    Hearing hearing{*this, frames, 0};
    const int got = pcap_dispatch(handle_.get(), static_cast<int>(frames.size()), take,
                                  reinterpret_cast<u_char*>(&hearing));
    works_ = works_ && got >= 0;
    held_ += hearing.count;
    return hearing.count;
}

void PcapQueue::release(std::size_t count) noexcept {
    held_ -= count;
    if (held_ == 0) next_ = 0;  // the nearest caches know it
}

// NOLINTNEXTLINE(readability-non-const-parameter): what pcap_dispatch(3) calls has this type
void PcapQueue::take(u_char* hearing, const pcap_pkthdr* header, const u_char* bytes) {
    auto& [queue, frames, count] = *reinterpret_cast<Hearing*>(hearing);
    packet::Frame& frame = frames[count];
    frame = {};
    frame.data = queue.slots_.get() + queue.next_ * queue.slot_size_;
    frame.captured = frame.length = header->caplen;
    frame.time = base::Time{std::chrono::seconds{header->ts.tv_sec} + std::chrono::nanoseconds{header->ts.tv_usec}};
    const bool whole = header->caplen == header->len && header->caplen <= queue.slot_size_;
    if (whole) std::memcpy(frame.data, bytes, header->caplen);
    if (!whole || !queue.recognise_offload(frame)) {
        ++queue.lost_;
        return;
    }
    queue.next_ = (queue.next_ + 1) % packet::burst_capacity;
    ++count;
}

/// False: nobody can know what the frame stands for.
bool PcapQueue::recognise_offload(packet::Frame& frame) const noexcept {
    const auto transport = transport_of(frame);
    if (!transport) return true;
    frame.offload.partial_checksum = looks_partial(frame);
    const std::uint32_t headers = transport.ip.header_length() + transport.header;
    if (headers + transport.payload() <= mtu_) return true;
    if (!transport.is_tcp || headers >= mtu_) return false;
    frame.offload.segment_size = static_cast<std::uint16_t>(mtu_ - headers);
    frame.offload.size_is_guess = true;
    return true;
}

std::uint64_t PcapQueue::lost() const {
    pcap_stat seen{};
    return lost_ + (pcap_stats(handle_.get(), &seen) == 0 ? seen.ps_drop : 0);
}

class LivePort final : public Port {
public:
    LivePort(PcapQueue connections, PcapQueue others, LinkWatch watch)
        : lanes_(std::move(connections), std::move(others)), watch_(std::move(watch)) {}

    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) override;
    bool send(const packet::Frame& frame) override;
    void flush() override {}
    [[nodiscard]] int descriptor() const noexcept override { return watch_.descriptor(); }
    [[nodiscard]] bool works() const noexcept override { return works_; }
    [[nodiscard]] Numbers numbers() override;

private:
    [[nodiscard]] bool inject(std::span<const std::byte> frame);

    Lanes<PcapQueue> lanes_;
    LinkWatch watch_;
    Numbers numbers_;
    bool works_ = true;
    std::array<std::byte, largest_uncut> segment_;
};

std::size_t LivePort::receive(std::span<packet::Frame> frames) {
    const auto count = lanes_.receive(frames);
    numbers_.received += count;
    for (const packet::Frame& frame : frames.first(count)) numbers_.received_bytes += frame.length;
    if (count == 0) works_ = works_ && lanes_.connections().works() && lanes_.others().works() && watch_.link_is_up();
    return count;
}

bool LivePort::send(const packet::Frame& frame) {
    if (frame.offload.segment_size == 0) {
        if (frame.offload.partial_checksum) complete_checksum(frame);
        return inject(frame.bytes());
    }
    bool all = true;
    Segments segments{frame};
    if (segments.count() == 0 || segments.longest() > segment_.size()) return inject({});
    while (const auto length = segments.write_next(segment_)) all = inject({segment_.data(), length}) && all;
    return all;
}

bool LivePort::inject(std::span<const std::byte> frame) {
    if (frame.empty() || pcap_inject(lanes_.connections().handle(), frame.data(), frame.size()) < 0) {
        ++numbers_.not_sent;
        return false;
    }
    ++numbers_.sent;
    numbers_.sent_bytes += frame.size();
    return true;
}

Port::Numbers LivePort::numbers() {
    Numbers numbers = numbers_;
    numbers.not_received += lanes_.connections().lost() + lanes_.others().lost();
    return numbers;
}

/// What libpcap says of the step that failed.
std::string failure(pcap_t* handle, const std::string& interface, int status) {
    if (status == PCAP_ERROR_PERM_DENIED) return interface_error(interface, "cannot be opened", EPERM);
    const std::string detail = pcap_geterr(handle);
    return "interface " + interface + ": cannot be opened: " + (detail.empty() ? pcap_statustostr(status) : detail);
}

tl::expected<Handle, std::string> open_handle(const std::string& interface, Share share, int largest,
                                              LinkWatch& watch) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    Handle handle{pcap_create(interface.c_str(), error.data()), pcap_close};
    if (!handle) return tl::unexpected("interface " + interface + ": cannot be opened: " + error.data());
    pcap_set_snaplen(handle.get(), largest);
    pcap_set_promisc(handle.get(), 0);
    pcap_set_immediate_mode(handle.get(), 1);
    pcap_set_buffer_size(handle.get(), ring_bytes);
    pcap_set_tstamp_precision(handle.get(), PCAP_TSTAMP_PRECISION_NANO);
    if (const int status = pcap_activate(handle.get()); status < 0) {
        return tl::unexpected(failure(handle.get(), interface, status));
    }
    if (pcap_datalink(handle.get()) != DLT_EN10MB) return tl::unexpected("interface " + interface + " is not Ethernet");

    bpf_program program{};
    bool set = pcap_compile(handle.get(), &program, filter_expression(share).c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
    set = set && pcap_setfilter(handle.get(), &program) == 0;
    pcap_freecode(&program);
    const int descriptor = pcap_get_selectable_fd(handle.get());
    if (!set || pcap_setnonblock(handle.get(), 1, error.data()) != 0 ||
        pcap_setdirection(handle.get(), PCAP_D_IN) != 0 || !watch.add(descriptor)) {
        return tl::unexpected(failure(handle.get(), interface, PCAP_ERROR));
    }
    // Else each frame that anybody here sends is copied to the ring, only to be thrown away. Older kernels cannot.
    constexpr int yes = 1;
    static_cast<void>(setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes));
    return handle;
}

}  // namespace

tl::expected<std::unique_ptr<Port>, std::string> open_live_port(const std::string& interface) {
    auto found = find_usable_interface(interface);
    if (!found) return tl::unexpected(found.error());
    auto watch = LinkWatch::start(*found);
    if (!watch) return tl::unexpected(watch.error());
    auto connections = open_handle(interface, Share::connections, largest_uncut, *watch);
    if (!connections) return tl::unexpected(connections.error());
    // Whatever else is longer than a wire's frame stands for several, and nobody knows which.
    auto others = open_handle(interface, Share::others, static_cast<int>(found->largest_frame()), *watch);
    if (!others) return tl::unexpected(others.error());
    return std::make_unique<LivePort>(PcapQueue{*std::move(connections), found->mtu},
                                      PcapQueue{*std::move(others), found->mtu}, *std::move(watch));
}

}  // namespace captures::port
