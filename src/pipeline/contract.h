#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/pipeline_config.h"
#include "connectors/connector.h"
#include "data/row_decoder.h"

namespace shaduf {

struct ContractSettings {
    ContractMode mode = ContractMode::evolve;
    Nesting nesting = Nesting::flatten;
    std::vector<ColumnConfig> columns;  // the user's own list, may be empty
    bool ignore_unlisted = false;       // fields that the list does not name are left out
    int64_t sample_rows = 1000;         // that types are inferred from
    // Columns whose type in the table is not the type they are read with, since a policy changes them on the way.
    std::set<std::string> retyped;
    // Text rows are rows of the table, written out: a column that it has is read as it has it.
    bool rows_of_table = false;
};

// A batch with types, and the rows of it that were turned away.
struct TypedBatch {
    RecordBatch rows;
    std::vector<uint32_t> row_numbers;  // rows.row i was this row of the batch as read; empty: no row was rejected
    std::vector<RejectedRow> rejected;
    size_t values_ignored = 0;
    std::vector<std::string> fields_ignored = {};  // unknown ones among them: the first few, each once
};

// Holds the form of one stream's rows for the length of a run, and gives each batch that form. The table as it stood
// when the run began is what freeze and discard compare with; where there was none, the run makes it, and evolves it
// freely. Raw rows are decoded along the form; batches that come typed are compared column by column. The columns that
// shaduf adds to each table (data/system_columns.h) are left out of what comes in: the load adds its own.
//
// Thread-safe: several workers type batches at the same time. When one widens the form, batches of the older form are
// still on their way; the form only ever widens, so the writer brings them up with RecordBatch::conform_to.
class Contract {
public:
    // `table`: the table's columns without those that shaduf itself adds; nullopt when there is none.
    Contract(ContractSettings settings, const std::optional<Schema>& table);

    // What the source was told of its text rows (ColumnTeller). Before the first `apply`.
    void expect_columns(std::vector<ShapeColumn> columns) { known_ = std::move(columns); }

    // Whether numbers have a place in a decimal of the table with fewer digits before the point shows in their values:
    // where they have, it is no other form. Evolve widens the table for typed columns at once, for raw ones at the
    // first value that asks for it. A declared decimal rejects what has more digits. bad_data (freeze: with the
    // difference; evolve: past kColumnsMax columns), invalid_config (a declared column that a typed source lacks or
    // cannot be converted).
    Result<TypedBatch> apply(const ReadBatch& batch);

    // The shape that the raw rows of a batch like this are decoded along by now; nullptr when there were none.
    std::shared_ptr<const Shape> shape_of(const ReadBatch& batch) const;

    static constexpr size_t kColumnsMax = 2000;

private:
    struct Form;  // a shape and its compiled decoder

    Result<TypedBatch> apply_raw(const RawRows& rows, const Treated& treated);
    Result<TypedBatch> apply_decoded(const RecordBatch& rows, std::vector<RejectedRow> rejected);
    Result<TypedBatch> apply_typed(const RecordBatch& rows);
    Result<std::shared_ptr<const Form>> form_for(const RawRows& rows, const Treated& treated);
    void read_as_text(const Treated& treated, Shape& shape) const;
    Result<std::shared_ptr<const Form>> widen_form(const Form& from, const std::vector<DriftColumn>& drift);
    Result<void> fit_to_table(Shape& shape) const;
    bool compares_with_table() const { return table_.has_value() && settings_.mode != ContractMode::evolve; }
    Shape listed_columns(const RawRows& rows) const;
    void add_known(Shape& shape) const;
    Result<RecordBatch> select_listed(const RecordBatch& rows, std::vector<RejectedRow>& rejected) const;

    const ContractSettings settings_;
    const std::optional<Schema> table_;
    std::vector<ShapeColumn> known_;
    mutable std::mutex mutex_;
    std::map<std::vector<std::string>, std::shared_ptr<const Form>>
        forms_;  // by the columns treated before, mostly none
};

// "+ country string", "~ price int64 -> float64": what `wanted` has that `table` does not hold.
std::vector<std::string> schema_difference(const Schema& table, const Schema& wanted);

}  // namespace shaduf
