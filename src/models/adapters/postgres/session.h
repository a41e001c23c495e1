#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/postgres.h"
#include "models/adapter/session.h"

namespace shaduf::models {

// Every statement runs within a transaction, begun by the first one after a commit, as clients of PostgreSQL's Python
// drivers know it; `begin` only says that somebody counts on it.
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
    Result<void> begin_implicitly();

    std::unique_ptr<PostgresConnection> connection_;
    const Commits commits_;
    bool in_transaction_ = false;
};

}  // namespace shaduf::models
