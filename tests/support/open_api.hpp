#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// As much of OpenAPI 3.0 as docs/api.yaml uses.
class OpenApi {
public:
    /// Reads YAML; throws for what is none.
    explicit OpenApi(const std::string& path);

    /// `GET /a/{b}`, sorted.
    [[nodiscard]] std::vector<std::string> operations() const;

    /// What an answer has that the document has not, or the other way round; empty where they agree. `pattern` is a path
    /// of the document, `type` the answer's media type without parameters, or empty.
    [[nodiscard]] std::string difference(std::string_view method, std::string_view pattern, int status,
                                         const std::string& type, const std::string& body) const;

    /// References that lead nowhere, and components that nothing refers to.
    [[nodiscard]] std::vector<std::string> loose_ends() const;

private:
    [[nodiscard]] const boost::json::value& resolved(const boost::json::value& value) const;
    [[nodiscard]] std::string mismatch(const boost::json::value& schema, const boost::json::value& value,
                                       const std::string& place) const;
    [[nodiscard]] std::string object_mismatch(const boost::json::object& schema, const boost::json::object& value,
                                              const std::string& place) const;

    boost::json::value document_;
};

}  // namespace support
