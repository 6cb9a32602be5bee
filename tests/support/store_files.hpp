#pragma once

#include <concepts>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/store.hpp"
#include "tests/support/scratch_folder.hpp"

// A store in a directory of its own, and values to put into it.

namespace tests {

/// A new directory for a store, removed with all that is in it.
class TemporaryDirectory {
public:
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_.path(); }
    [[nodiscard]] std::filesystem::path file() const { return path() / "portcullis.db"; }
    [[nodiscard]] std::string url() const { return "sqlite:" + file().string(); }

private:
    support::ScratchFolder folder_;
};

/// Runs `body` in a child, where no Boost.Test check may be made; its return value is the exit code.
/// 128 + number where a signal ended it.
inline int in_child(const std::function<int()>& body) {
    const auto child = ::fork();
    if (child < 0) throw std::runtime_error{"fork"};
    if (child == 0) {
        int code = 125;
        try {
            code = body();
        } catch (...) {  // told by the code
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <class Value>
std::string message_of(const tl::expected<Value, gateway::store::StoreError>& result) {
    return result ? std::string{} : result.error().message;
}

inline captures::base::Time at_second(std::integral auto second) {
    return captures::base::Time{std::chrono::seconds{1'769'851'800 + static_cast<long long>(second)} +
                                captures::base::Duration{1}};
}

inline policy::AccessRecord sample_record(policy::WindowId id) {
    return {.id = id,
            .request = "request-" + std::to_string(id),
            .requestor = "Anna",
            .machine = "web01",
            .policy = "default",
            .justification = "fix it's \"broken\"; -- \xc3\xbc",
            .port = 22,
            .protocol = captures::base::Protocol::tcp,
            .sources = {captures::base::Prefix::parse("198.51.100.0/24").value(),
                        captures::base::Prefix::parse("*").value()},
            .start = at_second(0),
            .end = at_second(3600),
            .on_expiry = policy::OnExpiry::cut,
            .status = policy::Status::initiated,
            .status_reason = policy::StatusReason::expired,
            .listener = captures::base::Endpoint::parse("203.0.113.10:50022")};
}

inline policy::AuditEvent sample_event(std::integral auto second, const std::string& machine = "web01",
                                       const std::string& caller = "anna") {
    return {.sequence = 0,
            .time = at_second(second),
            .operation = "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action",
            .status = "Succeeded",
            .sub_status = "",
            .caller = caller,
            .caller_address = "198.51.100.7",
            .resource = "/subscriptions/s",
            .machine = machine,
            .correlation_id = "c",
            .client_request_id = "r",
            .detail = "22 for 3 h",
            .hash = {}};
}

/// How many pages the database has, by its header: the file may be longer.
inline std::streamoff pages_of(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    stream.seekg(28);
    std::streamoff pages = 0;
    for (int byte = 0; byte < 4; ++byte) pages = pages << 8 | stream.get();
    return pages;
}

/// One of each, as an approved request would be: all carry `id`.
inline gateway::store::Commit sample_commit(policy::WindowId id) {
    gateway::store::Commit commit;
    commit.records.push_back(sample_record(id));
    commit.policies.push_back({.policy = {}, .deleted = false, .changed = at_second(id), .by = std::to_string(id)});
    commit.mapped_ports.push_back({.machine = "web" + std::to_string(id), .port = 22, .listener = {}});
    commit.requests.push_back(
        {.id = "request-" + std::to_string(id), .client_key = "key-" + std::to_string(id), .time = at_second(id)});
    commit.events.push_back(sample_event(id));
    return commit;
}

}  // namespace tests
