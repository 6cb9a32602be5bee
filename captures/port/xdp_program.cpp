#include "captures/port/xdp_program.hpp"

#include <array>
#include <cerrno>
#include <cstddef>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "captures/packet/link_layer.hpp"

namespace captures::port {

namespace {

/// Sockets of a queue in the map, beside each other.
constexpr int sockets_a_queue = 2;
constexpr int of_connections = 0;
constexpr int of_others = 1;

constexpr int ipv4_header = 20;
constexpr int tcp_flags = 13;

/// A call takes r1 to r3, and leaves nothing in r0 to r5 but its result in r0.
enum Register : std::uint8_t { r0, r1, r2, r3, r4, r5, context, index };

constexpr bpf_insn instruction(int code, Register to, Register from, int offset, int value) {
    bpf_insn made{};
    made.code = static_cast<std::uint8_t>(code);
    made.dst_reg = to & 0xfU;
    made.src_reg = from & 0xfU;
    made.off = static_cast<std::int16_t>(offset);
    made.imm = value;
    return made;
}
constexpr bpf_insn load(int size, Register to, Register from, int offset) {
    return instruction(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
}
constexpr bpf_insn compute(int operation, Register to, int value) {
    return instruction(BPF_ALU64 | operation | BPF_K, to, r0, 0, value);
}
constexpr bpf_insn compute(int operation, Register to, Register from) {
    return instruction(BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}
constexpr bpf_insn call(bpf_func_id function) { return instruction(BPF_JMP | BPF_CALL, r0, r0, 0, function); }
/// To the end: see load_program.
constexpr bpf_insn leave_if(int condition, Register left, int value) {
    return instruction(BPF_JMP | condition | BPF_K, left, r0, 0, value);
}
constexpr bpf_insn leave_if(int condition, Register left, Register right) {
    return instruction(BPF_JMP | condition | BPF_X, left, right, 0, 0);
}

/// See the class.
int load_program(int sockets) {
    std::array program{
        // index = 2 * ctx->rx_queue_index + of_others
        compute(BPF_MOV, context, r1),
        load(BPF_W, index, context, offsetof(xdp_md, rx_queue_index)),
        compute(BPF_MUL, index, sockets_a_queue),
        compute(BPF_ADD, index, of_others),
        // if (bpf_xdp_adjust_meta(ctx, -8) != 0) goto end
        compute(BPF_MOV, r2, -static_cast<int>(sizeof(std::uint64_t))),
        call(BPF_FUNC_xdp_adjust_meta),
        leave_if(BPF_JNE, r0, 0),
        // *ctx->data_meta = bpf_ktime_get_ns()
        call(BPF_FUNC_ktime_get_ns),
        load(BPF_W, r2, context, offsetof(xdp_md, data_meta)),
        load(BPF_W, r3, context, offsetof(xdp_md, data)),
        load(BPF_W, r4, context, offsetof(xdp_md, data_end)),
        compute(BPF_MOV, r5, r2),
        compute(BPF_ADD, r5, sizeof(std::uint64_t)),
        leave_if(BPF_JGT, r5, r3),
        instruction(BPF_STX | BPF_MEM | BPF_DW, r2, r0, 0, 0),
        // r3: the frame, r4: its end. Unless it is TCP in IPv4, in one piece: goto end
        compute(BPF_MOV, r5, r3),
        compute(BPF_ADD, r5, int{packet::ethernet_size} + ipv4_header),
        leave_if(BPF_JGT, r5, r4),
        load(BPF_H, r5, r3, 12),
        leave_if(BPF_JNE, r5, htons(ETH_P_IP)),
        load(BPF_B, r5, r3, int{packet::ethernet_size} + 9),
        leave_if(BPF_JNE, r5, IPPROTO_TCP),
        load(BPF_H, r5, r3, int{packet::ethernet_size} + 6),
        leave_if(BPF_JSET, r5, htons(IP_MF | IP_OFFMASK)),
        // If IPv4's header has options, whose length the verifier lets nobody add to a pointer without CAP_PERFMON, or
        // the flags of TCP are not there, or have SYN: goto end
        load(BPF_B, r5, r3, int{packet::ethernet_size}),
        leave_if(BPF_JNE, r5, IPVERSION << 4 | ipv4_header / 4),
        compute(BPF_MOV, r5, r3),
        compute(BPF_ADD, r5, int{packet::ethernet_size} + ipv4_header + tcp_flags + 1),
        leave_if(BPF_JGT, r5, r4),
        load(BPF_B, r5, r3, int{packet::ethernet_size} + ipv4_header + tcp_flags),
        leave_if(BPF_JSET, r5, TH_SYN),
        compute(BPF_ADD, index, of_connections - of_others),
        // end: return bpf_redirect_map(sockets, index, XDP_DROP); the last is what happens where there is no socket
        // NOLINTNEXTLINE(misc-redundant-expression): two are 0
        instruction(BPF_LD | BPF_DW | BPF_IMM, r1, Register{BPF_PSEUDO_MAP_FD}, 0, sockets),
        bpf_insn{},  // the upper half of the one before
        compute(BPF_MOV, r2, index),
        compute(BPF_MOV, r3, XDP_DROP),
        call(BPF_FUNC_redirect_map),
        instruction(BPF_JMP | BPF_EXIT, r0, r0, 0, 0),
    };
    constexpr std::size_t end = std::tuple_size_v<decltype(program)> - 6;
    for (std::size_t at = 0; at < end; ++at) {
        const int code = program[at].code;
        const bool leaves = BPF_CLASS(code) == BPF_JMP && BPF_OP(code) != BPF_CALL;
        if (leaves) program[at].off = static_cast<std::int16_t>(end - at - 1);
    }
    return bpf_prog_load(BPF_PROG_TYPE_XDP, "portcullis", "GPL", program.data(), program.size(), nullptr);
}

int attach_link(int program, int interface, std::uint32_t mode) {
    bpf_link_create_opts options{};  // not LIBBPF_OPTS, which is an expression of GNU's C
    options.sz = sizeof options;
    options.flags = mode;
    return bpf_link_create(program, interface, BPF_XDP, &options);
}

}  // namespace

tl::expected<XdpProgram, std::string> XdpProgram::attach(const Interface& interface) {
    XdpProgram made;
    made.sockets_ = base::FileDescriptor{bpf_map_create(BPF_MAP_TYPE_XSKMAP, "portcullis", sizeof(int), sizeof(int),
                                                        sockets_a_queue * interface.receive_queues, nullptr)};
    if (!made.sockets_) return tl::unexpected(xdp_error(interface, "cannot make a map of AF_XDP sockets", errno));
    const base::FileDescriptor program{load_program(made.sockets_.number())};
    if (!program) return tl::unexpected(xdp_error(interface, "cannot load an XDP program", errno));

    made.link_ = base::FileDescriptor{attach_link(program.number(), interface.index, XDP_FLAGS_DRV_MODE)};
    made.native_ = static_cast<bool>(made.link_);
    if (!made.link_)
        made.link_ = base::FileDescriptor{attach_link(program.number(), interface.index, XDP_FLAGS_SKB_MODE)};
    if (!made.link_ && (errno == EBUSY || errno == EEXIST)) {
        return tl::unexpected("interface " + interface.name + " has an XDP program of somebody else; `ip link set " +
                              interface.name + " xdp off` takes it off, or whoever put it there does");
    }
    if (!made.link_) return tl::unexpected(xdp_error(interface, "cannot attach an XDP program", errno));
    return made;
}

bool XdpProgram::steer(std::uint32_t queue, int connections, int others) noexcept {
    const auto first = queue * sockets_a_queue;
    const auto set = [this](std::uint32_t at, int socket) {
        return bpf_map_update_elem(sockets_.number(), &at, &socket, BPF_ANY) == 0;
    };
    return set(first + of_connections, connections) && set(first + of_others, others);
}

std::string xdp_error(const Interface& interface, const std::string& what, int error_number) {
    auto text = interface_error(interface.name, what, error_number);
    if (error_number == EPERM || error_number == EACCES) text += "; the xdp driver needs CAP_BPF as well";
    return text;
}

}  // namespace captures::port
