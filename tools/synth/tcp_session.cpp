#include "tools/synth/tcp_session.hpp"

namespace tools {

PacketBuilder TcpSession::packet(const Direction& direction) {
    return tcp(direction.from, direction.to).df().seq(direction.sequence).side(direction.side);
}

void TcpSession::open() {
    add(packet(client_).syn().mss(1460).sack_permitted().window_scale(7));
    ++client_.sequence;
    add(packet(server_).syn().ack(client_.sequence).mss(1460).sack_permitted().window_scale(7));
    ++server_.sequence;
    add(packet(client_).ack(server_.sequence));
}

void TcpSession::send(Direction& sender, Direction& receiver, std::vector<std::byte> data) {
    const auto size = static_cast<std::uint32_t>(data.size());
    add(packet(sender).psh().ack(receiver.sequence).payload(std::move(data)));
    sender.sequence += size;
    add(packet(receiver).ack(sender.sequence));
}

void TcpSession::close() {
    add(packet(client_).fin().ack(server_.sequence));
    ++client_.sequence;
    add(packet(server_).fin().ack(client_.sequence));
    ++server_.sequence;
    add(packet(client_).ack(server_.sequence));
}

}  // namespace tools
