#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/program.h"
#include "jinja/value.h"

// Python's operators.
namespace shaduf::jinja {

// An error of the template: kind invalid_config.
Error template_error(std::string message);
// What using an undefined value means. REQUIRES: value.is_undefined()
Error undefined_error(const Value& value);

Result<Value> apply_unary(Op op, const Value& value);
Result<Value> apply_binary(Op op, const Value& a, const Value& b);
// op: lt, lteq, gt, gteq
Result<bool> compare_order(Op op, const Value& a, const Value& b);
// Python's ==, which fails for undefined values of mode strict.
Result<bool> compare_equal(const Value& a, const Value& b);
// x[begin:end:step] of texts, lists and tuples
Result<Value> slice_value(const Value& of, const Value& begin, const Value& end, const Value& step);

std::string escape_html(std::string_view text);

// Sorts as Python's sorted() does, which is stable.
struct SortItem {
    Value key;
    Value value;
};
Result<void> sort_items(std::vector<SortItem>& items, bool is_reversed);

// Python's str.__mod__
Result<std::string> format_percent(std::string_view format, const Value& arguments);

// The text of a value, as when it is printed; an error for strict undefined values.
Result<std::string> checked_text(const Value& value);
Result<bool> checked_truth(const Value& value);

}  // namespace shaduf::jinja
