#pragma once

#include <map>
#include <optional>
#include <string>

#include "flow/run_store.h"

namespace shaduf::observe {

// A run store of which only the values count. It outlives those that use it, as a disk does; at a write that a test
// names the process "is killed": that write and all behind it are not made, until `revive`.
class ValueStore final : public RunStore {
public:
    std::map<std::string, std::string> kept;
    int writes = 0;
    int dies_at = 0;       // the number of a write, from 1; 0: none
    bool is_dead = false;  // it is
    bool is_full = false;  // writes fail, and may succeed later

    void revive() {
        is_dead = false;
        dies_at = 0;
    }

    Result<void> keep_value(const std::string& key, const std::optional<std::string>& value) override {
        if (is_full) return Error(ErrorKind::exhausted, "disk is full");
        ++writes;
        if (writes == dies_at) is_dead = true;
        if (is_dead) return Error(ErrorKind::internal, "killed");
        if (value) {
            kept[key] = *value;
        } else {
            kept.erase(key);
        }
        return {};
    }
    Result<std::map<std::string, std::string>> values(const std::string& prefix) override {
        std::map<std::string, std::string> found;
        for (const auto& [key, value] : kept) {
            if (key.starts_with(prefix)) found[key] = value;
        }
        return found;
    }

    Result<void> keep(const FlowChanges&) override { return none(); }
    Result<FlowRemains> remains() override { return none(); }
    Result<void> keep_definitions(const std::vector<FlowDefinition>&) override { return none(); }
    Result<std::set<std::pair<std::string, std::string>>> definitions_kept() override { return none(); }
    Result<std::optional<std::string>> definition(const std::string&, const std::string&) override { return none(); }
    Result<std::vector<RunRow>> runs(const RunFilter&) override { return none(); }
    Result<std::optional<RunRow>> run(const RunId&) override { return none(); }
    Result<std::vector<TaskRow>> tasks(const RunId&) override { return none(); }
    Result<std::vector<Transition>> history(const RunId&) override { return none(); }
    Result<int64_t> forget_before(Timestamp, int64_t) override { return none(); }

private:
    static Error none() { return Error(ErrorKind::internal, "a store of values alone"); }
};

}  // namespace shaduf::observe
