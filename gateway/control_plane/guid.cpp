#include "gateway/control_plane/guid.hpp"

#include <openssl/rand.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace gateway::control_plane {

namespace {

using Bytes = std::array<unsigned char, 16>;

/// Drawn many at a time: OpenSSL asks for the process's id each time it is asked.
Bytes random_bytes() {
    constexpr std::size_t many = 64;
    thread_local std::array<Bytes, many> drawn;
    thread_local std::size_t left = 0;
    if (left == 0) {
        if (RAND_bytes(drawn.front().data(), static_cast<int>(sizeof drawn)) != 1) {
            throw std::runtime_error{"no random numbers"};
        }
        left = many;
    }
    return drawn.at(--left);
}

/// As text, with its version and the variant of RFC 9562.
std::string to_text(Bytes bytes, unsigned version) {
    constexpr std::string_view digits = "0123456789abcdef";
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | version << 4U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
    std::string guid;
    guid.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) guid += '-';
        guid += digits[bytes.at(i) >> 4U];
        guid += digits[bytes.at(i) & 0x0fU];
    }
    return guid;
}

}  // namespace

std::string new_guid() { return to_text(random_bytes(), 4); }

std::string new_ordered_guid(captures::base::Time now) {
    auto bytes = random_bytes();
    const auto since_1970 = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    auto milliseconds = static_cast<std::uint64_t>(since_1970.count());
    for (std::size_t i = 6; i-- > 0; milliseconds >>= 8U)
        bytes.at(i) = static_cast<unsigned char>(milliseconds & 0xffU);
    return to_text(bytes, 7);
}

}  // namespace gateway::control_plane
