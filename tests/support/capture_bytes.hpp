#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Capture files made by hand, right and wrong ones, for tests of what reads them.
namespace support {

using Bytes = std::vector<std::byte>;

/// Grows a file field by field, in one byte order.
class FieldWriter {
public:
    explicit FieldWriter(std::endian order = std::endian::little) : order_(order) {}

    FieldWriter& u8(std::uint64_t value) { return integer(value, 1); }
    FieldWriter& u16(std::uint64_t value) { return integer(value, 2); }
    FieldWriter& u32(std::uint64_t value) { return integer(value, 4); }
    FieldWriter& u64(std::uint64_t value) { return integer(value, 8); }
    FieldWriter& text(std::string_view text) {
        for (const char letter : text) bytes_.push_back(static_cast<std::byte>(letter));
        return *this;
    }
    FieldWriter& raw(std::span<const std::byte> more) {
        bytes_.insert(bytes_.end(), more.begin(), more.end());
        return *this;
    }
    /// Zeros up to a multiple of four, as pcapng wants it.
    FieldWriter& pad() {
        bytes_.resize((bytes_.size() + 3) / 4 * 4);
        return *this;
    }
    FieldWriter& option(unsigned code, std::span<const std::byte> value) {
        return u16(code).u16(value.size()).raw(value).pad();
    }
    FieldWriter& text_option(unsigned code, std::string_view value) {
        return u16(code).u16(value.size()).text(value).pad();
    }

    [[nodiscard]] const Bytes& bytes() const { return bytes_; }
    [[nodiscard]] std::endian order() const { return order_; }
    void set_order(std::endian order) { order_ = order; }

private:
    FieldWriter& integer(std::uint64_t value, int size) {
        for (int index = 0; index < size; ++index) {
            const int shift = 8 * (order_ == std::endian::little ? index : size - 1 - index);
            bytes_.push_back(static_cast<std::byte>(value >> shift));
        }
        return *this;
    }

    std::endian order_;
    Bytes bytes_;
};

/// `size` bytes that differ from place to place and from seed to seed.
inline Bytes payload(std::size_t size, unsigned seed = 1) {
    Bytes bytes(size);
    for (std::size_t index = 0; index < size; ++index)
        bytes[index] = static_cast<std::byte>(index * 7 + std::size_t{seed} * 13);
    return bytes;
}

/// A classic pcap file.
class PcapFile {
public:
    struct Header {
        std::endian order = std::endian::little;
        std::uint32_t magic = 0xa1b2c3d4;
        std::uint32_t link_type = 1;
        unsigned major = 2;
        unsigned minor = 4;
    };

    PcapFile() : PcapFile(Header{}) {}
    explicit PcapFile(const Header& header) : file_(header.order), magic_(header.magic) {
        file_.u32(magic_).u16(header.major).u16(header.minor).u64(0).u32(65535).u32(header.link_type);
    }

    /// Lengths are those of `data` unless given: then the file lies.
    PcapFile& record(std::uint32_t seconds, std::uint32_t fraction, std::span<const std::byte> data,
                     std::optional<std::uint32_t> captured = {}, std::optional<std::uint32_t> length = {}) {
        starts_.push_back(file_.bytes().size());
        const std::uint32_t truth = static_cast<std::uint32_t>(data.size());
        file_.u32(seconds).u32(fraction).u32(captured.value_or(truth)).u32(length.value_or(truth));
        if (magic_ == 0xa1b2cd34) file_.u64(0);  // interface, protocol, packet type
        file_.raw(data);
        return *this;
    }

    [[nodiscard]] const Bytes& bytes() const { return file_.bytes(); }
    /// Offsets of the records.
    [[nodiscard]] const std::vector<std::size_t>& starts() const { return starts_; }

private:
    FieldWriter file_;
    std::uint32_t magic_;
    std::vector<std::size_t> starts_;
};

/// A pcapng file. Every block can be given a wrong length for its start or its end.
class PcapngFile {
public:
    struct Lie {
        std::optional<std::uint32_t> start{};
        std::optional<std::uint32_t> end{};
    };

    PcapngFile& section(std::endian order = std::endian::little, unsigned major = 1, std::uint32_t magic = 0x1a2b3c4d) {
        file_.set_order(order);
        return block(0x0a0d0d0a, fields().u32(magic).u16(major).u16(0).u64(~std::uint64_t{0}).bytes());
    }
    PcapngFile& interface(unsigned link_type = 1, std::uint32_t snap_length = 0, const Bytes& options = {}) {
        return block(1, fields().u16(link_type).u16(0).u32(snap_length).raw(options).bytes());
    }
    PcapngFile& enhanced(std::uint32_t interface, std::uint64_t time, std::span<const std::byte> data,
                         std::optional<std::uint32_t> captured = {}, std::optional<std::uint32_t> length = {},
                         const Bytes& options = {}) {
        const auto truth = static_cast<std::uint32_t>(data.size());
        return block(6, fields()
                            .u32(interface)
                            .u32(time >> 32)
                            .u32(time)
                            .u32(captured.value_or(truth))
                            .u32(length.value_or(truth))
                            .raw(data)
                            .pad()
                            .raw(options)
                            .bytes());
    }
    PcapngFile& simple(std::span<const std::byte> data, std::optional<std::uint32_t> length = {}) {
        return block(3, fields().u32(length.value_or(static_cast<std::uint32_t>(data.size()))).raw(data).pad().bytes());
    }
    PcapngFile& obsolete(unsigned interface, std::uint64_t time, std::span<const std::byte> data) {
        return block(2, fields()
                            .u16(interface)
                            .u16(0)
                            .u32(time >> 32)
                            .u32(time)
                            .u32(data.size())
                            .u32(data.size())
                            .raw(data)
                            .pad()
                            .bytes());
    }
    PcapngFile& block(std::uint32_t type, std::span<const std::byte> body) { return block(type, body, Lie{}); }
    PcapngFile& block(std::uint32_t type, std::span<const std::byte> body, const Lie& lie) {
        starts_.push_back(file_.bytes().size());
        const auto truth = static_cast<std::uint32_t>(12 + body.size());
        file_.u32(type).u32(lie.start.value_or(truth)).raw(body).u32(lie.end.value_or(truth));
        return *this;
    }

    /// For a block's body, in the byte order of the section.
    [[nodiscard]] FieldWriter fields() const { return FieldWriter{file_.order()}; }
    [[nodiscard]] const Bytes& bytes() const { return file_.bytes(); }
    /// Offsets of the blocks.
    [[nodiscard]] const std::vector<std::size_t>& starts() const { return starts_; }

private:
    FieldWriter file_;
    std::vector<std::size_t> starts_;
};

}  // namespace support
