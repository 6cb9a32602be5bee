#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::api::http {

/// A page of Prometheus' text format 0.0.4. Names are given without `portcullis_`, in base units, counters with `_total`
/// (prometheus.io/docs/practices/naming).
class MetricsPage {
public:
    void head(std::string_view name, std::string_view type, std::string_view help) {
        fmt::format_to(std::back_inserter(text_), "# HELP portcullis_{0} {2}\n# TYPE portcullis_{0} {1}\n", name, type,
                       help);
    }
    template <class Number>
    void line(std::string_view name, Number value) {
        fmt::format_to(std::back_inserter(text_), "portcullis_{} {}\n", name, value);
    }
    template <class Number>
    void one(std::string_view name, std::string_view type, std::string_view help, Number value) {
        head(name, type, help);
        line(name, value);
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
};

}  // namespace gateway::api::http
