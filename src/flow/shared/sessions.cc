#include "flow/shared/sessions.h"

#include <chrono>

#include "flow/shared/schema.h"
#include "io/crypto.h"
#include "io/password_hash.h"

namespace shaduf::shared {
namespace {

constexpr std::chrono::milliseconds kPatience{100};

}  // namespace

std::string random_suffix() {
    constexpr size_t kBytes = 4;
    return to_hex(random_bytes(kBytes));
}

Sessions::Loan::~Loan() {
    if (session_ == nullptr) return;
    if (session_->in_transaction() && !session_->is_lost()) static_cast<void>(session_->execute("ROLLBACK").ok());
    of_->give_back(std::move(session_));
}

void Sessions::give_back(std::unique_ptr<PostgresConnection> session) {
    const std::lock_guard lock(mutex_);
    const bool stays = !session->is_lost() && !session->in_transaction() && open_ <= kept_;
    if (stays) {
        idle_.push_back(std::move(session));
    } else {
        --open_;
    }
    changed_.notify_one();
}

Result<Sessions::Loan> Sessions::lend() {
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, kPatience, [&] { return !idle_.empty() || open_ < kept_; });
        while (!idle_.empty()) {
            auto session = std::move(idle_.back());
            idle_.pop_back();
            if (!session->is_lost()) return Loan(*this, std::move(session));
            --open_;
        }
        ++open_;
    }
    auto made = connect(dsn_, cancellation_);
    if (made.ok()) return Loan(*this, made.release_value());
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_one();
    return made.release_error();
}

}  // namespace shaduf::shared
