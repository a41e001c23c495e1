#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/postgres/copy_decoder.h"
#include "io/postgres.h"

namespace shaduf {

// What is read as one stream: a table, view or the like, or a query.
struct PostgresStream {
    std::string connection;
    std::string name;
    std::string table;                 // "name" or "schema.name"
    std::string query;                 // "" reads `table`
    std::vector<std::string> as_text;  // columns that the server writes as text
    std::string cursor_field;          // incremental: a column that never goes down in rows that come later
    ReadMode mode = ReadMode::full_refresh;
    bool resumes = true;  // full_refresh: in the order of the primary key, where there is one
    size_t parallel = 1;  // full_refresh: sessions at most
    Place query_place;    // of the option, for errors of the query
};

// A column as it is asked for, and as it comes.
struct PostgresField {
    std::string name;
    DataType type;
    CopyColumn wire;
    bool is_cast = false;  // the SELECT casts it to text
    std::string sql_type;  // "numeric(10,2)", to cast literals to
    uint32_t oid = 0;      // of the type; of a domain, its base type
    int32_t modifier = -1;
    uint32_t item = 0;  // oid of an array's items, else 0

    // A value of the column, from our text or the server's, as an expression.
    std::string literal(const std::string& text) const;
};

// A stream, as the server describes it by now.
struct PostgresTable {
    std::string quoted_name;  // "" of a query
    std::string base;         // the SELECT of all its columns
    std::vector<PostgresField> fields;
    std::vector<size_t> key;  // of its primary key, as numbers of `fields`; empty when rows cannot be parted by it

    SchemaPtr schema() const;
    std::vector<CopyColumn> wire() const;
    std::optional<size_t> index_of(std::string_view name) const;
    // SELECT ... FROM base; `condition` and `order` may be empty.
    Result<std::string> copy_sql(const std::string& condition, const std::string& order) const;
};

// invalid_config: no such table, an error in the query, two columns of one name; auth: with the GRANT that is missing.
Result<PostgresTable> describe_postgres_stream(PostgresConnection& connection, const PostgresStream& stream);
// The columns that a query would give, in the types that they would be read in.
Result<std::vector<PostgresField>> describe_postgres_columns(PostgresConnection& connection, const std::string& sql);
// The error of a statement that read the stream; where the role lacks a right, with the GRANT that gives it.
Error explain_postgres_error(PostgresConnection& connection, const PostgresStream& stream, const Error& error);
// Tables, views, materialized views, partitioned and foreign tables, without the system's own and without partitions.
Result<std::vector<StreamInfo>> discover_postgres(PostgresConnection& connection);

}  // namespace shaduf
