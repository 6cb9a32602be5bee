#include "captures/file/pcapng_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "captures/base/byte_order.hpp"
#include "captures/file/file_source.hpp"
#include "captures/file/pcapng_format.hpp"
#include "captures/file/pcapng_interface.hpp"

namespace captures::file {

namespace {

constexpr std::size_t most_interfaces = 65536;

/// Where a packet block has what.
struct PacketFields {
    std::uint32_t interface = 0;
    std::uint32_t captured = 0;
    std::uint32_t length = 0;
    std::size_t data = 0;   ///< offset of the bytes
    std::size_t block = 0;  ///< size of the block if there were none
    base::Time time{};
};

class PcapngReader final : public FileSource {
public:
    explicit PcapngReader(std::unique_ptr<InputBuffer> input) : FileSource(std::move(input)) {}

    void read(packet::Burst& burst) override;
    [[nodiscard]] std::optional<packet::LinkType> link_type() const noexcept override { return link_type_; }

private:
    template <bool swapped>
    void take_enhanced(packet::Burst& burst) noexcept;
    bool take_block(packet::Burst& burst);
    bool take_section(const packet::Burst& burst);
    bool take_interface(const packet::Burst& burst, std::size_t size);
    bool take_packet(packet::Burst& burst, std::uint32_t type, std::size_t size);
    bool skip_block(const packet::Burst& burst, std::uint32_t size);

    bool find_fields(const std::byte* block, std::uint32_t type, PacketFields& fields);
    bool has_whole(const packet::Burst& burst, std::size_t size);
    bool ends_as_it_began(const std::byte* trailer, std::size_t size);
    bool damaged(std::string what);
    [[nodiscard]] std::uint16_t load16(const std::byte* from) const {
        return base::load_ordered<std::uint16_t>(from, swapped_);
    }
    [[nodiscard]] std::uint32_t load32(const std::byte* from) const {
        return base::load_ordered<std::uint32_t>(from, swapped_);
    }

