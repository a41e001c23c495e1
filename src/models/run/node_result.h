#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "models/context/batch.h"

namespace shaduf::models {

enum class NodeStatus : uint8_t { success, pass, warn, fail, error, skipped, no_op, partial_success };
std::string_view to_string(NodeStatus status);  // as run_results.json has it: "success", "no-op", ...
// error and fail: what the command ends with status 1 for.
inline bool is_failure(NodeStatus status) {
    return status == NodeStatus::error || status == NodeStatus::fail || status == NodeStatus::partial_success;
}

using WallTime = std::chrono::system_clock::time_point;

// What became of one node of a run.
struct NodeResult {
    std::string unique_id;
    NodeStatus status = NodeStatus::skipped;
    std::string message;
    struct Timing {
        std::string name;  // compile, execute
        WallTime started_at, completed_at;
    };
    std::vector<Timing> timing;
    std::string thread_id;
    double execution_seconds = 0;
    jinja::Value adapter_response = jinja::Value::none();  // a dict
    std::optional<int64_t> failures;
    struct BatchResults {
        std::vector<TimeSpan> successful, failed;
    };
    std::optional<BatchResults> batches;  // of a microbatch model
    std::optional<std::string> compiled_code;
    std::vector<std::pair<std::string, std::string>> extra_ctes;  // ephemeral models in it: unique id, SQL
    std::optional<std::string> relation_name;
    std::string build_path;
    std::optional<Error> error;
    // Rows that made a test fail, as text for people, and the query that finds all of them: itself, and its file.
    std::string failing_rows;
    std::string failing_query, failing_query_path;
};

}  // namespace shaduf::models
