#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "data/buffer.h"
#include "data/encoded_rows.h"
#include "data/raw_rows.h"
#include "data/row_decoder.h"

namespace shaduf::kafka {

// Messages on their way from the consumer to a decoder, copied out of its memory: in the order of each partition, keys,
// values and headers in one buffer. Immutable; thread-safe.
struct Messages {
    struct Span {
        uint32_t offset = 0;
        uint32_t length = kNone;
        static constexpr uint32_t kNone = UINT32_MAX;  // null
        bool is_null() const { return length == kNone; }
    };
    // A run of messages of one partition.
    struct Stretch {
        size_t row;
        std::string topic;
        int32_t partition;
    };

    BufferPtr bytes;  // below 4 GiB, padded
    std::vector<Span> values;
    std::vector<Span> keys;     // empty unless wanted
    std::vector<Span> headers;  // JSON objects of texts; empty unless wanted
    // kSchemaHeaders: of each message the bytes of its headers __value_schema_id and __key_schema_id; empty unless met.
    std::vector<Span> value_schemas;
    std::vector<Span> key_schemas;
    std::vector<Span> marks;  // of each message the bytes of its header shaduf.columns; empty unless met
    std::vector<int64_t> offsets;
    std::vector<int64_t> timestamps_ms;  // -1: none
    std::vector<Stretch> stretches;      // ascending, the first at row 0

    size_t rows() const { return values.size(); }
    size_t byte_size() const;
    std::optional<std::string_view> at(const Span& span) const {
        if (span.is_null()) return std::nullopt;
        return bytes->view().substr(span.offset, span.length);
    }
    const Stretch& stretch_of(size_t row) const;
    // "orders/3:42": topic, partition, offset
    std::string position(size_t row) const;
};
using MessagesPtr = std::shared_ptr<const Messages>;

// Columns that a message has besides what its value says, all with the prefix of the stream (`_kafka_`).
struct MetadataColumns {
    bool key = false;        // of the type that the decoder of keys gives
    bool headers = false;    // json: an object
    bool timestamp = false;  // timestamp_tz
    bool topic = false;
    bool partition = false;  // int64
    bool offset = false;     // int64
    bool tombstone = false;  // bool: the value was null
    std::string prefix = "_kafka_";

    bool any() const { return key || headers || timestamp || topic || partition || offset || tombstone; }
};

// What becomes of messages without a value.
enum class Tombstones : uint8_t {
    quarantine,
    skip,
    row,  // a row of the metadata columns alone; needs key or tombstone among them
};

using Rows = std::variant<RawRows, std::shared_ptr<const EncodedRows>>;

// Makes rows of messages, in their order; a message that cannot be read harms no other. One thread at a time, the
// reader's; what it returns is decoded by any.
class Decoder {
public:
    virtual ~Decoder() = default;
    // May ask the schema registry, once for each schema. An error is of the registry alone, and may be retried; a
    // message whose schema does not exist is a row that is rejected.
    virtual Result<Rows> to_rows(RunContext& run, MessagesPtr messages) = 0;
    // What is known of the columns of RawRows before any came (ColumnTeller): those of the metadata.
    virtual std::vector<ShapeColumn> known_columns() const { return {}; }
};

}  // namespace shaduf::kafka