    std::vector<PcapngInterface> interfaces_;
    std::optional<packet::LinkType> link_type_;  ///< of the first interface
    base::Time latest_{};                        ///< of the last packet before the block at hand
    std::uint64_t block_offset_ = 0;
    std::uint32_t block_type_ = 0;
    bool swapped_ = false;
};

std::uint64_t timestamp(std::uint32_t high, std::uint32_t low) noexcept { return std::uint64_t{high} << 32 | low; }

std::string in_hex(std::uint32_t value) {
    std::array<char, 8> digits{};
    auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

void PcapngReader::read(packet::Burst& burst) {
    burst.count = 0;
    while (!error()) {
        if (swapped_) {
            take_enhanced<true>(burst);
        } else {
            take_enhanced<false>(burst);
        }
        if (burst.count == packet::burst_capacity || !take_block(burst)) return;
    }
}

/// The fast path: takes Enhanced Packet Blocks as long as they are whole in the buffer and right. Whatever else
/// comes is for `take_block` to judge.
template <bool swapped>
void PcapngReader::take_enhanced(packet::Burst& burst) noexcept {
    const auto field = [](const std::byte* from) { return base::load_ordered<std::uint32_t>(from, swapped); };
    const std::byte* const begin = input().data();
    std::byte* at = input().data();
    std::size_t available = input().available();
    const std::span<const PcapngInterface> interfaces = interfaces_;
    const packet::Room room = input().is_zero_copy() ? packet::Room::block : packet::Room::none;
    std::uint64_t number = delivered();
    std::size_t count = burst.count;

    while (count < packet::burst_capacity && available >= pcapng::enhanced_block) {
        const std::size_t size = field(at + 4);
        if (field(at) != pcapng::enhanced_packet || size > available || size < pcapng::enhanced_block) break;
        const std::uint32_t index = field(at + 8);
        const std::uint32_t captured = field(at + 20);
        const bool right = size % 4 == 0 && field(at + size - pcapng::trailer) == size && index < interfaces.size() &&
                           captured <= packet::largest_frame && captured <= size - pcapng::enhanced_block;
        if (!right) break;
        const PcapngInterface& interface = interfaces[index];
        packet::Frame& frame = burst.frames[count++];
        frame.data = at + 28;
        frame.captured = captured;
        frame.length = std::max(captured, field(at + 24));
        frame.time = interface.scale(timestamp(field(at + 12), field(at + 16)));
        frame.number = ++number;
        frame.link_type = interface.link_type;
        frame.side = interface.side;
        frame.room = room;
        at += size;
        available -= size;
    }

    if (count > 0) latest_ = burst.frames[count - 1].time;
    burst.count = count;
    set_delivered(number);
    input().consume(static_cast<std::size_t>(at - begin));
}

/// Takes one block of any kind. False if the reading is over, or if the block is not all there and the frames of
/// the burst have to be used first.
bool PcapngReader::take_block(packet::Burst& burst) {
    block_offset_ = input().offset();
    block_type_ = 0;
    if (!has_whole(burst, pcapng::smallest_block)) return false;
    block_type_ = load32(input().data());
    if (block_type_ == pcapng::section_header) return take_section(burst);

    const std::uint32_t size = load32(input().data() + 4);
    if (size < pcapng::smallest_block || size % 4 != 0) {
        return damaged("a block (type " + in_hex(block_type_) + ") with the impossible length " + std::to_string(size));
    }
    switch (block_type_) {
        case pcapng::interface_description: return take_interface(burst, size);
        case pcapng::enhanced_packet:
        case pcapng::simple_packet:
        case pcapng::obsolete_packet: return take_packet(burst, block_type_, size);
        default: return skip_block(burst, size);
    }
}

/// The byte order is the section's own, so its length can be read only after the magic number.
bool PcapngReader::take_section(const packet::Burst& burst) {
    if (!has_whole(burst, pcapng::section_block)) return false;
    const std::byte* const block = input().data();
    const auto magic = base::load_native<std::uint32_t>(block + 8);
    if (magic != pcapng::byte_order_magic && magic != __builtin_bswap32(pcapng::byte_order_magic)) {
        return damaged("a section header without a byte order (magic number " + in_hex(magic) + ")");
    }
    swapped_ = magic != pcapng::byte_order_magic;
    const std::uint32_t size = load32(block + 4);
    if (size < pcapng::section_block || size % 4 != 0) {
        return damaged("a section header with the impossible length " + std::to_string(size));
    }
    if (load16(block + 12) != 1) {
        return damaged("pcapng version " + std::to_string(load16(block + 12)) + "." +
                       std::to_string(load16(block + 14)) + " is unknown; only version 1 can be read");
    }
    interfaces_.clear();
    return skip_block(burst, size);
}

bool PcapngReader::take_interface(const packet::Burst& burst, std::size_t size) {
    if (interfaces_.size() == most_interfaces) {
        return damaged("more than " + std::to_string(most_interfaces) + " interfaces in a section");
    }
    if (!has_whole(burst, size)) return false;
    if (!ends_as_it_began(input().data() + size - pcapng::trailer, size)) return false;
    auto interface = parse_interface({input().data(), size}, interfaces_.size(), swapped_);
    if (!interface) return damaged(std::move(interface).error());
    if (!link_type_) link_type_ = interface->link_type;
    interfaces_.push_back(*interface);
    input().consume(size);
    return true;
}

bool PcapngReader::take_packet(packet::Burst& burst, std::uint32_t type, std::size_t size) {
    if (!has_whole(burst, size)) return false;
    std::byte* const block = input().data();
    if (!ends_as_it_began(block + size - pcapng::trailer, size)) return false;

    PacketFields fields;
    fields.block = type == pcapng::simple_packet ? pcapng::simple_block : pcapng::enhanced_block;
    if (size < fields.block) return damaged("a packet block of " + std::to_string(size) + " bytes is too short");
    if (!find_fields(block, type, fields)) return false;
    if (fields.captured > packet::largest_frame) {
        return damaged("a captured length of " + std::to_string(fields.captured) + " bytes is impossible (at most " +
                       std::to_string(packet::largest_frame) + ")");
    }
    if (fields.captured > size - fields.block) {
        return damaged("a captured length of " + std::to_string(fields.captured) + " bytes in a block with room for " +
                       std::to_string(size - fields.block));
    }
    const PcapngInterface& interface = interfaces_[fields.interface];
    set_delivered(delivered() + 1);
    burst.frames[burst.count++] = packet::Frame{.data = block + fields.data,
                                                .captured = fields.captured,
                                                .length = std::max(fields.captured, fields.length),
                                                .time = fields.time,
                                                .number = delivered(),
                                                .link_type = interface.link_type,
                                                .side = interface.side};
    input().consume(size);
    return true;
}

bool PcapngReader::find_fields(const std::byte* block, std::uint32_t type, PacketFields& fields) {
    fields.interface = type == pcapng::enhanced_packet   ? load32(block + 8)
                       : type == pcapng::obsolete_packet ? load16(block + 8)
                                                         : 0;
    if (fields.interface >= interfaces_.size()) {
        return damaged("a packet of interface " + std::to_string(fields.interface) + ", but the section has declared " +
                       std::to_string(interfaces_.size()));
    }
    const PcapngInterface& interface = interfaces_[fields.interface];
    if (type == pcapng::simple_packet) {
        fields.length = load32(block + 8);
        fields.captured = interface.snap_length == 0 ? fields.length : std::min(fields.length, interface.snap_length);
        fields.data = 12;
        fields.time = latest_;
    } else {
        fields.time = interface.scale(timestamp(load32(block + 12), load32(block + 16)));
        fields.captured = load32(block + 20);
        fields.length = load32(block + 24);
        fields.data = 28;
    }
    return true;
}

bool PcapngReader::skip_block(const packet::Burst& burst, std::uint32_t size) {
    if (input().available() < size && burst.count > 0) return false;
    const bool there = input().skip(size - pcapng::trailer) && input().require(pcapng::trailer);
    if (!there) {
        fail_short(block_offset_, "a block of type " + in_hex(block_type_) + " (" + std::to_string(size) + " bytes)");
        return false;
    }
    if (!ends_as_it_began(input().data(), size)) return false;
    input().consume(pcapng::trailer);
    return true;
}

/// Whether `size` bytes of the block are in the buffer, if need be after a refill: but never while the frames of a
/// burst point into it.
bool PcapngReader::has_whole(const packet::Burst& burst, std::size_t size) {
    if (input().available() >= size) return true;
    if (size > InputBuffer::largest_record) {
        return damaged("a block (type " + in_hex(block_type_) + ") of " + std::to_string(size) +
                       " bytes; no packet or interface needs more than " + std::to_string(InputBuffer::largest_record));
    }
    if (burst.count > 0) return false;
    if (input().require(size)) return true;
    if (input().available() == 0) {
        finish();
    } else {
        fail_short(block_offset_, "a block (" + std::to_string(size) + " bytes are needed, " +
                                      std::to_string(input().available()) + " are there)");
    }
    return false;
}

bool PcapngReader::ends_as_it_began(const std::byte* trailer, std::size_t size) {
    const std::uint32_t end = load32(trailer);
    if (end == size) return true;
    return damaged("a block (type " + in_hex(block_type_) + ") of " + std::to_string(size) +
                   " bytes by its start and " + std::to_string(end) + " by its end");
}

bool PcapngReader::damaged(std::string what) {
    fail(block_offset_, std::move(what));
    return false;
}

}  // namespace

tl::expected<std::unique_ptr<Source>, std::string> open_pcapng(std::unique_ptr<InputBuffer> input) {
    if (!input->require(pcapng::section_block)) {
        return tl::unexpected(input->short_header("pcapng section header", pcapng::section_block));
    }
    return std::make_unique<PcapngReader>(std::move(input));
}

}  // namespace captures::file
