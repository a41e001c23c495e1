#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/thrift_compact.h"
#include "data/type.h"

namespace shaduf {

// Numbers as parquet.thrift gives them.
enum class ParquetPhysical : uint8_t { boolean = 0, int32 = 1, int64 = 2, float64 = 5, bytes = 6, fixed_bytes = 7 };

// A column of values: a leaf of the schema's tree.
struct ParquetLeaf {
    TypeKind kind = TypeKind::string;
    ParquetPhysical physical = ParquetPhysical::bytes;
    std::vector<std::string> path;
    uint8_t definition_max = 1;
    uint8_t repetition_max = 0;
};

inline constexpr int kParquetFixedBytes = 16;

// The leaves of a schema, from left to right.
std::vector<ParquetLeaf> parquet_leaves(const Schema& schema);
// The tree as field 2 of FileMetaData.
void write_parquet_schema(const Schema& schema, ThriftCompactWriter& out);

}  // namespace shaduf
