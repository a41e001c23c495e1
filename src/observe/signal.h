#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/run_events.h"

namespace shaduf::observe {

// Something that people may want to be told of: a flow fails, a table has stopped growing. It has a state: it is so, or
// it is over. Whoever finds signals tells each change at least once; under the same key it is the same matter.
struct Signal {
    // What it is about, the same at each telling and after a restart: "run_failed/orders", "volume/raw_shop.orders".
    std::string key;
    // run_failed, run_late, waits_for_approval, quarantined, drifted, stale, volume, zero_rows, credential_expires, ...
    std::string kind;
    Severity severity = Severity::error;
    bool is_over = false;
    Timestamp at{};  // when it came about; of one that is over, when it ended
    // What rules choose by; "" where it does not apply.
    std::string flow;
    std::string pipeline;
    std::string table;  // "schema.table"
    std::string owner;
    std::map<std::string, std::string> labels;
    // For people: one line; what happened, with the error; why it may be; what to do. No secrets.
    std::string title;
    std::string text;
    std::string cause;
    std::string advice;
    std::string path;  // of the page that shows it, from the server's root: "/runs/01J8?task=load"
    // What told it last (a run), so that the same telling counts once.
    std::string occurrence;
};

// Thread-safe, and quick.
using SignalSink = std::function<void(Signal signal)>;

}  // namespace shaduf::observe
