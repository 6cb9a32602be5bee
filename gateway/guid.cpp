#include "gateway/guid.hpp"

#include <openssl/rand.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace gateway {

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

}  // namespace

std::string new_guid() {
    constexpr std::string_view digits = "0123456789abcdef";
    auto bytes = random_bytes();
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // version 4
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // variant 10
    std::string guid;
    guid.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) guid += '-';
        guid += digits[bytes.at(i) >> 4U];
        guid += digits[bytes.at(i) & 0x0fU];
    }
    return guid;
}

}  // namespace gateway
