#include "policy/audit.hpp"

#include <array>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <openssl/evp.h>

namespace policy {

namespace {

/// Lower-case hex; empty where OpenSSL could not do it, which is no event's hash.
std::string sha256_hex(const std::string& bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    // EVP_sha256() would look it up in all providers each time.
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, algorithm, nullptr) != 1) return {};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    hex.reserve(std::size_t{2} * size);
    for (std::size_t at = 0; at < size; ++at) {
        hex += digits[digest[at] >> 4U];
        hex += digits[digest[at] & 0x0fU];
    }
    return hex;
}

}  // namespace

std::string first_hash() {
    std::string hash(64, '0');
    return hash;
}

std::string chain_hash(const AuditEvent& event, const std::string& previous) {
    const auto sequence = std::to_string(event.sequence);
    const auto time = std::to_string(event.time.time_since_epoch().count());
    constexpr std::size_t usual = 1024;
    std::string bytes;
    bytes.reserve(usual);
    for (const std::string_view field : std::initializer_list<std::string_view>{
             previous, sequence, time, event.operation, event.status, event.sub_status, event.caller,
             event.caller_address, event.resource, event.machine, event.correlation_id, event.client_request_id,
             event.detail}) {
        bytes += std::to_string(field.size());
        bytes += ':';
        bytes += field;
        bytes += ',';
    }
    return sha256_hex(bytes);
}

std::optional<std::uint64_t> first_break(std::span<const AuditEvent> events, std::uint64_t first_sequence,
                                         std::string previous) {
    auto expected = first_sequence;
    for (const auto& event : events) {
        auto hash = chain_hash(event, previous);
        if (event.sequence != expected || hash.empty() || event.hash != hash) return expected;
        previous = std::move(hash);
        ++expected;
    }
    return {};
}

}  // namespace policy
