#include "pipeline/quarantine.h"

#include "base/text.h"
#include "io/crypto.h"
#include "pipeline/stream_run.h"

namespace shaduf {

QuarantineBuilder::QuarantineBuilder(const StreamJob& job) : job_(job), rows_(quarantine_schema()) {}

void QuarantineBuilder::add(const ReadBatch& batch, size_t row, const Error& why, Timestamp now) {
    std::string raw;
    std::string position;
    if (const auto* text = std::get_if<RawRows>(&batch.rows)) {
        raw = make_valid_utf8(text->row(row));
        position = text->position(row);
    } else {
        raw = std::get<RecordBatch>(batch.rows).row_as_json(row);
        position = batch.place;
    }
    // The same row of the same run always has the same id, so that a repeated delivery can be told from a second row.
    const std::string identity = job_.run_id + '\n' + job_.pipeline + '\n' + job_.stream + '\n' + position + '\n' + raw;
    const std::string table = job_.schema.empty() ? job_.table : job_.schema + "." + job_.table;
    const std::string id = to_hex(sha256(identity)).substr(0, 32);
    size_t column = 0;
    for (const std::string* text : {&id, &job_.pipeline, &job_.stream, &table, &std::as_const(position),
                                    &std::as_const(raw), &why.message(), &job_.run_id}) {
        rows_.column(column++).append_text(*text);
    }
    rows_.column(column).append_int64(now.time_since_epoch().count());
    rows_.end_row();
}

}  // namespace shaduf
