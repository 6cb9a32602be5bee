#pragma once

#include <atomic>
#include <functional>

#include "captures/base/file_descriptor.hpp"

namespace gateway::live {

/// Tasks for a thread that must never wait, given by one other thread that can.
///
/// One slot is enough, since who gives a task waits until it is done. To see that there is none costs the owner
/// one load.
class Mailbox {
public:
    Mailbox();

    /// By the other thread: true once the owner has run `task`, false if the owner has gone. Tasks must not throw.
    [[nodiscard]] bool run(const std::function<void()>& task);

    /// By the owner: runs the task that waits, if any.
    void attend() noexcept {
        if (task_.load(std::memory_order_acquire) != nullptr) [[unlikely]]
            run_errand();
    }
    /// Readable while a task waits.
    [[nodiscard]] int descriptor() const noexcept { return wake_.number(); }
    /// By the owner: no more tasks, also for who waits now.
    void close() noexcept;

private:
    void run_errand() noexcept;
    void finish() noexcept;

    captures::base::FileDescriptor wake_;
    std::atomic<const std::function<void()>*> task_{nullptr};
    std::atomic<bool> closed_{false};
    std::atomic<bool> refused_{false};
};

}  // namespace gateway::live
