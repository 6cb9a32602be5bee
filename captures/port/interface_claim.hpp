#pragma once

#include <string>

#include <tl/expected.hpp>

#include "captures/base/file_descriptor.hpp"

namespace captures::port {

/// The only gateway on an interface: of two, each would forward every packet, and the first to end would open the wire
/// to the kernel. Held until it is destroyed or the process ends, however that is; each network namespace has its own.
///
/// It is the abstract UNIX address `@portcullis/<interface>`, which needs no file that a killed run could leave.
class InterfaceClaim {
public:
    /// The error is that there is one already, and how to find it.
    [[nodiscard]] static tl::expected<InterfaceClaim, std::string> of(const std::string& interface);

private:
    explicit InterfaceClaim(base::FileDescriptor socket) : socket_{std::move(socket)} {}

    base::FileDescriptor socket_;
};

}  // namespace captures::port
