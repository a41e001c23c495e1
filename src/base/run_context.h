#pragma once

#include <memory>
#include <string>

#include "base/byte_budget.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/shared_values.h"

namespace shaduf {

class DuckDbInstances;  // io/duckdb.h
class HttpTransport;    // io/http.h
class RateLedger;       // base/rate_ledger.h
class RunEvents;        // base/run_events.h

// The world as one run sees it: everything outside comes in through here, so that tests can script it. Seven things;
// an eighth needs a reason. The members outlive the run; each is thread-safe.
struct RunContext {
    Clock& clock;
    const Cancellation& cancellation;
    HttpTransport& http;
    DuckDbInstances& databases;
    RunEvents& events;
    SharedValues& shared;
    RateLedger& rates;
};

}  // namespace shaduf
