#include "captures/file/open_outputs.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "captures/base/file_descriptor.hpp"
#include "tests/support/captured.hpp"

namespace open_outputs_test {

using captures::file::NamedOutput;
using captures::file::open_outputs;
using support::content_of;
using support::payload;
using support::ScratchFolder;

std::string error_of(const std::vector<NamedOutput>& outputs, const std::vector<std::string>& inputs = {}) {
    const auto opened = open_outputs(outputs, inputs);
    return opened ? std::string{} : opened.error();
}

/// While it lives, standard input is that file.
class StandardInput {
public:
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): open(2) has no other form
    explicit StandardInput(const std::string& path) : before_(dup(STDIN_FILENO)), file_(open(path.c_str(), O_RDONLY)) {
        dup2(file_.number(), STDIN_FILENO);
    }
    StandardInput(const StandardInput&) = delete;
    StandardInput& operator=(const StandardInput&) = delete;
    ~StandardInput() { dup2(before_.number(), STDIN_FILENO); }

private:
    captures::base::FileDescriptor before_;
    captures::base::FileDescriptor file_;
};

}  // namespace open_outputs_test

BOOST_AUTO_TEST_SUITE(open_outputs_test)

BOOST_AUTO_TEST_CASE(files_are_created_or_emptied_in_the_order_given) {
    const ScratchFolder folder;
    const auto old = folder.file("old", payload(5000));
    const auto fresh = folder.file("fresh");
    auto opened = open_outputs(std::array{NamedOutput{"--write", fresh}, NamedOutput{"--decisions", old}}, {});
    BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error()));
    BOOST_REQUIRE_EQUAL(opened->size(), 2U);
    *(*opened)[0]->append(1) = std::byte{'1'};
    *(*opened)[1]->append(1) = std::byte{'2'};
    for (const auto& output : *opened) BOOST_CHECK_EQUAL(output->close(), "");
    BOOST_CHECK((content_of(fresh) == support::Bytes{std::byte{'1'}}));
    BOOST_CHECK((content_of(old) == support::Bytes{std::byte{'2'}}));
}

BOOST_AUTO_TEST_CASE(where_one_cannot_be_created_the_others_are_as_before) {
    const ScratchFolder folder;
    const auto old = folder.file("old", payload(5000));
    const auto fresh = folder.file("fresh");
    const auto nowhere = folder.file("no/such/folder");
    const std::vector<NamedOutput> outputs{{"--write", old}, {"--annotate", fresh}, {"--decisions", nowhere}};
    BOOST_CHECK_EQUAL(error_of(outputs), "cannot create " + nowhere + ": No such file or directory");
    BOOST_CHECK_EQUAL(content_of(old).size(), 5000U);
    BOOST_CHECK(!std::filesystem::exists(fresh));
}

BOOST_AUTO_TEST_CASE(one_file_under_two_names_is_refused) {
    const ScratchFolder folder;
    const auto old = folder.file("old", payload(5000));
    const auto hard = folder.file("hard");
    const auto symbolic = folder.file("symbolic");
    const auto dangling = folder.file("dangling");
    const auto fresh = folder.file("fresh");
    std::filesystem::create_hard_link(old, hard);
    std::filesystem::create_symlink("old", symbolic);
    std::filesystem::create_symlink("fresh", dangling);
    const std::vector<std::array<std::string, 2>> pairs{
        {old, old},
        {old, hard},
        {old, symbolic},
        {hard, symbolic},
        {old, folder.file("../" + folder.path().filename().string() + "/old")},
        {fresh, fresh},
        {dangling, fresh},
        {fresh, dangling}};
    for (const auto& [first, second] : pairs) {
        BOOST_CHECK_EQUAL(error_of({{"--write", first}, {"--annotate", second}}),
                          "--write and --annotate both write " + second + ": give each a file of its own");
        BOOST_CHECK_EQUAL(content_of(old).size(), 5000U);
        BOOST_CHECK(!std::filesystem::exists(fresh));
        BOOST_CHECK(std::filesystem::is_symlink(dangling));
    }
}

BOOST_AUTO_TEST_CASE(standard_output_takes_one_output) {
    BOOST_CHECK_EQUAL(error_of({{"--write", "-"}, {"--decisions", "-"}}),
                      "--write and --decisions both write standard output: give each a file of its own");
    BOOST_CHECK_EQUAL(error_of({{"--write", "-"}}), "");
}

BOOST_AUTO_TEST_CASE(a_device_may_serve_several_times) {
    BOOST_CHECK_EQUAL(error_of({{"--write", "/dev/null"}, {"--decisions", "/dev/null"}}), "");
}

BOOST_AUTO_TEST_CASE(an_input_is_no_output_by_whatever_name) {
    const ScratchFolder folder;
    const auto input = folder.file("in.pcap", payload(5000));
    const auto link = folder.file("link.pcap");
    std::filesystem::create_hard_link(input, link);
    BOOST_CHECK_EQUAL(error_of({{"--write", link}}, {folder.file("other"), input}),
                      link + " is also an input: choose another name");
    const StandardInput from_file{input};
    BOOST_CHECK_EQUAL(error_of({{"--write", link}}, {"-"}), link + " is also an input: choose another name");
    BOOST_CHECK_EQUAL(content_of(input).size(), 5000U);
}

BOOST_AUTO_TEST_SUITE_END()
