#include "tests/support/tcp_transcript.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>
#include <stdexcept>

#include "tests/support/packet_builder.hpp"

namespace support {

namespace {

std::uint8_t flags_of(std::string_view letters) {
    namespace flag = captures::packet::tcp_flag;
    std::uint8_t flags = 0;
    for (const char letter : letters) {
        switch (letter) {
            case 'S': flags |= flag::syn; break;
            case 'F': flags |= flag::fin; break;
            case 'R': flags |= flag::rst; break;
            case 'P': flags |= flag::psh; break;
            case '.': flags |= flag::ack; break;
            default: throw std::invalid_argument{"no TCP flag: " + std::string{letters}};
        }
    }
    return flags;
}

PacketBuilder segment_of(std::istringstream& words) {
    std::string flags;
    std::string sequence;
    words >> flags >> sequence;
    auto packet = tcp("198.51.100.7:40000", "203.0.113.10:50022").flags(flags_of(flags));
    const auto plus = sequence.find('+');
    packet.seq(static_cast<std::uint32_t>(std::stoul(sequence)));
    if (plus != std::string::npos) packet.payload_size(std::stoul(sequence.substr(plus + 1)));
    std::string word;
    std::uint32_t number = 0;
    while (words >> word >> number) {
        if (word == "ack") {
            packet.ack_number(number);
        } else if (word == "win") {
            packet.window(static_cast<std::uint16_t>(number));
        } else if (word == "scale") {
            packet.window_scale(static_cast<std::uint8_t>(number));
        } else {
            throw std::invalid_argument{"neither ack, win nor scale: " + word};
        }
    }
    return packet;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

void TcpTranscript::play(const std::vector<std::string_view>& lines) {
    for (const auto line : lines) {
        const auto arrow = line.find("->");
        if (arrow == std::string_view::npos) throw std::invalid_argument{"no arrow: " + std::string{line}};
        const auto expected = trimmed(line.substr(arrow + 2));
        const auto found = play_segment(line.substr(0, arrow));
        BOOST_CHECK_MESSAGE(found == expected, line << "\n  but: " << found);
    }
}

std::string TcpTranscript::play_segment(std::string_view segment) {
    std::istringstream words{std::string{segment}};
    std::string who;
    words >> who;
    if (who != "client" && who != "server") throw std::invalid_argument{"neither client nor server: " + who};
    const Decoded decoded{segment_of(words)};
    if (decoded.packet.kind != captures::packet::Kind::tcp) throw std::invalid_argument{"no sound segment"};
    if (!begun_) {
        begun_ = true;
        begin(state_, track_, decoded.packet);
        return std::string{to_string(state_)};
    }
    const auto before = state_;
    const auto step = advance(state_, track_, decoded.packet, who == "client");
    BOOST_CHECK_EQUAL(step.changed, state_ != before);
    auto result = std::string{to_string(state_)};
    if (step.outcome == dnat::TcpOutcome::reopen) return result + ", reopen";
    if (step.outcome == dnat::TcpOutcome::invalid) return result + ", invalid";
    return step.refreshes ? result : result + ", quiet";
}

}  // namespace support
