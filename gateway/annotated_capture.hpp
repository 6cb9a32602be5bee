#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "captures/capture_writer.hpp"
#include "gateway/pipeline.hpp"

namespace gateway {

/// A pcapng with every packet as it came, with its verdict as a comment, followed by what left for it. Opens in Wireshark:
/// `frame.comment contains "jit-closed"`.
class AnnotatedCapture final : public Observer {
public:
    enum class Interfaces : std::uint8_t {
        arrived_left,    ///< `--annotate`: named `arrived` and `left`, whatever the side
        outside_inside,  ///< `--record`: of the side, each packet marked inbound or outbound: can be replayed
    };
    explicit AnnotatedCapture(captures::CaptureWriter& writer, Interfaces interfaces = Interfaces::arrived_left)
        : writer_{&writer}, interfaces_{interfaces} {}

    void judged(const Judged& burst) override;
    void rewritten(const Judged& burst) override;
    void synthesized(const captures::Frame& frame) override;

private:
    void write_arrival(const captures::Frame& frame, const std::string& comment);
    void write_departure(const captures::Frame& frame, const std::string& comment);

    captures::CaptureWriter* writer_;
    Interfaces interfaces_;
    std::vector<std::byte> originals_;  ///< of the burst, one after the other
};

}  // namespace gateway
