#include "gateway/service/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "captures/base/file_descriptor.hpp"
#include "tests/support/scratch_folder.hpp"

namespace notify_test {

/// Listens as systemd does, while it lives.
class Manager {
public:
    explicit Manager(const std::string& path) : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE_EQUAL(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }

    /// What was told last; empty: nothing.
    [[nodiscard]] std::string told() const {
        std::array<char, 4096> text{};
        const auto length = ::recv(socket_.number(), text.data(), text.size(), MSG_DONTWAIT);
        return length < 0 ? std::string{} : std::string{text.data(), static_cast<std::size_t>(length)};
    }

private:
    captures::base::FileDescriptor socket_;
};

}  // namespace notify_test

BOOST_AUTO_TEST_SUITE(notify_test)

BOOST_AUTO_TEST_CASE(the_manager_hears_a_life_in_its_own_words) {
    const support::ScratchFolder folder;
    const Manager manager{folder.file("notify")};
    gateway::service::notify_ready("serving");
    BOOST_TEST(manager.told() == "READY=1\nSTATUS=serving");
    gateway::service::notify_alive("2 windows open");
    BOOST_TEST(manager.told() == "WATCHDOG=1\nSTATUS=2 windows open");
    gateway::service::notify_reloading();
    BOOST_TEST(manager.told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    gateway::service::notify_stopping();
    BOOST_TEST(manager.told() == "STOPPING=1");
    BOOST_TEST(manager.told().empty());
}

BOOST_AUTO_TEST_CASE(without_a_manager_nothing_happens) {
    ::unsetenv("NOTIFY_SOCKET");
    gateway::service::notify_ready("serving");
    ::setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    gateway::service::notify_alive("serving");
    gateway::service::notify_stopping();
    ::unsetenv("NOTIFY_SOCKET");
}

BOOST_AUTO_TEST_SUITE_END()
