#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/api/dependencies.hpp"
#include "gateway/api/http/http.hpp"
#include "gateway/control_plane/control_plane.hpp"

namespace gateway::api {

/// A request on its way through a handler.
struct Call {
    control_plane::ControlPlane& control;
    const Dependencies& dependencies;
    http::Request request;
    control_plane::Caller caller;
    captures::base::Time now;
    std::vector<std::pair<std::string_view, std::string>> places;   ///< what stood at the `{name}`s of the pattern
    std::string api_version;                                        ///< of ARM's paths only
    http::Reply send;                                               ///< until it was called
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< of every answer to it

    [[nodiscard]] std::string_view place(std::string_view name) const noexcept;
    [[nodiscard]] const config::Config& config() const noexcept { return control.config(); }
    /// The path, as a resource id.
    [[nodiscard]] std::string resource() const;
    /// Of path and body, for InitiateRequest.
    [[nodiscard]] std::string fingerprint() const;
    /// Refuses what the control plane did not see itself, and tells the audit.
    [[nodiscard]] tl::unexpected<control_plane::Problem> refuse(std::string_view action, std::string_view scope,
                                                                control_plane::Problem problem);

    // Once, with ARM's headers.
    void reply(http::Response response);
    void reply(control_plane::Answer<http::Response> answer);
    void fail();  ///< 500
    /// Replies with what `to_response` makes of the outcome of a use case, or with its problem.
    template <class T, class ToResponse>
    [[nodiscard]] static control_plane::Done<T> reply_with(std::shared_ptr<Call> call, ToResponse to_response) {
        return [call = std::move(call), to_response = std::move(to_response)](control_plane::Answer<T> outcome) {
            try {
                call->reply(outcome
                                ? control_plane::Answer<http::Response>{to_response(*outcome)}
                                : control_plane::Answer<http::Response>{tl::unexpected{std::move(outcome.error())}});
            } catch (const std::exception&) {
                call->fail();
            }
        };
    }
};

/// Replies once, now or later. The call lives as long as somebody has it.
using Handler = void (*)(const std::shared_ptr<Call>& call);

/// For handlers that know their answer at once.
template <control_plane::Answer<http::Response> (*handler)(Call& call)>
void at_once(const std::shared_ptr<Call>& call) {
    call->reply(handler(*call));
}

/// What is served, a line for each operation. Patterns are as in docs/api.yaml; fixed segments match in any case.
struct Route {
    std::string_view method;
    std::string_view pattern;
    Handler handler;
    /// Of ARM's paths: the api-versions, separated by `, `; empty: any well-formed one.
    std::string_view versions;
};

[[nodiscard]] std::span<const Route> arm_routes();
[[nodiscard]] std::span<const Route> portcullis_routes();

/// The route of a path and method; the path's other methods where only that does not fit; nothing where no pattern
/// fits.
struct Match {
    const Route* route = nullptr;
    std::string allowed;  ///< for 405's `Allow`
    std::vector<std::pair<std::string_view, std::string>> places;
};
[[nodiscard]] std::optional<Match> match(std::span<const Route> routes, std::string_view method,
                                         const std::vector<std::string>& path);

}  // namespace gateway::api
