#include "gateway/api/json_request.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/json/array.hpp>

#include "gateway/api/http/json_document.hpp"
#include "gateway/api/json_text.hpp"

namespace gateway::api {

namespace {

constexpr std::size_t most_requested_machines = 1000;

bool same_port(const policy::AccessRecord& a, const policy::AccessRecord& b) {
    return a.port == b.port && a.sources == b.sources && a.end == b.end && a.status == b.status &&
           a.status_reason == b.status_reason && a.listener == b.listener;
}

boost::json::object opened_port_json(const policy::AccessRecord& record) {
    boost::json::object json{{"number", record.port}};
    add_sources(json, record.sources);
    json["endTimeUtc"] = arm_time(record.end);
    json["status"] = json_text(to_string(record.status));
    json["statusReason"] = json_text(to_string(record.status_reason));
    if (record.listener) json["mappedPort"] = record.listener->port;
    return json;
}

/// In the order in which they were asked for.
boost::json::array machines_json(const std::vector<policy::AccessRecord>& records, const config::Config& config) {
    std::vector<std::vector<const policy::AccessRecord*>> machines;
    std::map<std::string_view, std::size_t> places;
    for (const auto& record : records) {
        const auto place = places.try_emplace(record.machine, machines.size()).first->second;
        if (place == machines.size()) machines.emplace_back();
        auto& told = machines[place];
        if (std::ranges::none_of(told, [&](const auto* other) { return same_port(record, *other); })) {
            told.push_back(&record);
        }
    }
    boost::json::array json;
    for (const auto& told : machines) {
        boost::json::array ports;
        for (const auto* record : told) ports.push_back(opened_port_json(*record));
        json.push_back(
            boost::json::object{{"id", config.machine_id(told.front()->machine)}, {"ports", std::move(ports)}});
    }
    return json;
}

}  // namespace

boost::json::object request_json(const control_plane::RequestView& request, const config::Config& config) {
    boost::json::object json{{"virtualMachines", machines_json(request.records, config)},
                             {"startTimeUtc", arm_time(request.start)},
                             {"requestor", request.requestor}};
    if (!request.justification.empty()) json["justification"] = request.justification;
    return json;
}

boost::json::object initiated_json(const control_plane::RequestView& request, const config::Config& config) {
    auto told = request;
    for (auto& record : told.records) {
        if (record.status == policy::Status::initiated) record.status = policy::Status::initiating;
    }
    return request_json(told, config);
}

tl::expected<control_plane::InitiateRequest, std::string> initiate_request(std::string_view body) {
    const auto object = http::parse_object(body);
    if (!object) return tl::unexpected{object.error()};
    std::string error;
    JsonFields fields{*object, "", error};
    fields.require({"virtualMachines"});
    control_plane::InitiateRequest request;
    request.justification = fields.text("justification").value_or("");
    auto machines = fields.objects("virtualMachines");
    if (fields.has("virtualMachines") && machines.empty()) fields.fail("virtualMachines", "names no machine");
    if (machines.size() > most_requested_machines) fields.fail("virtualMachines", "are more than 1000");
    for (auto& machine : machines) {
        if (request.machines.size() == most_requested_machines) break;
        machine.require({"id", "ports"});
        control_plane::MachineRequest one{machine_text(machine, "id"), {}};
        for (auto& port : machine.objects("ports")) one.ports.push_back(requested_port(port));
        request.machines.push_back(std::move(one));
    }
    if (!error.empty()) return tl::unexpected{error};
    return request;
}

std::string machine_text(JsonFields& fields, std::string_view name) {
    constexpr std::size_t longest = 512;
    auto text = fields.text(name).value_or("");
    if (text.size() <= longest) return text;
    fields.fail(name, "is longer than 512 bytes: no machine has such a name or id");
    return {};
}

policy::RequestedPort requested_port(JsonFields& fields) {
    fields.require({"number"});
    policy::RequestedPort port;
    port.number = fields.port("number").value_or(0);
    port.duration = fields.duration("duration");
    port.end_time = fields.time("endTimeUtc");
    port.sources = source_texts(fields);
    return port;
}

void add_sources(boost::json::object& json, const std::vector<captures::base::Prefix>& sources) {
    if (sources.size() == 1) {
        json["allowedSourceAddressPrefix"] = captures::base::to_string(sources.front());
        return;
    }
    boost::json::array texts;
    for (const auto& source : sources) texts.emplace_back(captures::base::to_string(source));
    json["allowedSourceAddressPrefixes"] = std::move(texts);
}

std::vector<std::string> source_texts(JsonFields& fields) {
    auto texts = fields.texts("allowedSourceAddressPrefixes");
    if (auto text = fields.text("allowedSourceAddressPrefix")) {
        if (!texts.empty()) {
            fields.fail("", "has both allowedSourceAddressPrefix and allowedSourceAddressPrefixes");
        }
        texts.push_back(std::move(*text));
    }
    return texts;
}

}  // namespace gateway::api
