#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/pipeline_config.h"

namespace shaduf {

// Counts what goes to quarantine, whatever the reason, and says when it is more than a stream allows. Of a load all
// rows count; of a stream that never ends those since a commit, but at least kRowsTold of them, so that a bad row at a
// quiet hour is no large share. One thread at a time.
class QuarantineGuard {
public:
    static constexpr int64_t kRowsTold = 1000;

    QuarantineGuard(const QuarantineLimit& limit, bool never_ends) : limit_(limit), never_ends_(never_ends) {}

    void add_rows(int64_t rows) { rows_ += rows; }
    void add_rejected(const std::string& position, const std::string& reason);

    // bad_data: more rows than max_rows.
    Result<void> check_rows() const;
    // bad_data: a larger share than max_percent. To be called before a commit; of a load only the last one counts.
    Result<void> check_share(bool at_end) const;
    // To be called behind a commit.
    void begin_anew();

private:
    Error too_many(const std::string& limit) const;

    const QuarantineLimit limit_;
    const bool never_ends_;
    int64_t rows_ = 0;
    int64_t rejected_ = 0;
    std::string first_;  // of those rejected: where and why
};

}  // namespace shaduf
