#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/postgres/copy_decoder.h"
#include "connectors/postgres/numeric.h"

namespace shaduf {

// A column that a COPY fills, as the server's catalog has it.
struct CopyTarget {
    std::string name;
    std::string sql_type;  // "numeric(10,2)", for reasons
    CopyColumn wire;
    bool is_json = false;       // json; jsonb is a wire type of its own
    uint32_t item = 0;          // oid of an array's items
    int32_t modifier = -1;      // of the type, or of an array's items
    size_t characters_max = 0;  // varchar(n), char(n); 0: any number
    size_t bytes_max = 0;       // name; 0: any number
    std::shared_ptr<const std::set<std::string, std::less<>>> labels = nullptr;  // of an enumeration
};

// Turns batches into a binary COPY: straight from the columns onto the wire, without an object or an allocation a row.
//
// A row that holds a value which its column cannot (out of its range, too long, digits that would be lost, a zero byte,
// no UUID, no label...) is left out and told with the reason. Not thread-safe.
class CopyEncoder {
public:
    using Put = std::function<Result<void>(std::string_view)>;

    // Whether values of a type can stand in the column. When not, the server may still read their text.
    static bool can_encode(const DataType& from, const CopyTarget& to);

    // `numbered`: each row begins with an int64, counted up from 1, of all rows that are not left out.
    // REQUIRES: a target for each field of `schema`, which can_encode.
    CopyEncoder(SchemaPtr schema, std::vector<CopyTarget> targets, bool numbered);

    // What COPY FROM STDIN (FORMAT binary) begins and ends with.
    static std::string_view header();
    static std::string_view trailer();
    // Hands the rows to `put` in parts of about 256 KiB; all of them are given when it returns.
    // Gives the number of rows; what is left out is added to `rejected`. REQUIRES: rows of the schema
    Result<size_t> encode(const RecordBatch& rows, const Put& put, std::vector<RejectedRow>& rejected);
    int64_t rows_numbered() const { return number_; }

private:
    enum class Op : uint8_t;
    // How values of one column, or of the items of its lists, are written.
    struct Plan {
        Op op;
        const CopyTarget* target = nullptr;
        std::optional<NumericLimits> limits;
        std::vector<Plan> item = {};
        bool may_have_zeros = true;  // of the batch at hand: a zero byte stands in some text of it
    };

    static std::optional<Op> op_of(const DataType& from, const CopyTarget& to, int dimensions);
    static Plan plan_of(const DataType& from, const CopyTarget& to, int dimensions);
    static void look_over(const Column& column, Plan& plan);
    // false: rejected, why_ says so.
    bool put_value(const Column& column, size_t row, const Plan& plan);
    bool put_integer(int64_t value, const Plan& plan);
    bool put_float(double value);
    bool put_date(int32_t days);
    bool put_timestamp(int64_t micros);
    bool put_time(int64_t micros);
    bool put_text(std::string_view text, const Plan& plan);
    bool check_text(std::string_view text, const Plan& plan);
    bool put_json(std::string_view text, const Plan& plan);
    bool put_uuid(std::string_view text);
    bool put_decimal(int128 unscaled, int scale, const Plan& plan);
    bool put_number_text(std::string_view text, const Plan& plan);
    bool put_array(const Column& column, size_t row, const Plan& plan);
    bool put_items(const Column& column, size_t row, const Plan& plan, size_t level, bool& has_nulls);
    // Fills the size in that was left open at `at`.
    bool end_value(size_t at);
    bool reject(std::string why);

    const SchemaPtr schema_;
    const std::vector<CopyTarget> targets_;
    const bool numbered_;
    std::vector<Plan> plans_;
    BufferBuilder out_;
    std::string text_;            // of a value that has to be written first
    std::vector<int32_t> sizes_;  // of the array at hand, a dimension each
    std::string why_;
    int64_t number_ = 0;
};

}  // namespace shaduf
