#include "pipeline/table_writer.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "data/builder.h"
#include "data/system_columns.h"

namespace shaduf {
namespace {

// What the history mode adds to a table (see WriteMode::history).
constexpr std::array<std::string_view, 3> kHistoryColumns{"valid_from", "valid_to", "is_current"};

// How exactly a row's time of loading is told.
constexpr auto kLoadedAtStep = std::chrono::seconds(1);

bool is_added(std::string_view name, WriteMode mode) {
    if (equals_ignoring_case(name, kLoadedAtColumn) || equals_ignoring_case(name, kRunIdColumn)) return true;
    if (mode != WriteMode::history) return false;
    return std::any_of(kHistoryColumns.begin(), kHistoryColumns.end(),
                       [&](std::string_view added) { return equals_ignoring_case(name, added); });
}

}  // namespace

TableWriter::TableWriter(RunContext& run, Sink& sink, const std::string& run_id, const std::string& table)
    : run_(run), sink_(sink), run_id_(run_id), table_(table) {}

Result<SinkState> TableWriter::open(WriteMode mode) {
    SinkState state = TRY(sink_.open(run_));
    if (!state.table) return state;
    std::vector<Field> fields;
    for (const auto& field : state.table->fields()) {
        if (!is_added(field.name, mode)) fields.push_back(field);
    }
    data_ = Schema(std::move(fields));
    state.table = data_;
    return state;
}

Result<WriteReport> TableWriter::write(const RecordBatch& rows) {
    TRY(make_room(*rows.schema()));
    const RecordBatch conformed = TRY(rows.conform_to(data_ptr_));
    std::vector<Column> columns = conformed.columns();
    append_system_columns(rows.rows(), columns);
    auto written = sink_.write(run_, RecordBatch(prepared_, std::move(columns), rows.rows()));
    if (!written.ok()) return in_table(written.error());
    return written;
}

Result<void> TableWriter::commit(const std::optional<Checkpoint>& checkpoint, CommitKind kind) {
    const auto committed = sink_.commit(run_, checkpoint, kind);
    if (!committed.ok()) return in_table(committed.error());
    return {};
}

Error TableWriter::in_table(const Error& error) const {
    if (error.kind() != ErrorKind::bad_data) return error;
    return Error(ErrorKind::bad_data,
                 "the table does not take the rows: " + table_ +
                     "; expect what it demands (not_null, unique), so that rows without it go to quarantine, or drop "
                     "its constraint")
        .caused_by(error);
}

Result<void> TableWriter::make_room(const Schema& wanted) {
    std::vector<Field> fields = data_.fields();
    for (const auto& field : wanted.fields()) {
        const auto index = Schema(fields).index_of(field.name);
        if (!index) {
            fields.push_back(field);
        } else {
            fields[*index].type = widen(fields[*index].type, field.type);
        }
    }
    if (prepared_ != nullptr && fields == data_.fields()) return {};
    data_ = Schema(fields);
    data_ptr_ = std::make_shared<const Schema>(data_);
    fields.push_back({std::string(kLoadedAtColumn), TypeKind::timestamp_tz});
    fields.push_back({std::string(kRunIdColumn), TypeKind::string});
    prepared_ = std::make_shared<const Schema>(std::move(fields));
    return sink_.prepare(run_, prepared_);
}

void TableWriter::append_system_columns(size_t rows, std::vector<Column>& columns) {
    const Timestamp now = run_.clock.now();
    if (loaded_at_.length < rows || now - loaded_at_time_ >= kLoadedAtStep) {
        ColumnBuilder loaded_at(TypeKind::timestamp_tz);
        const size_t length = std::max(rows, loaded_at_.length);
        for (size_t row = 0; row < length; ++row) loaded_at.append_int64(now.time_since_epoch().count());
        loaded_at_ = loaded_at.finish();
        loaded_at_time_ = now;
    }
    if (run_ids_.length < rows) {
        ColumnBuilder run_ids(TypeKind::string);
        for (size_t row = 0; row < rows; ++row) run_ids.append_text(run_id_);
        run_ids_ = run_ids.finish();
    }
    for (const Column* column : {&loaded_at_, &run_ids_}) {
        columns.push_back(*column);
        columns.back().length = rows;
    }
}

}  // namespace shaduf
