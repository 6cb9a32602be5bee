#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <soci/soci.h>

namespace gateway::store {

/// A prepared statement that writes one row of a table, again and again.
template <class Row>
class RowWriter {
public:
    explicit RowWriter(soci::session& session) : statement_{session} {
        row_.each([this](auto& field) { statement_.exchange(soci::use(field)); });
        statement_.alloc();
        statement_.prepare(Row::write);
        statement_.define_and_bind();
    }
    RowWriter(const RowWriter&) = delete;  // the statement is bound to the row
    RowWriter& operator=(const RowWriter&) = delete;
    ~RowWriter() = default;

    template <class Value>
    void write(const std::vector<Value>& values) {
        for (const auto& value : values) {
            row_.take(value);
            statement_.execute(true);
        }
    }

private:
    Row row_;
    soci::statement statement_;
};

/// The `where` of a query: conditions, all of which must hold, each with the value of its placeholder.
class Conditions {
public:
    /// `value` must outlive the reading.
    void add(std::string_view condition, auto& value) {
        text_ += text_.empty() ? " where " : " and ";
        text_ += condition;
        bind_.push_back([&value](soci::statement& statement) { statement.exchange(soci::use(value)); });
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    void bind(soci::statement& statement) const {
        for (const auto& bind : bind_) bind(statement);
    }

private:
    std::string text_;
    std::vector<std::function<void(soci::statement&)>> bind_;
};

/// The rows of a query that selects `Row::columns`, as values: all, or up to the one with which it `is_enough`.
template <class Row>
auto read(soci::session& session, const std::string& query, const Conditions& conditions, auto is_enough) {
    Row row;
    soci::statement statement{session};
    row.each([&](auto& field) { statement.exchange(soci::into(field)); });
    conditions.bind(statement);
    statement.alloc();
    statement.prepare(query);
    statement.define_and_bind();
    std::vector<decltype(row.value())> values;
    statement.execute();
    while (statement.fetch()) {
        values.push_back(row.value());
        if (is_enough(values.back())) break;
    }
    return values;
}

template <class Row>
auto read(soci::session& session, const std::string& query, const Conditions& conditions = {}) {
    return read<Row>(session, query, conditions, [](const auto& /*value*/) { return false; });
}

}  // namespace gateway::store
