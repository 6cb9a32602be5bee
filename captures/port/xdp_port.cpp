#include "captures/port/xdp_port.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "captures/port/interface.hpp"
#include "captures/port/lanes.hpp"
#include "captures/port/link_watch.hpp"
#include "captures/port/offload.hpp"
#include "captures/port/xdp_program.hpp"
#include "captures/port/xdp_socket.hpp"

namespace captures::port {

namespace {

constexpr std::uint32_t waiting_chunks = 2048;  ///< of each of a queue's two sockets
constexpr std::uint32_t send_chunks = 2048;
/// To look for news of the interface is a system call, and the quieter side of a busy gateway is often silent. News
/// wakes whoever waits, so it is never seen late.
constexpr std::uint32_t silences_between_looks = 16;
/// The kernel is not quite done with a queue when its socket has been closed.
constexpr auto busy_timeout = std::chrono::milliseconds{500};
constexpr auto pause = std::chrono::milliseconds{5};

/// The socket stays where it is: the kernel and others know it.
struct Arrivals {
    std::unique_ptr<XdpSocket> socket;

    [[nodiscard]] static bool can_receive() noexcept { return true; }
    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) const noexcept {
        return socket->receive(frames);
    }
    void release(std::size_t count) const noexcept { socket->release(count); }
    [[nodiscard]] static base::Time time_of(const packet::Frame& frame) noexcept { return XdpSocket::time_of(frame); }
};

class XdpPort final : public Port {
public:
    XdpPort(Interface interface, LinkWatch watch, XdpProgram program)
        : interface_(std::move(interface)), watch_(std::move(watch)), program_(std::move(program)) {}

    /// 0, or an error number.
    [[nodiscard]] int open_sockets(std::uint32_t chunk_size);

    [[nodiscard]] std::size_t receive(std::span<packet::Frame> frames) override;
    bool send(const packet::Frame& frame) override;
    void flush() override;
    [[nodiscard]] int descriptor() const noexcept override { return watch_.descriptor(); }
    [[nodiscard]] bool works() const noexcept override { return works_; }
    [[nodiscard]] Numbers numbers() override;

private:
    [[nodiscard]] bool send_whole(const packet::Frame& frame);
    [[nodiscard]] bool send_segments(const packet::Frame& frame);
    [[nodiscard]] std::span<std::byte> make_room();
    void put(std::uint32_t bytes);
    [[nodiscard]] bool refuse();
    [[nodiscard]] XdpSocket& sender() noexcept { return *queues_.front().connections().socket; }

    Interface interface_;
    LinkWatch watch_;
    XdpProgram program_;
    /// By queue: libxdp has sockets of one queue share rings only where that queue's is the memory's first socket.
    std::vector<std::unique_ptr<XdpMemory>> memories_;
    std::vector<Lanes<Arrivals>> queues_;
    std::size_t next_ = 0;  ///< queue that was received last
    Numbers numbers_;
    std::uint32_t silences_ = 0;
    bool awaiting_room_ = false;
    bool works_ = true;
};

int XdpPort::open_sockets(std::uint32_t chunk_size) {
    queues_.clear();
    memories_.clear();
    for (std::uint32_t queue = 0; queue < interface_.receive_queues; ++queue) {
        XdpSocket::Settings settings{interface_.name, queue, program_.is_native(), waiting_chunks,
                                     queue == 0 ? send_chunks : 0};
        auto& memory = *memories_.emplace_back(
            std::make_unique<XdpMemory>(2 * waiting_chunks + settings.send_chunks, chunk_size));
        auto connections = XdpSocket::open(memory, settings);
        if (!connections) return connections.error();
        settings.send_chunks = 0;
        settings.first = connections->get();
        auto others = XdpSocket::open(memory, settings);
        if (!others) return others.error();
        queues_.emplace_back(Arrivals{*std::move(connections)}, Arrivals{*std::move(others)});
    }
    for (std::uint32_t queue = 0; queue < queues_.size(); ++queue) {
        const int connections = queues_[queue].connections().socket->descriptor();
        const int others = queues_[queue].others().socket->descriptor();
        if (!watch_.add(connections) || !watch_.add(others) || !program_.steer(queue, connections, others))
            return errno;
    }
    return 0;
}

std::size_t XdpPort::receive(std::span<packet::Frame> frames) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < queues_.size() && count < frames.size(); ++i) {
        next_ = next_ + 1 < queues_.size() ? next_ + 1 : 0;
        count += queues_[next_].receive(frames.subspan(count));
    }
    if (count == 0 && ++silences_ % silences_between_looks == 0) works_ = works_ && watch_.link_is_up();
    for (packet::Frame& frame : frames.first(count)) {
        frame.offload.partial_checksum = looks_partial(frame);
        numbers_.received_bytes += frame.length;
    }
    numbers_.received += count;
    return count;
}

