#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include "captures/base/time.hpp"

namespace gateway::api {

/// Reads the members of a client's object. What is wrong first is kept in `error`, with its place; what follows reads
/// as if it were not there. Names compare without regard to case, and null is as good as absent, as in ARM.
class JsonFields {
public:
    /// `place`: `virtualMachines[0]`, or empty for the whole body. `error` must outlive it.
    JsonFields(const boost::json::object& object, std::string place, std::string& error);

    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] bool is_array(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> text(std::string_view name);
    [[nodiscard]] std::optional<bool> boolean(std::string_view name);
    /// A whole number, also as a string: that is what clients of untyped templates send.
    [[nodiscard]] std::optional<std::uint16_t> port(std::string_view name);
    [[nodiscard]] std::optional<captures::base::Duration> duration(std::string_view name);
    [[nodiscard]] std::optional<captures::base::Time> time(std::string_view name);
    [[nodiscard]] std::vector<std::string> texts(std::string_view name);
    /// The objects of an array, each with its place.
    [[nodiscard]] std::vector<JsonFields> objects(std::string_view name);
    [[nodiscard]] std::optional<JsonFields> object(std::string_view name);

    void require(std::initializer_list<std::string_view> names);
    void refuse_others(std::initializer_list<std::string_view> names);
    /// `virtualMachines[0].ports[1].number: <message>`, or of the object itself where the name is empty.
    void fail(std::string_view name, std::string_view message);

private:
    [[nodiscard]] const boost::json::value* find(std::string_view name) const;
    [[nodiscard]] std::string place_of(std::string_view name) const;

    const boost::json::object* object_;
    std::string place_;
    std::string* error_;
};

}  // namespace gateway::api
