#include "gateway/service/notify.hpp"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <chrono>

namespace gateway::service {

namespace {

// A manager that does not listen is no reason to stop.
void tell(const std::string& state) { static_cast<void>(sd_notify(0, state.c_str())); }

}  // namespace

void notify_ready(const std::string& status) { tell("READY=1\nSTATUS=" + status); }

void notify_alive(const std::string& status) { tell("WATCHDOG=1\nSTATUS=" + status); }

void notify_reloading() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();  // CLOCK_MONOTONIC, as systemd wants it
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                     std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

void notify_stopping() { tell("STOPPING=1"); }

}  // namespace gateway::service
