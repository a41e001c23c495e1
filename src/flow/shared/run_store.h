#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "flow/run_store.h"
#include "flow/shared/sessions.h"

namespace shaduf::shared {

// Runs in PostgreSQL, where any number of processes read them and one, the leader, writes. What a leader keeps is kept
// only while it leads: `keep` checks its token in the same transaction, so one that was taken for dead and comes back
// changes nothing, and gets conflict.
//
// With the rows, and in the same transaction, `keep` puts on offer the tries that begin (table shaduf.try) and takes
// away those that are over: a try is never lost between the decision that it begins and its worker.
class SharedRunStore final : public RunStore {
public:
    // `token`: of this process's leadership; nullopt: it does not lead, and `keep` is a conflict.
    using Token = std::function<std::optional<int64_t>()>;
    SharedRunStore(Sessions& sessions, Token token) : sessions_(sessions), token_(std::move(token)) {}

    Result<void> keep(const FlowChanges& changes) override;
    // The workers are those that hold a lease; "" is among them, since a try that nobody has taken is still on offer.
    Result<FlowRemains> remains() override;
    Result<void> keep_definitions(const std::vector<FlowDefinition>& definitions) override;
    Result<std::set<std::pair<std::string, std::string>>> definitions_kept() override;
    Result<std::optional<std::string>> definition(const std::string& flow, const std::string& revision) override;
    Result<std::vector<RunRow>> runs(const RunFilter& filter) override;
    Result<std::optional<RunRow>> run(const RunId& id) override;
    Result<std::vector<TaskRow>> tasks(const RunId& run) override;
    Result<std::vector<Transition>> history(const RunId& run) override;
    Result<void> keep_value(const std::string& key, const std::optional<std::string>& value) override;
    Result<std::map<std::string, std::string>> values(const std::string& prefix) override;
    Result<int64_t> forget_before(Timestamp time, int64_t count_max) override;

    // What the leader has kept since, the oldest change first, without its history: for all processes. `seen` moves
    // behind it.
    Result<FlowChanges> changed_since(int64_t& seen, int64_t limit);
    // How far the changes have come by now.
    Result<int64_t> last_change();

private:
    Sessions& sessions_;
    const Token token_;
    std::mutex keeping_;
    int64_t step_token_ = -1;  // the leadership that `step_` counts the steps of
    int64_t step_ = 0;         // the last one that is known to be kept
};

}  // namespace shaduf::shared
