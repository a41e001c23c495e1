#include "data/parquet_schema.h"

namespace shaduf {
namespace {

// Numbers as parquet.thrift gives them.
constexpr int32_t kOptional = 1;
constexpr int32_t kRepeated = 2;
constexpr int32_t kRequired = 0;
constexpr int kDigitsOfInt32 = 9;
enum Converted : int32_t {
    utf8 = 0,
    list = 3,
    decimal = 5,
    date = 6,
    time_micros = 8,
    timestamp_micros = 10,
    json = 19
};
enum Logical : int16_t {
    logical_string = 1,
    logical_list = 3,
    logical_decimal = 5,
    logical_date = 6,
    logical_time = 7,
    logical_timestamp = 8,
    logical_json = 12,
    logical_uuid = 14
};

ParquetPhysical physical_of(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::boolean: return ParquetPhysical::boolean;
        case TypeKind::date: return ParquetPhysical::int32;
        case TypeKind::int64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return ParquetPhysical::int64;
        case TypeKind::float64: return ParquetPhysical::float64;
        case TypeKind::uuid: return ParquetPhysical::fixed_bytes;
        case TypeKind::decimal:
            if (type.precision() <= kDigitsOfInt32) return ParquetPhysical::int32;
            return type.precision() <= kShortDecimalDigitsMax ? ParquetPhysical::int64 : ParquetPhysical::fixed_bytes;
        default: return ParquetPhysical::bytes;
    }
}

void add_leaves(const Field& field, ParquetLeaf above, std::vector<ParquetLeaf>& leaves) {
    above.path.push_back(field.name);
    ++above.definition_max;
    if (field.type.kind() == TypeKind::structure) {
        for (const auto& child : field.type.children()) add_leaves(child, above, leaves);
    } else if (field.type.kind() == TypeKind::list) {
        above.path.emplace_back("list");
        ++above.definition_max;
        ++above.repetition_max;
        add_leaves({"element", field.type.children()[0].type}, above, leaves);
    } else {
        above.kind = field.type.kind();
        above.physical = physical_of(field.type);
        leaves.push_back(std::move(above));
    }
}

size_t count_elements(const DataType& type) {
    size_t count = type.kind() == TypeKind::list ? 2 : 1;
    for (const auto& child : type.children()) count += count_elements(child.type);
    return count;
}

void write_group(const std::string& name, int32_t repetition, size_t children, ThriftCompactWriter& out) {
    out.i32(3, repetition);
    out.binary(4, name);
    out.i32(5, static_cast<int32_t>(children));
}

// Fields 6 to 10 of a SchemaElement: how the physical values are to be understood.
void write_time_unit(bool utc, ThriftCompactWriter& out) {
    out.boolean(1, utc);
    out.begin_struct(2);
    out.empty_struct(2);  // microseconds
    out.end_struct();
}

void write_annotation(const DataType& type, ThriftCompactWriter& out) {
    const auto plain = [&](Converted converted, Logical logical) {
        out.i32(6, converted);
        out.begin_struct(10);
        out.empty_struct(logical);
        out.end_struct();
    };
    const auto timed = [&](Logical logical, bool utc) {
        out.begin_struct(10);
        out.begin_struct(logical);
        write_time_unit(utc, out);
        out.end_struct();
        out.end_struct();
    };
    switch (type.kind()) {
        case TypeKind::string: plain(utf8, logical_string); break;
        case TypeKind::json: plain(json, logical_json); break;
        case TypeKind::date: plain(date, logical_date); break;
        case TypeKind::uuid:
            out.begin_struct(10);
            out.empty_struct(logical_uuid);
            out.end_struct();
            break;
        case TypeKind::time: timed(logical_time, false); break;
        case TypeKind::timestamp: timed(logical_timestamp, false); break;
        case TypeKind::timestamp_tz:
            out.i32(6, timestamp_micros);  // means UTC, so only here
            timed(logical_timestamp, true);
            break;
        case TypeKind::decimal:
            out.i32(6, decimal);
            out.i32(7, type.scale());
            out.i32(8, type.precision());
            out.begin_struct(10);
            out.begin_struct(logical_decimal);
            out.i32(1, type.scale());
            out.i32(2, type.precision());
            out.end_struct();
            out.end_struct();
            break;
        default: break;
    }
}

void write_element(const Field& field, ThriftCompactWriter& out) {
    const auto& children = field.type.children();
    out.begin_item();
    if (field.type.kind() == TypeKind::structure) {
        write_group(field.name, kOptional, children.size(), out);
        out.end_struct();
        for (const auto& child : children) write_element(child, out);
        return;
    }
    if (field.type.kind() == TypeKind::list) {
        write_group(field.name, kOptional, 1, out);
        out.i32(6, list);
        out.begin_struct(10);
        out.empty_struct(logical_list);
        out.end_struct();
        out.end_struct();
        out.begin_item();
        write_group("list", kRepeated, 1, out);
        out.end_struct();
        write_element({"element", children[0].type}, out);
        return;
    }
    out.i32(1, static_cast<int32_t>(physical_of(field.type)));
    if (physical_of(field.type) == ParquetPhysical::fixed_bytes) out.i32(2, kParquetFixedBytes);
    out.i32(3, kOptional);
    out.binary(4, field.name);
    write_annotation(field.type, out);
    out.end_struct();
}

}  // namespace

std::vector<ParquetLeaf> parquet_leaves(const Schema& schema) {
    std::vector<ParquetLeaf> leaves;
    ParquetLeaf root;
    root.definition_max = 0;
    for (const auto& field : schema.fields()) add_leaves(field, root, leaves);
    return leaves;
}

void write_parquet_schema(const Schema& schema, ThriftCompactWriter& out) {
    size_t elements = 1;
    for (const auto& field : schema.fields()) elements += count_elements(field.type);
    out.list(2, ThriftCompactWriter::Item::structure, elements);
    out.begin_item();
    write_group("schema", kRequired, schema.size(), out);
    out.end_struct();
    for (const auto& field : schema.fields()) write_element(field, out);
}

}  // namespace shaduf
