#include "captures/port/arrival_filter.hpp"

#include <cerrno>
#include <memory>

#include <linux/filter.h>
#include <pcap.h>
#include <sys/socket.h>

namespace captures::port {

std::string filter_expression(Share share) {
    // A byte that is not there makes a filter end with nothing, so lengths are looked at before.
    const std::string connections =
        "len >= 34 and tcp and ip[6:2] & 0x3fff == 0 and len >= ((ip[0] & 15) << 2) + 28 and tcp[13] & 2 == 0";
    return share == Share::connections ? connections : "not (" + connections + ")";
}

bool take_only(int socket, Share share) {
    constexpr int all_of_a_frame = 262144;
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> compiler{pcap_open_dead(DLT_EN10MB, all_of_a_frame),
                                                                  pcap_close};
    bpf_program program{};
    if (!compiler ||
        pcap_compile(compiler.get(), &program, filter_expression(share).c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
        errno = ENOMEM;  // the expressions are sound
        return false;
    }
    // The kernel's instructions, by another name.
    const sock_fprog filter{static_cast<unsigned short>(program.bf_len),
                            reinterpret_cast<sock_filter*>(program.bf_insns)};
    const bool taken = setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
    pcap_freecode(&program);
    return taken;
}

}  // namespace captures::port
