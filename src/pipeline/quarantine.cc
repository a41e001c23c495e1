#include "pipeline/quarantine.h"

#include "io/crypto.h"
#include "pipeline/stream_run.h"

namespace shaduf {

QuarantineBuilder::QuarantineBuilder(const StreamJob& job)
    : job_(job), guard_(job.contract, *job.policies), rows_(quarantine_schema()) {}

Result<std::string> QuarantineBuilder::add(const ReadBatch& batch, size_t row, const Error& why,
                                           const std::shared_ptr<const Shape>& shape, Timestamp now) {
    const GuardedRow guarded = TRY(guard_.guard(batch, row, why.message(), shape));
    const std::string position = batch.position(row);
    const bool is_placed = !std::holds_alternative<RecordBatch>(batch.rows);
    // The same row of the same run always has the same id, so that a repeated delivery can be told from a second row.
    // The place of a typed row does not name the row, so there and behind a replay its turn does.
    // Days that are loaded again bring their bad rows again: each lies there once.
    const bool comes_again = job_.write == WriteMode::slices;
    std::string identity = (comes_again ? "" : job_.run_id + '\n') + job_.pipeline + '\n' + job_.stream + '\n' +
                           (comes_again ? "" : position) + '\n' + guarded.raw.value_or("");
    if (comes_again) {
        identity += '\n' + std::to_string(copies_[std::hash<std::string>()(identity)]++);
    } else if (!is_placed || batch.treated != nullptr) {
        identity += '\n' + std::to_string(rows_added_);
    }
    ++rows_added_;
    const std::string table = job_.schema.empty() ? job_.table : job_.schema + "." + job_.table;
    const std::string id = to_hex(sha256(identity)).substr(0, 32);
    size_t column = 0;
    for (const std::string* value : {&id, &job_.pipeline, &job_.stream, &table, &position}) {
        rows_.column(column++).append_text(*value);
    }
    append(column++, guarded.raw);
    rows_.column(column++).append_text(guarded.reason);
    rows_.column(column++).append_text(job_.run_id);
    rows_.column(column++).append_int64(now.time_since_epoch().count());
    append(column, guarded.policies);
    rows_.end_row();
    return guarded.reason;
}

void QuarantineBuilder::append(size_t column, const std::optional<std::string>& value) {
    if (value) {
        rows_.column(column).append_text(*value);
    } else {
        rows_.column(column).append_null();
    }
}

}  // namespace shaduf
