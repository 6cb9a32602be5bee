#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace gateway::store {

/// Which file it is, whatever it is called.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    /// Of what the path leads to, without opening it; nothing where there is no file.
    [[nodiscard]] static std::optional<FileIdentity> of(const std::string& path) noexcept;

    auto operator<=>(const FileIdentity&) const = default;
};

/// The only use of a file in this process, as long as this lives: record locks keep other processes out alone.
class Claim {
public:
    /// Throws Fault where there is one already.
    explicit Claim(FileIdentity file);
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim();

private:
    FileIdentity file_;
};

}  // namespace gateway::store
