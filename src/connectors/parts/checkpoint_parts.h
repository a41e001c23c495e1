#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "connectors/connector.h"

// Checkpoints of streams whose parts (partitions of topics) move on by themselves: {"parts": {"orders/3": {"at": "42",
// "seen": "2026-11-21T10:00:00Z"}}}. Sinks that several processes share put them together part by part; a part's
// position is the source's own word, compared by equality alone.
namespace shaduf {

struct CheckpointPart {
    std::string at;
    // Every row of this part that is still to come is younger, as far as the source can tell; nullopt: it cannot.
    std::optional<Timestamp> seen = {};

    bool operator==(const CheckpointPart&) const = default;
};
using CheckpointParts = std::map<std::string, CheckpointPart>;

// bad_data: the checkpoint is of another form.
Result<CheckpointParts> parse_parts(const std::optional<Checkpoint>& checkpoint);
Checkpoint to_checkpoint(const CheckpointParts& parts);

// What a shared sink does in a commit: `stored` as it stands by now; `known` as this process left it (at `open`,
// `refresh` or its last commit); `read` the parts it has read on. Returns `stored` with those. conflict: a part of
// `read` has moved, and stands in `stored` at another place than in `known`. A part that has not moved says nothing of
// those that another process has read on.
Result<CheckpointParts> advance_parts(const CheckpointParts& stored, const CheckpointParts& known,
                                      const CheckpointParts& read);

// What a process knows behind its commit of `next`: of the parts that it has read what it has set; of all others what
// it knew, so that it cannot take another's progress for its own.
CheckpointParts known_after(const CheckpointParts& known, const CheckpointParts& read, const CheckpointParts& next);

// The least of all parts; nullopt when one cannot tell, or there is none.
std::optional<Timestamp> seen_of_all(const CheckpointParts& parts);

}  // namespace shaduf
