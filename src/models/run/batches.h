#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/context/batch.h"
#include "models/manifest.h"

// The batches of microbatch models, as dbt divides their time. Moments are microseconds of UTC since 1970.
namespace shaduf::models {

enum class BatchSize : uint8_t { hour, day, month, year };
// nullopt: no such size.
std::optional<BatchSize> batch_size_of(std::string_view name);

// The beginning of the hour, day, month or year.
int64_t batch_floor(int64_t moment, BatchSize size);
// The moment itself where a batch begins with it, else the beginning of the next one.
int64_t batch_ceiling(int64_t moment, BatchSize size);
// The beginning of the batch that is `count` batches after that of the moment; before it, when negative.
int64_t batch_offset(int64_t moment, BatchSize size, int64_t count);

// What a model's batches depend on.
struct BatchPlan {
    BatchSize size = BatchSize::day;
    std::optional<int64_t> begin;   // the model's config
    int64_t lookback = 1;           // likewise: how many batches before the last one are built again
    bool is_incremental = false;    // whether its table is there, and grows
    std::optional<TimeSpan> given;  // by flags: instead of begin, lookback and the end
    int64_t now = 0;                // of this invocation
};

// In their order; never none. The last one ends with the time that was given, rounded up.
std::vector<Batch> batches_of(const BatchPlan& plan);

// The batch of that time.
Batch batch_of(const TimeSpan& time, BatchSize size);

// Whether its batches, but the first and the last one, may run at the same time, where the adapter takes that: as its
// config concurrent_batches says, else unless its text refers to `this`.
bool runs_batches_at_once(const Node& node);

// Whether it is a microbatch model that is run in batches: not where the project brings its own macro of that strategy,
// unless it asks for batches by the flag require_batched_execution_for_custom_microbatch_strategy.
bool runs_in_batches(const Node& node, const MacroIndex& macros, const std::vector<std::string>& packages,
                     bool batches_custom_strategies);

// The plan of a model by its config. invalid_config: a config is missing or is none.
Result<BatchPlan> read_batch_plan(const Node& node);

}  // namespace shaduf::models
