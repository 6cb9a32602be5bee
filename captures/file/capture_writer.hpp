#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "captures/packet/frame.hpp"

namespace captures::file {

class OutputBuffer;

enum class CaptureFormat : std::uint8_t { pcap, pcapng };

/// `.pcapng` and `.ntar`, in capitals or not, mean pcapng; anything else classic pcap.
[[nodiscard]] CaptureFormat format_for(std::string_view path) noexcept;

/// What pcapng can say of a frame beyond its bytes.
struct Annotation {
    enum class Direction : std::uint8_t { unknown, inbound, outbound };  ///< numbers as in epb_flags
    std::string_view interface;
    std::string_view comment{};  ///< UTF-8; empty: none
    Direction direction = Direction::unknown;
};

/// Writes captures with nanosecond timestamps: classic pcap (magic a1b23c4d) or pcapng (if_tsresol 9), both in
/// this machine's byte order, in large sequential writes.
///
/// Errors are sticky: after a failed write (a full disk) `ok()` is false, further writes do nothing, and `close`
/// says what happened. A classic file holds one link type, that of its first frame; a frame of another one is
/// such an error, too. In pcapng an interface is declared when its first frame comes.
class CaptureWriter {
public:
    /// Creates or truncates `path`; `-` is standard output. The error names the file and the system's reason.
    [[nodiscard]] static tl::expected<std::unique_ptr<CaptureWriter>, std::string> create(const std::string& path,
                                                                                          CaptureFormat format);
    [[nodiscard]] static std::unique_ptr<CaptureWriter> create(std::unique_ptr<OutputBuffer> output,
                                                               CaptureFormat format);

    CaptureWriter() = default;
    CaptureWriter(const CaptureWriter&) = delete;
    CaptureWriter& operator=(const CaptureWriter&) = delete;
    virtual ~CaptureWriter() = default;  ///< closes without reporting; call `close` first

    /// Appends frames, in order. Those that have room around them are written from where they lie, their room overwritten,
    /// by the next `release`; until then they must stay. In pcapng a frame goes to the interface (`outside` or `inside`, link type).
    virtual void write(std::span<const packet::Frame> frames) = 0;

    /// Appends a copy of one frame on the named interface. Classic pcap keeps nothing of the annotation.
    virtual void write(const packet::Frame& frame, const Annotation& annotation) = 0;

    /// Needs no bytes of frames any more: those that it was to write from where they lie are written.
    virtual void release() = 0;

    [[nodiscard]] virtual bool ok() const noexcept = 0;

    /// What a classic file says that it holds if no frame comes: Ethernet, unless told otherwise.
    virtual void expect(packet::LinkType /*link_type*/) {}

    /// Flushes and closes. A file without any frame is still a valid, empty capture. Empty text means success.
    [[nodiscard]] virtual std::string close() = 0;
};

}  // namespace captures::file
