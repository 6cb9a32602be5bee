// Runs every file of a corpus through a fuzz target, and then every file cut short and with a byte flipped, which is
// what a fuzzer without a fuzzer's runtime can do: enough to keep a crash that was found from coming back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

/// So small that a corpus of some hundred files is replayed in a second or two.
constexpr std::size_t mutations = 32;

// A copy of exactly the right size, so that AddressSanitizer sees the first byte read past it.
void run(std::span<const std::uint8_t> bytes) {
    const Bytes copy(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

void replay(const Bytes& bytes) {
    run(bytes);
    for (std::size_t i = 0; i < mutations; ++i) run(std::span{bytes}.first(bytes.size() * i / mutations));
    for (std::size_t i = 0; i < std::min(mutations, bytes.size()); ++i) {
        auto flipped = bytes;
        flipped[bytes.size() * i / std::min(mutations, bytes.size())] ^= 0xff;
        run(flipped);
    }
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what a target throws is a crash, and to be seen as one
int main(int argc, char** argv) {
    std::size_t files = 0;
    for (const char* folder : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            if (entry.is_regular_file()) paths.push_back(entry.path());
        }
        std::ranges::sort(paths);
        for (const auto& path : paths) {
            std::printf("%s\n", path.c_str());
            std::fflush(stdout);  // so that the last line printed names the file that crashed
            std::ifstream in(path, std::ios::binary);
            replay(Bytes(std::istreambuf_iterator<char>(in), {}));
            ++files;
        }
    }
    std::printf("%zu files replayed\n", files);
    return files > 0 ? 0 : 1;  // an empty corpus proves nothing
}
