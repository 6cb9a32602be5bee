#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "captures/file/output_buffer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::outputs {

/// What was decided about one packet, as a value that needs nothing else.
struct Decision {
    std::uint64_t packet = 0;  ///< its number
    captures::base::Time time{};
    captures::packet::Side side = captures::packet::Side::outside;
    policy::Reason reason = policy::Reason::not_ip;
    captures::packet::Kind kind = captures::packet::Kind::not_ip;
    bool addressed = false;  ///< it is IPv4, whose addresses are known
    captures::base::FiveTuple tuple{};
    std::uint8_t tcp_flags = 0;
    std::uint32_t length = 0;                       ///< of the frame on the wire
    captures::base::Endpoint out_from{}, out_to{};  ///< of a packet that is forwarded
    std::string rule;                               ///< `rule_text`
    std::string detail;                             ///< `detail_text`

    [[nodiscard]] policy::Fate fate() const noexcept { return policy::fate_of(reason); }
};

/// Precondition: the packet is not held.
[[nodiscard]] Decision decision_of(const pipeline::Judged& burst, std::size_t i);

/// A JSON object (DESIGN §5). Fields that do not apply are left out.
void append_json(std::string& to, const Decision& decision);

/// `--decisions`: a JSON line a packet. Lines come in the order of the decisions, which is that of the packets but for
/// fragments that waited for their first one.
class DecisionLog final : public pipeline::Observer {
public:
    explicit DecisionLog(captures::file::OutputBuffer& output) : output_{&output} {}

    void judged(const pipeline::Judged& burst) override;
    void rewritten(const pipeline::Judged&) override {}
    void synthesized(const captures::packet::Frame&) override {}

private:
    captures::file::OutputBuffer* output_;
    std::string line_;
};

/// Appends a whole line to a buffer; after an error it is not written.
void append_line(captures::file::OutputBuffer& output, std::string_view line);

/// A JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace gateway::outputs
