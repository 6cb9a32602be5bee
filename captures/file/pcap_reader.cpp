#include "captures/file/pcap_reader.hpp"

#include <optional>
#include <utility>

#include "captures/base/byte_order.hpp"
#include "captures/file/file_source.hpp"

namespace captures::file {

namespace {

constexpr std::size_t file_header = 24;

/// What the magic number says about all that follows.
struct Variant {
    bool swapped = false;
    std::int64_t fraction = 1000;  ///< nanoseconds in a unit of the timestamp's second half
    std::size_t record_header = 16;
    bool old = false;  ///< version 2.3 or older
};

struct Lengths {
    std::uint32_t captured;
    std::uint32_t length;
};

/// Some writers claim to have captured more than there was; the record holds what they claim. And until version 2.3
/// the two lengths could stand the other way round (libpcap's MAYBE_SWAPPED).
Lengths lengths_of(const std::byte* record, const Variant& variant, bool swapped) noexcept {
    const auto captured = base::load_ordered<std::uint32_t>(record + 8, swapped);
    const auto length = base::load_ordered<std::uint32_t>(record + 12, swapped);
    if (captured <= length) return {captured, length};
    return variant.old ? Lengths{length, captured} : Lengths{captured, captured};
}

std::optional<Variant> variant_of(std::uint32_t magic) noexcept {
    for (const bool swapped : {false, true}) {
        switch (swapped ? __builtin_bswap32(magic) : magic) {
            case 0xa1b2c3d4: return Variant{swapped, 1000, 16, false};
            case 0xa1b23c4d: return Variant{swapped, 1, 16, false};
            case 0xa1b2cd34: return Variant{swapped, 1000, 24, false};
            default: break;
        }
    }
    return {};
}

class PcapReader final : public FileSource {
public:
    PcapReader(std::unique_ptr<InputBuffer> input, Variant variant, packet::LinkType link_type)
        : FileSource(std::move(input)), variant_(variant), link_type_(link_type) {}

    void read(packet::Burst& burst) override;
    [[nodiscard]] std::optional<packet::LinkType> link_type() const noexcept override { return link_type_; }
    [[nodiscard]] bool tells_sides() const noexcept override { return false; }

private:
    template <bool swapped>
    void take_buffered(packet::Burst& burst) noexcept;
    bool refill();

    Variant variant_;
    packet::LinkType link_type_;
};

void PcapReader::read(packet::Burst& burst) {
    burst.count = 0;
    while (!error()) {
        if (variant_.swapped) {
            take_buffered<true>(burst);
        } else {
            take_buffered<false>(burst);
        }
        if (burst.count > 0 || !refill()) return;
    }
}

/// Takes the records that are in the buffer as a whole, up to one that is not or cannot be right.
template <bool swapped>
void PcapReader::take_buffered(packet::Burst& burst) noexcept {
    const std::byte* const begin = input().data();
    std::byte* at = input().data();
    std::size_t available = input().available();
    const Variant variant = variant_;
    const packet::Room room = input().is_zero_copy() ? packet::Room::record : packet::Room::none;
    std::uint64_t number = delivered();
    std::size_t count = burst.count;

    while (count < packet::burst_capacity && available >= variant.record_header) {
        const auto [captured, length] = lengths_of(at, variant, swapped);
        const std::size_t record = variant.record_header + captured;
        if (captured > packet::largest_frame || record > available) break;
        const std::int64_t seconds = base::load_ordered<std::uint32_t>(at, swapped);
        const std::int64_t fraction = base::load_ordered<std::uint32_t>(at + 4, swapped);
        packet::Frame& frame = burst.frames[count++];
        frame.data = at + variant.record_header;
        frame.captured = captured;
        frame.length = length;
        frame.time = base::Time{base::Duration{seconds * 1'000'000'000 + fraction * variant.fraction}};
        frame.number = ++number;
        frame.link_type = link_type_;
        frame.side = packet::Side::outside;
        frame.room = room;
        at += record;
        available -= record;
    }

    burst.count = count;
    set_delivered(number);
    input().consume(static_cast<std::size_t>(at - begin));
}

/// Makes the next record available as a whole. False if there is none.
bool PcapReader::refill() {
    const std::uint64_t offset = input().offset();
    if (!input().require(variant_.record_header)) {
        if (input().available() == 0) {
            finish();
        } else {
            fail_short(offset, "a record header (" + std::to_string(variant_.record_header) + " bytes, " +
                                   std::to_string(input().available()) + " are there)");
        }
        return false;
    }
    const std::uint32_t captured = lengths_of(input().data(), variant_, variant_.swapped).captured;
    if (captured > packet::largest_frame) {
        fail(offset, "a captured length of " + std::to_string(captured) + " bytes is impossible (at most " +
                         std::to_string(packet::largest_frame) + ")");
        return false;
    }
    if (input().require(variant_.record_header + captured)) return true;
    fail_short(offset, "the packet (" + std::to_string(captured) + " bytes captured, " +
                           std::to_string(input().available() - variant_.record_header) + " are there)");
    return false;
}

}  // namespace

bool is_pcap(std::uint32_t magic) noexcept { return variant_of(magic).has_value(); }

tl::expected<std::unique_ptr<Source>, std::string> open_pcap(std::unique_ptr<InputBuffer> input) {
    if (!input->require(file_header)) {
        return tl::unexpected(input->short_header("pcap file header", file_header));
    }
    const std::byte* const header = input->data();
    Variant variant = variant_of(base::load_native<std::uint32_t>(header)).value();
    const auto major = base::load_ordered<std::uint16_t>(header + 4, variant.swapped);
    const auto minor = base::load_ordered<std::uint16_t>(header + 6, variant.swapped);
    if (major != 2) {
        return tl::unexpected(input->name() + ": pcap version " + std::to_string(major) + "." + std::to_string(minor) +
                              " is unknown; only version 2 can be read");
    }
    variant.old = minor <= 3;
    // The upper half says how long the frame check sequence is, if there is one; the lower half is the link type.
    const auto link_type = static_cast<packet::LinkType>(
        base::load_ordered<std::uint32_t>(header + 20, variant.swapped) & 0xffff);
    input->consume(file_header);
    return std::make_unique<PcapReader>(std::move(input), variant, link_type);
}

}  // namespace captures::file
