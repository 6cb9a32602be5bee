#include "gateway/live/live_file.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>

#include <sys/resource.h>

#include "gateway/outputs/decision_log.hpp"
#include "tests/support/captured.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace live_file_test {

using gateway::live::LiveFile;
using gateway::live::Rotation;
using namespace support;
namespace fs = std::filesystem;

/// Tells a file of what a pipeline judges and of what leaves it, as the recorder does.
class Feed final : public gateway::pipeline::Observer {
public:
    explicit Feed(LiveFile& file) : file_{&file} {}

    void judged(const gateway::pipeline::Judged& burst) override { file_->arrived(burst); }
    void rewritten(const gateway::pipeline::Judged& burst) override {
        for (std::size_t i = 0; i < burst.frames.size(); ++i) {
            if (burst.verdicts[i].fate() == policy::Fate::forward) file_->left(burst.frames[i]);
        }
    }
    void synthesized(const captures::packet::Frame& frame) override { file_->left(frame); }

private:
    LiveFile* file_;
};

struct Lab {
    Lab()
        : doors{},
          tables{gateway::pipeline::Tables::build(lab()).value()},
          pipeline{tables, doors, {gateway::pipeline::Vantage::both, {}}} {}

    LiveFile& log(const std::string& path, Rotation rotation = {}) {
        const auto make = [](auto& output) { return std::make_unique<gateway::outputs::DecisionLog>(output); };
        return take(LiveFile::open_log(path, rotation, make, [this](const auto& text) { said.push_back(text); }));
    }
    LiveFile& recording(const std::string& path, Rotation rotation = {}) {
        return take(LiveFile::open_recording(path, rotation, [this](const auto& text) { said.push_back(text); }));
    }
    LiveFile& take(tl::expected<std::unique_ptr<LiveFile>, std::string> opened) {
        BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error()));
        file = std::move(*opened);
        return *file;
    }

    /// A new connection's first packet.
    void pass() {
        auto built = tcp("198.51.100.7:" + std::to_string(20'000 + ++number), "203.0.113.10:8080").syn().build();
        auto frame = built.frame();
        frame.number = number;
        Feed feed{*file};
        pipeline.process({&frame, 1}, feed);
    }

    [[nodiscard]] static std::size_t lines(const std::string& path) {
        std::ifstream in{path};
        return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>{in}, {}, '\n'));
    }

    ScratchFolder folder;
    policy::Doors doors;
    std::shared_ptr<const gateway::pipeline::Tables> tables;
    gateway::pipeline::Pipeline pipeline;
    std::vector<std::string> said;
    std::unique_ptr<LiveFile> file;
    std::uint64_t number = 0;
};

/// A disk that is full as soon as a file has so many bytes.
class NoRoomBeyond {
public:
    explicit NoRoomBeyond(rlim_t bytes) : handler_{std::signal(SIGXFSZ, SIG_IGN)} {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit little{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &little);
    }
    NoRoomBeyond(const NoRoomBeyond&) = delete;
    NoRoomBeyond& operator=(const NoRoomBeyond&) = delete;
    ~NoRoomBeyond() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

}  // namespace live_file_test

BOOST_FIXTURE_TEST_SUITE(live_file_test, Lab)

