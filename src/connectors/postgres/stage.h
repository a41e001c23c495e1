#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/postgres/copy_encoder.h"
#include "connectors/postgres/target.h"

namespace shaduf {

// A COPY into one table that begins with its first row. While it is open, the session can do nothing else.
class TableCopy {
public:
    // `into`: the table and its columns, quoted. REQUIRES: as CopyEncoder
    TableCopy(PostgresConnection& connection, std::string into, SchemaPtr schema, std::vector<CopyTarget> targets,
              bool numbered)
        : connection_(connection), into_(std::move(into)), encoder_(std::move(schema), std::move(targets), numbered) {}

    // Gives the number of rows written; the others are added to `rejected`.
    Result<size_t> write(const RecordBatch& rows, std::vector<RejectedRow>& rejected);
    // The rows are in the table; another `write` begins anew.
    Result<void> finish();
    int64_t rows_numbered() const { return encoder_.rows_numbered(); }

private:
    PostgresConnection& connection_;
    const std::string into_;
    CopyEncoder encoder_;
    std::unique_ptr<PostgresCopyIn> copy_;
};

// How the columns of a batch come into a table.
struct CopyPlan {
    std::vector<size_t> columns;                // of the batch
    std::vector<PostgresTargetColumn> targets;  // one each
    std::vector<bool> is_read;                  // the server reads it from text, since it has no form on our side

    // `left_out`: columns of the batch that the table fills itself. REQUIRES: the table has all others
    static CopyPlan create(const Schema& schema, const PostgresTarget& table, const std::vector<bool>& left_out);
    bool reads_any() const;
    SchemaPtr schema(const Schema& of_batch) const;
    std::vector<CopyTarget> copy_targets() const;
    // The names in the table, quoted.
    Result<std::vector<std::string>> quoted() const;
};

// Rows on their way, in a temporary table of the session: numbered as they arrived, of the table's types, but for what
// the server has to read first. Gone with the end of the transaction.
class PostgresStage {
public:
    static constexpr const char* kTable = "pg_temp._shaduf_stage";

    PostgresStage(PostgresConnection& connection, const SchemaPtr& schema, CopyPlan plan);

    // Makes the table, in place of one of another form.
    Result<void> create();
    // As TableCopy; what the server cannot read is rejected at once.
    Result<size_t> write(const RecordBatch& rows, std::vector<RejectedRow>& rejected);
    Result<void> finish() { return copy_->finish(); }
    // All columns in the table's types, as a SELECT has them.
    Result<std::string> values(const std::string& alias) const;
    const CopyPlan& plan() const { return plan_; }
    bool has_rows() const { return rows_ > 0; }
    // Drops the rows.
    Result<void> clear();

private:
    Result<void> create_checks();
    // Drops the rows from number `first` on that the server cannot read; tells them counted from there.
    Result<void> reject_unread(int64_t first, std::vector<RejectedRow>& rejected);
    std::string check_of(size_t i, const std::string& column) const;

    PostgresConnection& connection_;
    const SchemaPtr schema_;
    const CopyPlan plan_;
    std::unique_ptr<TableCopy> copy_;
    size_t rows_ = 0;
};

// The same rows with those columns alone.
RecordBatch select_columns(const RecordBatch& rows, const SchemaPtr& schema, const std::vector<size_t>& columns);

}  // namespace shaduf
