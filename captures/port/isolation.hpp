#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include <tl/expected.hpp>

#include "captures/base/address.hpp"

struct mnl_socket;

namespace captures::port {

/// Keeps the kernel's own stack from what arrives on an interface: it would answer ARP, forward, send RSTs.
///
/// Theory of operation: an nftables table of family netdev, `portcullis_<interface>`, whose ingress chain drops all.
/// Packet sockets and XDP see a frame before that hook. The table is made in one transaction that replaces what a
/// killed run left, and removed at destruction; after a SIGKILL it stays, and nothing is forwarded.
/// If the interface is removed, so is the chain, before Linux 6.16: `renew` it when it is back. Whoever may change the
/// rules of the namespace can take it away, as `nft flush ruleset` does (only a table that goes with its process could
/// not be: NFT_TABLE_F_OWNER): ask from time to time.
///
/// The messages are made by libmnl and not by libnftables. That one is GPL-2 only: a program of which it is part cannot
/// stay under the MIT licence, nor be given away together with OpenSSL 3 (Apache-2.0). It also has no way to write an
/// interface's name with a `"` in it, which Linux allows (1.0.6: "syntax error, unexpected string").
class Isolation {
public:
    /// Needs CAP_NET_ADMIN and a kernel with nf_tables; the error says what to do without.
    [[nodiscard]] static tl::expected<Isolation, std::string> of(const std::string& interface);

    Isolation(Isolation&&) = default;
    Isolation& operator=(Isolation&&) = delete;
    Isolation(const Isolation&) = delete;
    Isolation& operator=(const Isolation&) = delete;
    ~Isolation();

    /// Makes its table anew, which goes with the interface; without a gap where it is still there. Needs no new
    /// descriptor.
    [[nodiscard]] tl::expected<void, std::string> renew();
    /// Whether its chain is there.
    [[nodiscard]] bool is_in_place() const;

private:
    Isolation() = default;

    std::string interface_;
    struct Close {
        void operator()(mnl_socket* netlink) const noexcept;
    };
    std::unique_ptr<mnl_socket, Close> netlink_;  ///< of the namespace in which it was made
};

/// If the kernel has one of these addresses on any interface of this namespace: which, and what to do. Such an address
/// must be the gateway's alone.
[[nodiscard]] std::optional<std::string> kernel_owns(std::span<const base::Ipv4Address> addresses);

}  // namespace captures::port
