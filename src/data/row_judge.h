#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_decoder.h"
#include "data/value_append.h"

namespace shaduf {

// Decides what becomes of values that do not fit, along the shape's OnDrift, and keeps the account of it: what a
// decoder returns beside the rows. What a row asks for counts once the row is kept.
class RowJudge {
public:
    // Objects used as maps ask for a column a key; at so many, rows are rejected.
    static constexpr size_t kNewColumnsMax = 2000;  // by one batch
    static constexpr size_t kColumnsMax = 10'000;
    static constexpr size_t kNamesMax = 20;  // of ignored fields that are kept

    using Path = std::vector<std::string>;

    explicit RowJudge(const Shape& shape) : shape_(shape) {}

    void start_row(size_t row) {
        row_ = row;
        ignored_before_ = ignored_;
    }
    // The row was read. False: it asks for more columns than there may be, and is given up.
    bool keep_row() { return of_row_.empty() || merge_row(); }
    // The reason that was given to `reject`, if any.
    std::optional<Error> drop_row();

    // Always false: the row is given up.
    bool reject(Error why);
    // A value that does not fit its column, of the type `natural`; the column stays null. False: the row is given up.
    bool misfit(const TargetColumn& column, const Path& path, const DataType& natural, std::string_view value);
    // Values inside a list or structure of `column` did not fit; the rest of it stays.
    bool nested_misfit(const TargetColumn& column, const Path& path, const std::optional<DataType>& natural,
                       std::string_view value, size_t misfits);
    // A field without a column: whether it is to be reported as new. `rejected` is set when the row is given up.
    bool reports_new(const Path& path, bool& rejected);
    void report_new(Path path, DataType type) { of_row_.push_back({std::move(path), std::move(type), true, row_}); }

    std::vector<DriftColumn> release_drift() { return std::move(drift_); }
    size_t values_ignored() const { return ignored_; }
    std::vector<std::string> release_fields_ignored() { return std::move(fields_ignored_); }

private:
    bool merge_row();

    const Shape& shape_;
    size_t row_ = 0;
    std::optional<Error> why_;
    std::vector<DriftColumn> of_row_;
    std::vector<DriftColumn> drift_;
    size_t ignored_ = 0;
    std::vector<std::string> fields_ignored_;
    size_t ignored_before_ = 0;
};

// Runs a decoder over all rows but the broken ones: `read(text, row)` appends one row or says why not.
template <typename Read>
void decode_each_row(const RawRows& rows, const Read& read, std::vector<RejectedRow>& rejected,
                     std::vector<uint32_t>& row_numbers) {
    auto broken = rows.broken.begin();
    for (size_t row = 0; row < rows.rows.size(); ++row) {
        std::optional<Error> why;
        if (broken != rows.broken.end() && broken->row == row) [[unlikely]] {
            why = Error(ErrorKind::bad_data, (broken++)->why);
        } else {
            why = read(rows.row(row), row);
        }
        if (why) {
            if (rejected.empty()) {
                for (size_t kept = 0; kept < row; ++kept) row_numbers.push_back(static_cast<uint32_t>(kept));
            }
            rejected.push_back({row, std::move(*why)});
        } else if (!rejected.empty()) {
            row_numbers.push_back(static_cast<uint32_t>(row));
        }
    }
}

}  // namespace shaduf
