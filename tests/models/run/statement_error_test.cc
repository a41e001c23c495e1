#include "models/run/statement_error.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

constexpr std::string_view kSql = "create view v as (\n  select\n\tgröße, nope\n  from t\n)";

struct Case {
    TextPoint point;
    std::string_view told;
};

TEST(StatementErrorTest, NamesTheNearestFile) {
    const StatementFile compiled = {"target/compiled/v.sql", "\n\nselect\n\tgröße, nope\n  from t\n"};
    const StatementFile built = {"target/run/v.sql", std::string(kSql)};
    const Case kCases[] = {
        // Characters from the beginning, as PostgreSQL has it.
        {{.column = 37},
         "m.sql:2: no\n    --> target/compiled/v.sql:4:9\n      4 | \tgröße, nope\n        | \t       ^"},
        // A line and the part of it that the column counts from, as DuckDB has it.
        {{.line = 3, .column = 3, .fragment = "e, nope"},
         "m.sql:2: no\n    --> target/compiled/v.sql:4:8\n      4 | \tgröße, nope\n        | \t      ^"},
        // Another line than it says: the words decide.
        {{.line = 1, .column = 1, .fragment = "nope"},
         "m.sql:2: no\n    --> target/compiled/v.sql:4:9\n      4 | \tgröße, nope\n        | \t       ^"},
        // Outside of what was compiled.
        {{.column = 8}, "m.sql: no\n    --> target/run/v.sql:1:8\n      1 | create view v as (\n        |        ^"},
        // A place that is not in the statement, and none.
        {{.line = 9, .column = 1, .fragment = "gone"}, "m.sql: no\n    --> target/compiled/v.sql"},
        {{}, "m.sql: no\n    --> target/compiled/v.sql"},
    };
    for (const Case& test : kCases) {
        SCOPED_TRACE(test.told);
        const Error error = Error(ErrorKind::invalid_config, "no").at_point(test.point);
        NodeRun run;
        run.refused.emplace(NodeRun::Refused{std::string(kSql), error});
        const StatementOrigin origin = {
            .file = "m.sql", .code = "{{ config() }}\n\tgröße, nope\n", .files = {compiled, built}};
        EXPECT_EQ(statement_error(error, run, origin).to_string(), test.told);
    }
}

TEST(StatementErrorTest, LeavesOtherErrorsAlone) {
    NodeRun run;
    run.refused.emplace(NodeRun::Refused{"select 1", Error(ErrorKind::bad_data, "another")});
    const Error error(ErrorKind::invalid_config, "mine");
    EXPECT_EQ(statement_error(error, run, {.file = "m.sql", .code = ""}).to_string(), "mine");
}

}  // namespace
}  // namespace shaduf::models
