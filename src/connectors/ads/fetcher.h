#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/ads/slice.h"
#include "connectors/connector.h"
#include "data/buffer.h"

// What an advertising API has to say of one stream; how slices are planned, fetched at the same time, archived, put in
// order, checkpointed and replayed is SliceSource's (slice_source.h), the same for all.
namespace shaduf::ads {

enum class SliceKind : uint8_t {
    by_day,      // reports: account x days; days within the lookback are fetched again in every load
    by_account,  // lists that are always read whole: one slice an account
    changes,     // lists that can be asked for what changed since a cursor; rows are merged by key, nothing is replaced
};

// One answer, or a part of one, as it came. Kept in the archive.
struct Page {
    BufferPtr body;    // padded
    std::string note;  // what `parse` needs besides the body, JSON; "" when nothing
};

// What a source remembers between loads besides what it loaded, such as the size of requests that worked. Kept with the
// checkpoint, so small: some hundred entries. Thread-safe.
class Memory {
public:
    std::string get(const std::string& key) const;        // "" when unknown
    void set(const std::string& key, std::string value);  // "" forgets
    std::map<std::string, std::string> all() const;
    void assign(std::map<std::string, std::string> values);

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> values_;
};

// Where a fetch leaves what it gets. One thread: that of the fetch.
class SliceOutput {
public:
    virtual ~SliceOutput() = default;
    // Parses and hands on one page; blocks while too much waits to be loaded. An error ends the fetch: return it.
    virtual Result<void> give(RunContext& run, Page page) = 0;
    // Whether rows of this slice may have left for the sink already: then a fetch cannot begin anew within this load.
    virtual bool has_left() const = 0;
    // Throws away what was given so far; false, and nothing happens, when `has_left`.
    virtual bool restart() = 0;
    // The slice cannot be had, and that is no failure (an account that is closed): nothing is replaced, it is asked for
    // again in the next load, and the run says so. Then `fetch` returns without an error. REQUIRES: nothing was given
    virtual void skip(std::string why) = 0;
    // SliceKind::changes: where the next load begins, once this slice is loaded.
    virtual void set_cursor(std::string cursor) = 0;
};

struct StreamPlan {
    std::vector<Account> accounts;
    std::vector<std::string> parts = {""};  // each account has a slice of each
    int slice_days = 1;                     // by_day: the most days of one slice within the lookback
    int history_days = 30;                  // by_day: and of one before it
    int slices_at_once = 4;
    // by_day: nothing older than so many days can be had; the window begins there at the earliest.
    std::optional<int> retention_days;
};

// How a slice's rows are found in the table, for replacing them. Names of columns; "" where slices have no such part.
struct SliceColumns {
    std::string account;
    std::string day;  // of type date
    std::string part;
};

// One stream of one system. `plan` comes first, once a load; then `fetch` from several threads at once, each its own
// slice; `parse` at any time from any thread, also when slices come back from the archive, without `plan`.
class SliceFetcher {
public:
    virtual ~SliceFetcher() = default;
    virtual SliceKind kind() const = 0;
    virtual SliceColumns columns() const = 0;
    // What the source declares of its text rows, as ColumnTeller; empty where rows come typed.
    virtual std::vector<ShapeColumn> known_columns() const { return {}; }
    // Signs in, finds the accounts. Errors end the load.
    virtual Result<StreamPlan> plan(RunContext& run, Memory& memory) = 0;
    // All rows of the slice. Requests are retried inside (client.h). An error that may be retried is: the slice is
    // fetched again from its beginning, unless rows of it have left. Any other fails this slice and with it the load,
    // after all other slices have been loaded.
    virtual Result<void> fetch(RunContext& run, const Slice& slice, Memory& memory, SliceOutput& out) = 0;
    // The rows of a page; `rows`, `place` and `rejected` of the batch are set, all else is left. Depends on nothing but
    // the stream's options, the slice and the page.
    virtual Result<ReadBatch> parse(const Slice& slice, const Page& page) const = 0;
};

// The rows of the slice in the table; nullptr for SliceKind::changes.
std::shared_ptr<const TableSlice> table_slice_of(const SliceFetcher& fetcher, const Slice& slice);

}  // namespace shaduf::ads
