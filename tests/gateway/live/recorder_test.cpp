#include "gateway/live/recorder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "captures/port/offload.hpp"
#include "tests/support/captured.hpp"
#include "tests/support/live_wires.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace recorder_test {

using gateway::live::Recorder;
using policy::Reason;
using namespace support;

/// A pipeline whose packets a recorder is told of, as the data plane does it.
class Lab : public gateway::pipeline::Observer {
public:
    void record(const gateway::live::LogFiles& files) {
        auto opened = Recorder::open(files, "/subscriptions/x/azureFirewalls/fw",
                                     [this](const auto& text) { said.push_back(text); });
        BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error()));
        recorder = std::move(*opened);
        recorder->keep(tables);
    }
    void use(const gateway::config::Config& config) {
        tables = gateway::pipeline::Tables::build(config).value();
        recorder->keep(tables);
        pipeline.use(tables, *this);
    }

    void pass(OwnedFrame built, captures::packet::Side side = captures::packet::Side::outside,
              captures::packet::Offload offload = {}) {
        auto frame = built.frame();
        frame.number = ++number;
        frame.side = side;
        frame.offload = offload;
        pipeline.process({&frame, 1}, *this);
    }
    void pass(const PacketBuilder& packet) { pass(packet.build()); }

    void judged(const gateway::pipeline::Judged& burst) override { recorder->judged(burst); }
    void rewritten(const gateway::pipeline::Judged& burst) override {
        for (std::size_t i = 0; i < burst.frames.size(); ++i) {
            if (burst.verdicts[i].fate() == policy::Fate::forward) send(burst.frames[i], port_takes);
        }
    }
    void synthesized(const captures::packet::Frame& frame) override { send(frame, port_takes); }
    void send(const captures::packet::Frame& frame, bool taken) {
        if (!recorder->takes_departures()) return;
        recorder->leaving(frame);
        recorder->left(taken);
    }

    [[nodiscard]] static std::vector<std::string> lines_of(const std::string& path) {
        std::ifstream in{path};
        std::vector<std::string> lines;
        for (std::string line; std::getline(in, line);) lines.push_back(line);
        return lines;
    }

    ScratchFolder folder;
    policy::Doors doors;
    std::shared_ptr<const gateway::pipeline::Tables> tables = gateway::pipeline::Tables::build(lab()).value();
    gateway::pipeline::Pipeline pipeline{tables, doors, {gateway::pipeline::Vantage::both, {}}};
    std::vector<std::string> said;
    std::unique_ptr<Recorder> recorder;
    std::uint64_t number = 0;
    bool port_takes = true;
};

