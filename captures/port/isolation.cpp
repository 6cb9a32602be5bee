#include "captures/port/isolation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "captures/base/bytes.hpp"
#include "captures/port/interface.hpp"

namespace captures::port {

namespace {

/// Netlink messages (linux/netfilter/nfnetlink.h): of one transaction, of which all take effect or none, or a question.
class Messages {
public:
    enum class Form : std::uint8_t { transaction, question };
    explicit Messages(Form form) : form_{form} {
        if (form == Form::transaction) begin(NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES, AF_UNSPEC);
    }

    void message(std::uint16_t type, std::uint16_t flags) {
        constexpr std::uint16_t subsystem = NFNL_SUBSYS_NFTABLES << 8;
        begin(subsystem | type, flags | NLM_F_ACK, 0, NFPROTO_NETDEV);
        ++answers_;
    }
    void text(std::uint16_t attribute, std::string_view value) {
        const auto at = open(attribute);
        append(value.data(), value.size());
        bytes_.push_back(std::byte{0});
        close(at);
    }
    void number(std::uint16_t attribute, std::uint32_t value) {
        const auto at = open(attribute);
        value = htonl(value);
        append(&value, sizeof value);
        close(at);
    }
    [[nodiscard]] std::size_t open(std::uint16_t attribute) {
        const auto at = bytes_.size();
        const nlattr header{0, attribute};
        append(&header, sizeof header);
        return at;
    }
    void close(std::size_t at) {
        base::store_native(bytes_.data() + at, static_cast<std::uint16_t>(bytes_.size() - at));
        bytes_.resize((bytes_.size() + 3) / 4 * 4);
        finish();
    }

    /// 0, or the first message's error number.
    [[nodiscard]] int run(int netlink) {
        if (form_ == Form::transaction) begin(NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES, AF_UNSPEC);
        std::array<std::byte, 4096> answer;
        while (recv(netlink, answer.data(), answer.size(), MSG_DONTWAIT) >= 0) {  // what an earlier failure left
        }
        if (send(netlink, bytes_.data(), bytes_.size(), 0) < 0) return errno;
        int failed = 0;
        while (answers_ > 0) {
            const auto got = recv(netlink, answer.data(), answer.size(), 0);
            if (got < 0) return errno;
            // Several may come in one datagram; after an error there may be fewer than messages.
            for (std::size_t at = 0; at + sizeof(nlmsghdr) + sizeof(int) <= static_cast<std::size_t>(got);) {
                const auto header = base::load_native<nlmsghdr>(answer.data() + at);
                if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq >= 1) {
                    const int error = -base::load_native<int>(answer.data() + at + sizeof header);
                    if (failed == 0) failed = error;
                    --answers_;
                }
                at += std::max((std::size_t{header.nlmsg_len} + 3) / 4 * 4, sizeof header);
            }
            if (failed != 0) return failed;
        }
        return 0;
    }

private:
    void append(const void* from, std::size_t size) {
        const auto* const first = static_cast<const std::byte*>(from);
        bytes_.insert(bytes_.end(), first, first + size);
    }
    void begin(int type, int flags, std::uint16_t resource, std::uint8_t family) {
        message_ = bytes_.size();
        nlmsghdr header{};
        header.nlmsg_type = static_cast<std::uint16_t>(type);
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        header.nlmsg_seq = ++sequence_;
        append(&header, sizeof header);
        const nfgenmsg family_header{family, NFNETLINK_V0, htons(resource)};
        append(&family_header, sizeof family_header);
        finish();
    }
    void finish() {
        base::store_native(bytes_.data() + message_, static_cast<std::uint32_t>(bytes_.size() - message_));
    }

    Form form_;
    std::vector<std::byte> bytes_;
    std::size_t message_ = 0;  ///< where the last one begins
    std::uint32_t sequence_ = 0;
    int answers_ = 0;
};

void add_table(Messages& transaction, const std::string& table) {
    transaction.message(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    transaction.text(NFTA_TABLE_NAME, table);
}

void delete_table(Messages& transaction, const std::string& table) {
    transaction.message(NFT_MSG_DELTABLE, 0);
    transaction.text(NFTA_TABLE_NAME, table);
}

void name_chain(Messages& messages, const std::string& table) {
    messages.text(NFTA_CHAIN_TABLE, table);
    messages.text(NFTA_CHAIN_NAME, "ingress");
}

void add_dropping_chain(Messages& transaction, const std::string& table, const std::string& interface) {
    transaction.message(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    name_chain(transaction, table);
    const auto hook = transaction.open(NFTA_CHAIN_HOOK | NLA_F_NESTED);
    transaction.number(NFTA_HOOK_HOOKNUM, NF_NETDEV_INGRESS);
    transaction.number(NFTA_HOOK_PRIORITY, std::bit_cast<std::uint32_t>(-500));  // before all others
    transaction.text(NFTA_HOOK_DEV, interface);
    transaction.close(hook);
    transaction.number(NFTA_CHAIN_POLICY, NF_DROP);
    transaction.text(NFTA_CHAIN_TYPE, "filter");
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

}  // namespace

tl::expected<Isolation, std::string> Isolation::of(const std::string& interface) {
    const auto found = find_interface(interface);
    if (!found) return tl::unexpected(found.error());
    Isolation made;
    made.netlink_ = base::FileDescriptor{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
    const timeval receive_timeout{2, 0};
    static_cast<void>(
        setsockopt(made.netlink_.number(), SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, sizeof receive_timeout));
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
    const int error = netlink_ ? transaction.run(netlink_.number()) : errno;
    if (error == 0) return {};
    return tl::unexpected(interface_error(interface_, "cannot keep the kernel's own stack from it (nftables)", error) +
                          "; or say `isolate = false` and see to it yourself: no IP address on it, `sysctl -w "
                          "net.ipv4.ip_forward=0 net.ipv4.conf." +
                          interface_ + ".arp_ignore=8`");
}

bool Isolation::is_in_place() const {
    Messages question{Messages::Form::question};
    question.message(NFT_MSG_GETCHAIN, 0);
    name_chain(question, table_name(interface_));
    return question.run(netlink_.number()) == 0;
}

Isolation::~Isolation() {
    if (!netlink_ || interface_.empty()) return;
    Messages transaction{Messages::Form::transaction};
    delete_table(transaction, table_name(interface_));
    static_cast<void>(transaction.run(netlink_.number()));
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
