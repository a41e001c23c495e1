#pragma once

#include <cstdint>
#include <string>

#include "connectors/kafka/avro_cursor.h"
#include "connectors/kafka/avro_schema.h"

namespace shaduf::kafka {

// Values of any type, out of any depth, one at a time. A limit on items keeps small messages from claiming large lists
// of nothing.
class AvroWalker {
public:
    explicit AvroWalker(AvroCursor& cursor) : cursor_(cursor), items_left_(kItemsFree + cursor.left()) {}

    // As JSON: records are objects, a union is the value that it holds, bytes are "\x6b", times are ISO 8601.
    bool write_json(const AvroType& type, std::string& out) { return write(type, out, 0); }
    bool skip(const AvroType& type) { return skip(type, 0); }

private:
    static constexpr uint64_t kItemsFree = 4096;
    static constexpr int kDepthMax = 128;

    bool write(const AvroType& type, std::string& out, int depth);
    bool write_number(const AvroType& type, std::string& out);
    bool write_bytes(const AvroType& type, std::string& out);
    bool write_text(const AvroType& type, std::string& out);
    bool write_record(const AvroType& type, std::string& out, int depth);
    bool write_items(const AvroType& type, std::string& out, int depth);
    bool read_key(std::string& out);
    bool skip(const AvroType& type, int depth);
    bool skip_items(const AvroType& type, int depth);
    bool skip_plain(const AvroType& type);
    bool take_items(uint64_t items);
    bool read_branch(const AvroType& type, const AvroType*& branch);

    AvroCursor& cursor_;
    uint64_t items_left_;
};

// Microseconds of a count in the unit that `logical` says; false when they are beyond 64 bits, or no time of a day.
bool avro_micros(AvroLogical logical, int64_t count, int64_t& micros);
// "P1M2DT3.004S" of twelve bytes.
std::string avro_duration(std::string_view bytes);

}  // namespace shaduf::kafka
