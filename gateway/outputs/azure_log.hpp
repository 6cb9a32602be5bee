#pragma once

#include <cstdint>
#include <string>

#include "captures/file/output_buffer.hpp"
#include "gateway/pipeline/pipeline.hpp"

namespace gateway::outputs {

/// `--azure-log`: the records that Azure Firewall's structured logs would hold, each line an export envelope as Event Hub
/// and Storage deliver it: {"records":[{category, time, resourceId, properties}]}
/// (learn.microsoft.com: azure/azure-monitor/reference/tables/azfwnatrule and its siblings).
///
/// AZFWNatRule: once for a flow that a NAT rule translates, also when an NSG behind the firewall then denies it: the
/// firewall cannot know. AZFWNetworkRule: a listener's packet that no NAT rule admits. AZFWFlowTrace: SYN-ACK, FIN,
/// FIN-ACK and RST of tracked flows, INVALID for TCP without a flow. What Azure's front drops (`no-listener`) is in no log.
class AzureLog final : public pipeline::Observer {
public:
    AzureLog(captures::file::OutputBuffer& output, const std::string& firewall_id);

    void judged(const pipeline::Judged& burst) override;
    void rewritten(const pipeline::Judged&) override {}
    void synthesized(const captures::packet::Frame&) override {}

    /// Whether there is a record of this packet.
    [[nodiscard]] static bool tells_of(const captures::packet::Packet& packet,
                                       const pipeline::Verdict& verdict) noexcept {
        return entry_of(packet, verdict) != Entry::none;
    }

private:
    enum class Entry : std::uint8_t { none, nat_rule, network_rule, invalid, flag };
    [[nodiscard]] static Entry entry_of(const captures::packet::Packet& packet,
                                        const pipeline::Verdict& verdict) noexcept;
    void nat_rule(const pipeline::Judged& burst, std::size_t i);
    void network_rule(const pipeline::Judged& burst, std::size_t i);
    void flow_trace(const pipeline::Judged& burst, std::size_t i, std::string_view flag);
    void record(std::string_view category, const captures::packet::Frame& frame, const std::string& properties);

    captures::file::OutputBuffer* output_;
    std::string resource_id_;
};

}  // namespace gateway::outputs
