#include "flow/sql_once.h"

#include <cctype>

#include "base/failpoint.h"
#include "base/text.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr const char* kTable = "_shaduf_done";

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += c;
        out += c;
    }
    return out + "'";
}

// Two processes that make it at the same time may hinder each other.
Result<void> make_table(StatementRunner& runner, RunContext& run) {
    const std::string sql = std::string("CREATE TABLE IF NOT EXISTS ") + kTable +
                            " (run VARCHAR, task VARCHAR, what VARCHAR, outcome VARCHAR, done_at TIMESTAMP DEFAULT "
                            "CURRENT_TIMESTAMP, PRIMARY KEY (run, task, what))";
    if (runner.run_statement(run, sql).ok()) return {};
    TRY(runner.run_statement(run, sql));
    return {};
}

Result<std::string> outcome_of(StatementRunner& runner, RunContext& run, const std::string& where) {
    const auto given = TRY(runner.run_statement(run, std::string("SELECT outcome FROM ") + kTable + where));
    if (!given.rows || given.rows->rows() == 0 || given.rows->column(0).is_null(0)) return std::string("{}");
    return std::string(given.rows->column(0).text_at(0));
}

Result<std::string> in_transaction(StatementRunner& runner, RunContext& run, const OnceKey& key,
                                   const std::function<Result<std::string>()>& work, bool& was_done) {
    const std::string what = to_hex(sha256(key.what));
    const std::string where =
        " WHERE run = " + quoted(key.run) + " AND task = " + quoted(key.task) + " AND what = " + quoted(what);
    const auto noted = TRY(runner.run_statement(
        run, std::string("INSERT INTO ") + kTable + " (run, task, what) VALUES (" + quoted(key.run) + ", " +
                 quoted(key.task) + ", " + quoted(what) + ") ON CONFLICT DO NOTHING"));
    was_done = noted.changed == 0;
    if (was_done) return outcome_of(runner, run, where);
    std::string outcome = TRY(work());
    TRY(runner.run_statement(run, std::string("UPDATE ") + kTable + " SET outcome = " + quoted(outcome) + where));
    return outcome;
}

}  // namespace

Result<std::string> run_once(StatementRunner& runner, RunContext& run, const OnceKey& key,
                             const std::function<Result<std::string>()>& work, bool& was_done) {
    TRY(make_table(runner, run));
    TRY(runner.run_statement(run, "BEGIN"));
    auto outcome = in_transaction(runner, run, key, work, was_done);
    if (!outcome.ok()) {
        static_cast<void>(runner.run_statement(run, "ROLLBACK"));  // the session's end does the same
        return outcome;
    }
    TRY(runner.run_statement(run, "COMMIT"));
    TRY(failpoint("flow.once.committed"));
    return outcome;
}

std::string transaction_word(std::string_view statement) {
    size_t at = 0;
    for (;;) {
        while (at < statement.size() && std::isspace(static_cast<unsigned char>(statement[at]))) ++at;
        const bool is_line = statement.substr(at).starts_with("--");
        if (!is_line && !statement.substr(at).starts_with("/*")) break;
        const size_t end = statement.find(is_line ? "\n" : "*/", at);
        if (end == std::string_view::npos) return "";
        at = end + (is_line ? 1 : 2);
    }
    std::string word;
    for (; at < statement.size() && std::isalpha(static_cast<unsigned char>(statement[at])); ++at)
        word += statement[at];
    for (const char* known : {"BEGIN", "START", "COMMIT", "ROLLBACK", "END", "ABORT"}) {
        if (to_lower(word) == to_lower(known)) return known;
    }
    return "";
}

}  // namespace shaduf
