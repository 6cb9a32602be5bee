#include "captures/port/offload_guard.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "captures/base/bytes.hpp"
#include "captures/port/interface.hpp"

namespace captures::port {

namespace {

using Bits = std::vector<std::uint32_t>;

/// ethtool_gfeatures and ethtool_sfeatures without the blocks behind them, which C++ has no type for.
struct FeaturesCommand {
    std::uint32_t command = 0;
    std::uint32_t words = 0;
};
static_assert(sizeof(FeaturesCommand) == sizeof(ethtool_gfeatures));
static_assert(sizeof(FeaturesCommand) == sizeof(ethtool_sfeatures));

/// A command is a fixed part and an array behind it; so it lives in bytes.
bool ask(int socket, const std::string& interface, std::vector<std::byte>& command) {
    ifreq request{};
    std::memcpy(request.ifr_name, interface.data(), std::min(interface.size(), sizeof request.ifr_name - 1));
    request.ifr_data = reinterpret_cast<char*>(command.data());
    return ioctl(socket, SIOCETHTOOL, &request) == 0;
}

template <class Command>
std::vector<std::byte> command_of(const Command& fixed, std::size_t behind) {
    std::vector<std::byte> bytes(sizeof fixed + behind);
    std::memcpy(bytes.data(), &fixed, sizeof fixed);
    return bytes;
}

/// The kernel's names of features, by bit; empty if the interface has none.
std::vector<std::string> feature_names(int socket, const std::string& interface) {
    ethtool_sset_info set{};
    set.cmd = ETHTOOL_GSSET_INFO;
    set.sset_mask = std::uint64_t{1} << ETH_SS_FEATURES;
    auto bytes = command_of(set, sizeof(std::uint32_t));
    if (!ask(socket, interface, bytes)) return {};
    const auto count = base::load_native<std::uint32_t>(bytes.data() + sizeof set);

    ethtool_gstrings strings{};
    strings.cmd = ETHTOOL_GSTRINGS;
    strings.string_set = ETH_SS_FEATURES;
    strings.len = count;
    bytes = command_of(strings, std::size_t{count} * ETH_GSTRING_LEN);
    if (!ask(socket, interface, bytes)) return {};
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto* const name = reinterpret_cast<const char*>(bytes.data() + sizeof strings +
                                                               std::size_t{i} * ETH_GSTRING_LEN);
        names.emplace_back(name, strnlen(name, ETH_GSTRING_LEN));
    }
    return names;
}

/// Which features are on.
Bits active_features(int socket, const std::string& interface, std::size_t words) {
    const FeaturesCommand get{ETHTOOL_GFEATURES, static_cast<std::uint32_t>(words)};
    auto bytes = command_of(get, words * sizeof(ethtool_get_features_block));
    Bits active(words);
    if (!ask(socket, interface, bytes)) return active;
    for (std::size_t word = 0; word < words; ++word) {
        const auto* const block = bytes.data() + sizeof get + word * sizeof(ethtool_get_features_block);
        active[word] = base::load_native<std::uint32_t>(block + offsetof(ethtool_get_features_block, active));
    }
    return active;
}

bool set_features(int socket, const std::string& interface, const Bits& which, bool on) {
    const FeaturesCommand set{ETHTOOL_SFEATURES, static_cast<std::uint32_t>(which.size())};
    auto bytes = command_of(set, which.size() * sizeof(ethtool_set_features_block));
    for (std::size_t word = 0; word < which.size(); ++word) {
        const ethtool_set_features_block block{which[word], on ? which[word] : 0};
        std::memcpy(bytes.data() + sizeof set + word * sizeof block, &block, sizeof block);
    }
    return ask(socket, interface, bytes);
}

bool none(const Bits& bits) {
    return std::all_of(bits.begin(), bits.end(), [](std::uint32_t word) { return word == 0; });
}

}  // namespace

tl::expected<OffloadGuard, std::string> OffloadGuard::turn_off(const std::string& interface,
                                                               std::span<const std::string_view> features) {
    OffloadGuard guard;
    guard.interface_ = interface;
    guard.socket_ = base::FileDescriptor{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const int socket = guard.socket_.number();
    const auto names = feature_names(socket, interface);
    auto on = active_features(socket, interface, (names.size() + 31) / 32);
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if (std::find(features.begin(), features.end(), names[bit]) == features.end()) {
            on[bit / 32] &= ~(1U << bit % 32);
        } else if ((on[bit / 32] >> bit % 32 & 1U) != 0) {
            guard.features_.push_back(names[bit]);
        }
    }
    if (!none(on) && !set_features(socket, interface, on, false)) {
        return tl::unexpected(interface_error(interface, "cannot turn off its receive offloads", errno));
    }
    guard.was_on_ = std::move(on);
    return guard;
}

OffloadGuard::~OffloadGuard() {
    if (socket_ && !none(was_on_)) static_cast<void>(set_features(socket_.number(), interface_, was_on_, true));
}

}  // namespace captures::port
