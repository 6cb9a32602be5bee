#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "captures/file/output_buffer.hpp"

namespace captures::file {

/// A file to be written, as a person named it.
struct NamedOutput {
    std::string_view option;  ///< that asks for it, for messages: `--write`
    std::string path;         ///< `-` is standard output
};

/// Opens all outputs, or touches none. The error, for the person, names the one that cannot be created, that is one of
/// `inputs` (`-` is standard input), or that is the same file as another one, by whatever name or link. Files that were
/// there are emptied only when all is well; devices, as /dev/null, may serve several times.
/// The result is in the order of `outputs`.
[[nodiscard]] tl::expected<std::vector<std::unique_ptr<OutputBuffer>>, std::string> open_outputs(
    std::span<const NamedOutput> outputs, std::span<const std::string> inputs);

}  // namespace captures::file
