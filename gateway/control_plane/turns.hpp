#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace gateway::control_plane {

/// Who may decide about which machines: a decision about a machine waits while another one about it is being written, so that
/// it never builds on what may yet fail. Decisions about different machines go on beside each other, in the order in which they
/// came. Single-threaded.
class Turns {
public:
    /// As long as one of these lives, nobody else has a turn with the same machines.
    using Turn = std::shared_ptr<const void>;
    using Use = std::function<void(const Turn&)>;

    /// Calls `use` at once, or in a later `resume`. Machines in lower case; none: all of them, and everything else that can be
    /// decided.
    void take(std::vector<std::string> machines, Use use);
    /// Lets those go on that waited for turns which have ended meanwhile.
    void resume();

    [[nodiscard]] bool is_taken(const std::string& machine) const;

private:
    struct Waiting {
        std::vector<std::string> machines;
        Use use;
    };

    [[nodiscard]] bool is_free(const std::vector<std::string>& machines) const;
    [[nodiscard]] Turn begin(const std::vector<std::string>& machines);
    [[nodiscard]] std::deque<Waiting>::iterator next();

    std::unordered_set<std::string> taken_;
    bool all_taken_ = false;
    std::deque<Waiting> waiting_;
};

}  // namespace gateway::control_plane
