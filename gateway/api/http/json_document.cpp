#include "gateway/api/http/json_document.hpp"

#include <set>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

namespace gateway::api::http {

namespace {

constexpr std::size_t deepest = 16;

boost::json::parse_options strict() {
    boost::json::parse_options options;
    options.max_depth = deepest;
    return options;
}

/// Handler of Boost.JSON's parser: keeps the names of the objects that are open.
struct DuplicateNames {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using Error = boost::json::error_code;
    using Text = boost::json::string_view;

    std::vector<std::set<std::string>> open;
    std::string name;
    bool found = false;

    static bool on_document_begin(Error& /*error*/) { return true; }
    static bool on_document_end(Error& /*error*/) { return true; }
    bool on_object_begin(Error& /*error*/) {
        open.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t /*size*/, Error& /*error*/) {
        open.pop_back();
        return true;
    }
    static bool on_array_begin(Error& /*error*/) { return true; }
    static bool on_array_end(std::size_t /*size*/, Error& /*error*/) { return true; }
    bool on_key_part(Text part, std::size_t /*size*/, Error& /*error*/) {
        name.append(part.data(), part.size());
        return true;
    }
    bool on_key(Text part, std::size_t /*size*/, Error& /*error*/) {
        name.append(part.data(), part.size());
        found |= !open.back().insert(std::exchange(name, {})).second;
        return true;
    }
    static bool on_string_part(Text /*part*/, std::size_t /*size*/, Error& /*error*/) { return true; }
    static bool on_string(Text /*part*/, std::size_t /*size*/, Error& /*error*/) { return true; }
    static bool on_number_part(Text /*part*/, Error& /*error*/) { return true; }
    static bool on_int64(std::int64_t /*number*/, Text /*text*/, Error& /*error*/) { return true; }
    static bool on_uint64(std::uint64_t /*number*/, Text /*text*/, Error& /*error*/) { return true; }
    static bool on_double(double /*number*/, Text /*text*/, Error& /*error*/) { return true; }
    static bool on_bool(bool /*is_true*/, Error& /*error*/) { return true; }
    static bool on_null(Error& /*error*/) { return true; }
    static bool on_comment_part(Text /*part*/, Error& /*error*/) { return true; }
    static bool on_comment(Text /*part*/, Error& /*error*/) { return true; }
};

}  // namespace

tl::expected<boost::json::object, std::string> parse_object(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // PowerShell sends it
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (text.empty()) return tl::unexpected<std::string>{"there is none"};
    boost::json::error_code error;
    auto value = boost::json::parse({text.data(), text.size()}, error, {}, strict());
    if (error) return tl::unexpected<std::string>{"it is no JSON: " + error.message()};
    auto* object = value.if_object();
    if (object == nullptr) return tl::unexpected<std::string>{"it is no JSON object"};
    return std::move(*object);
}

bool has_duplicate_names(std::string_view text) {
    boost::json::basic_parser<DuplicateNames> parser{strict()};
    boost::json::error_code error;
    parser.write_some(false, text.data(), text.size(), error);
    return parser.handler().found;
}

std::optional<std::string_view> text_of(const boost::json::value& value) noexcept {
    const auto* text = value.if_string();
    if (text == nullptr) return {};
    return std::string_view{text->data(), text->size()};
}

}  // namespace gateway::api::http
