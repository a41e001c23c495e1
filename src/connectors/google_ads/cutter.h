#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shaduf::google_ads {

// Takes the answer of searchStream apart while it arrives: a list of objects, whose "results" are lists of rows. Holds
// no more than one row, however large the answer is. Not thread-safe.
//
// A row is cut by its braces alone and checked when it is decoded. What stands around the rows is checked here.
class StreamCutter {
public:
    // One row, without what stands around it: readable for 16 bytes behind its end.
    using OnRow = std::function<Result<void>(std::string_view row)>;
    // The value of a member "error".
    using OnError = std::function<Result<void>(std::string_view error)>;

    StreamCutter(OnRow on_row, OnError on_error) : on_row_(std::move(on_row)), on_error_(std::move(on_error)) {}

    // bad_data for what is no such list; else the errors of the callbacks.
    Result<void> feed(std::string_view bytes);
    // Whether the list has been closed: an answer that ends before was cut short.
    bool complete() const { return where_ == Where::behind; }

private:
    enum class Where : uint8_t { before, between, in_element, before_value, in_value, in_rows, in_row, behind };

    Result<void> step();
    Result<void> begin_value(char c);
    Result<void> end_value();
    Result<void> end_row();
    bool pass_nested();
    bool pass_scalar();
    Error broken(const char* expected) const;

    const OnRow on_row_;
    const OnError on_error_;
    std::string pending_;  // bytes from the value that is being read on
    size_t at_ = 0;        // in pending_
    size_t start_ = 0;     // of the value
    uint64_t passed_ = 0;  // bytes dropped from pending_
    Where where_ = Where::before;
    bool is_list_ = true;
    std::string key_;
    // Within a value.
    int depth_ = 0;
    bool in_text_ = false;
    bool escaped_ = false;
};

}  // namespace shaduf::google_ads
