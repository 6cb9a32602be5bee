#pragma once

#include <string>

#include "captures/output_buffer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway {

/// `--decisions`: a JSON line a packet (DESIGN §5). Fields that do not apply are left out. Lines come in the order of the
/// decisions, which is that of the packets but for fragments that waited for their first one.
class DecisionLog final : public Observer {
public:
    explicit DecisionLog(captures::OutputBuffer& output) : output_{&output} {}

    void judged(const Judged& burst) override;
    void rewritten(const Judged&) override {}
    void synthesized(const captures::Frame&) override {}

private:
    captures::OutputBuffer* output_;
    std::string line_;
};

/// Appends a whole line to a buffer; after an error it is not written.
void append_line(captures::OutputBuffer& output, std::string_view line);

/// A JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace gateway
