#include "gateway/store/file_identity.hpp"

#include <mutex>
#include <set>

#include <sys/stat.h>

#include "gateway/store/fault.hpp"

namespace gateway::store {

namespace {

struct Claimed {
    std::mutex mutex;
    std::set<FileIdentity> files;
};

Claimed& claimed() {
    static Claimed all;
    return all;
}

}  // namespace

std::optional<FileIdentity> FileIdentity::of(const std::string& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return FileIdentity{.device = status.st_dev, .inode = status.st_ino};
}

Claim::Claim(FileIdentity file) : file_{file} {
    auto& all = claimed();
    const std::lock_guard lock{all.mutex};
    if (!all.files.insert(file_).second) throw Fault{Fault::Kind::in_use, "this process has opened it already"};
}

Claim::~Claim() {
    auto& all = claimed();
    const std::lock_guard lock{all.mutex};
    all.files.erase(file_);
}

}  // namespace gateway::store
