#include "flow/shared/sessions.h"

#include "flow/shared/schema.h"
#include "io/crypto.h"
#include "io/password_hash.h"

namespace shaduf::shared {

std::string random_suffix() {
    constexpr size_t kBytes = 4;
    return to_hex(random_bytes(kBytes));
}

Sessions::Loan::~Loan() {
    if (session_ == nullptr || session_->is_lost()) return;
    if (session_->in_transaction() && !session_->execute("ROLLBACK").ok()) return;
    const std::lock_guard lock(of_->mutex_);
    if (of_->idle_.size() < of_->kept_) of_->idle_.push_back(std::move(session_));
}

Result<Sessions::Loan> Sessions::lend() {
    {
        const std::lock_guard lock(mutex_);
        while (!idle_.empty()) {
            auto session = std::move(idle_.back());
            idle_.pop_back();
            if (!session->is_lost()) return Loan(*this, std::move(session));
        }
    }
    return Loan(*this, TRY(connect(dsn_, cancellation_)));
}

}  // namespace shaduf::shared
