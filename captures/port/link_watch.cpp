#include "captures/port/link_watch.hpp"

#include <array>
#include <cerrno>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace captures::port {

namespace {

bool is_up(int socket, int index) noexcept {
    ifreq request{};
    request.ifr_ifindex = index;  // its name may have changed
    if (ioctl(socket, SIOCGIFNAME, &request) != 0) return false;
    return ioctl(socket, SIOCGIFFLAGS, &request) == 0 && (static_cast<unsigned>(request.ifr_flags) & IFF_UP) != 0;
}

}  // namespace

tl::expected<LinkWatch, std::string> LinkWatch::start(const Interface& interface) {
    LinkWatch watch;
    watch.index_ = interface.index;
    watch.set_ = base::FileDescriptor{epoll_create1(EPOLL_CLOEXEC)};
    watch.news_ = base::FileDescriptor{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (!watch.set_ || !watch.news_ ||
        bind(watch.news_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        !watch.add(watch.news_.number())) {
        return tl::unexpected(interface_error(interface.name, "cannot watch its state", errno));
    }
    return watch;
}

bool LinkWatch::add(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    return epoll_ctl(set_.number(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void LinkWatch::await_room(int descriptor, bool wanted) noexcept {
    epoll_event event{};
    event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
    static_cast<void>(epoll_ctl(set_.number(), EPOLL_CTL_MOD, descriptor, &event));
}

bool LinkWatch::link_is_up() noexcept {
    if (!up_) return false;
    // What the messages say does not matter: of any, or of one that was lost (ENOBUFS), the kernel is asked.
    std::array<std::byte, 8192> message;
    bool news = false;
    for (;;) {
        const auto got = recv(news_.number(), message.data(), message.size(), 0);
        if (got < 0 && errno != ENOBUFS && errno != EINTR) break;
        news = true;
    }
    if (news) up_ = is_up(news_.number(), index_);
    return up_;
}

}  // namespace captures::port
