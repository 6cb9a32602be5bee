#include "captures/file/pcapng_writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "captures/base/bytes.hpp"
#include "captures/base/utf8.hpp"
#include "captures/file/pcapng_format.hpp"
#include "captures/packet/print.hpp"

namespace captures::file {

namespace {

constexpr std::size_t option_header = 4;
constexpr std::size_t packet_header = 28;
constexpr std::size_t longest_option = 65535;
static_assert(pcapng::enhanced_block + packet::largest_frame + longest_option + 24 <= OutputBuffer::largest_piece);

class PcapngWriter final : public CaptureWriter {
public:
    explicit PcapngWriter(std::unique_ptr<OutputBuffer> output);

    void write(std::span<const packet::Frame> frames) override;
    void write(const packet::Frame& frame, const Annotation& annotation) override;
    void release() override { output_->release(); }
    [[nodiscard]] bool ok() const noexcept override { return output_->ok(); }
    [[nodiscard]] std::string close() override;

private:
    struct Interface {
        std::string name;
        packet::LinkType link_type;
    };
    /// The interface of the last frame of a side.
    struct Latest {
        std::uint32_t index = 0;
        packet::LinkType link_type = packet::LinkType::ethernet;
        bool known = false;
    };

    std::uint32_t interface_of(const packet::Frame& frame);
    std::uint32_t find_or_declare(std::string_view name, packet::LinkType link_type);
    void declare(std::string_view name, packet::LinkType link_type);
    void write_packet(const packet::Frame& frame, std::uint32_t interface, const Annotation& annotation, bool in_place);

