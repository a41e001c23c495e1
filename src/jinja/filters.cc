#include "jinja/filters.h"

#include <algorithm>

#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

std::vector<Builtin> sorted_filters() {
    std::vector<Builtin> all;
    for (const auto part : {text_filters(), sequence_filters(), value_filters()}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end(), [](const Builtin& a, const Builtin& b) { return a.name < b.name; });
    return all;
}

}  // namespace

std::span<const Builtin> builtin_filters() {
    static const std::vector<Builtin> filters = sorted_filters();
    return filters;
}

Result<std::vector<Value>> take_filter(std::string_view name, const Arguments& arguments,
                                       std::initializer_list<Parameter> parameters) {
    return bind_arguments(name, std::span<const Parameter>(parameters.begin(), parameters.size()), arguments);
}

Result<int64_t> filter_integer(const Value& value) {
    if (value.kind() == Kind::integer || value.kind() == Kind::boolean) return value.whole();
    if (value.is_undefined()) return undefined_error(value);
    return template_error("'" + std::string(value.type_name()) + "' object cannot be interpreted as an integer");
}

}  // namespace shaduf::jinja
