#include "captures/file/source.hpp"

namespace captures::file {

std::string to_string(const ReadError& error) {
    return error.input + ": packet " + std::to_string(error.packet) + " at byte " + std::to_string(error.offset) +
           " cannot be read: " + error.what;
}

}  // namespace captures::file
