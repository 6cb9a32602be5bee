#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "captures/file/capture_writer.hpp"
#include "captures/file/output_buffer.hpp"
#include "gateway/replay/replay.hpp"

namespace tools {

/// As given on the command line; an empty text is an option that was not.
struct ReplayOptions {
    std::string config;
    std::string scenario;
    std::string input;
    std::string outside;
    std::string inside;
    std::string vantage;
    std::string write;
    std::string annotate;
    std::string decisions;
    std::string azure_log;
    std::string summary_json;
    bool quiet = false;
};

/// The files that a replay writes, with the observers that write them. Opened before anything is judged, so that a
/// mistake costs nothing: either all are there to be written, or none was touched.
class Outputs {
public:
    /// Empty text: all are open. `inputs` are the files that must not be among them.
    [[nodiscard]] std::string open(const ReplayOptions& options, gateway::pipeline::Vantage vantage,
                                   const std::string& firewall_id, std::span<const std::string> inputs);

    void attach(gateway::replay::Replay& replay) const;

    [[nodiscard]] bool ok() const;

    /// Of the input, for a capture without frames to say.
    void expect(captures::packet::LinkType link_type) const;

    /// Writes the summary, if one is wanted, and closes all; what went wrong, a line each.
    [[nodiscard]] std::vector<std::string> close(const gateway::replay::ReplayResult& result);

private:
    std::vector<std::unique_ptr<captures::file::CaptureWriter>> writers_;
    std::vector<std::unique_ptr<captures::file::OutputBuffer>> buffers_;
    captures::file::OutputBuffer* summary_ = nullptr;  ///< in buffers_
    std::vector<std::unique_ptr<gateway::pipeline::Observer>> observers_;
};

}  // namespace tools
