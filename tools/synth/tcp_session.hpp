#pragma once

#include <cstdint>
#include <vector>

#include "tools/synth/packet_builder.hpp"

namespace tools {

/// The packets of one conversation, in order.
using Script = std::vector<PacketBuilder>;

/// A TCP conversation as the two ends have it; its packets are collected until `take`.
class TcpSession {
public:
    /// One direction as its wire has it. Through a gateway the two need not mirror each other.
    struct Direction {
        captures::base::Endpoint from;
        captures::base::Endpoint to;
        captures::packet::Side side = captures::packet::Side::outside;
        std::uint32_t sequence = 0;  ///< of the SYN, then of the next byte
    };

    TcpSession(Direction client, Direction server) : client_{client}, server_{server} {}

    void open();
    /// Data and its acknowledgment.
    void client_sends(std::vector<std::byte> data) { send(client_, server_, std::move(data)); }
    void server_sends(std::vector<std::byte> data) { send(server_, client_, std::move(data)); }
    void close();  ///< FIN of the client first

    [[nodiscard]] Script take() { return std::move(script_); }

private:
    [[nodiscard]] static PacketBuilder packet(const Direction& direction);
    void add(const PacketBuilder& packet) { script_.push_back(packet); }
    void send(Direction& sender, Direction& receiver, std::vector<std::byte> data);

    Direction client_;
    Direction server_;
    Script script_;
};

}  // namespace tools
