#pragma once

#include <string_view>

/// What is done to the firewall as such needs these, on its resource. To read and to write a firewall are Azure's; what
/// passes through it, and to end a flow, is ours. All of it tells everybody's addresses.
namespace gateway::action {

inline constexpr std::string_view firewall_read = "Microsoft.Network/azureFirewalls/read";
inline constexpr std::string_view firewall_write = "Microsoft.Network/azureFirewalls/write";
inline constexpr std::string_view flow_read = "Microsoft.Network/azureFirewalls/flows/read";
inline constexpr std::string_view flow_delete = "Microsoft.Network/azureFirewalls/flows/delete";
inline constexpr std::string_view decision_read = "Microsoft.Network/azureFirewalls/decisions/read";

}  // namespace gateway::action
