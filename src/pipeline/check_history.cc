#include <sqlite3.h>

#include "io/sqlite.h"
#include "pipeline/meta_store.h"

namespace shaduf {
namespace {

constexpr const char* kSave =
    "INSERT OR REPLACE INTO check_run (id, at, run_id, state, rows, message) VALUES (?, ?, ?, ?, ?, ?)";
constexpr const char* kForget =
    "DELETE FROM check_run WHERE id = ? AND at < (SELECT at FROM check_run WHERE id = ? ORDER BY at DESC LIMIT 1 "
    "OFFSET ?)";

}  // namespace

std::string expectation_id(std::string_view pipeline, std::string_view stream, std::string_view text) {
    return std::string(pipeline) + "." + std::string(stream) + ": " + std::string(text);
}

Result<void> MetaStore::save_checks(std::span<const CheckRecord> records) {
    const std::lock_guard lock(mutex_);
    const auto run = [&](const char* sql) -> Result<void> {
        if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
        return sqlite_error(database_, "save results of checks");
    };
    TRY(run("BEGIN IMMEDIATE"));
    SqliteStatement save(database_, kSave);
    SqliteStatement forget(database_, kForget);
    for (const CheckRecord& record : records) {
        for (const auto* text : {&record.id, &record.at, &record.run_id, &record.state}) save.bind(*text);
        save.bind(record.rows);
        save.bind(record.message);
        forget.bind(record.id);
        forget.bind(record.id);
        forget.bind(kChecksKept - 1);
        if (save.step() != SQLITE_DONE || forget.step() != SQLITE_DONE) {
            const Error error = sqlite_error(database_, "save results of checks");
            static_cast<void>(run("ROLLBACK").ok());
            return error;
        }
        save.reset();
        forget.reset();
    }
    return run("COMMIT");
}

Result<std::vector<CheckRecord>> MetaStore::checks() {
    const std::lock_guard lock(mutex_);
    SqliteStatement query(database_, "SELECT id, at, run_id, state, rows, message FROM check_run ORDER BY id, at");
    std::vector<CheckRecord> records;
    int step = query.step();
    for (; step == SQLITE_ROW; step = query.step()) {
        records.push_back({.id = query.text(0),
                           .run_id = query.text(2),
                           .at = query.text(1),
                           .state = query.text(3),
                           .rows = query.integer(4),
                           .message = query.text(5)});
    }
    if (step != SQLITE_DONE) return sqlite_error(database_, "read results of checks");
    return records;
}

}  // namespace shaduf
