#include <fmt/core.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "tests/bench/live/tcp_wire.hpp"
#include "tests/bench/live/traffic.hpp"

// TCP's active end, as much of it as one byte there and back needs: one segment is on its way at a time, so what is
// lost is sent again as a whole.

namespace bench {

namespace {

using namespace captures::packet::tcp_flag;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint16_t first_port = 1024;
constexpr unsigned ports = 60000;
constexpr milliseconds patience{200};
constexpr milliseconds look_about{10};
constexpr unsigned most_repeats = 5;
constexpr std::array byte{std::byte{'x'}};

/// What the peer's answer is awaited to: SYN, a byte, FIN.
enum class Stage : std::uint8_t { opening, asking, closing };

struct Connection {
    std::uint16_t port = 0;
    Stage stage = Stage::opening;
    bool peer_ended = false;
    unsigned repeats = 0;
    std::uint32_t first = 0;  ///< our SYN's number: the byte's is the next, and then FIN's
    std::uint32_t next = 0;   ///< the peer's, that comes next
    Clock::time_point sent;
};

class Client {
public:
    explicit Client(const Establish& options)
        : options_(options), wire_(options.interface), connections_(options.concurrency), of_port_(ports) {}

    void run() {
        const auto start = now_ = looked_about_ = Clock::now();
        open_ = connections_.size();
        for (auto& connection : connections_) begin(connection);
        wire_.flush();
        while (now_ - start < options_.duration) turn();
        const std::chrono::duration<double> took = now_ - start;
        const auto done = done_;
        ending_ = true;
        while (open_ != 0) turn();  // so that nobody is left with half a connection
        fmt::print("{{\"connections\":{},\"failed\":{},\"repeated\":{},\"seconds\":{:.6f}}}\n", done, failed_,
                   repeated_, took.count());
    }

private:
    void turn() {
        const auto arrivals = wire_.receive(look_about);
        now_ = Clock::now();
        for (const auto& arrival : arrivals) take(arrival);
        if (now_ - looked_about_ >= look_about) {
            repeat_overdue();
            looked_about_ = now_;
        }
        wire_.flush();
    }

    /// Whose port it is; its number in `connections_` is that of the last that had it.
    Connection* find(std::uint16_t port) {
        if (port < first_port || port - first_port >= static_cast<int>(ports)) return nullptr;
        auto& connection = connections_[of_port_[port - first_port]];
        return connection.port == port ? &connection : nullptr;
    }

    void begin(Connection& connection) {
        connection = {};
        if (ending_) {
            --open_;
            return;
        }
        std::uint16_t port = 0;
        do {
            port = static_cast<std::uint16_t>(first_port + count_++ % ports);
        } while (find(port) != nullptr);
        of_port_[port - first_port] = static_cast<std::uint16_t>(&connection - connections_.data());
        connection.port = port;
        // RFC 9293 §3.4.1: by a clock of 4 µs, so it has grown whenever a port is used again.
        connection.first = static_cast<std::uint32_t>(now_.time_since_epoch() / std::chrono::microseconds{4});
        send(connection);
    }

    Segment segment(std::uint16_t port, std::uint32_t sequence, std::uint32_t acknowledgment, unsigned flags) const {
        Segment made;
        made.receiver = options_.gateway;
        made.from = {options_.from, port};
        made.to = options_.to;
        made.sequence = sequence;
        made.acknowledgment = acknowledgment;
        made.flags = static_cast<std::uint8_t>(flags);
        return made;
    }

    void send(Connection& connection) {
        const auto& [port, stage, peer_ended, repeats, first, next, sent] = connection;
        auto made = segment(port, first, next, syn);
        if (stage == Stage::asking) {
            made = segment(port, first + 1, next, psh | ack);
            made.payload = byte;
        } else if (stage == Stage::closing) {
            made = segment(port, first + 2, next, fin | ack);
        }
        connection.sent = now_;
        wire_.send(made);
    }

    void go_on(Connection& connection, Stage stage) {
        connection.stage = stage;
        connection.repeats = 0;
        send(connection);
    }

    void count_failed(Connection& connection) {
        ++failed_;
        begin(connection);
    }

    void take(const Arrival& arrival) {
        const auto& packet = arrival.packet;
        if (packet.tuple.source != options_.to || packet.tuple.destination.address != options_.from) return;
        auto* const found = find(packet.tuple.destination.port);
        if (found == nullptr) return acknowledge_again(packet);
        if (found->stage == Stage::opening) return take_opening(*found, packet);
        if (packet.sequence != found->next) return;  // what came before, again
        if (packet.has(rst)) return count_failed(*found);
        if (packet.has(syn) || !packet.has(ack)) return;
        found->next += packet.segment_length;
        found->peer_ended = found->peer_ended || packet.has(fin);
        if (found->stage == Stage::closing) return take_closing(*found, packet);
        if (!arrival.payload.empty()) return go_on(*found, Stage::closing);
        if (found->peer_ended) count_failed(*found);
    }

    void take_opening(Connection& connection, const captures::packet::Packet& packet) {
        if (!packet.has(ack)) return;
        if (packet.acknowledgment != connection.first + 1) {
            // The peer still has a connection that this port had before: it is reset, and SYN sent again in time.
            if (!packet.has(rst)) wire_.send(segment(connection.port, packet.acknowledgment, 0, rst));
            return;
        }
        if (packet.has(rst)) return count_failed(connection);
        if (!packet.has(syn)) return;
        connection.next = packet.sequence + packet.segment_length;
        go_on(connection, Stage::asking);
    }

    void take_closing(Connection& connection, const captures::packet::Packet& packet) {
        const auto end = connection.first + 3;
        if (packet.segment_length != 0) wire_.send(segment(connection.port, end, connection.next, ack));
        if (!connection.peer_ended || packet.acknowledgment != end) return;
        ++done_;
        begin(connection);
    }

    /// As TIME-WAIT does: of a connection that is over, the last ACK was lost.
    void acknowledge_again(const captures::packet::Packet& packet) {
        if (!packet.has(fin | ack)) return;
        wire_.send(segment(packet.tuple.destination.port, packet.acknowledgment,
                           packet.sequence + packet.segment_length, ack));
    }

    void repeat_overdue() {
        for (auto& connection : connections_) {
            if (connection.port == 0 || now_ - connection.sent < patience) continue;
            if (connection.repeats == most_repeats) {
                count_failed(connection);
                continue;
            }
            ++connection.repeats;
            ++repeated_;
            send(connection);
        }
    }

    const Establish& options_;
    TcpWire wire_;
    std::vector<Connection> connections_;
    std::vector<std::uint16_t> of_port_;
    std::size_t open_ = 0;
    bool ending_ = false;
    Clock::time_point now_;
    Clock::time_point looked_about_;
    std::uint64_t count_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t repeated_ = 0;
};

}  // namespace

void establish(const Establish& options) { Client{options}.run(); }

}  // namespace bench
