#pragma once

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

// Sessions of the state store, lent to one thread each. One that was lost is replaced when the next is asked for.
// Thread-safe.
class Sessions {
public:
    // Of those that nobody uses, so many stay open. `cancellation` outlives it.
    Sessions(std::string dsn, const Cancellation& cancellation, size_t kept = 4)
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
    std::mutex mutex_;
    std::vector<std::unique_ptr<PostgresConnection>> idle_;
};

}  // namespace shaduf::shared