bool XdpPort::send(const packet::Frame& frame) {
    return works_ && (frame.offload.segment_size == 0 ? send_whole(frame) : send_segments(frame)) ? true : refuse();
}

bool XdpPort::send_whole(const packet::Frame& frame) {
    const auto room = make_room();
    if (frame.captured > room.size()) return false;
    std::memcpy(room.data(), frame.data, frame.captured);
    if (frame.offload.partial_checksum) {
        auto sent = frame;
        sent.data = room.data();
        complete_checksum(sent);
    }
    put(frame.captured);
    return true;
}

bool XdpPort::send_segments(const packet::Frame& frame) {
    Segments segments{frame};
    if (segments.longest() > memories_.front()->chunk_size()) return false;
    for (auto left = segments.count(); left > 0; --left) {
        const auto room = make_room();
        if (room.empty()) return false;
        put(segments.write_next(room));
    }
    return segments.count() > 0;
}

std::span<std::byte> XdpPort::make_room() {
    auto& socket = sender();
    const auto room = socket.room();
    if (!room.empty()) return room;
    flush();
    return socket.room();
}

void XdpPort::put(std::uint32_t bytes) {
    sender().put(bytes);
    ++numbers_.sent;
    numbers_.sent_bytes += bytes;
}

bool XdpPort::refuse() {
    ++numbers_.not_sent;
    return false;
}

void XdpPort::flush() {
    const auto [refused, again, error] = sender().flush();
    numbers_.sent -= refused;
    numbers_.not_sent += refused;
    if (error != 0) works_ = false;
    if (again != awaiting_room_) [[unlikely]] {
        awaiting_room_ = again;
        watch_.await_room(sender().descriptor(), again);
    }
}

Port::Numbers XdpPort::numbers() {
    auto numbers = numbers_;
    for (auto& queue : queues_) {
        numbers.not_received += queue.connections().socket->not_received() + queue.others().socket->not_received();
    }
    return numbers;
}

}  // namespace

tl::expected<std::unique_ptr<Port>, std::string> open_xdp_port(const std::string& interface) {
    auto found = find_usable_interface(interface);
    if (!found) return tl::unexpected(found.error());
    auto watch = LinkWatch::start(*found);
    if (!watch) return tl::unexpected(watch.error());

    constexpr auto room = XdpMemory::largest_chunk - XdpMemory::headroom;
    if (found->largest_frame() > room) {
        return tl::unexpected("interface " + interface + ": the xdp driver carries frames of at most " +
                              std::to_string(room) + " bytes; `ip link set " + interface + " mtu " +
                              std::to_string(room - (found->largest_frame() - found->mtu)) + "`, or another driver");
    }
    const auto chunk_size = XdpMemory::largest_chunk /
                            (found->largest_frame() > room / 2 - XdpMemory::headroom ? 1 : 2);
    auto program = XdpProgram::attach(*found);
    if (!program) return tl::unexpected(program.error());

    auto port = std::make_unique<XdpPort>(*found, *std::move(watch), *std::move(program));
    int error = port->open_sockets(chunk_size);
    for (auto waited = pause; error == EBUSY && waited < busy_timeout; waited += pause) {
        std::this_thread::sleep_for(pause);
        error = port->open_sockets(chunk_size);
    }
    if (error == EBUSY) {
        return tl::unexpected("interface " + interface + ": another AF_XDP socket has a queue of it");
    }
    if (error != 0) return tl::unexpected(xdp_error(*found, "cannot open an AF_XDP socket", error));
    return port;
}

}  // namespace captures::port
