#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "models/adapter/table.h"

namespace shaduf::models {

enum class Fetch : uint8_t { nothing, rows };

struct Statement {
    std::string sql;
    std::vector<jinja::Value> bindings = {};  // for the placeholders that the adapter's macros write
    Fetch fetch = Fetch::nothing;
    std::optional<int64_t> rows_max = std::nullopt;
};

// What the database said of a statement (dbt's AdapterResponse, and the rows).
struct QueryResult {
    std::string message;  // "SELECT 5", "CREATE VIEW", "OK"
    std::string code;     // "SELECT"; "": the database says none
    std::optional<int64_t> rows_affected;
    jinja::Ref<Table> table;  // never null; empty when nothing was fetched
};

// A connection to the target, of one thread. After an error its transaction is void and must be rolled back; a session
// that is lost gives kind unavailable.
class Session {
public:
    virtual ~Session() = default;
    virtual Result<QueryResult> execute(const Statement& statement) = 0;
    // Whether `begin` was called and neither `commit` nor `rollback` since.
    virtual bool in_transaction() const = 0;
    virtual Result<void> begin() = 0;
    virtual Result<void> commit() = 0;
    virtual Result<void> rollback() = 0;
    // Names and types of what a query gives, without running it.
    struct ResultColumn {
        std::string name;
        std::string type;       // as the database names it
        std::string kind = {};  // the type as contracts compare it; "": as `type`
    };
    virtual Result<std::vector<ResultColumn>> describe(const std::string& sql) = 0;
    // Keeps other runs from building the relation of this name until `unlock`, or the session's end; no transaction
    // bears on it. Does nothing where the database is one process's alone. conflict: another run builds it, which was
    // waited for with the target's patience.
    virtual Result<void> lock(const std::string& /*relation*/) { return {}; }
    // REQUIRES: it is locked
    virtual Result<void> unlock(const std::string& /*relation*/) { return {}; }
};

}  // namespace shaduf::models
