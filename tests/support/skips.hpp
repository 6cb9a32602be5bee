#pragma once

#include <iostream>
#include <string_view>

namespace support {

/// Says that a test, or a part of it, does not run here, and why, in the form that .ci/judge-skips reads.
inline void tell_skipped(std::string_view why) { std::cout << "skipped: " << why << std::endl; }

}  // namespace support
