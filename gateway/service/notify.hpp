#pragma once

#include <string>

namespace gateway::service {

// What the service manager is told of this process, by sd_notify(3). Without one (no NOTIFY_SOCKET in the environment)
// nothing happens. `status` is one line for a person, `systemctl status` shows it.

/// Started or reloaded: all that was asked for works from now on.
void notify_ready(const std::string& status);

/// To be called once a second, and only if every thread that matters has answered: systemd kills a process that was silent
/// for its WatchdogSec.
void notify_alive(const std::string& status);

/// A reload has begun; `notify_ready` says that it has ended, also if the old configuration stayed.
void notify_reloading();

/// The process is about to end.
void notify_stopping();

}  // namespace gateway::service
