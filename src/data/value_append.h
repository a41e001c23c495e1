#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "data/builder.h"
#include "data/row_decoder.h"

// How one value of text becomes a value of a column, for all decoders. Each function appends the value and returns
// true, or appends nothing and returns false: the value does not fit.
namespace shaduf {

// A column as the decoders fill it.
struct TargetColumn {
    size_t index = 0;  // in the schema
    std::string name;
    DataType type;
    TypeKind kind = TypeKind::string;
    bool declared = false;
};
TargetColumn make_target(const Shape& shape, size_t index);

// The timestamp that a text is, worked out once for all columns that want it.
class TimestampOnce {
public:
    explicit TimestampOnce(std::string_view text) : text_(text) {}
    const std::optional<ParsedTimestamp>& get() {
        if (!known_) {
            parsed_ = parse(text_);
            known_ = true;
        }
        return parsed_;
    }
    // As parse_timestamp, and a date alone as its midnight; quick for 2023-10-23T12:34:56Z.
    static std::optional<ParsedTimestamp> parse(std::string_view text);

private:
    std::string_view text_;
    std::optional<ParsedTimestamp> parsed_;
    bool known_ = false;
};

// `text` is readable for 16 bytes behind its end. REQUIRES: `to` is not of json, list or structure.
bool append_string_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                         TimestampOnce& timestamp);
// `text` is a number as JSON writes it; `integer` its value, when it is an int64 written without point and exponent.
bool append_number_value(ColumnBuilder& to, const TargetColumn& column, std::string_view text,
                         std::optional<int64_t> integer);
bool append_boolean_value(ColumnBuilder& to, const TargetColumn& column, bool value);

// Exactly the number of `text` ("-12.50", "1.2e3") times 10^scale; nullopt when it is no number, has more digits than
// `precision`, or digits finer than the scale.
std::optional<int128> parse_decimal(std::string_view text, int precision, int scale);
// nullopt when it is no number or too large for a double; "nan", "inf" and "infinity" are.
std::optional<double> parse_float(std::string_view text);

// int64, float64, decimal(38,0), or string when no number type holds it.
DataType natural_number_type(std::string_view text, bool is_int64);
// date, timestamp, timestamp_tz or string.
DataType natural_string_type(std::string_view text);
// What a text asks for that may be any value, as in CSV: bool, a number as JSON writes it (so "007" is none), or as
// above. REQUIRES: `text` is readable for 16 bytes behind its end.
DataType natural_text_type(std::string_view text);

// "value does not fit its column: price is int64, the value is 3.5"; long values are cut.
Error misfit_error(const std::string& column, const DataType& type, std::string_view value);

}  // namespace shaduf
