#pragma once

#include "tests/support/port_behaviour.hpp"

/// What every driver has to do, of the queues that it hears (captures::port::Lanes).
namespace support {

void hears_all_in_the_order_of_their_arrival(const OpenPort& open);
void hears_connections_beside_a_flood(const OpenPort& open);
/// Also what has not all that its headers say.
void hears_what_is_cut_short(const OpenPort& open);

}  // namespace support
