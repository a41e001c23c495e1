#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/duckdb.h"
#include "models/adapter/session.h"

namespace shaduf::models {

class DuckDbSession final : public Session {
public:
    enum class Transactions : uint8_t { used, ignored };
    DuckDbSession(std::shared_ptr<DuckDbDatabase> database, std::unique_ptr<DuckDbConnection> connection,
                  Transactions transactions)
        : database_(std::move(database)), connection_(std::move(connection)), transactions_(transactions) {}

    Result<QueryResult> execute(const Statement& statement) override;
    bool in_transaction() const override { return in_transaction_; }
    Result<void> begin() override;
    Result<void> commit() override;
    Result<void> rollback() override;
    Result<std::vector<ResultColumn>> describe(const std::string& sql) override;

private:
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
    const Transactions transactions_;
    bool in_transaction_ = false;
};

}  // namespace shaduf::models