PacketBuilder request(int client) {
    return tcp("198.51.100.7:" + std::to_string(20'000 + client), "203.0.113.10:8080").syn();
}

}  // namespace recorder_test

BOOST_FIXTURE_TEST_SUITE(recorder_test, Lab)

BOOST_AUTO_TEST_CASE(decisions_are_written_as_in_a_replay) {
    const auto path = folder.file("decisions.jsonl");
    record({.decisions = path});
    pass(request(1));
    pass(tcp("198.51.100.7:20001", "203.0.113.10:9").syn());
    pass(arp("198.51.100.7", "203.0.113.10"));
    recorder.reset();  // writes what is there to its end
    const auto lines = lines_of(path);
    BOOST_REQUIRE(lines.size() == 3U);
    const auto first = boost::json::parse(lines[0]);
    BOOST_TEST(first.at("reason") == "dnat");
    BOOST_TEST(first.at("rule") == "inbound/web");
    BOOST_TEST(first.at("out_to") == "10.1.0.4:80");
    BOOST_TEST(boost::json::parse(lines[1]).at("reason") == "no-listener");
    BOOST_TEST(boost::json::parse(lines[2]).at("reason") == "not-ip");
    BOOST_TEST(boost::json::parse(lines[2]).at("packet") == 3);
}

BOOST_AUTO_TEST_CASE(azures_log_has_its_records_and_the_rest_does_not_even_enter_the_ring) {
    const auto path = folder.file("azfw.jsonl");
    record({.azure_log = path});
    pass(request(1));
    for (int i = 0; i < 100; ++i) pass(tcp("198.51.100.7:20001", "203.0.113.10:9").syn());
    recorder.reset();
    const auto lines = lines_of(path);
    BOOST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].find("AZFWNatRule") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_recording_holds_what_came_and_what_left_each_in_its_direction) {
    const auto path = folder.file("all.pcapng");
    record({.record = path});
    const auto sent = request(1).build();
    pass(sent);
    port_takes = false;
    pass(request(2));
    recorder.reset();
    auto source = captures::file::open_capture(path);
    BOOST_REQUIRE(source);
    const auto packets = read_all(**source);
    BOOST_REQUIRE(packets.size() == 3U);  // what the port refused has not left
    BOOST_CHECK(packets[0].bytes == Bytes(sent.bytes().begin(), sent.bytes().end()));
    BOOST_TEST((packets[1].frame.side == captures::packet::Side::inside));
    BOOST_TEST((packets[2].frame.side == captures::packet::Side::outside));
    const auto bytes = content_of(path);
    const std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    BOOST_TEST(text.find("packet 1: forward dnat, rule inbound/web") != std::string::npos);
    BOOST_TEST(text.find("packet 1 leaves") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_checksum_that_was_left_to_hardware_is_complete_in_a_recording) {
    const auto path = folder.file("all.pcapng");
    record({.record = path});
    auto partial = request(1).build();
    captures::port::store_partial_checksum(captures::port::transport_of(partial.frame()));
    pass(partial, captures::packet::Side::outside, {.partial_checksum = true});
    recorder.reset();
    auto source = captures::file::open_capture(path);
    BOOST_REQUIRE(source);
    for (auto& packet : read_all(**source)) {
        packet.frame.data = packet.bytes.data();
        const auto decoded = captures::packet::decode(packet.frame);
        BOOST_TEST(decoded.tcp().checksum() == captures::packet::transport_checksum(decoded).value());
    }
}

BOOST_AUTO_TEST_CASE(rules_that_were_replaced_are_named_as_long_as_packets_of_theirs_are_on_their_way) {
    const auto path = folder.file("decisions.jsonl");
    record({.decisions = path});
    std::weak_ptr<const gateway::pipeline::Tables> first = tables;
    for (int i = 0; i < 200; ++i) {
        pass(request(i));
        auto config = lab();
        nat_rule(config, "web").name.rule = "web" + std::to_string(i);
        use(config);
    }
    pass(request(1000));
    BOOST_TEST(comes_true([&] { return first.expired(); }), "old rules are let go of");
    recorder.reset();
    const auto lines = lines_of(path);
    BOOST_REQUIRE(lines.size() == 201U);
    BOOST_TEST(boost::json::parse(lines[0]).at("rule") == "inbound/web");
    for (std::size_t i = 1; i < lines.size(); ++i) {
        BOOST_TEST(boost::json::parse(lines[i]).at("rule") ==
                   boost::json::value("inbound/web" + std::to_string(i - 1)));
    }
}

BOOST_AUTO_TEST_CASE(rules_are_let_go_of_while_nobody_wants_to_know_anything) {
    record({});
    std::weak_ptr<const gateway::pipeline::Tables> first = tables;
    for (int i = 0; i < 3; ++i) use(lab());
    BOOST_TEST(comes_true([&] { return first.expired(); }));
}

BOOST_AUTO_TEST_CASE(who_watches_is_told_and_others_cost_nothing) {
    record({});
    pass(request(1));
    const auto from = recorder->decisions(0, {}, 10).next;
    pass(request(2));
    pass(tcp("198.51.100.7:20001", "203.0.113.10:9").syn());
    std::vector<gateway::outputs::Decision> seen;
    auto next = from;
    BOOST_TEST(comes_true([&] {
        auto more = recorder->decisions(next, {}, 10);
        next = more.next;
        for (auto& one : more.decisions) seen.push_back(std::move(one));
        return seen.size() == 2;
    }));
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST(seen[0].packet == 2U);
    BOOST_TEST((seen[1].reason == Reason::no_listener));
    BOOST_TEST(recorder->numbers().not_queued == 0U);
}

BOOST_AUTO_TEST_CASE(what_finds_no_room_is_counted_and_told) {
    // A reader that does not read: the writer's thread waits in a pipe that nobody empties.
    const auto path = folder.file("pipe");
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    record({.decisions = path});
    const auto built = request(1).build();
    constexpr int more_than_fit = 60'000;
    for (int i = 0; i < more_than_fit; ++i) pass(built);
    BOOST_TEST(recorder->numbers().not_queued > 0U);
    std::jthread drain{[reader](const std::stop_token& stop) {
        std::array<char, 65536> buffer{};
        while (!stop.stop_requested()) {
            if (::read(reader, buffer.data(), buffer.size()) <= 0) std::this_thread::yield();
        }
    }};
    recorder.reset();
    BOOST_REQUIRE(!said.empty());
    BOOST_TEST(said.front().find("come faster than they are written down") != std::string::npos);
    drain.request_stop();
    drain.join();
    ::close(reader);
}

BOOST_AUTO_TEST_SUITE_END()
