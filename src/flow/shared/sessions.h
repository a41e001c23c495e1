#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/result.h"
#include "io/postgres.h"

namespace shaduf::shared {

// Eight digits that tell processes apart which have one name.
std::string random_suffix();

// Sessions of the state store, lent to one thread each. One that was lost is replaced when the next is asked for. Who
// comes when all are lent waits a moment for one to come back, as making one takes longer than most statements; not for
// ever, as whoever holds one may wait for somebody who needs another. Thread-safe.
class Sessions {
public:
    // `kept`: so many are made without waiting, and stay open. `cancellation` outlives it.
    Sessions(std::string dsn, const Cancellation& cancellation, size_t kept = 6)
        : dsn_(std::move(dsn)), cancellation_(cancellation), kept_(kept) {}

    // Goes back when it goes away, its transaction, if one is open, undone.
    class Loan {
    public:
        Loan(Sessions& of, std::unique_ptr<PostgresConnection> session) : of_(&of), session_(std::move(session)) {}
        Loan(Loan&& other) noexcept = default;
        Loan& operator=(Loan&&) = delete;
        ~Loan();
        PostgresConnection* operator->() const { return session_.get(); }
        PostgresConnection& operator*() const { return *session_; }

    private:
        Sessions* of_;
        std::unique_ptr<PostgresConnection> session_;
    };
    Result<Loan> lend();

private:
    const std::string dsn_;
    const Cancellation& cancellation_;
    const size_t kept_;
    void give_back(std::unique_ptr<PostgresConnection> session);

    std::mutex mutex_;
    std::condition_variable changed_;
    size_t open_ = 0;  // lent and idle
    std::vector<std::unique_ptr<PostgresConnection>> idle_;
};

}  // namespace shaduf::shared
