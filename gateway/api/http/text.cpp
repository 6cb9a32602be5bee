#include "gateway/api/http/text.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "captures/base/utf8.hpp"

namespace gateway::api::http {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t byte_of(char letter) noexcept { return static_cast<std::uint8_t>(letter); }

bool is_digit(char letter) noexcept { return letter >= '0' && letter <= '9'; }
bool is_letter(char letter) noexcept { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }

int hex_value(char digit) noexcept {
    if (is_digit(digit)) return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

}  // namespace

Sha256 sha256(std::string_view text) {
    // EVP_sha256() would look it up in all providers each time.
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Sha256 digest{};
    unsigned int size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr);
    return digest;
}

std::string to_hex(std::string_view bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        text += hex_digits[byte_of(byte) >> 4U];
        text += hex_digits[byte_of(byte) & 15U];
    }
    return text;
}

std::string to_hex(const Sha256& digest) {
    std::string bytes(digest.size(), '\0');
    std::ranges::copy(digest, bytes.begin());
    return to_hex(bytes);
}

std::optional<std::string> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return {};
    std::string bytes;
    for (std::size_t at = 0; at < digits.size(); at += 2) {
        const int high = hex_value(digits[at]);
        const int low = hex_value(digits[at + 1]);
        if (high < 0 || low < 0) return {};
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::string to_base64url(std::string_view bytes) {
    std::string text;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char byte : bytes) {
        held = held << 8U | byte_of(byte);
        for (bits += 8; bits >= 6; bits -= 6) text += base64_letters[held >> (bits - 6) & 63U];
    }
    if (bits > 0) text += base64_letters[held << (6 - bits) & 63U];
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return {};
    std::string bytes;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const auto value = base64_letters.find(letter);
        if (value == std::string_view::npos) return {};
        held = held << 6U | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(held >> bits & 0xffU);
    }
    if ((held & ((1U << bits) - 1U)) != 0) return {};
    return bytes;
}

bool is_guid(std::string_view text) noexcept {
    constexpr std::size_t length = 36;
    if (text.size() != length) return false;
    for (std::size_t at = 0; at < length; ++at) {
        const bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;
        if (is_dash ? text[at] != '-' : hex_value(text[at]) < 0) return false;
    }
    return true;
}

std::string guid_of(const Sha256& digest) {
    auto text = to_hex(digest).substr(0, 32);
    text[12] = '8';
    text[16] = hex_digits[(static_cast<std::size_t>(hex_value(text[16])) & 3U) | 8U];
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
    return text;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view upper_hex = "0123456789ABCDEF";
    constexpr std::string_view marks = "-._~";
    std::string encoded;
    for (const char letter : text) {
        if (is_digit(letter) || is_letter(letter) || marks.find(letter) != std::string_view::npos) {
            encoded += letter;
        } else {
            encoded += '%';
            encoded += upper_hex[byte_of(letter) >> 4U];
            encoded += upper_hex[byte_of(letter) & 15U];
        }
    }
    return encoded;
}

std::string shown(std::string_view text) {
    constexpr std::size_t enough = 128;
    const bool is_long = text.size() > enough;
    const bool is_text = captures::base::is_utf8(text);
    text = text.substr(0, enough);
    if (is_text) text = captures::base::utf8_prefix(text);
    std::string result{'\''};
    for (const char letter : text) {
        const auto byte = byte_of(letter);
        result += byte < ' ' || byte == 0x7f || (byte > 0x7f && !is_text) ? '?' : letter;
    }
    return result + (is_long ? "...'" : "'");
}

}  // namespace gateway::api::http
