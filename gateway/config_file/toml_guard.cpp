#include "gateway/config_file/toml_guard.hpp"

#include <algorithm>

#include "captures/base/utf8.hpp"

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
    return {static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            static_cast<std::uint32_t>(captures::base::character_count(line) + 1)};
}

}  // namespace

std::optional<Unfit> unfit_for_toml(std::string_view text) { return Scanner{text}.run(); }

namespace {

constexpr char32_t private_plane = 0xf0000;

constexpr bool is_moved(char32_t character) noexcept {
    const bool is_surrogate = character >= 0xd800 && character < 0xe000;
    return character >= 0xa0 && character <= 0xffff && !is_surrogate;
}

}  // namespace

std::string moved_to_private_use(std::string_view text) {
    std::string moved;
    moved.reserve(text.size());
    while (!text.empty()) {
        const auto ascii = static_cast<std::size_t>(std::ranges::find_if_not(text, is_ascii) - text.begin());
        moved += text.substr(0, ascii);
        text.remove_prefix(ascii);
        if (text.empty()) break;
        // What is not UTF-8 is for toml++ to refuse.
        const auto character = captures::base::first_character(text);
        const auto size = character ? character->size : 1;
        if (character && is_moved(character->code_point)) {
            captures::base::append_utf8(private_plane + character->code_point, moved);
        } else {
            moved += text.substr(0, size);
        }
        text.remove_prefix(size);
    }
    return moved;
}

std::string moved_back(std::string_view text) {
    std::string back;
    back.reserve(text.size());
    while (!text.empty()) {
        const auto character = captures::base::first_character(text);
        const auto size = character ? character->size : 1;
        if (character && is_moved(character->code_point - private_plane)) {
            captures::base::append_utf8(character->code_point - private_plane, back);
        } else {
            back += text.substr(0, size);
        }
        text.remove_prefix(size);
    }
    return back;
}

}  // namespace gateway::config_file
