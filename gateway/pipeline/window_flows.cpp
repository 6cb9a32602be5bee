#include "gateway/pipeline/window_flows.hpp"

#include <cassert>

namespace gateway::pipeline {

using dnat::FlowIndex;
using dnat::no_flow;

void WindowFlows::add(FlowIndex index) {
    auto& flow = (*flows_)[index];
    assert(flow.window != 0);
    const auto lists = lists_.size();
    auto& list = lists_[flow.window];
    const bool is_first = lists_.size() != lists;
    flow.older = is_first ? no_flow : list.last;
    flow.newer = no_flow;
    (is_first ? list.first : (*flows_)[list.last].newer) = index;
    list.last = index;
}

void WindowFlows::remove(FlowIndex index) noexcept {
    auto& flow = (*flows_)[index];
    if (flow.older != no_flow && flow.newer != no_flow) {
        (*flows_)[flow.older].newer = flow.newer;
        (*flows_)[flow.newer].older = flow.older;
    } else {
        auto* const list = lists_.find(flow.window);
        const bool is_first = list != nullptr && list->first == index;
        const bool is_last = list != nullptr && list->last == index;
        if (!is_first && !is_last) return;
        if (is_first && is_last) {
            lists_.erase(list);
        } else if (is_first) {
            list->first = flow.newer;
            (*flows_)[flow.newer].older = no_flow;
        } else {
            list->last = flow.older;
            (*flows_)[flow.older].newer = no_flow;
        }
    }
    flow.older = flow.newer = no_flow;
}

FlowIndex WindowFlows::first(policy::WindowId window) const noexcept {
    const auto* const list = lists_.find(window);
    return list == nullptr ? no_flow : list->first;
}

}  // namespace gateway::pipeline
