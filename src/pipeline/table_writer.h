#pragma once

#include <string>

#include "base/result.h"
#include "connectors/connector.h"

namespace shaduf {

// Keeps one sink's table as wide as the rows that come: prepares it when a batch brings a column or a wider type,
// brings each batch to the table's form, and adds the columns that say when and by which run a row was loaded. For one
// thread; the sink must outlive it.
class TableWriter {
public:
    // `table`: as errors name it.
    TableWriter(RunContext& run, Sink& sink, const std::string& run_id, const std::string& table);

    // The sink's state, its table without the columns that shaduf adds.
    Result<SinkState> open(WriteMode mode);
    // Makes the table, or makes it wider, for rows of these columns; `write` does so by itself.
    Result<void> prepare(const Schema& columns) { return make_room(columns); }
    Result<WriteReport> write(const RecordBatch& rows);
    // As Sink::commit; a sink may find out only now that the table does not take the rows.
    Result<void> commit(const std::optional<Checkpoint>& checkpoint, CommitKind kind);

private:
    // Of an error about the data, which table it is and what can be done: the sink says it in its system's own words.
    Error in_table(const Error& error) const;
    Result<void> make_room(const Schema& wanted);
    // The two added columns for `rows` rows. Batches share their buffers, those of the times for a second.
    void append_system_columns(size_t rows, std::vector<Column>& columns);

    RunContext& run_;
    Sink& sink_;
    const std::string run_id_;
    const std::string table_;
    Schema data_;  // the table's own columns
    SchemaPtr data_ptr_;
    SchemaPtr prepared_;  // with the added ones; nullptr until the first prepare
    Column loaded_at_;
    Timestamp loaded_at_time_{};
    Column run_ids_;
};

}  // namespace shaduf
