#include "captures/xdp_program.hpp"

#include <array>
#include <cerrno>
#include <cstddef>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

namespace captures {

namespace {

/// bpf_redirect_map(sockets, ctx->rx_queue_index, XDP_DROP): the last is what happens where there is no socket.
int load_program(int sockets) {
    constexpr std::uint8_t r0_to_r5 = 0;
    constexpr std::uint8_t r1 = 1;
    constexpr std::uint8_t r2 = 2;
    constexpr std::uint8_t r3 = 3;
    const std::array<bpf_insn, 6> program{{
        {BPF_LDX | BPF_MEM | BPF_W, r2, r1, offsetof(xdp_md, rx_queue_index), 0},
        {BPF_LD | BPF_DW | BPF_IMM, r1, BPF_PSEUDO_MAP_FD, 0, sockets},  // NOLINT(misc-redundant-expression): two are 0
        {0, 0, 0, 0, 0},                                                 // the upper half of the one before
        {BPF_ALU64 | BPF_MOV | BPF_K, r3, 0, 0, XDP_DROP},
        {BPF_JMP | BPF_CALL, r0_to_r5, 0, 0, BPF_FUNC_redirect_map},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    }};
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
    made.sockets_ = FileDescriptor{
        bpf_map_create(BPF_MAP_TYPE_XSKMAP, "portcullis", sizeof(int), sizeof(int), interface.receive_queues, nullptr)};
    if (!made.sockets_) return tl::unexpected(xdp_error(interface, "cannot make a map of AF_XDP sockets", errno));
    const FileDescriptor program{load_program(made.sockets_.number())};
    if (!program) return tl::unexpected(xdp_error(interface, "cannot load an XDP program", errno));

    made.link_ = FileDescriptor{attach_link(program.number(), interface.index, XDP_FLAGS_DRV_MODE)};
    made.native_ = static_cast<bool>(made.link_);
    if (!made.link_) made.link_ = FileDescriptor{attach_link(program.number(), interface.index, XDP_FLAGS_SKB_MODE)};
    if (!made.link_ && (errno == EBUSY || errno == EEXIST)) {
        return tl::unexpected("interface " + interface.name + " has an XDP program of somebody else; `ip link set " +
                              interface.name + " xdp off` takes it off, or whoever put it there does");
    }
    if (!made.link_) return tl::unexpected(xdp_error(interface, "cannot attach an XDP program", errno));
    return made;
}

bool XdpProgram::steer(std::uint32_t queue, int socket) noexcept {
    return bpf_map_update_elem(sockets_.number(), &queue, &socket, BPF_ANY) == 0;
}

std::string xdp_error(const Interface& interface, const std::string& what, int error_number) {
    auto text = interface_error(interface.name, what, error_number);
    if (error_number == EPERM || error_number == EACCES) text += "; the xdp driver needs CAP_BPF as well";
    return text;
}

}  // namespace captures
