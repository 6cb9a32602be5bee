// Fills a store with a past, through the store's own API: the bench of the API starts its service on it.
//
//     access_history STORE.db --machines N --requests N --requestor NAME
//
// `requests` that have expired, spread over the last six days and over the machines vm00000, vm00001, … (a service
// remembers all of them), and on port 22 of each machine a window that is open for another day.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "gateway/store/store.hpp"

namespace {

using gateway::store::Commit;
using gateway::store::Store;

constexpr std::uint32_t in_one_commit = 1000;

struct History {
    std::string requestor = "bench@lab.example";
    std::uint32_t machines = 1;
    std::uint32_t requests = 100'000;
    captures::base::Time now = std::chrono::time_point_cast<captures::base::Duration>(std::chrono::system_clock::now());

    [[nodiscard]] policy::AccessRecord record(policy::WindowId id) const {
        policy::AccessRecord record;
        record.id = id;
        record.request = fmt::format("00000000-0000-4000-8000-{:012}", id);
        record.requestor = requestor;
        record.machine = fmt::format("vm{:05}", id % machines);
        record.policy = "default";
        record.justification = "monthly patches";
        record.port = 22;
        record.protocol = captures::base::Protocol::tcp;
        record.sources = {{captures::base::Ipv4Address{0xC6336400U | static_cast<std::uint32_t>(id & 0xFFU)}, 32}};
        record.initiate();
        return record;
    }

    [[nodiscard]] policy::AccessRecord past(std::uint32_t number) const {
        auto past = record(number + 1);
        past.start = now - std::chrono::hours{6 * 24} + number * (std::chrono::hours{5 * 24} / requests);
        past.end = past.start + std::chrono::hours{1};
        past.revoke(past.end, policy::StatusReason::expired);
        return past;
    }

    [[nodiscard]] policy::AccessRecord open(std::uint32_t number) const {
        auto open = record(requests + number + 1);
        open.start = now;
        open.end = now + std::chrono::hours{24};
        return open;
    }
};

void add(Commit& commit, const policy::AccessRecord& record) {
    policy::AuditEvent event;
    event.time = record.start;
    event.operation = "Microsoft.Security/locations/jitNetworkAccessPolicies/initiate/action";
    event.status = "Accepted";
    event.caller = record.requestor;
    event.caller_address = "198.51.100.7";
    event.resource =
        "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab/providers/"
        "Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default";
    event.machine = record.machine;
    event.correlation_id = record.request;
    event.detail = "port 22: monthly patches";
    commit.events.push_back(std::move(event));
    commit.requests.push_back({record.request, {}, record.start});
    commit.records.push_back(record);
}

std::string fill(const std::string& file, const History& history) {
    auto store = Store::open("sqlite:" + file);
    if (!store) return store.error().message;
    const auto all = history.requests + history.machines;
    for (std::uint32_t number = 0; number < all;) {
        Commit commit;
        for (const auto end = std::min(all, number + in_one_commit); number < end; ++number) {
            add(commit, number < history.requests ? history.past(number) : history.open(number - history.requests));
        }
        if (const auto done = (*store)->commit(commit); !done) return done.error().message;
    }
    return {};
}

int run(int count, char** words) {
    History history;
    std::string file;
    CLI::App app{"Fills a store with past and open requests."};
    app.add_option("store", file)->required();
    app.add_option("--machines", history.machines)->check(CLI::Range(1, 10'000));
    app.add_option("--requests", history.requests)->check(CLI::Range(1, 10'000'000));
    app.add_option("--requestor", history.requestor);
    CLI11_PARSE(app, count, words);
    if (const auto problem = fill(file, history); !problem.empty()) {
        fmt::print(stderr, "access_history: {}\n", problem);
        return 1;
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run(count, words);
    } catch (const std::exception& error) {
        fmt::print(stderr, "access_history: {}\n", error.what());
        return 1;
    }
}
