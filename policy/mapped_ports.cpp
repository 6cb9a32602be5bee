#include "policy/mapped_ports.hpp"

namespace policy {

const captures::base::Endpoint* MappedPorts::find(std::string_view machine, std::uint16_t port) const noexcept {
    const auto found = listeners_.find(std::pair{machine, port});
    return found == listeners_.end() ? nullptr : &found->second;
}

void MappedPorts::add(const MappedPort& mapped) {
    auto& listener = listeners_[{to_lower(mapped.machine), mapped.port}];
    taken_.erase(listener);
    taken_.insert(listener = mapped.listener);
}

}  // namespace policy
