#pragma once

#include <string>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"
#include "captures/port/interface.hpp"

namespace captures::port {

/// Tells a driver that its interface was brought down, moved to another namespace or removed (rtnetlink(7)), for what
/// packet sockets say of that differs from one to the next. A lost carrier is no loss: it comes back by itself.
class LinkWatch {
public:
    [[nodiscard]] static tl::expected<LinkWatch, std::string> start(const Interface& interface);

    /// Waited for as well, by `descriptor`.
    [[nodiscard]] bool add(int descriptor);
    /// Whether one that was added is also waited for until it takes more to send.
    void await_room(int descriptor, bool wanted) noexcept;
    /// Readable when there is something of those added that is waited for, or news of the interface.
    [[nodiscard]] int descriptor() const noexcept { return set_.number(); }

    /// Reads the news. False from the first loss on.
    [[nodiscard]] bool link_is_up() noexcept;

private:
    LinkWatch() = default;

    base::FileDescriptor set_;
    base::FileDescriptor news_;
    int index_ = 0;
    bool up_ = true;
};

}  // namespace captures::port
