#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connectors/ads/fetcher.h"
#include "connectors/ads/settings.h"
#include "connectors/ads/slice.h"
#include "connectors/connector.h"

// Which slices a load fetches, and the checkpoint that says which it has.
namespace shaduf::ads {

// Days, kept as few ranges: ascending, none touching the next. A plain value.
class DaySet {
public:
    void add(DayRange days);
    // The days of `within` that are not in the set, ascending.
    std::vector<DayRange> missing(DayRange within) const;
    const std::vector<DayRange>& ranges() const { return ranges_; }
    bool operator==(const DaySet&) const = default;

private:
    std::vector<DayRange> ranges_;
};

// What is loaded of one account and part.
struct AccountPosition {
    DaySet settled;        // loaded when they were older than the lookback: they do not change any more
    DaySet done;           // by the load that is not finished; settled ones as well
    bool is_done = false;  // the same, of a slice without days
    std::string cursor;    // SliceKind::changes
};

struct Position {
    std::optional<Timestamp> begun;                                           // of a load that is not finished
    std::map<std::pair<std::string, std::string>, AccountPosition> accounts;  // by account and part
    std::map<std::string, std::string> memory;
};

// invalid_config for a text that is none.
Result<Position> parse_position(const Checkpoint& checkpoint);
Checkpoint to_checkpoint(const Position& position);

// The slices that are left of the load that `position` is in, newest days first, accounts in turn. `position.begun`
// says which day it is for each account. REQUIRES: position.begun
Result<std::vector<Slice>> plan_slices(SliceKind kind, const StreamPlan& plan, const SourceSettings& settings,
                                       const Position& position);

// Notes that the slice is loaded.
Result<void> finish_slice(SliceKind kind, const SourceSettings& settings, const Slice& slice, Position& position);
// The load is finished: nothing failed, nothing is left.
void finish_load(Position& position);

}  // namespace shaduf::ads
