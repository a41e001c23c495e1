#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/postgres.h"
#include "models/adapter/patience.h"
#include "models/adapter/session.h"

namespace shaduf::models {

// As dbt's sessions are: the first statement begins a transaction, asked for or not; after its commit each statement
// stands for itself, such as the drop of what a table replaced, until `begin` or `rollback`.
class PostgresSession final : public Session {
public:
    enum class Commits : uint8_t { when_asked, each_statement };
    // `run` outlives it.
    PostgresSession(std::unique_ptr<PostgresConnection> connection, Commits commits, RunContext& run,
                    Patience patience = {})
        : connection_(std::move(connection)), commits_(commits), run_(run), patience_(std::move(patience)) {}

    Result<QueryResult> execute(const Statement& statement) override;
    bool in_transaction() const override { return in_transaction_; }
    Result<void> begin() override;
    Result<void> commit() override;
    Result<void> rollback() override;
    Result<std::vector<ResultColumn>> describe(const std::string& sql) override;
    // Advisory locks of the session, by a hash of the name.
    Result<void> lock(const std::string& relation) override;
    Result<void> unlock(const std::string& relation) override;

private:
    Result<void> begin_when_due();
    Result<void> try_lock(const std::string& relation, const std::string& key);

    std::unique_ptr<PostgresConnection> connection_;
    const Commits commits_;
    RunContext& run_;
    const Patience patience_;
    bool in_transaction_ = false;  // begin was called; the server is told by the next statement
    bool has_begun_ = false;       // the first transaction of the session, or after a rollback
};

}  // namespace shaduf::models
