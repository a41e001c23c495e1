// The engine alone, for comparison: runs statements, and prints the rows of the last one, values split by tabs.
//   duckdb_peer DATABASE STATEMENT...

#include <duckdb.h>

#include <cstdio>

namespace {

void print_rows(duckdb_result& result) {
    for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
        for (idx_t column = 0; column < duckdb_column_count(&result); ++column) {
            char* value = duckdb_value_varchar(&result, column, row);
            std::printf("%s%s", column > 0 ? "\t" : "", value == nullptr ? "NULL" : value);
            duckdb_free(value);
        }
        std::printf("\n");
    }
}

bool run_all(duckdb_connection connection, int count, char** statements) {
    for (int i = 0; i < count; ++i) {
        duckdb_result result{};
        const bool done = duckdb_query(connection, statements[i], &result) == DuckDBSuccess;
        if (!done) std::fprintf(stderr, "duckdb_peer: %s\n", duckdb_result_error(&result));
        if (done && i + 1 == count) print_rows(result);
        duckdb_destroy_result(&result);
        if (!done) return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: duckdb_peer DATABASE STATEMENT...\n");
        return 2;
    }
    duckdb_database database = nullptr;
    duckdb_connection connection = nullptr;
    if (duckdb_open(argv[1], &database) != DuckDBSuccess || duckdb_connect(database, &connection) != DuckDBSuccess) {
        std::fprintf(stderr, "duckdb_peer: cannot open %s\n", argv[1]);
        return 1;
    }
    const bool done = run_all(connection, argc - 2, argv + 2);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    return done ? 0 : 1;
}
