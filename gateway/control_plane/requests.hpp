#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/control_plane/core.hpp"

namespace gateway::control_plane {

/// A machine and the ports of it that a request is about, by resource id: what a client says may be any casing, or
/// nonsense.
struct MachineRequest {
    std::string machine_id;
    std::vector<policy::RequestedPort> ports;
};

struct InitiateRequest {
    std::vector<MachineRequest> machines;
    std::string justification;
    std::string fingerprint;  ///< of path and body: a client's id counts as a repetition only with the same one
};

/// One approved request: the records of all its machines and ports.
struct RequestView {
    std::string id;
    std::string requestor;
    std::string justification;
    captures::base::Time start;
    std::vector<policy::AccessRecord> records;  ///< those that the caller may see
};

/// Where an open window lets its requestor connect.
struct ConnectionView {
    policy::AccessRecord record;
    std::optional<access::Connection> connection;  ///< none where nothing leads to the port
    std::string os;
};

/// Access requests: Azure's initiate, and ours to extend, revoke and look up.
class Requests {
public:
    explicit Requests(Core& core) : core_{core} {}

    /// Takes over what a store remembers, before anything else.
    void restore(const std::vector<policy::AccessRecord>& records, const std::vector<store::StoredRequest>& requests);

    void initiate(const Caller& caller, std::string_view policy, InitiateRequest request, captures::base::Time now,
                  Done<RequestView> done);
    /// `machine` is a name or an id, here and for `revoke`.
    void extend(const Caller& caller, std::string_view machine, std::uint16_t port, captures::base::Duration duration,
                captures::base::Time now, Done<ConnectionView> done);
    /// The records that ended.
    void revoke(const Caller& caller, std::string_view machine, std::uint16_t port, bool cut, captures::base::Time now,
                Done<std::vector<policy::AccessRecord>> done);
    [[nodiscard]] Answer<RequestView> request(const Caller& caller, const std::string& id, captures::base::Time now);

    /// Those of a policy that the caller may see, oldest first; of many the newest.
    [[nodiscard]] std::vector<RequestView> of_policy(const Caller& caller, std::string_view policy) const;
    [[nodiscard]] std::optional<ConnectionView> connection_view(const policy::AccessRecord& record) const;
    /// Forgets what ended before.
    void forget(captures::base::Time before);

private:
    using Turn = Core::Turn;

    void initiate(const Turn& turn, const Caller& caller, const std::string& policy, const InitiateRequest& request,
                  captures::base::Time now, const Done<RequestView>& done);
    void remember(const policy::AccessRecord& record);
    [[nodiscard]] std::optional<RequestView> view(const Caller& caller, const std::string& id) const;
    /// Of a machine that may be given by its id.
    [[nodiscard]] policy::AuditEvent event_about(const Caller& caller, std::string_view operation,
                                                 const std::string& machine, captures::base::Time now) const;

    Core& core_;
    std::unordered_map<std::string, std::string> repeated_;                   ///< client key -> request id
    std::unordered_map<std::string, std::vector<policy::WindowId>> records_;  ///< by request id
    std::map<std::string, std::vector<std::string>> of_policy_;               ///< request ids, oldest first
};

}  // namespace gateway::control_plane
