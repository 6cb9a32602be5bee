#pragma once

#include <string_view>
#include <vector>

#include "captures/packet/packet.hpp"
#include "tests/support/packet_builder.hpp"

namespace support {

struct Specimen {
    std::string_view what;  ///< a sentence
    PacketBuilder packet;
    captures::packet::Kind kind;
    captures::packet::Defect defect = captures::packet::Defect::none;
};

/// Packets that are what they should be: every kind but `malformed`, every link type, the odd but legal.
[[nodiscard]] std::vector<Specimen> sound_packets();

/// Every defect, most of them in several ways.
[[nodiscard]] std::vector<Specimen> malformed_packets();

}  // namespace support
