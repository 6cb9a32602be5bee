#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "captures/base/address.hpp"

namespace support {

/// A client that says to a server just what it is told to, HTTP or not, on TLS or not.
class TestClient {
public:
    /// `source`: an address of this host, where it matters.
    explicit TestClient(captures::base::Endpoint server, captures::base::Ipv4Address source = {})
        : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // OpenSSL writes to whoever has hung up
        constexpr timeval receive_timeout{.tv_sec = 120, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof receive_timeout);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(source.value);
        if (source.value != 0 && ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error{"no such address here"};
        }
        address.sin_port = htons(server.port);
        address.sin_addr.s_addr = htonl(server.address.value);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error{"no connection"};
        }
    }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;
    ~TestClient() {
        tls_.reset();
        ::close(socket_);
    }

    /// TLS, at most in that version; empty where the server will not.
    std::string start_tls(int most = TLS1_3_VERSION) {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_.get(), most);
        tls_.reset(SSL_new(context_.get()));
        SSL_set_fd(tls_.get(), socket_);
        const bool done = SSL_connect(tls_.get()) == 1;
        ERR_clear_error();
        return done ? SSL_get_version(tls_.get()) : "";
    }

    /// False: the server has hung up.
    bool send(std::string_view text) {
        if (tls_) return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) > 0;
        return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
    }

    /// One answer: header and body; what there was of it where the server hung up.
    std::string answer(bool has_body = true) {
        while (received_.find("\r\n\r\n") == std::string::npos && receive()) {
        }
        const auto end = std::min(received_.find("\r\n\r\n"), received_.size() - 4) + 4;
        constexpr std::string_view name = "Content-Length: ";
        std::size_t length = 0;
        if (const auto at = received_.find(name); has_body && at < end) {
            std::from_chars(received_.data() + at + name.size(), received_.data() + end, length);
        }
        while (received_.size() < end + length && receive()) {
        }
        auto text = received_.substr(0, end + length);
        received_.erase(0, end + length);
        return text;
    }

    std::string ask(std::string_view text) { return send(text) ? answer() : ""; }

    /// Waits until so many bytes, as they come on the wire, are there to be read.
    void wait_for(int bytes) const {
        for (int there = 0; there < bytes; std::this_thread::sleep_for(std::chrono::milliseconds{1})) {
            if (::ioctl(socket_, FIONREAD, &there) != 0) throw std::runtime_error{"no socket"};
        }
    }

    /// All that comes until the server hangs up.
    std::string rest() {
        while (receive()) {
        }
        return std::exchange(received_, {});
    }

    /// Says that it will send no more.
    void finish() {
        if (tls_) SSL_shutdown(tls_.get());
        ::shutdown(socket_, SHUT_WR);
    }

private:
    bool receive() {
        std::array<char, 16384> part{};
        const auto got = tls_ ? SSL_read(tls_.get(), part.data(), static_cast<int>(part.size()))
                              : static_cast<int>(::recv(socket_, part.data(), part.size(), 0));
        if (got > 0) received_.append(part.data(), static_cast<std::size_t>(got));
        ERR_clear_error();
        return got > 0;
    }

    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
        void operator()(SSL* tls) const { SSL_free(tls); }
    };
    int socket_;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> tls_;
    std::string received_;
};

}  // namespace support
