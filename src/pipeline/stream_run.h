#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_budget.h"
#include "base/result.h"
#include "base/retry.h"
#include "base/run_events.h"
#include "connectors/connector.h"
#include "pipeline/contract.h"
#include "pipeline/expectations.h"
#include "pipeline/policies.h"

namespace shaduf {

// Everything that one stream of one run is made of.
struct StreamJob {
    std::string run_id;
    std::string pipeline;
    std::string stream;
    std::string source_connection;
    std::string schema;
    std::string table;
    ReadMode read = ReadMode::full_refresh;
    WriteMode write = WriteMode::append;
    ContractSettings contract;
    bool tells_lost_fields = false;  // looks into the table for fields that have no value any more
    std::chrono::milliseconds commit_every{30'000};
    // ReadMode::stream: how long the last commit may take behind a stop.
    std::chrono::milliseconds stop_within{10'000};
    QuarantineLimit quarantine;
    RetryPolicy retries;
    int workers = 2;

    std::unique_ptr<Source> source;
    std::unique_ptr<Sink> sink;
    std::unique_ptr<Expectations> expectations;
    std::unique_ptr<Policies> policies;
    std::unique_ptr<Store> store;  // may be null: then nothing can be looked up in the destination
};

// How a stream ended.
struct StreamResult {
    StreamProgress progress;
    std::optional<Error> error;
    bool was_stopped = false;  // one that never ends, by whoever runs it: no error
    std::vector<std::string> warnings;
    std::vector<CheckResult> checks;         // what came of its expectations
    std::map<std::string, int64_t> reasons;  // why rows are in quarantine: reason without the values -> rows
    std::optional<Checkpoint> checkpoint;    // as committed last
};

// Moves one stream from its source to its sink:
//
//   reader (1 thread) -> contract, expectations, policies (some workers) -> writer (the calling thread)
//
// The stages are joined by bounded queues; what is on its way holds a share of `budget`. The writer takes batches in
// the order they were read, and is the only one who calls the sink: it commits when `commit_every` has passed and the
// source gave a checkpoint, and at the end; then, and only then, the source may acknowledge. When the source fails for
// good, what was read before is still committed, unless an expectation of severity fatal makes the load all or nothing.
// A stream that never ends (ReadMode::stream) and is canceled commits what it has read, too; its error is canceled.
StreamResult run_stream(RunContext& run, StreamJob job, ByteBudget& budget);

}  // namespace shaduf
