#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "jinja/object.h"
#include "jinja/value.h"

namespace shaduf::jinja {

// The items of a value, one after the other, as Python's iter(x). Lists are read as they are at that moment.
class Items {
public:
    // An error: the value is not iterable.
    static Result<Items> over(Vm& vm, const Value& value);
    explicit Items(std::unique_ptr<Iterator> iterator) : iterator_(std::move(iterator)) {}

    // False at the end.
    Result<bool> next(Vm& vm, Value& item);
    // As Python's len(x); nullopt: it has none.
    std::optional<size_t> length() const;

private:
    explicit Items(Value of) : of_(std::move(of)) {}
    Result<bool> next_of_dict(const Dict& dict, Value& item);

    Value of_;
    size_t at_ = 0;
    size_t size_ = 0;  // of a dict or a set when the iteration began
    std::unique_ptr<Iterator> iterator_;
};

// list(x)
Result<std::vector<Value>> to_items(Vm& vm, const Value& value);
bool is_iterable(Vm& vm, const Value& value);
// len(x); nullopt: it has none
std::optional<size_t> length_of(const Value& value);

// A value that gives its items once, as Python's generators do.
Value make_generator(std::vector<Value> items);
// A view of a dict as dict.keys() and such: it shows what the dict holds when it is read.
enum class DictView : uint8_t { keys, values, items };
Value make_dict_view(Ref<Dict> dict, DictView view);
// range(...)
Value make_range(int64_t begin, int64_t end, int64_t step);

// y in x
Result<bool> contains(Vm& vm, const Value& container, const Value& item);

}  // namespace shaduf::jinja
