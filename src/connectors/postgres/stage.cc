#include "connectors/postgres/stage.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/text.h"

namespace shaduf {
namespace {

constexpr int kHasInputCheck = 160'000;  // pg_input_is_valid, of PostgreSQL 16
constexpr size_t kShownBytesMax = 60;
constexpr uint32_t kTextOid = 25;

// A column that takes the text of any value.
CopyTarget text_target(const PostgresTargetColumn& column) {
    CopyTarget target;
    target.name = column.field.name;
    target.sql_type = column.field.sql_type;
    target.wire = {WireType::text, column.field.wire.dimensions};
    target.item = kTextOid;
    return target;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------- copy

Result<size_t> TableCopy::write(const RecordBatch& rows, std::vector<RejectedRow>& rejected) {
    if (rows.rows() == 0) return size_t{0};
    if (copy_ == nullptr) {
        copy_ = TRY(connection_.begin_copy_in("COPY " + into_ + " FROM STDIN (FORMAT binary)"));
        TRY(copy_->put(CopyEncoder::header()));
    }
    return encoder_.encode(
        rows, [&](std::string_view bytes) { return copy_->put(bytes); }, rejected);
}

Result<void> TableCopy::finish() {
    if (copy_ == nullptr) return {};
    const auto copy = std::move(copy_);
    TRY(copy->put(CopyEncoder::trailer()));
    TRY(copy->finish());
    return {};
}

RecordBatch select_columns(const RecordBatch& rows, const SchemaPtr& schema, const std::vector<size_t>& columns) {
    if (columns.size() == rows.columns().size()) return rows;
    std::vector<Column> selected;
    selected.reserve(columns.size());
    for (const size_t i : columns) selected.push_back(rows.column(i));
    return RecordBatch(schema, std::move(selected), rows.rows());
}

// ---------------------------------------------------------------------------------------------------------------- plan

CopyPlan CopyPlan::create(const Schema& schema, const PostgresTarget& table, const std::vector<bool>& left_out) {
    CopyPlan plan;
    for (size_t i = 0; i < schema.size(); ++i) {
        const PostgresTargetColumn* target = table.find(schema[i].name);
        SHADUF_ASSERT(target != nullptr);
        if (target->is_generated || (i < left_out.size() && left_out[i])) continue;
        plan.columns.push_back(i);
        plan.targets.push_back(*target);
        const bool is_read = target->field.is_cast || !CopyEncoder::can_encode(schema[i].type, target->copy);
        plan.is_read.push_back(is_read);
        if (is_read) plan.targets.back().copy = text_target(*target);
    }
    return plan;
}

bool CopyPlan::reads_any() const { return std::find(is_read.begin(), is_read.end(), true) != is_read.end(); }

SchemaPtr CopyPlan::schema(const Schema& of_batch) const {
    std::vector<Field> fields;
    for (const size_t i : columns) fields.push_back(of_batch[i]);
    return std::make_shared<const Schema>(std::move(fields));
}

std::vector<CopyTarget> CopyPlan::copy_targets() const {
    std::vector<CopyTarget> copies;
    for (const auto& target : targets) copies.push_back(target.copy);
    return copies;
}

Result<std::vector<std::string>> CopyPlan::quoted() const {
    std::vector<std::string> names;
    for (const auto& target : targets) names.push_back(TRY(postgres_identifier(target.field.name)));
    return names;
}

// --------------------------------------------------------------------------------------------------------------- stage

PostgresStage::PostgresStage(PostgresConnection& connection, const SchemaPtr& schema, CopyPlan plan)
    : connection_(connection), schema_(plan.schema(*schema)), plan_(std::move(plan)) {}

Result<void> PostgresStage::create() {
    std::string columns = "_shaduf_row bigint";
    std::string names = "_shaduf_row";
    for (size_t i = 0; i < plan_.targets.size(); ++i) {
        const PostgresField& field = plan_.targets[i].field;
        const std::string name = TRY(postgres_identifier(field.name));
        const std::string text = field.wire.dimensions > 0 ? "text[]" : "text";
        columns += ", " + name + " " + (plan_.is_read[i] ? text : field.sql_type);
        names += ", " + name;
    }
    auto created =
        connection_.execute("DROP TABLE IF EXISTS pg_temp._shaduf_stage; CREATE TEMPORARY TABLE _shaduf_stage (" +
                            columns + ") ON COMMIT DELETE ROWS");
    if (!created.ok()) {
        if (connection_.sqlstate() != "42501") return created.release_error();
        const auto role = TRY(postgres_identifier(connection_.user()));
        return Error(created.error().kind(),
                     created.error().message() + "; let the owner run: GRANT TEMPORARY ON DATABASE ... TO " + role);
    }
    copy_ = std::make_unique<TableCopy>(connection_, std::string(kTable) + " (" + names + ")", schema_,
                                        plan_.copy_targets(), true);
    return create_checks();
}

// Before version 16, a function for each type tries it out.
Result<void> PostgresStage::create_checks() {
    if (connection_.server_version() >= kHasInputCheck) return {};
    for (size_t i = 0; i < plan_.targets.size(); ++i) {
        if (!plan_.is_read[i]) continue;
        TRY(connection_.execute("CREATE OR REPLACE FUNCTION pg_temp._shaduf_reads_" + std::to_string(i) +
                                "(value text) RETURNS boolean LANGUAGE plpgsql AS $check$ DECLARE tried " +
                                plan_.targets[i].field.sql_type +
                                "; BEGIN tried := value; RETURN true; EXCEPTION WHEN OTHERS THEN RETURN false; END "
                                "$check$"));
    }
    return {};
}

std::string PostgresStage::check_of(size_t i, const std::string& column) const {
    const std::string text = column + "::text";
    if (connection_.server_version() < kHasInputCheck) {
        return "pg_temp._shaduf_reads_" + std::to_string(i) + "(" + text + ")";
    }
    return "pg_catalog.pg_input_is_valid(" + text + ", " + postgres_literal(plan_.targets[i].field.sql_type) + ")";
}

Result<size_t> PostgresStage::write(const RecordBatch& rows, std::vector<RejectedRow>& rejected) {
    const int64_t first = copy_->rows_numbered() + 1;
    const size_t before = rejected.size();
    size_t written = TRY(copy_->write(select_columns(rows, schema_, plan_.columns), rejected));
    if (plan_.reads_any() && written > 0) {
        TRY(copy_->finish());
        const size_t by_encoder = rejected.size();
        // Numbers were given to the rows that the encoder took, in their order.
        std::vector<RejectedRow> unread;
        TRY(reject_unread(first, unread));
        std::vector<size_t> row_of;
        size_t next = before;
        for (size_t row = 0; row < rows.rows(); ++row) {
            if (next < by_encoder && rejected[next].row == row) {
                ++next;
            } else {
                row_of.push_back(row);
            }
        }
        for (auto& row : unread) rejected.push_back({row_of[row.row], row.why});
        written -= unread.size();
    }
    rows_ += written;
    return written;
}

Result<void> PostgresStage::reject_unread(int64_t first, std::vector<RejectedRow>& rejected) {
    const auto names = TRY(plan_.quoted());
    std::string bad_column;
    std::string bad_value;
    for (size_t i = 0; i < names.size(); ++i) {
        if (!plan_.is_read[i]) continue;
        const std::string condition = " WHEN " + names[i] + " IS NOT NULL AND NOT " + check_of(i, names[i]) + " THEN ";
        bad_column += condition + std::to_string(i);
        bad_value +=
            " WHEN " + std::to_string(i) + " THEN left(" + names[i] + "::text, " + std::to_string(kShownBytesMax) + ")";
    }
    const std::string table = kTable;
    const auto found = TRY(connection_.query(
        "WITH checked AS MATERIALIZED (SELECT s._shaduf_row AS number, CASE" + bad_column + " END AS bad FROM " +
            table + " s WHERE _shaduf_row >= $1::bigint), gone AS (DELETE FROM " + table +
            " s USING checked c WHERE c.bad IS NOT NULL AND s._shaduf_row = c.number RETURNING c.number, c.bad, CASE "
            "c.bad" +
            bad_value + " END AS value) SELECT number, bad, value FROM gone ORDER BY number",
        {std::to_string(first)}));
    for (const auto& row : found.rows) {
        int64_t number = 0;
        size_t column = 0;
        std::from_chars(row[0]->data(), row[0]->data() + row[0]->size(), number);
        std::from_chars(row[1]->data(), row[1]->data() + row[1]->size(), column);
        const PostgresField& field = plan_.targets[column].field;
        rejected.push_back({static_cast<size_t>(number - first),
                            Error(ErrorKind::bad_data, "value does not fit its column: " + field.name + " is " +
                                                           field.sql_type + ", the value is " + row[2].value_or(""))});
    }
    return {};
}

Result<std::string> PostgresStage::values(const std::string& alias) const {
    std::string list;
    const auto names = TRY(plan_.quoted());
    for (size_t i = 0; i < names.size(); ++i) {
        const std::string column = alias + "." + names[i];
        list += (list.empty() ? "" : ", ") +
                (plan_.is_read[i] ? "CAST(" + column + " AS " + plan_.targets[i].field.sql_type + ") AS " + names[i]
                                  : column);
    }
    return list;
}

Result<void> PostgresStage::clear() {
    TRY(connection_.execute(std::string("TRUNCATE ") + kTable));
    rows_ = 0;
    return {};
}

}  // namespace shaduf
