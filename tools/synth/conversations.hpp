#pragma once

#include <functional>

#include "tools/synth/generators.hpp"
#include "tools/synth/random.hpp"
#include "tools/synth/tcp_session.hpp"

namespace tools {

/// What an SSH session looks like from outside: banners, key exchange, some commands, the end.
[[nodiscard]] Script ssh_script(TcpSession session, Random& random);

/// The two directions of a flow where a capture of the outside wire has them: client and public IP.
[[nodiscard]] TcpSession outside_session(const Options& options, captures::base::Endpoint client, Random& random);

/// The same at both interfaces of the gateway: what comes from the VM goes to the firewall's instance address, to the
/// port that the client has.
[[nodiscard]] TcpSession two_sided_session(const Options& options, captures::base::Endpoint client, Random& random);

/// A UDP request from outside and its reply from inside, `exchanges` times.
[[nodiscard]] Script two_sided_udp(const Options& options, captures::base::Endpoint client, Random& random,
                                   int exchanges);

/// Sets the link type, and pads Ethernet frames as a network card does.
PacketBuilder& put_on(captures::packet::LinkType link, PacketBuilder& packet);

[[nodiscard]] std::vector<std::byte> random_bytes(Random& random, std::size_t size);

/// Emits `count` scripts, 64 at a time in random turns, each in its own order.
void interleave(std::uint64_t count, const std::function<Script(std::uint64_t)>& script_of, Random& random,
                FrameStream& stream);

}  // namespace tools
