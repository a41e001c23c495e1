#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/connector.h"
#include "pipeline/key_set.h"
#include "pipeline/row_check.h"

namespace shaduf {

// What one batch showed: the rows to turn away, and the hashes that the checks in order need of the others.
struct CheckedRows {
    std::vector<uint32_t> kept;         // empty when none was turned away
    std::vector<RejectedRow> rejected;  // ascending, the first failed expectation of each row
    std::vector<std::vector<KeyHash>>
        keys;  // one list a keyed expectation, a hash a kept row; empty: the columns are not there
    std::vector<std::vector<bool>> key_is_null;
};

// What came of one expectation.
struct CheckResult {
    std::string text;   // of the expectation
    std::string state;  // passed, warned, failed
    int64_t rows = 0;   // that did not meet it
    std::string message = {};
};

// The expectations of one stream for one load. Life: create, load_keys, then `check` by any worker and `check_in_order`
// by the writer alone, batch by batch in the order of reading, and at the end `judge`.
class Expectations {
public:
    static Result<std::unique_ptr<Expectations>> create(const std::vector<ExpectConfig>& configs,
                                                        uint64_t memory_bytes);
    ~Expectations();

    // With one of severity fatal the load is all or nothing: committed once, at its end.
    bool any_fatal() const;

    struct Destination {
        TableReader* reader = nullptr;  // nullptr: the sink cannot be looked into
        std::string schema;
        std::string table;
        bool table_exists = false;
        WriteMode mode = WriteMode::append;
    };
    // Reads the keys that rows are compared with: those of referenced tables, and for unique those of the table itself
    // when rows are appended to it.
    Result<void> load_keys(RunContext& run, const Destination& destination);

    // Thread-safe. An Error when an expectation of severity fatal without a limit failed. What looks at the value of a
    // column that a policy has changed already (`treated`, may be null) cannot judge it: the rows are turned away.
    Result<CheckedRows> check(RunContext& run, const RecordBatch& rows, const Treated* treated = nullptr);
    // Errors name a row, but do not show it.
    void hide_rows() { hides_rows_ = true; }

    // unique and relationships: needs all earlier rows. Row numbers are those of the kept rows.
    Result<std::vector<RejectedRow>> check_in_order(const CheckedRows& rows);

    struct Counts {
        int64_t read = 0;
        int64_t written = 0;
        bool at_end = false;
    };
    // Whether a limit is passed; at the end also what looks at the whole load. The first failure that stops the load
    // before its commit.
    Result<void> judge(const RunContext& run, const Counts& counts);

    // What is known of each by now. Of a load that did not come to its end, only of those that rows have failed.
    std::vector<CheckResult> results(const RunContext& run, const Counts& counts) const;
    // After the end: failures that the load survived but that its owner must hear of.
    const std::vector<std::string>& warnings() const { return warnings_; }
    // A check of the whole load of severity error failed: the rows stay, the stream ends as failed.
    const std::vector<Error>& failures() const { return failures_; }

private:
    struct Rule;

    Expectations();
    Result<void> fill_from_table(RunContext& run, Rule& rule, TableReader& reader, const std::string& schema,
                                 const std::string& table, const std::vector<std::string>& columns);
    static std::string problem_of(const RunContext& run, const Rule& rule, const Counts& counts);
    Result<bool> key_fails(Rule& rule, const KeyHash& key, bool is_null);

    std::vector<std::unique_ptr<Rule>> rules_;
    bool hides_rows_ = false;
    std::vector<std::string> warnings_;
    std::vector<Error> failures_;
};

}  // namespace shaduf
