#include <algorithm>

#include "tools/synth/clients.hpp"
#include "tools/synth/conversations.hpp"
#include "tools/synth/generators.hpp"

// Fragments as the outside wire brings them, the good and the bad. Each case comes from its own client, whose flow is
// open already, and has its own identification.

namespace tools {

namespace {

using captures::base::Endpoint;
using Frames = std::vector<OwnedFrame>;

constexpr std::size_t fragment_size = 1480;  // what an MTU of 1500 leaves, a multiple of 8
constexpr std::size_t datagram_size = 4000;  // three fragments

/// What comes of one datagram.
struct Case {
    bool is_tcp;
    Frames (*frames)(const PacketBuilder& datagram);
};

Frames in_order(const PacketBuilder& datagram) { return fragments_of(datagram, fragment_size); }

Frames reversed(const PacketBuilder& datagram) {
    auto frames = in_order(datagram);
    std::ranges::reverse(frames);
    return frames;
}

Frames first_in_the_middle(const PacketBuilder& datagram) {
    auto frames = in_order(datagram);
    std::swap(frames[0], frames[1]);
    return frames;
}

Frames duplicated(const PacketBuilder& datagram) {
    auto frames = in_order(datagram);
    frames.insert(frames.begin() + 1, frames[1]);
    return frames;
}

Frames without_the_first(const PacketBuilder& datagram) {
    auto frames = in_order(datagram);
    frames.erase(frames.begin());
    return frames;
}

Frames without_the_last(const PacketBuilder& datagram) {
    auto frames = in_order(datagram);
    frames.pop_back();
    return frames;
}

/// The second fragment begins 8 bytes before the first ends.
Frames overlapping(const PacketBuilder& datagram) {
    return {fragment_of(datagram, 0, fragment_size), fragment_of(datagram, fragment_size - 8, fragment_size),
            fragment_of(datagram, 2 * fragment_size - 8, datagram_size)};
}

/// The last fragment lies within the first (CERT CA-1997-28).
Frames teardrop(const PacketBuilder& datagram) {
    return {fragment_of(datagram, 0, fragment_size), fragment_of(datagram, 24, 8)};
}

/// RFC 1858 §3: the ports alone in the first, the flags in one at offset 8.
Frames tiny(const PacketBuilder& datagram) {
    return {fragment_of(datagram, 0, 8), fragment_of(datagram, 8, fragment_size),
            fragment_of(datagram, 8 + fragment_size, datagram_size)};
}

/// RFC 1858 §3.2: a sound first fragment, whose flags one at offset 8 overwrites.
Frames overwriting_flags(const PacketBuilder& datagram) {
    return {fragment_of(datagram, 0, fragment_size), fragment_of(datagram, 8, fragment_size)};
}

Frames of_eight_bytes(const PacketBuilder& datagram) {
    auto frames = fragments_of(datagram, 8);
    frames.resize(std::min<std::size_t>(frames.size(), 32), frames.front());
    return frames;
}

/// Reassembles to more than 65535 bytes ("ping of death").
Frames too_long(const PacketBuilder& datagram) {
    auto last = datagram;
    return {fragment_of(datagram, 0, fragment_size), last.fragment(65528, false).payload_size(100).build()};
}

constexpr Case cases[] = {
    {false, in_order},         {false, reversed},    {false, first_in_the_middle},
    {false, duplicated},       {false, overlapping}, {false, without_the_first},
    {false, without_the_last}, {false, teardrop},    {false, too_long},
    {false, of_eight_bytes},   {true, in_order},     {true, reversed},
    {true, overlapping},       {true, tiny},         {true, overwriting_flags},
    {true, without_the_first},
};

Script opened(const Options& options, const Case& which, Endpoint client, Random& random) {
    Script script;
    if (which.is_tcp) {
        auto session = outside_session(options, client, random);
        session.open();
        script = session.take();
    } else {
        script.push_back(udp(client, Endpoint{options.public_ip, options.udp_port}).payload("open"));
    }
    for (auto& packet : script) put_on(options.link, packet);
    return script;
}

/// The datagram to cut: data of the flow that `opening` opened.
PacketBuilder datagram_of(const Options& options, const Case& which, Endpoint client, const Script& opening,
                          Random& random) {
    auto packet = which.is_tcp ? PacketBuilder{opening.back()}.psh().df(false)
                               : udp(client, Endpoint{options.public_ip, options.udp_port}).on(options.link);
    return packet.payload(random_bytes(random, datagram_size));
}

}  // namespace

void make_fragments(const Options& options, FrameStream& stream) {
    Random random{options.seed};
    std::uint64_t count = 0;
    for (std::uint64_t round = 0; round < options.flows; ++round) {
        for (const auto& which : cases) {
            const auto client = client_of(count, options.seed);
            const auto opening = opened(options, which, client, random);
            for (const auto& packet : opening) stream.emit(packet);
            auto datagram = datagram_of(options, which, client, opening, random);
            for (auto& frame : which.frames(datagram.id(static_cast<std::uint16_t>(++count)))) {
                stream.emit(std::move(frame));
            }
        }
    }
}

}  // namespace tools
