#pragma once

#include <string>
#include <vector>

namespace policy {

/// Somebody who can be granted roles. `token_sha256` is the lower-case hex digest of a bearer token, or empty.
struct Principal {
    std::string name;
    std::string token_sha256;
};

}  // namespace policy
