#include "tools/portcullis/replay_outputs.hpp"

#include <algorithm>
#include <utility>

#include "captures/file/open_outputs.hpp"
#include "gateway/outputs/annotated_capture.hpp"
#include "gateway/outputs/azure_log.hpp"
#include "gateway/outputs/decision_log.hpp"
#include "gateway/outputs/translated_capture.hpp"
#include "gateway/replay/report.hpp"

namespace tools {

std::string Outputs::open(const ReplayOptions& options, gateway::pipeline::Vantage vantage,
                          const std::string& firewall_id, std::span<const std::string> inputs) {
    std::vector<captures::file::NamedOutput> wanted{{"--write", options.write},
                                                    {"--annotate", options.annotate},
                                                    {"--decisions", options.decisions},
                                                    {"--azure-log", options.azure_log},
                                                    {"--summary-json", options.summary_json}};
    std::erase_if(wanted, [](const auto& one) { return one.path.empty(); });
    auto opened = captures::file::open_outputs(wanted, inputs);
    if (!opened) return opened.error();

    auto next = opened->begin();
    const auto capture = [&](captures::file::CaptureFormat format) -> captures::file::CaptureWriter& {
        return *writers_.emplace_back(captures::file::CaptureWriter::create(std::move(*next++), format));
    };
    const auto text = [&]() -> captures::file::OutputBuffer& { return *buffers_.emplace_back(std::move(*next++)); };
    if (!options.write.empty()) {
        auto& writer = capture(captures::file::format_for(options.write));
        observers_.push_back(std::make_unique<gateway::outputs::TranslatedCapture>(writer, vantage));
    }
    if (!options.annotate.empty()) {
        observers_.push_back(
            std::make_unique<gateway::outputs::AnnotatedCapture>(capture(captures::file::CaptureFormat::pcapng)));
    }
    if (!options.decisions.empty()) observers_.push_back(std::make_unique<gateway::outputs::DecisionLog>(text()));
    if (!options.azure_log.empty())
        observers_.push_back(std::make_unique<gateway::outputs::AzureLog>(text(), firewall_id));
    if (!options.summary_json.empty()) summary_ = &text();
    return {};
}

void Outputs::attach(gateway::replay::Replay& replay) const {
    for (const auto& observer : observers_) replay.add(*observer);
}

bool Outputs::ok() const {
    const auto is_ok = [](const auto& each) { return each->ok(); };
    return std::ranges::all_of(writers_, is_ok) && std::ranges::all_of(buffers_, is_ok);
}

void Outputs::expect(captures::packet::LinkType link_type) const {
    for (const auto& writer : writers_) writer->expect(link_type);
}

std::vector<std::string> Outputs::close(const gateway::replay::ReplayResult& result) {
    if (summary_ != nullptr) {
        auto json = gateway::replay::summary_json(result);
        json.pop_back();
        gateway::outputs::append_line(*summary_, json);
    }
    std::vector<std::string> errors;
    for (const auto& writer : writers_) errors.push_back(writer->close());
    for (const auto& buffer : buffers_) errors.push_back(buffer->close());
    std::erase(errors, "");
    return errors;
}

}  // namespace tools
