#include "gateway/config_file/toml_guard.hpp"

#include <algorithm>
#include <array>

namespace gateway::config_file {

namespace {

constexpr int most_dots = 16;      // in one dotted key
constexpr int most_brackets = 32;  // open at a time

constexpr bool is_ascii(char letter) noexcept { return static_cast<unsigned char>(letter) < 0x80; }

/// Follows the text only as far as to know what is a string, what a comment, and what neither.
class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<Unfit> run() {
        while (at_ < text_.size() && why_.empty()) step();
        if (why_.empty()) return {};
        return Unfit{position(), why_};
    }

private:
    void step();
    void pass_string();
    void count(char letter);

    [[nodiscard]] bool at(std::string_view what) const {
        return at_ < text_.size() && text_.substr(at_, what.size()) == what;
    }
    [[nodiscard]] config::Position position() const;

    std::string_view text_;
    std::size_t at_ = 0;
    int dots_ = 0;
    int brackets_ = 0;
    std::string_view why_;
};

void Scanner::step() {
    const char letter = text_[at_];
    if (letter == '"' || letter == '\'') {
        pass_string();
    } else if (letter == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (!is_ascii(letter)) {
        why_ = "this character may stand only inside quotes or in a comment; put straight quotes around the text";
    } else {
        count(letter);
        if (why_.empty()) ++at_;
    }
}

void Scanner::count(char letter) {
    if (letter == '.') {
        ++dots_;
    } else if (std::string_view{",=[]{}\n"}.find(letter) != std::string_view::npos) {
        dots_ = 0;
    }
    if (letter == '[' || letter == '{') ++brackets_;
    if ((letter == ']' || letter == '}') && brackets_ > 0) --brackets_;
    if (dots_ > most_dots || brackets_ > most_brackets) {
        why_ = "tables are nested deeper than in any configuration; leave out what does not belong here";
    }
}

void Scanner::pass_string() {
    const std::string_view quote = text_.substr(at_, 1);
    const std::string_view triple = quote == R"(")" ? R"(""")" : "'''";
    const bool multi_line = at(triple);
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
        if (quote == "\"" && at(R"(\)")) {
            at_ += 2;
        } else if (multi_line && at(triple)) {
            at_ += 3;
            // Up to two quotes may stand before the closing three: they belong to the string.
            for (int more = 0; more < 2 && at(quote); ++more) ++at_;
            return;
        } else if (!multi_line && (at(quote) || at("\n"))) {
            ++at_;
            return;
        } else {
            ++at_;
        }
    }
}

/// Of where the scan stands; columns count characters, as toml++'s do.
config::Position Scanner::position() const {
    const auto before = text_.substr(0, at_);
    const auto line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
    const auto begins_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; };
    return {static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(std::ranges::count_if(line, begins_character) + 1)};
}

}  // namespace

std::optional<Unfit> unfit_for_toml(std::string_view text) { return Scanner{text}.run(); }

namespace {

constexpr char32_t private_plane = 0xf0000;
constexpr char32_t first_moved = 0xa0;

/// The character that begins a text, if it is encoded in `length` bytes of UTF-8; the shortest form is not insisted on.
std::optional<char32_t> decode(std::string_view text, std::size_t length) {
    constexpr std::array<unsigned, 5> lead_bits{0, 0, 0x1f, 0x0f, 0x07};
    constexpr std::array<unsigned, 5> lead_mark{0, 0, 0xc0, 0xe0, 0xf0};
    const auto byte = [&](std::size_t index) { return static_cast<unsigned>(static_cast<unsigned char>(text[index])); };
    if (text.size() < length || (byte(0) & ~lead_bits[length]) != lead_mark[length]) return {};
    char32_t character = byte(0) & lead_bits[length];
    for (std::size_t index = 1; index < length; ++index) {
        if ((byte(index) & 0xc0U) != 0x80U) return {};
        character = character << 6U | (byte(index) & 0x3fU);
    }
    return character;
}

void encode(char32_t character, std::size_t length, std::string& text) {
    constexpr std::array<unsigned, 5> lead_mark{0, 0, 0xc0, 0xe0, 0xf0};
    text += static_cast<char>(lead_mark[length] | character >> 6U * (length - 1));
    for (auto left = length - 1; left > 0; --left)
        text += static_cast<char>(0x80U | (character >> 6U * (left - 1) & 0x3fU));
}

}  // namespace

std::string moved_to_private_use(std::string_view text) {
    std::string moved;
    moved.reserve(text.size());
    while (!text.empty()) {
        if (is_ascii(text.front())) {
            const auto ascii = static_cast<std::size_t>(std::ranges::find_if_not(text, is_ascii) - text.begin());
            moved += text.substr(0, ascii);
            text.remove_prefix(ascii);
            continue;
        }
        std::size_t length = 1;
        for (const auto tried : {std::size_t{2}, std::size_t{3}}) {
            const auto character = decode(text, tried);
            if (!character || *character < (tried == 2 ? first_moved : 0x800)) continue;
            if (*character >= 0xd800 && *character < 0xe000) continue;  // surrogates are for toml++ to refuse
            encode(private_plane + *character, 4, moved);
            length = tried;
        }
        if (length == 1) moved += text.front();
        text.remove_prefix(length);
    }
    return moved;
}

std::string moved_back(std::string_view text) {
    std::string back;
    back.reserve(text.size());
    while (!text.empty()) {
        const auto character = decode(text, 4);
        if (character && *character >= private_plane + first_moved && *character <= private_plane + 0xffff) {
            encode(*character - private_plane, *character - private_plane < 0x800 ? 2 : 3, back);
            text.remove_prefix(4);
        } else {
            back += text.front();
            text.remove_prefix(1);
        }
    }
    return back;
}

}  // namespace gateway::config_file
