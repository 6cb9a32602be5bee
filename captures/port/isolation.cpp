#include "captures/port/isolation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "captures/port/interface.hpp"

namespace captures::port {

namespace {

/// Messages to nf_tables (linux/netfilter/nfnetlink.h): one transaction, of which all take effect or none, or a question.
/// They are short: a name has at most 15 letters, and each becomes at most five.
class Messages {
public:
    enum class Form : std::uint8_t { transaction, question };
    explicit Messages(Form form) : form_{form} {
        if (form == Form::transaction) begin(NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES, AF_UNSPEC);
    }

    /// Attributes are added to it before the next one.
    [[nodiscard]] nlmsghdr* add(std::uint16_t type, std::uint16_t flags) {
        constexpr std::uint16_t subsystem = NFNL_SUBSYS_NFTABLES << 8;
        ++answers_;
        return begin(subsystem | type, flags | NLM_F_ACK, 0, NFPROTO_NETDEV);
    }

    /// 0, or the first message's error number.
    [[nodiscard]] int run(const mnl_socket* netlink) {
        if (form_ == Form::transaction) begin(NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES, AF_UNSPEC);
        finish();
        alignas(nlmsghdr) std::array<std::byte, 4096> answer;
        // What an earlier failure left.
        while (recv(mnl_socket_get_fd(netlink), answer.data(), answer.size(), MSG_DONTWAIT) >= 0) {
        }
        if (mnl_socket_sendto(netlink, bytes_.data(), used_) < 0) return errno;
        while (answers_ > 0) {
            const auto got = mnl_socket_recvfrom(netlink, answer.data(), answer.size());
            if (got < 0) return errno;
            int left = static_cast<int>(got);
            const auto* message = static_cast<const nlmsghdr*>(static_cast<const void*>(answer.data()));
            for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
                if (message->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(message) < sizeof(int)) continue;
                const int error = -*static_cast<const int*>(mnl_nlmsg_get_payload(message));
                if (error != 0) return error;  // there may be fewer answers than messages
                --answers_;
            }
        }
        return 0;
    }

private:
    nlmsghdr* begin(int type, int flags, std::uint16_t resource, std::uint8_t family) {
        finish();
        message_ = mnl_nlmsg_put_header(bytes_.data() + used_);
        message_->nlmsg_type = static_cast<std::uint16_t>(type);
        message_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        message_->nlmsg_seq = ++sequence_;
        *static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message_, sizeof(nfgenmsg))) = {
            .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
        return message_;
    }
    void finish() {
        if (message_ != nullptr) used_ += mnl_nlmsg_size(mnl_nlmsg_get_payload_len(message_));
        message_ = nullptr;
        assert(used_ < bytes_.size());
    }

    Form form_;
    alignas(nlmsghdr) std::array<std::byte, 4096> bytes_{};
    std::size_t used_ = 0;         ///< by finished messages
    nlmsghdr* message_ = nullptr;  ///< the last one, while attributes may be added
    std::uint32_t sequence_ = 0;
    int answers_ = 0;
};

void add_table(Messages& transaction, const std::string& table) {
    mnl_attr_put_strz(transaction.add(NFT_MSG_NEWTABLE, NLM_F_CREATE), NFTA_TABLE_NAME, table.c_str());
}

void delete_table(Messages& transaction, const std::string& table) {
    mnl_attr_put_strz(transaction.add(NFT_MSG_DELTABLE, 0), NFTA_TABLE_NAME, table.c_str());
}

void name_chain(nlmsghdr* message, const std::string& table) {
    mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, table.c_str());
    mnl_attr_put_strz(message, NFTA_CHAIN_NAME, "ingress");
}

