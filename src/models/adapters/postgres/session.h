#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/postgres.h"
#include "models/adapter/session.h"

namespace shaduf::models {

// As dbt's sessions are: the first statement begins a transaction, asked for or not; after its commit each statement
// stands for itself, such as the drop of what a table replaced, until `begin` or `rollback`.
class PostgresSession final : public Session {
public:
    enum class Commits : uint8_t { when_asked, each_statement };
    PostgresSession(std::unique_ptr<PostgresConnection> connection, Commits commits)
        : connection_(std::move(connection)), commits_(commits) {}

    Result<QueryResult> execute(const Statement& statement) override;
    bool in_transaction() const override { return in_transaction_; }
    Result<void> begin() override;
    Result<void> commit() override;
    Result<void> rollback() override;
    Result<std::vector<ResultColumn>> describe(const std::string& sql) override;

private:
    Result<void> begin_when_due();

    std::unique_ptr<PostgresConnection> connection_;
    const Commits commits_;
    bool in_transaction_ = false;  // begin was called; the server is told by the next statement
    bool has_begun_ = false;       // the first transaction of the session, or after a rollback
};

}  // namespace shaduf::models
