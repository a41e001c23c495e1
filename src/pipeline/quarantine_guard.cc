#include "pipeline/quarantine_guard.h"

#include "base/text.h"

namespace shaduf {

void QuarantineGuard::add_rejected(const std::string& position, const std::string& reason) {
    if (rejected_++ == 0) first_ = position + ": " + reason;
}

Result<void> QuarantineGuard::check_rows() const {
    if (!limit_.max_rows || rejected_ <= *limit_.max_rows) return {};
    return too_many("max_rows is " + format_count(*limit_.max_rows));
}

Result<void> QuarantineGuard::check_share(bool at_end) const {
    const bool is_told = never_ends_ ? rows_ >= kRowsTold : at_end;
    if (!limit_.max_percent || !is_told || rejected_ == 0) return {};
    const double percent = static_cast<double>(rejected_) * 100 / static_cast<double>(rows_);
    if (percent <= *limit_.max_percent) return {};
    std::string limit = std::to_string(*limit_.max_percent);
    limit.erase(limit.find_last_not_of('0') + 1);
    if (limit.ends_with('.')) limit.pop_back();
    return too_many("max_percent is " + limit);
}

void QuarantineGuard::begin_anew() {
    if (!never_ends_ || rows_ < kRowsTold) return;
    rows_ = rejected_ = 0;
    first_.clear();
}

Error QuarantineGuard::too_many(const std::string& limit) const {
    return {ErrorKind::bad_data, "more rows would go to quarantine than it may take: " + format_count(rejected_) +
                                     " of " + format_count(rows_) + ", where " + limit + "; the first: " + first_ +
                                     "; mend the source, or raise the limit under quarantine of the stream"};
}

}  // namespace shaduf
