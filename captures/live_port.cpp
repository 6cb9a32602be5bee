#include "captures/live_port.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/if_packet.h>
#include <pcap.h>
#include <sys/socket.h>

#include "captures/interface.hpp"
#include "captures/link_watch.hpp"
#include "captures/offload.hpp"

namespace captures {

namespace {

using Handle = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

/// The largest IPv4 datagram, an Ethernet header and two VLAN tags. libpcap's slots are this large if
/// the interface has offloads, so more would be taken from the number of slots.
constexpr int snapshot = 65535 + 14 + 8;
constexpr int ring_bytes = 32 << 20;

class LivePort final : public Port {
public:
    LivePort(Handle handle, Interface interface, LinkWatch watch)
        : handle_(std::move(handle)), interface_(std::move(interface)), watch_(std::move(watch)) {}

    [[nodiscard]] std::size_t receive(std::span<Frame> frames) override;
    bool send(const Frame& frame) override;
    void flush() override {}
    [[nodiscard]] int descriptor() const noexcept override { return watch_.descriptor(); }
    [[nodiscard]] bool works() const noexcept override { return works_; }
    [[nodiscard]] Numbers numbers() override;

private:
    static void take(u_char* burst, const pcap_pkthdr* header, const u_char* bytes);
    [[nodiscard]] bool recognise_offload(Frame& frame) const noexcept;
    [[nodiscard]] bool inject(std::span<const std::byte> frame);

    Handle handle_;
    Interface interface_;
    LinkWatch watch_;
    Numbers numbers_;
    bool works_ = true;
    /// A burst of the largest frames would fit; what is never used is never backed by memory.
    std::unique_ptr<std::byte[]> memory_ = std::make_unique_for_overwrite<std::byte[]>(burst_capacity * snapshot);
    std::array<std::byte, snapshot> segment_;
};

struct Taking {
    std::span<Frame> frames;
    std::byte* memory;
    std::size_t count;
    std::uint64_t cut;
};

std::size_t LivePort::receive(std::span<Frame> frames) {
    Taking taking{frames.first(std::min(frames.size(), burst_capacity)), memory_.get(), 0, 0};
    const int got = pcap_dispatch(handle_.get(), static_cast<int>(taking.frames.size()), take,
                                  reinterpret_cast<u_char*>(&taking));
    if (got <= 0) works_ = works_ && got == 0 && watch_.link_is_up();
    numbers_.not_received += taking.cut;

    std::size_t count = 0;
    for (const Frame& frame : frames.first(taking.count)) {
        frames[count] = frame;
        if (!recognise_offload(frames[count])) {
            ++numbers_.not_received;
            continue;
        }
        ++numbers_.received;
        numbers_.received_bytes += frame.length;
        ++count;
    }
    return count;
}

// NOLINTNEXTLINE(readability-non-const-parameter): what pcap_dispatch(3) calls has this type
void LivePort::take(u_char* burst, const pcap_pkthdr* header, const u_char* bytes) {
    auto& taking = *reinterpret_cast<Taking*>(burst);
    if (header->caplen < header->len) {
        ++taking.cut;
        return;
    }
    std::memcpy(taking.memory, bytes, header->caplen);
    Frame& frame = taking.frames[taking.count++];
    frame = {};
    frame.data = taking.memory;
    frame.captured = frame.length = header->caplen;
    taking.memory += header->caplen;
}

/// False: nobody can know what the frame stands for.
bool LivePort::recognise_offload(Frame& frame) const noexcept {
    const auto transport = transport_of(frame);
    if (!transport) return true;
    frame.offload.partial_checksum = looks_partial(frame);
    const std::uint32_t headers = transport.ip.header_length() + transport.header;
    if (headers + transport.payload() <= interface_.mtu) return true;
    if (!transport.is_tcp || headers >= interface_.mtu) return false;
    frame.offload.segment_size = static_cast<std::uint16_t>(interface_.mtu - headers);
    frame.offload.size_is_guess = true;
    return true;
}

bool LivePort::send(const Frame& frame) {
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
    if (frame.empty() || pcap_inject(handle_.get(), frame.data(), frame.size()) < 0) {
        ++numbers_.not_sent;
        return false;
    }
    ++numbers_.sent;
    numbers_.sent_bytes += frame.size();
    return true;
}

Port::Numbers LivePort::numbers() {
    Numbers numbers = numbers_;
    pcap_stat seen{};
    if (pcap_stats(handle_.get(), &seen) == 0) numbers.not_received += seen.ps_drop;
    return numbers;
}

/// What libpcap says of the step that failed.
std::string failure(pcap_t* handle, const std::string& interface, int status) {
    if (status == PCAP_ERROR_PERM_DENIED) return interface_error(interface, "cannot be opened", EPERM);
    const std::string detail = pcap_geterr(handle);
    return "interface " + interface + ": cannot be opened: " + (detail.empty() ? pcap_statustostr(status) : detail);
}

}  // namespace

tl::expected<std::unique_ptr<Port>, std::string> open_live_port(const std::string& interface) {
    auto found = find_usable_interface(interface);
    if (!found) return tl::unexpected(found.error());
    auto watch = LinkWatch::start(*found);
    if (!watch) return tl::unexpected(watch.error());

    std::array<char, PCAP_ERRBUF_SIZE> error{};
    Handle handle{pcap_create(interface.c_str(), error.data()), pcap_close};
    if (!handle) return tl::unexpected("interface " + interface + ": cannot be opened: " + error.data());
    pcap_set_snaplen(handle.get(), snapshot);
    pcap_set_promisc(handle.get(), 0);
    pcap_set_immediate_mode(handle.get(), 1);
    pcap_set_buffer_size(handle.get(), ring_bytes);
    if (const int status = pcap_activate(handle.get()); status < 0) {
        return tl::unexpected(failure(handle.get(), interface, status));
    }
    if (pcap_datalink(handle.get()) != DLT_EN10MB) return tl::unexpected("interface " + interface + " is not Ethernet");
    if (pcap_setnonblock(handle.get(), 1, error.data()) != 0 || pcap_setdirection(handle.get(), PCAP_D_IN) != 0 ||
        !watch->add(pcap_get_selectable_fd(handle.get()))) {
        return tl::unexpected(failure(handle.get(), interface, PCAP_ERROR));
    }
    // Else each frame that anybody here sends is copied to the ring, only to be thrown away. Older kernels cannot.
    const int yes = 1;
    static_cast<void>(
        setsockopt(pcap_get_selectable_fd(handle.get()), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes));
    return std::make_unique<LivePort>(std::move(handle), *std::move(found), *std::move(watch));
}

}  // namespace captures