BOOST_AUTO_TEST_CASE(a_log_goes_on_where_an_earlier_process_ended) {
    const auto path = folder.file("decisions.jsonl");
    log(path);
    pass();
    file.reset();
    log(path);
    pass();
    file->tick();
    BOOST_TEST(lines(path) == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_of_the_size_is_put_aside_and_the_oldest_goes) {
    const auto path = folder.file("decisions.jsonl");
    log(path, {.size = 1000, .keep = 2});
    for (int i = 0; i < 100; ++i) pass();
    file->tick();
    BOOST_TEST(fs::exists(path + ".1"));
    BOOST_TEST(fs::exists(path + ".2"));
    BOOST_TEST(!fs::exists(path + ".3"));
    BOOST_TEST(fs::file_size(path + ".1") >= 1000U);
    BOOST_TEST(fs::file_size(path + ".1") < 1500U);
    BOOST_TEST(lines(path) + lines(path + ".1") + lines(path + ".2") < 100U);
    BOOST_TEST(file->lost() == 0U);
    BOOST_TEST(said.empty());
}

BOOST_AUTO_TEST_CASE(each_part_of_a_recording_is_a_capture_of_its_own_and_together_they_are_one) {
    const auto path = folder.file("all.pcapng");
    recording(path, {.size = 2000, .keep = 20});
    for (int i = 0; i < 30; ++i) pass();
    file.reset();
    Bytes whole;
    std::size_t parts = 0;
    std::size_t packets = 0;
    for (int part = 20; part >= 0; --part) {
        const auto name = part == 0 ? path : path + '.' + std::to_string(part);
        if (!fs::exists(name)) continue;
        ++parts;
        const auto bytes = content_of(name);
        packets += read_all(*open_bytes(bytes)).size();
        whole.insert(whole.end(), bytes.begin(), bytes.end());
    }
    BOOST_TEST(parts > 2U);
    BOOST_TEST(packets == 60U);
    const auto all = read_all(*open_bytes(whole));
    BOOST_REQUIRE(all.size() == 60U);
    for (std::size_t i = 0; i < all.size(); ++i) {
        BOOST_TEST((all[i].frame.side == captures::packet::Side::inside) == (i % 2 == 1));
    }
}

BOOST_AUTO_TEST_CASE(a_recording_puts_an_older_one_aside) {
    const auto path = folder.file("all.pcapng");
    recording(path);
    pass();
    file.reset();
    const auto first = content_of(path);
    recording(path);
    file.reset();
    BOOST_CHECK(content_of(path + ".1") == first);
}

BOOST_AUTO_TEST_CASE(a_log_that_was_moved_away_goes_on_in_a_new_file) {
    const auto path = folder.file("decisions.jsonl");
    log(path);
    pass();
    file->reopen();  // nobody has moved it
    fs::rename(path, path + ".moved");
    pass();
    file->reopen();
    pass();
    file->tick();
    BOOST_TEST(lines(path + ".moved") == 2U);
    BOOST_TEST(lines(path) == 1U);
    BOOST_TEST(said.empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_once_what_is_missing_is_counted_and_the_rest_follows) {
    log("/dev/full");
    pass();
    file->tick();
    BOOST_REQUIRE(said.size() == 1U);
    BOOST_TEST(said.front().find("No space left on device") != std::string::npos);
    for (int i = 0; i < 5; ++i) pass();
    file->tick();
    file->tick();
    BOOST_TEST(said.size() == 1U);
    BOOST_TEST(file->lost() == 5U);
}

BOOST_AUTO_TEST_CASE(a_recording_that_has_no_room_is_not_put_aside_before_it_is_whole) {
    const auto path = folder.file("all.pcapng");
    recording(path, {.size = 4000, .keep = 9});
    {
        const NoRoomBeyond room{2000};
        for (int i = 0; i < 30; ++i) pass();
        file->tick();
        BOOST_TEST(file->lost() > 0U);
    }
    file->tick();
    for (int i = 0; i < 30; ++i) pass();
    const auto missing = file->lost();
    file.reset();
    BOOST_TEST(fs::exists(path + ".1"));
    std::size_t packets = 0;
    for (int part = 9; part >= 0; --part) {
        const auto name = part == 0 ? path : path + '.' + std::to_string(part);
        if (fs::exists(name)) packets += read_all(*open_bytes(content_of(name))).size();
    }
    BOOST_TEST(packets + missing == 120U);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_made_is_refused_with_the_reason) {
    const auto make = [](auto& output) { return std::make_unique<gateway::outputs::DecisionLog>(output); };
    const auto opened = LiveFile::open_log(folder.file("no/such/folder"), {}, make, [](const auto&) {});
    BOOST_REQUIRE(!opened);
    BOOST_TEST(opened.error().find("No such file or directory") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
