#pragma once

#include <span>
#include <string>

#include <boost/json/object.hpp>

#include "policy/audit.hpp"

namespace gateway::api {

/// An event as Azure's activity log has it (learn.microsoft.com: activity-log-schema), with our `machine` and `sequence`
/// among its properties.
[[nodiscard]] boost::json::object activity_json(const policy::AuditEvent& event);

/// An event as the chain has it: all that its hash is made of.
[[nodiscard]] boost::json::object audit_json(const policy::AuditEvent& event);

/// The columns of the portal's download (facts: Azure-JIT §3.8), RFC 4180. What a spreadsheet would take for a
/// formula gets an apostrophe in front.
[[nodiscard]] std::string activity_csv(std::span<const policy::AuditEvent> events);

}  // namespace gateway::api