    std::unique_ptr<OutputBuffer> output_;
    std::vector<Interface> interfaces_;
    std::array<Latest, 2> latest_{};
};

std::byte* store_option(std::byte* to, std::uint16_t code, std::string_view value) noexcept;
std::size_t option_size(std::string_view value) noexcept { return option_header + pcapng::padded(value.size()); }
std::string_view cut_to_option(std::string_view text) noexcept;

PcapngWriter::PcapngWriter(std::unique_ptr<OutputBuffer> output) : output_(std::move(output)) {
    constexpr std::string_view application = "portcullis";
    const std::size_t size = pcapng::section_block + option_size(application) + option_header;
    std::byte* const block = output_->append(size);
    base::store_native(block, pcapng::section_header);
    base::store_native(block + 4, static_cast<std::uint32_t>(size));
    base::store_native(block + 8, pcapng::byte_order_magic);
    base::store_native(block + 12, std::uint16_t{1});
    base::store_native(block + 14, std::uint16_t{0});
    base::store_native(block + 16, ~std::uint64_t{0});  // length of the section: not known
    std::byte* end = store_option(block + 24, pcapng::section_application, application);
    end = store_option(end, pcapng::end_of_options, {});
    base::store_native(end, static_cast<std::uint32_t>(size));
}

void PcapngWriter::write(std::span<const packet::Frame> frames) {
    for (const packet::Frame& frame : frames) {
        if (!output_->ok()) return;
        write_packet(frame, interface_of(frame), {.interface = {}}, frame.room == packet::Room::block);
    }
}

void PcapngWriter::write(const packet::Frame& frame, const Annotation& annotation) {
    write_packet(frame, find_or_declare(cut_to_option(annotation.interface), frame.link_type), annotation, false);
}

std::uint32_t PcapngWriter::interface_of(const packet::Frame& frame) {
    Latest& latest = latest_[static_cast<std::size_t>(frame.side)];
    if (!latest.known || latest.link_type != frame.link_type) {
        latest = {find_or_declare(packet::to_string(frame.side), frame.link_type), frame.link_type, output_->ok()};
    }
    return latest.index;
}

std::uint32_t PcapngWriter::find_or_declare(std::string_view name, packet::LinkType link_type) {
    const auto found = std::ranges::find_if(interfaces_, [name, link_type](const Interface& interface) {
        return interface.link_type == link_type && interface.name == name;
    });
    const auto index = static_cast<std::uint32_t>(found - interfaces_.begin());
    if (found == interfaces_.end()) declare(name, link_type);
    return index;
}

void PcapngWriter::declare(std::string_view name, packet::LinkType link_type) {
    constexpr std::string_view nanoseconds = "\x09";
    const std::size_t size = pcapng::interface_block + option_size(name) + option_size(nanoseconds) + option_header;
    std::byte* const block = output_->append(size);
    if (block == nullptr) return;  // and so will be what was to follow, until the output takes both
    interfaces_.push_back({std::string(name), link_type});
    base::store_native(block, pcapng::interface_description);
    base::store_native(block + 4, static_cast<std::uint32_t>(size));
    base::store_native(block + 8, static_cast<std::uint16_t>(link_type));
    base::store_native(block + 10, std::uint16_t{0});
    base::store_native(block + 12, packet::largest_frame);
    std::byte* end = store_option(block + 16, pcapng::interface_name, name);
    end = store_option(end, pcapng::timestamp_resolution, nanoseconds);
    end = store_option(end, pcapng::end_of_options, {});
    base::store_native(end, static_cast<std::uint32_t>(size));
}

/// In place only without an annotation: there is room for no option.
void PcapngWriter::write_packet(const packet::Frame& frame, std::uint32_t interface, const Annotation& annotation,
                                bool in_place) {
    if (frame.captured > packet::largest_frame) {
        output_->fail("a frame of " + std::to_string(frame.captured) + " bytes is too large");
        return;
    }
    const auto comment = cut_to_option(annotation.comment);
    const bool directed = annotation.direction != Annotation::Direction::unknown;
    const std::size_t flags_size = directed ? option_header + sizeof(std::uint32_t) : 0;
    const std::size_t comment_size = comment.empty() ? 0 : option_size(comment);
    const std::size_t options = flags_size + comment_size == 0 ? 0 : flags_size + comment_size + option_header;
    const std::size_t data = pcapng::padded(frame.captured);
    const std::size_t size = pcapng::enhanced_block + data + options;
    std::byte* const block = in_place ? frame.data - packet_header : output_->append(size);
    if (block == nullptr) return;
    const auto time = static_cast<std::uint64_t>(frame.time.time_since_epoch().count());
    base::store_native(block, pcapng::enhanced_packet);
    base::store_native(block + 4, static_cast<std::uint32_t>(size));
    base::store_native(block + 8, interface);
    base::store_native(block + 12, static_cast<std::uint32_t>(time >> 32));
    base::store_native(block + 16, static_cast<std::uint32_t>(time));
    base::store_native(block + 20, frame.captured);
    base::store_native(block + 24, frame.length);
    std::byte* end = block + packet_header + data;
    if (in_place) {
        std::fill(frame.data + frame.captured, end, std::byte{0});
    } else if (frame.captured > 0) {
        base::store_native(end - 4, std::uint32_t{0});  // the padding is in these four bytes
        std::memcpy(block + packet_header, frame.data, frame.captured);
    }
    if (!comment.empty()) end = store_option(end, pcapng::comment, comment);
    if (directed) {
        base::store_native(end, pcapng::packet_flags);
        base::store_native(end + 2, std::uint16_t{sizeof(std::uint32_t)});
        base::store_native(end + option_header, static_cast<std::uint32_t>(annotation.direction));
        end += flags_size;
    }
    if (options != 0) end = store_option(end, pcapng::end_of_options, {});
    base::store_native(end, static_cast<std::uint32_t>(size));
    if (in_place) output_->append_zero_copy({block, size});
}

/// A file without any interface is one that not everybody reads.
std::string PcapngWriter::close() {
    if (interfaces_.empty() && output_->ok())
        declare(packet::to_string(packet::Side::outside), packet::LinkType::ethernet);
    return output_->close();
}

/// Returns the end of the option, where the next one goes.
std::byte* store_option(std::byte* to, std::uint16_t code, std::string_view value) noexcept {
    base::store_native(to, code);
    base::store_native(to + 2, static_cast<std::uint16_t>(value.size()));
    const std::size_t size = pcapng::padded(value.size());
    if (!value.empty()) {
        base::store_native(to + size, std::uint32_t{0});
        std::memcpy(to + option_header, value.data(), value.size());
    }
    return to + option_header + size;
}

/// As much of UTF-8 text as the 16-bit length of an option permits; a character is not cut in two.
std::string_view cut_to_option(std::string_view text) noexcept {
    return text.size() <= longest_option ? text : base::utf8_prefix(text.substr(0, longest_option));
}

}  // namespace

std::unique_ptr<CaptureWriter> make_pcapng_writer(std::unique_ptr<OutputBuffer> output) {
    return std::make_unique<PcapngWriter>(std::move(output));
}

}  // namespace captures::file