void add_dropping_chain(Messages& transaction, const std::string& table, const std::string& interface) {
    auto* const message = transaction.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    name_chain(message, table);
    auto* const hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(NF_NETDEV_INGRESS));
    mnl_attr_put_u32(message, NFTA_HOOK_PRIORITY, htonl(std::bit_cast<std::uint32_t>(-500)));  // before all others
    mnl_attr_put_strz(message, NFTA_HOOK_DEV, interface.c_str());
    mnl_attr_nest_end(message, hook);
    mnl_attr_put_u32(message, NFTA_CHAIN_POLICY, htonl(NF_DROP));
    mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
}

/// As nft can read it: an interface's name may have any character but `/` and blanks.
std::string table_name(const std::string& interface) {
    std::string name = "portcullis_";
    for (const char letter : interface) {
        const auto byte = static_cast<unsigned char>(letter);
        if (std::isalnum(byte) != 0 && byte < 0x80) {
            name += letter;
        } else {
            name += '_' + std::to_string(byte) + '_';
        }
    }
    return name;
}

std::string failure(const std::string& interface, int error) {
    return interface_error(interface, "cannot keep the kernel's own stack from it (nftables)", error) +
           "; or say `isolate = false` and see to it yourself: no IP address on it, `sysctl -w "
           "net.ipv4.ip_forward=0 net.ipv4.conf." +
           interface + ".arp_ignore=8`";
}

}  // namespace

void Isolation::Close::operator()(mnl_socket* netlink) const noexcept { mnl_socket_close(netlink); }

tl::expected<Isolation, std::string> Isolation::of(const std::string& interface) {
    const auto found = find_interface(interface);
    if (!found) return tl::unexpected(found.error());
    Isolation made;
    made.netlink_.reset(mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC));
    if (!made.netlink_) return tl::unexpected(failure(interface, errno));
    const timeval receive_timeout{.tv_sec = 2, .tv_usec = 0};
    static_cast<void>(setsockopt(mnl_socket_get_fd(made.netlink_.get()), SOL_SOCKET, SO_RCVTIMEO, &receive_timeout,
                                 sizeof receive_timeout));
    made.interface_ = interface;
    if (auto renewed = made.renew(); !renewed) {
        made.interface_.clear();
        return tl::unexpected(renewed.error());
    }
    return made;
}

tl::expected<void, std::string> Isolation::renew() {
    const auto table = table_name(interface_);
    Messages transaction{Messages::Form::transaction};
    add_table(transaction, table);
    delete_table(transaction, table);
    add_table(transaction, table);
    add_dropping_chain(transaction, table, interface_);
    if (const int error = transaction.run(netlink_.get()); error != 0)
        return tl::unexpected(failure(interface_, error));
    return {};
}

bool Isolation::is_in_place() const {
    Messages question{Messages::Form::question};
    name_chain(question.add(NFT_MSG_GETCHAIN, 0), table_name(interface_));
    return question.run(netlink_.get()) == 0;
}

Isolation::~Isolation() {
    if (!netlink_ || interface_.empty()) return;
    Messages transaction{Messages::Form::transaction};
    delete_table(transaction, table_name(interface_));
    static_cast<void>(transaction.run(netlink_.get()));
}

std::optional<std::string> kernel_owns(std::span<const base::Ipv4Address> addresses) {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return std::nullopt;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner{all, freeifaddrs};
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
        sockaddr_in address{};
        std::memcpy(&address, each->ifa_addr, sizeof address);
        if (std::find(addresses.begin(), addresses.end(), base::Ipv4Address{ntohl(address.sin_addr.s_addr)}) ==
            addresses.end()) {
            continue;
        }
        sockaddr_in mask{};
        if (each->ifa_netmask != nullptr) std::memcpy(&mask, each->ifa_netmask, sizeof mask);
        std::array<char, INET_ADDRSTRLEN> text{};
        inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
        return std::string{text.data()} + " is the gateway's, but the kernel has it on " + each->ifa_name +
               " and would answer for it; `ip addr del " + text.data() + "/" +
               std::to_string(std::popcount(mask.sin_addr.s_addr)) + " dev " + each->ifa_name + "` takes it off";
    }
    return std::nullopt;
}

}  // namespace captures::port
