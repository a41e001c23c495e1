#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/batch.h"
#include "data/row_decoder.h"

namespace shaduf {

// Rows in a binary form that only their source can read (Avro, Protobuf). They know their own types, so no shape is
// inferred; a worker has them decoded, so that the source's thread only fetches. Immutable; thread-safe.
class EncodedRows {
public:
    virtual ~EncodedRows() = default;
    virtual size_t rows() const = 0;
    virtual size_t byte_size() const = 0;

    struct Decoded {
        RecordBatch rows;  // all of them
        // Those that cannot be read, ascending; they stand in `rows` with nulls.
        std::vector<RejectedRow> rejected;
    };
    // No I/O. The same each time.
    virtual Decoded decode() const = 0;

    // Where a row came from: "topic orders, partition 3, offset 42".
    virtual std::string position(size_t row) const = 0;
    // A row as the quarantine keeps it: the JSON of a row that decodes; else {"$bytes": "<base64>"}.
    virtual std::string text(size_t row) const = 0;
};

}  // namespace shaduf
