#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "captures/base/time.hpp"

namespace policy {

/// One decision, allowed or not, in the words of Azure's activity log (facts of learn.microsoft.com: activity-log-schema).
///
/// Theory of operation. Events form a chain: each carries the SHA-256 of itself and of the hash before it, so that an
/// event that is changed, removed or put in between breaks the chain there. What a chain cannot show is that its end
/// was cut off; for that somebody must have noted a later hash, and `verify` of the service takes it.
/// Signatures were left out: whoever can write the store could read a key kept beside it.
struct AuditEvent {
    std::uint64_t sequence = 0;  ///< from 1, without gaps
    captures::base::Time time;
    std::string operation;       ///< Azure's action: `Microsoft.Security/…/initiate/action`
    std::string status;          ///< `Accepted`, `Succeeded` or `Failed`
    std::string sub_status;      ///< error code of a refusal, or a record's statusReason; may be empty
    std::string caller;          ///< principal; empty where nobody was authenticated
    std::string caller_address;  ///< where the request came from; empty for what the clock did
    std::string resource;        ///< resource id it was about
    std::string machine;         ///< name of the machine it was about, as configured; may be empty
    std::string correlation_id;
    std::string client_request_id;  ///< may be empty
    std::string detail;             ///< what was asked and why: one line for a person
    std::string hash;               ///< lower-case hex; of this event and the hash before it

    bool operator==(const AuditEvent&) const = default;
};

/// The hash of the event before the first.
[[nodiscard]] std::string first_hash();

/// The hash that an event must carry after `previous`: lower-case hex of the SHA-256 over these, each as a netstring
/// (`5:Owner,`, the length in bytes): `previous`, sequence, time in nanoseconds since 1970, operation, status,
/// sub_status, caller, caller_address, resource, machine, correlation_id, client_request_id, detail. Numbers are decimal.
/// Empty where OpenSSL fails for want of memory; such an event breaks the chain.
[[nodiscard]] std::string chain_hash(const AuditEvent& event, const std::string& previous);

/// The first event that does not follow from the one before it: its hash or its number is wrong. By the number that it
/// should have, which is the one after the last sound event.
[[nodiscard]] std::optional<std::uint64_t> first_break(std::span<const AuditEvent> events, std::uint64_t first_sequence,
                                                       std::string previous);

}  // namespace policy
