#pragma once

#include <cstdint>

#include "dnat/flat_table.hpp"
#include "dnat/flow_table.hpp"
#include "policy/access_windows.hpp"

namespace gateway::pipeline {

/// Which flows each window has admitted, so that what happens to a window costs its own flows and no look at others.
///
/// Theory of operation. The flows of a window form a list, whose links lie in the flows themselves: the oldest is first. A hash
/// table finds its ends. Adding and removing only writes to the neighbours, and does not wait for their memory.
class WindowFlows {
public:
    /// `flows` must outlive this object.
    explicit WindowFlows(dnat::FlowTable& flows) noexcept : flows_{&flows} {}

    /// Starts loading what `add` asks for.
    void prefetch(policy::WindowId window) const noexcept { lists_.prefetch(window); }
    /// Adds a flow as the newest of its window. Precondition: it has a window and is in no list. Throws std::bad_alloc; then
    /// nothing has changed.
    void add(dnat::FlowIndex index);
    /// Ignored where the flow is in no list.
    void remove(dnat::FlowIndex index) noexcept;

    /// The oldest flow of a window, and the next newer one of a flow; or no_flow.
    [[nodiscard]] dnat::FlowIndex first(policy::WindowId window) const noexcept;
    [[nodiscard]] dnat::FlowIndex next(dnat::FlowIndex index) const noexcept { return (*flows_)[index].newer; }

private:
    struct List {
        std::uint64_t key = 0;
        dnat::FlowIndex first = 0;
        dnat::FlowIndex last = 0;
    };

    dnat::FlowTable* flows_;
    dnat::FlatTable<List> lists_;  ///< by window, none of them empty
};

}  // namespace gateway::pipeline
