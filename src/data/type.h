#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf {

enum class TypeKind : uint8_t {
    boolean,
    int64,
    float64,
    decimal,  // `precision` digits, of which `scale` behind the point
    string,   // valid UTF-8
    bytes,
    date,          // days since 1970-01-01
    time,          // microseconds since midnight
    timestamp,     // microseconds since 1970-01-01T00:00:00 as the wall clock reads, no zone known
    timestamp_tz,  // microseconds since 1970-01-01T00:00:00Z
    uuid,          // 16 bytes, see data/uuid.h
    json,          // any JSON value, as its text
    list,          // one child, called "item"
    structure,     // named children
};

struct Field;

// Digits of a decimal at most, and those that fit 8 bytes.
inline constexpr int kDecimalDigitsMax = 38;
inline constexpr int kShortDecimalDigitsMax = 18;

// The type of a column. A small immutable value; thread-safe.
class DataType {
public:
    DataType() : DataType(TypeKind::string) {}
    // REQUIRES: not a kind with a parameter (decimal, list, structure)
    DataType(TypeKind kind) : kind_(kind) {}  // NOLINT: a plain kind is a type
    // A decimal column holds no value of more than `precision` digits, as systems that take the rows count on: whoever
    // fills one checks each value. REQUIRES: 1 <= precision <= 38, 0 <= scale <= precision
    static DataType decimal(int precision, int scale);
    // Of 38 digits: where nobody says how many there are.
    static DataType decimal(int scale) { return decimal(kDecimalDigitsMax, scale); }
    static DataType list(DataType item);
    static DataType structure(std::vector<Field> fields);

    TypeKind kind() const { return kind_; }
    // Of a decimal; 0 for all others.
    int precision() const { return precision_; }
    int scale() const { return scale_; }
    // Of a list (one) or a structure; empty for all others.
    const std::vector<Field>& children() const;
    bool is_nested() const { return kind_ == TypeKind::list || kind_ == TypeKind::structure; }

    // "int64", "decimal(12,2)", "list<string>", "struct<a: int64, b: json>"; `parse` reads the same, and the common SQL
    // names (bigint, double, varchar, text, timestamptz, numeric(10,2)...). "decimal(10)" has no digits behind the
    // point, as in SQL; "decimal" alone is decimal(38,9).
    std::string to_string() const;
    static std::optional<DataType> parse(std::string_view text);

    bool operator==(const DataType& other) const;

private:
    TypeKind kind_;
    int precision_ = 0;
    int scale_ = 0;
    std::shared_ptr<const std::vector<Field>> children_;
};

struct Field {
    std::string name;
    DataType type;
    bool nullable = true;
    bool operator==(const Field&) const = default;
};

// The narrowest type that holds every value of both; total, commutative (but for the order of a structure's fields),
// associative. What has nothing in common becomes string, or json where one side is nested.
// Of two decimals: as many digits before the point and as many behind it as either has, so decimal(12,2) and
// decimal(10,4) are decimal(14,4). Past 38 digits those before the point give way, and a value that had more of them is
// bad_data where it is converted. With int64, whose values have 19 digits: a decimal that has those before the point
// too, or string where they are more than 38 together (the one case in which the order counts). With float64: float64.
DataType widen(const DataType& a, const DataType& b);
// Whether each value of `from` can be written into a column of type `to`.
inline bool fits(const DataType& from, const DataType& to) { return widen(from, to) == to; }

// Column names are unique under ASCII case folding, since most databases see them so.
class Schema {
public:
    Schema() = default;
    explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}

    const std::vector<Field>& fields() const { return fields_; }
    size_t size() const { return fields_.size(); }
    const Field& operator[](size_t i) const { return fields_[i]; }
    std::optional<size_t> index_of(std::string_view name) const;  // ignores ASCII case
    std::vector<std::string> names() const;
    std::string to_string() const;  // "a: int64, b: string"
    bool operator==(const Schema&) const = default;

private:
    std::vector<Field> fields_;
};
using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace shaduf
