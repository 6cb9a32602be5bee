#include "captures/file/pcap_writer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "captures/base/bytes.hpp"

namespace captures::file {

namespace {

constexpr std::size_t written_header = 24;
constexpr std::size_t record_header = 16;
constexpr std::int64_t last_fraction = 999'999'999;
static_assert(record_header + packet::largest_frame <= OutputBuffer::largest_piece);

class PcapWriter final : public CaptureWriter {
public:
    explicit PcapWriter(std::unique_ptr<OutputBuffer> output) : output_(std::move(output)) {}

    void write(std::span<const packet::Frame> frames) override;
    void write(const packet::Frame& frame, const Annotation& /*annotation*/) override;
    void release() override { output_->release(); }
    void expect(packet::LinkType link_type) override {
        if (!begun_) link_type_ = link_type;
    }
    [[nodiscard]] bool ok() const noexcept override { return output_->ok(); }
    [[nodiscard]] std::string close() override;

private:
    void begin(packet::LinkType link_type);
    void refuse(const packet::Frame& frame);
    std::uint64_t seek_second(std::int64_t nanoseconds) noexcept;

    std::unique_ptr<OutputBuffer> output_;
    packet::LinkType link_type_ = packet::LinkType::ethernet;
    bool begun_ = false;
    std::uint32_t second_ = 0;        ///< that of the last frame: the next one is usually in it, too
    std::int64_t second_begins_ = 0;  ///< nanoseconds
};

void PcapWriter::write(std::span<const packet::Frame> frames) {
    if (!begun_ && !frames.empty()) begin(frames.front().link_type);
    for (const packet::Frame& frame : frames) {
        if (frame.link_type != link_type_ || frame.captured > packet::largest_frame) return refuse(frame);
        const std::size_t size = record_header + frame.captured;
        const bool in_place = frame.room != packet::Room::none;
        std::byte* const record = in_place ? frame.data - record_header : output_->append(size);
        if (record == nullptr) return;
        const std::int64_t nanoseconds = frame.time.time_since_epoch().count();
        auto fraction = static_cast<std::uint64_t>(nanoseconds - second_begins_);
        if (fraction > std::uint64_t{last_fraction}) [[unlikely]]
            fraction = seek_second(nanoseconds);
        base::store_native(record, second_);
        base::store_native(record + 4, static_cast<std::uint32_t>(fraction));
        base::store_native(record + 8, frame.captured);
        base::store_native(record + 12, frame.length);
        if (in_place) {
            output_->append_zero_copy({record, size});
        } else if (frame.captured > 0) {
            std::memcpy(record + record_header, frame.data, frame.captured);
        }
    }
}

void PcapWriter::write(const packet::Frame& frame, const Annotation& /*annotation*/) {
    packet::Frame copied = frame;
    copied.room = packet::Room::none;
    write({&copied, 1});
}

void PcapWriter::begin(packet::LinkType link_type) {
    begun_ = true;
    link_type_ = link_type;
    std::byte* const header = output_->append(written_header);
    if (header == nullptr) return;
    base::store_native(header, std::uint32_t{0xa1b23c4d});
    base::store_native(header + 4, std::uint16_t{2});
    base::store_native(header + 6, std::uint16_t{4});
    base::store_native(header + 8, std::uint64_t{0});  // time zone and accuracy: unused
    base::store_native(header + 16, packet::largest_frame);
    base::store_native(header + 20, std::uint32_t{static_cast<std::uint16_t>(link_type)});
}

void PcapWriter::refuse(const packet::Frame& frame) {
    if (frame.link_type == link_type_) {
        output_->fail("a frame of " + std::to_string(frame.captured) + " bytes is too large");
        return;
    }
    output_->fail("packet " + std::to_string(frame.number) + " has link type " +
                  std::to_string(static_cast<unsigned>(frame.link_type)) + ", those before it have " +
                  std::to_string(static_cast<unsigned>(link_type_)) +
                  "; a classic pcap file holds only one, a .pcapng file holds both");
}

/// Returns the nanoseconds from there. What the format cannot say becomes the nearest that it can.
std::uint64_t PcapWriter::seek_second(std::int64_t nanoseconds) noexcept {
    constexpr std::int64_t last = 0xffffffff;
    const std::int64_t second = std::clamp<std::int64_t>(nanoseconds / 1'000'000'000, 0, last);
    second_ = static_cast<std::uint32_t>(second);
    second_begins_ = second * 1'000'000'000;
    return static_cast<std::uint64_t>(std::clamp<std::int64_t>(nanoseconds - second_begins_, 0, last_fraction));
}

std::string PcapWriter::close() {
    if (!begun_) begin(link_type_);
    return output_->close();
}

}  // namespace

std::unique_ptr<CaptureWriter> make_pcap_writer(std::unique_ptr<OutputBuffer> output) {
    return std::make_unique<PcapWriter>(std::move(output));
}

}  // namespace captures::file
