#include "captures/file/open_outputs.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace captures::file {

namespace {

using File = struct stat;

bool is_same(const File& a, const File& b) noexcept { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

std::string reason() { return std::generic_category().message(errno); }

/// An output that is open, but not yet emptied. What it created goes again unless it is kept.
class Candidate {
public:
    explicit Candidate(const NamedOutput& named) : named_(&named) {}
    Candidate(Candidate&&) = default;
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;
    Candidate& operator=(Candidate&&) = delete;
    ~Candidate() {
        std::error_code ignored;
        if (created_ && output_) std::filesystem::remove(std::filesystem::canonical(named_->path, ignored), ignored);
    }

    /// Empty text: it is open.
    [[nodiscard]] std::string open() {
        if (!is_standard_output()) {
            descriptor_ = create();
            if (descriptor_ < 0) return "cannot create " + named_->path + ": " + reason();
        }
        output_ = std::make_unique<OutputBuffer>(descriptor_, name());
        return fstat(descriptor_, &file_) == 0 ? std::string{} : "cannot write " + name() + ": " + reason();
    }

    [[nodiscard]] bool is_also_read(const std::string& input) const {
        File read{};
        const bool is_there = input == "-" ? fstat(STDIN_FILENO, &read) == 0 : stat(input.c_str(), &read) == 0;
        return is_there && S_ISREG(file_.st_mode) && is_same(file_, read);
    }
    [[nodiscard]] bool is_also(const Candidate& other) const {
        if (is_standard_output() && other.is_standard_output()) return true;
        return (S_ISREG(file_.st_mode) || S_ISFIFO(file_.st_mode)) && is_same(file_, other.file_);
    }

    /// Empty text: what was in the file is gone. Standard output's is the shell's business.
    [[nodiscard]] std::string empty() const {
        if (is_standard_output() || !S_ISREG(file_.st_mode) || ftruncate(descriptor_, 0) == 0) return {};
        return "cannot write " + name() + ": " + reason();
    }
    [[nodiscard]] std::unique_ptr<OutputBuffer> keep() && { return std::move(output_); }

    [[nodiscard]] std::string_view option() const noexcept { return named_->option; }
    [[nodiscard]] std::string name() const { return is_standard_output() ? "standard output" : named_->path; }

private:
    [[nodiscard]] bool is_standard_output() const noexcept { return named_->path == "-"; }

    [[nodiscard]] int create() {
        // NOLINTBEGIN(cppcoreguidelines-pro-type-vararg): open(2) has no other form
        const int existing = ::open(named_->path.c_str(), O_WRONLY | O_CLOEXEC);
        created_ = existing < 0 && errno == ENOENT;
        return created_ ? ::open(named_->path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : existing;
        // NOLINTEND(cppcoreguidelines-pro-type-vararg)
    }

    const NamedOutput* named_;
    int descriptor_ = STDOUT_FILENO;  ///< of output_
    std::unique_ptr<OutputBuffer> output_;
    File file_{};
    bool created_ = false;
};

}  // namespace

tl::expected<std::vector<std::unique_ptr<OutputBuffer>>, std::string> open_outputs(
    std::span<const NamedOutput> outputs, std::span<const std::string> inputs) {
    std::vector<Candidate> candidates;
    for (const auto& named : outputs) {
        Candidate one{named};
        if (auto error = one.open(); !error.empty()) return tl::unexpected(std::move(error));
        if (std::ranges::any_of(inputs, [&](const auto& input) { return one.is_also_read(input); })) {
            return tl::unexpected(one.name() + " is also an input: choose another name");
        }
        for (const auto& other : candidates) {
            if (!one.is_also(other)) continue;
            return tl::unexpected(std::string{other.option()} + " and " + std::string{one.option()} + " both write " +
                                  one.name() + ": give each a file of its own");
        }
        candidates.push_back(std::move(one));
    }
    for (const auto& one : candidates) {
        if (auto error = one.empty(); !error.empty()) return tl::unexpected(std::move(error));
    }
    std::vector<std::unique_ptr<OutputBuffer>> opened;
    opened.reserve(candidates.size());
    for (auto& one : candidates) opened.push_back(std::move(one).keep());
    return opened;
}

}  // namespace captures::file
