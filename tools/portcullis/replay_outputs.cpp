#include "tools/portcullis/replay_outputs.hpp"

#include <algorithm>
#include <utility>

#include "captures/open_outputs.hpp"
#include "gateway/annotated_capture.hpp"
#include "gateway/azure_logs.hpp"
#include "gateway/decision_log.hpp"
#include "gateway/report.hpp"
#include "gateway/translated_capture.hpp"

namespace tools {

std::string Outputs::open(const ReplayOptions& options, gateway::Vantage vantage, const std::string& firewall_id,
                          std::span<const std::string> inputs) {
    std::vector<captures::NamedOutput> wanted{{"--write", options.write},
                                              {"--annotate", options.annotate},
                                              {"--decisions", options.decisions},
                                              {"--azure-log", options.azure_log},
                                              {"--summary-json", options.summary_json}};
    std::erase_if(wanted, [](const auto& one) { return one.path.empty(); });
    auto opened = captures::open_outputs(wanted, inputs);
    if (!opened) return opened.error();

    auto next = opened->begin();
    const auto capture = [&](captures::CaptureFormat format) -> captures::CaptureWriter& {
        return *writers_.emplace_back(captures::CaptureWriter::create(std::move(*next++), format));
    };
    const auto text = [&]() -> captures::OutputBuffer& { return *buffers_.emplace_back(std::move(*next++)); };
    if (!options.write.empty()) {
        auto& writer = capture(captures::format_for(options.write));
        observers_.push_back(std::make_unique<gateway::TranslatedCapture>(writer, vantage));
    }
    if (!options.annotate.empty()) {
        observers_.push_back(std::make_unique<gateway::AnnotatedCapture>(capture(captures::CaptureFormat::pcapng)));
    }
    if (!options.decisions.empty()) observers_.push_back(std::make_unique<gateway::DecisionLog>(text()));
    if (!options.azure_log.empty()) observers_.push_back(std::make_unique<gateway::AzureLog>(text(), firewall_id));
    if (!options.summary_json.empty()) summary_ = &text();
    return {};
}

void Outputs::attach(gateway::Replay& replay) const {
    for (const auto& observer : observers_) replay.add(*observer);
}

bool Outputs::ok() const {
    const auto is_ok = [](const auto& each) { return each->ok(); };
    return std::ranges::all_of(writers_, is_ok) && std::ranges::all_of(buffers_, is_ok);
}

void Outputs::expect(captures::LinkType link_type) const {
    for (const auto& writer : writers_) writer->expect(link_type);
}

std::vector<std::string> Outputs::close(const gateway::ReplayResult& result) {
    if (summary_ != nullptr) {
        auto json = gateway::summary_json(result);
        json.pop_back();
        gateway::append_line(*summary_, json);
    }
    std::vector<std::string> errors;
    for (const auto& writer : writers_) errors.push_back(writer->close());
    for (const auto& buffer : buffers_) errors.push_back(buffer->close());
    std::erase(errors, "");
    return errors;
}

}  // namespace tools
