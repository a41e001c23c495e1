#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "connectors/store.h"

// Work in a database that counts once, however often it is tried: in its transaction a row is written that says who has
// done it, into the table `_shaduf_done` of the connection's own schema. A try that was killed behind its commit leaves
// that row, and the next one finds it; two tries at the same time wait for each other there. Rows of runs that have
// ended may be deleted by anybody.
namespace shaduf {

// What is done once.
struct OnceKey {
    std::string run;
    std::string task;
    std::string what;  // its text: for tasks that do several things
};

// Runs `work` in a transaction of the runner's session, and gives what it gave, or, with `was_done`, what it gave when
// it was done before. On an error of `work` nothing of it stays.
Result<std::string> run_once(StatementRunner& runner, RunContext& run, const OnceKey& key,
                             const std::function<Result<std::string>()>& work, bool& was_done);

// "COMMIT" of a statement that begins or ends a transaction; "" of others.
std::string transaction_word(std::string_view statement);

}  // namespace shaduf
