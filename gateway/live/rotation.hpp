#pragma once

#include <cstdint>

namespace gateway::live {

/// When a file is put aside for a new one: FILE becomes FILE.1, FILE.1 becomes FILE.2, and so on.
struct Rotation {
    std::uint64_t size = 100'000'000;  ///< bytes, from which on; 0: never
    unsigned keep = 10;                ///< files beside the one that is written
};

}  // namespace gateway::live
