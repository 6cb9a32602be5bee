#include "gateway/live/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace gateway::live {

Mailbox::Mailbox() : wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (wake_.number() < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

bool Mailbox::run(const std::function<void()>& task) {
    refused_ = false;
    task_ = &task;
    if (closed_) {
        // The owner may take it at this very moment, to refuse it.
        const auto* mine = &task;
        if (task_.compare_exchange_strong(mine, nullptr)) return false;
    }
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake_.number(), &one, sizeof one));
    task_.wait(&task);
    return !refused_;
}

void Mailbox::run_errand() noexcept {
    std::uint64_t count = 0;
    static_cast<void>(::read(wake_.number(), &count, sizeof count));
    (*task_.load())();
    finish();
}

void Mailbox::finish() noexcept {
    task_ = nullptr;
    task_.notify_one();
}

void Mailbox::close() noexcept {
    closed_ = true;
    if (task_.load() == nullptr) return;
    refused_ = true;
    finish();
}

}  // namespace gateway::live
