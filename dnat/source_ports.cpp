#include "dnat/source_ports.hpp"

namespace dnat {

void SourcePorts::release(captures::base::Endpoint target, captures::base::Protocol protocol,
                          std::uint16_t port) noexcept {
    auto* const chunk = chunks_.find(key_of(target, protocol, port));
    if (chunk == nullptr) return;
    chunk->taken[port % chunk_ports / 64] &= ~(std::uint64_t{1} << port % 64);
    if (std::ranges::all_of(chunk->taken, [](std::uint64_t each) { return each == 0; })) chunks_.erase(chunk);
}

}  // namespace dnat
