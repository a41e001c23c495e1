#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "connectors/connector.h"
#include "io/object_store.h"

namespace shaduf::files {

// Which files a stream has read: a fingerprint of 64 bits each of name, size and etag, so that a file that changes
// counts as new; and how far it has come in the file it is reading. Written into the checkpoint, about 11 bytes a file.
class Ledger {
public:
    struct Position {
        std::string key;
        uint64_t fingerprint = 0;
        uint64_t offset = 0;  // bytes of the decompressed text, or rows where the format counts rows
        int64_t line = 1;
    };

    static uint64_t fingerprint_of(const ObjectInfo& object);
    // bad_data: not a checkpoint of this connector.
    static Result<Ledger> parse(const Checkpoint& checkpoint);

    bool has_read(uint64_t fingerprint) const { return done_.contains(fingerprint); }
    const std::optional<Position>& reading() const { return reading_; }
    void set_reading(Position position) { reading_ = std::move(position); }
    void finish(uint64_t fingerprint);
    Checkpoint to_checkpoint() const;

private:
    std::set<uint64_t> done_;
    std::optional<Position> reading_;
    mutable std::string done_text_;  // of `done_`, made again when it has changed
};

}  // namespace shaduf::files
