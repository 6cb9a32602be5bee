#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/config/config.hpp"
#include "gateway/pipeline/pipeline.hpp"
#include "tests/support/pipeline_bench.hpp"

namespace support {

/// What DESIGN §3 says, in the plainest way: linear searches, one packet at a time, checksums summed anew. It is written
/// from the design and the headers' promises, not from the code that it judges, and shares only policy's groups with it.
///
/// It knows Ethernet without tags, and neither bounds nor the pieces in which a datagram may be scattered: traffic that
/// is compared stays within them.
class ReferenceNat {
public:
    ReferenceNat(const gateway::config::Config& config, gateway::pipeline::Vantage vantage)
        : config_{config}, vantage_{vantage} {}

    std::vector<Told> packet(const captures::packet::Frame& frame);
    void open_window(std::string_view source, captures::base::Duration duration, captures::base::Time now);
    void close_window(policy::WindowId id);
    std::vector<Told> cut(policy::WindowId id, captures::base::Time now);
    void reload(const gateway::config::Config& config);
    std::vector<Told> finish();

private:
    using Bytes = std::vector<std::byte>;
    enum class Way : std::uint8_t { to_target, to_client, untranslated };
    enum class Phase : std::uint8_t { opening, open, closing, reset };

    struct Half {
        bool spoke = false;
        bool acked = false;
        bool finished = false;
        std::uint32_t next = 0;
        std::uint32_t ack = 0;
        std::uint32_t window = 0;
    };
    struct Flow {
        captures::base::Endpoint client, called, target, instance;
        captures::base::Protocol protocol = captures::base::Protocol::tcp;
        std::string rule;
        policy::WindowId window = 0;
        bool east_west = false;
        bool cut = false;
        captures::base::Time last_seen;
        Phase phase = Phase::opening;
        bool answered = false;  // the server sent its SYN
        Half from_client, from_server;
    };
    struct Packet {
        Bytes bytes;
        captures::packet::Frame frame;
        Way way = Way::to_target;
        captures::base::Endpoint source, destination;
        std::uint8_t protocol = 0;
        bool first = true;  // has a transport header
        bool more = false;
        std::uint32_t offset = 0;
        std::uint32_t payload = 0;  // behind the IPv4 header
    };
    struct Ruling {
        policy::Reason reason = policy::Reason::fragment;
        std::string rule{};
        policy::WindowId window = 0;
        captures::base::Endpoint source{}, destination{};
    };
    struct Datagram {
        captures::base::Time deadline{};
        std::vector<bool> have{};
        std::uint32_t end = 0;  // known once the last fragment came
        bool poisoned = false;
        bool ruled = false;
        Ruling ruling{};
        std::vector<Packet> waiting{};
    };
    using DatagramKey = std::tuple<captures::base::Ipv4Address, captures::base::Ipv4Address, unsigned, unsigned, bool>;

    void pass_time(captures::base::Time now);
    [[nodiscard]] captures::base::Time deadline_of(const Flow& flow) const;
    void judge(Packet& packet);
    [[nodiscard]] bool departs(const Packet& packet) const;
    [[nodiscard]] Ruling judge_transport(const Packet& packet);
    [[nodiscard]] Ruling judge_first(const Packet& packet);
    [[nodiscard]] Ruling judge_flow(const Packet& packet, std::size_t index);
    [[nodiscard]] Ruling judge_error(const Packet& packet);
    void judge_later_fragment(Packet& packet);
    [[nodiscard]] bool takes_first(const Packet& packet, std::vector<Packet>& released);
    void rule_datagram(const Packet& packet, const Ruling& ruling);
    [[nodiscard]] static bool add(Datagram& datagram, const Packet& packet);
    [[nodiscard]] static bool complete(const Datagram& datagram);
    [[nodiscard]] static DatagramKey key_of(const Packet& packet);
    enum class Step : std::uint8_t { counts, silent, reopens, refused };
    [[nodiscard]] static Step follow(Flow& flow, const Packet& packet, bool from_client);
    [[nodiscard]] std::size_t find_flow(captures::base::Endpoint source, captures::base::Endpoint destination,
                                        unsigned protocol, Way way) const;
    [[nodiscard]] bool owns(captures::base::Ipv4Address address) const;
    [[nodiscard]] static bool is_syn(const Packet& packet);
    [[nodiscard]] Ruling ask_again(const Flow& flow) const;
    [[nodiscard]] Ruling admission_of(const captures::base::FiveTuple& arrived, bool opens,
                                      captures::base::Endpoint& target, std::optional<std::uint16_t> port = {}) const;
    [[nodiscard]] std::uint16_t free_port(captures::base::Endpoint target, unsigned protocol,
                                          std::uint16_t wanted) const;
    [[nodiscard]] static Ruling ruling_of(const Flow& flow, policy::Reason reason, Way way);
    void tell(const Packet& packet, const Ruling& ruling);
    void send_resets(const Flow& flow, captures::base::Time when);
    void send_reset(captures::base::Endpoint from, captures::base::Endpoint to, const Half& sender,
                    const Half& receiver, captures::packet::Side side, captures::base::Time when);

    gateway::config::Config config_;
    gateway::pipeline::Vantage vantage_;
    std::vector<policy::Window> windows_;
    policy::WindowId last_window_ = 0;
    std::vector<Flow> flows_;
    std::map<DatagramKey, Datagram> datagrams_;
    captures::base::Time now_ = captures::base::Time::min();
    std::vector<Told> told_;
};

}  // namespace support
