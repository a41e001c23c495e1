#pragma once

#include <cstdint>

#include "data/batch.h"

// The structures of the Arrow C Data Interface, as its specification lays them out (arrow.apache.org, "The Arrow C data
// interface" and "The Arrow C stream interface").
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
extern "C" {
struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema** children;
    struct ArrowSchema* dictionary;
    void (*release)(struct ArrowSchema*);
    void* private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void** buffers;
    struct ArrowArray** children;
    struct ArrowArray* dictionary;
    void (*release)(struct ArrowArray*);
    void* private_data;
};
}
#endif
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
    int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
    const char* (*get_last_error)(struct ArrowArrayStream*);
    void (*release)(struct ArrowArrayStream*);
    void* private_data;
};
}
#endif

namespace shaduf {

// Out: nothing is copied; the buffers stay alive until the consumer calls `release`. Types map to Arrow as:
// boolean b, int64 l, float64 g, decimal d:p,s, string u, bytes z, date tdD, time ttu, timestamp tsu:, timestamp_tz
// tsu:UTC, json u with the extension name arrow.json, list +l, structure +s.
void export_schema(const Schema& schema, ArrowSchema& out);
void export_batch(const RecordBatch& batch, ArrowArray& out);

// In: takes the array over (its `release` is called when the last column is gone). Copies only what is laid out
// otherwise than a Column: an offset, 64-bit offsets, narrower numbers, other units, dictionaries, string views.
// bad_data for a type that has no place in ours.
Result<SchemaPtr> import_schema(const ArrowSchema& schema);
Result<RecordBatch> import_batch(ArrowArray&& array, const ArrowSchema& schema);

}  // namespace shaduf
