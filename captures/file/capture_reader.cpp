#include "captures/file/capture_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "captures/base/bytes.hpp"
#include "captures/file/input_buffer.hpp"
#include "captures/file/pcap_reader.hpp"
#include "captures/file/pcapng_format.hpp"
#include "captures/file/pcapng_reader.hpp"

namespace captures::file {

namespace {

using Opened = tl::expected<std::unique_ptr<Source>, std::string>;

Opened open_input(std::unique_ptr<InputBuffer> input);
std::string not_a_capture(InputBuffer& input);
std::string_view decompressor_for(std::string_view start) noexcept;
std::string quoted(std::string_view start);

}  // namespace

Opened open_capture(const std::string& path) {
    const bool standard_input = path == "-";
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): open(2) has no other form
    const int descriptor = standard_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return tl::unexpected("cannot open " + path + ": " + std::generic_category().message(errno));
    return open_input(std::make_unique<InputBuffer>(descriptor, standard_input ? "standard input" : path));
}

Opened open_capture(std::span<const std::byte> bytes, std::string name) {
    return open_input(std::make_unique<InputBuffer>(bytes, std::move(name)));
}

namespace {

Opened open_input(std::unique_ptr<InputBuffer> input) {
    if (input->require(sizeof(std::uint32_t))) {
        const auto magic = base::load_native<std::uint32_t>(input->data());
        if (is_pcap(magic)) return open_pcap(std::move(input));
        if (magic == pcapng::section_header) return open_pcapng(std::move(input));
    }
    return tl::unexpected(not_a_capture(*input));
}

std::string not_a_capture(InputBuffer& input) {
    constexpr std::size_t shown = 16;
    const bool longer = input.require(shown);
    if (!input.failure().empty()) return "cannot read " + input.name() + ": " + input.failure();
    if (input.available() == 0) return input.name() + " is empty";
    const std::size_t size = longer ? shown : input.available();
    const std::string_view start{reinterpret_cast<const char*>(input.data()), size};
    if (const auto command = decompressor_for(start); !command.empty()) {
        const std::string file = input.name() == "standard input" ? "FILE" : input.name();
        return input.name() + " is compressed; try: " + std::string(command) + " " + file +
               " | portcullis replay ... -";
    }
    return input.name() + " is not a pcap or pcapng capture: it begins with " + quoted(start) +
           " (editcap converts captures of other formats)";
}

/// The command that decompresses a file that starts like this; empty if it does not look compressed.
std::string_view decompressor_for(std::string_view start) noexcept {
    using namespace std::string_view_literals;
    struct Compression {
        std::string_view magic;
        std::string_view command;
    };
    static constexpr std::array<Compression, 5> known{{{"\x1f\x8b"sv, "gunzip -c"sv},
                                                       {"\x28\xb5\x2f\xfd"sv, "zstd -dc"sv},
                                                       {"\xfd"
                                                        "7zXZ"sv,
                                                        "xz -dc"sv},
                                                       {"BZh"sv, "bzip2 -dc"sv},
                                                       {"\x04\x22\x4d\x18"sv, "lz4 -dc"sv}}};
    const auto* const found = std::ranges::find_if(
        known, [start](const Compression& one) { return start.starts_with(one.magic); });
    return found == known.end() ? std::string_view{} : found->command;
}

/// As text where it is text, otherwise in hexadecimal.
std::string quoted(std::string_view start) {
    const auto line = start.substr(0, start.find_first_of("\r\n"));
    const auto is_printable = [](char letter) { return letter >= ' ' && letter <= '~'; };
    if (!line.empty() && std::ranges::all_of(line, is_printable)) return "\"" + std::string(line) + "\"";
    std::string text = "bytes";
    for (const char letter : start) {
        constexpr std::string_view digits = "0123456789abcdef";
        const auto value = static_cast<unsigned char>(letter);
        text += {' ', digits[value >> 4], digits[value & 0xf]};
    }
    return text;
}

}  // namespace

}  // namespace captures::file
