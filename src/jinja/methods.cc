// Methods of lists, tuples, dicts and sets, and where those of all kinds are found.

#include "jinja/methods.h"

#include <algorithm>
#include <array>

#include "jinja/builtins.h"
#include "jinja/iteration.h"
#include "jinja/operators.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

using Values = std::vector<Value>;

Error unhashable(const Value& value) {
    return template_error("unhashable type: '" + std::string(value.type_name()) + "'");
}

Result<Values> take(const Arguments& arguments, std::initializer_list<Parameter> parameters) {
    return bind_arguments("method", std::span<const Parameter>(parameters.begin(), parameters.size()), arguments);
}

Result<int64_t> index_of(const Value& value) {
    if (value.kind() == Kind::integer || value.kind() == Kind::boolean) return value.whole();
    if (value.is_undefined()) return undefined_error(value);
    return template_error("'" + std::string(value.type_name()) + "' object cannot be interpreted as an integer");
}

Result<Value> list_append(Vm&, const Value& self, const Arguments& arguments) {
    auto values = TRY(take(arguments, {{"object"}}));
    self.list().items.push_back(std::move(values[0]));
    return Value::none();
}

Result<Value> list_extend(Vm& vm, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"iterable"}}));
    auto items = TRY(to_items(vm, values[0]));
    auto& own = self.list().items;
    own.insert(own.end(), items.begin(), items.end());
    return Value::none();
}

Result<Value> list_insert(Vm&, const Value& self, const Arguments& arguments) {
    auto values = TRY(take(arguments, {{"index"}, {"object"}}));
    auto& own = self.list().items;
    const auto size = static_cast<int64_t>(own.size());
    int64_t at = TRY(index_of(values[0]));
    at = std::clamp(at < 0 ? at + size : at, int64_t{0}, size);
    own.insert(own.begin() + at, std::move(values[1]));
    return Value::none();
}

Result<Value> list_pop(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"index", Value(-1)}}));
    auto& own = self.list().items;
    if (own.empty()) return template_error("pop from empty list");
    const auto size = static_cast<int64_t>(own.size());
    int64_t at = TRY(index_of(values[0]));
    if (at < 0) at += size;
    if (at < 0 || at >= size) return template_error("pop index out of range");
    Value popped = std::move(own[static_cast<size_t>(at)]);
    own.erase(own.begin() + at);
    return popped;
}

Result<Value> sequence_index(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"value"}, {"start", Value(0)}, {"stop", Value(INT64_MAX)}}));
    const auto size = static_cast<int64_t>(self.items().size());
    const auto settle = [&](int64_t bound) { return std::clamp(bound < 0 ? bound + size : bound, int64_t{0}, size); };
    const int64_t end = settle(TRY(index_of(values[2])));
    for (int64_t at = settle(TRY(index_of(values[1]))); at < end; ++at) {
        if (TRY(compare_equal(self.items()[static_cast<size_t>(at)], values[0]))) return Value(at);
    }
    return template_error(values[0].repr() + " is not in " + std::string(self.type_name()));
}

Result<Value> sequence_count(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"value"}}));
    int64_t count = 0;
    for (const Value& item : self.items()) count += TRY(compare_equal(item, values[0])) ? 1 : 0;
    return Value(count);
}

Result<Value> list_copy(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    return Value::list(self.items());
}

Result<Value> list_clear(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    self.list().items.clear();
    return Value::none();
}

Result<Value> list_remove(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"value"}}));
    auto& own = self.list().items;
    for (auto item = own.begin(); item != own.end(); ++item) {
        if (!TRY(compare_equal(*item, values[0]))) continue;
        own.erase(item);
        return Value::none();
    }
    return template_error("list.remove(x): x not in list");
}

Result<Value> list_reverse(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    std::reverse(self.list().items.begin(), self.list().items.end());
    return Value::none();
}

Result<Value> list_sort(Vm& vm, const Value& self, const Arguments& arguments) {
    if (!arguments.positional.empty()) return template_error("sort() takes no positional arguments");
    const auto values = TRY(take(arguments, {{"key", Value::none()}, {"reverse", Value(false)}}));
    std::vector<SortItem> items;
    for (const Value& item : self.list().items) {
        Value key = values[0].is_none() ? item : TRY(vm.call(values[0], Arguments{{&item, 1}, {}}));
        items.push_back({std::move(key), item});
    }
    TRY(sort_items(items, values[1].truth()));
    std::vector<Value> sorted;
    for (auto& item : items) sorted.push_back(std::move(item.value));
    self.list().items = std::move(sorted);
    return Value::none();
}

Result<Value> dict_get(Vm&, const Value& self, const Arguments& arguments) {
    if (!arguments.named.empty()) return template_error("dict.get() takes no keyword arguments");
    auto values = TRY(take(arguments, {{"key"}, {"default", Value::none()}}));
    if (!values[0].hash()) return unhashable(values[0]);
    const Value* found = self.dict().find(values[0]);
    return found == nullptr ? std::move(values[1]) : *found;
}

template <DictView kView>
Result<Value> dict_view(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    return make_dict_view(Ref<Dict>(&self.dict()), kView);
}

Result<Value> dict_update(Vm& vm, const Value& self, const Arguments& arguments) {
    if (arguments.positional.size() > 1) return template_error("update expected at most 1 argument");
    if (!arguments.positional.empty()) TRY(update_dict(vm, self.dict(), arguments.positional[0]));
    for (const auto& argument : arguments.named) self.dict().set(Value(argument.name), argument.value);
    return Value::none();
}

Result<Value> dict_pop(Vm&, const Value& self, const Arguments& arguments) {
    auto values = TRY(take(arguments, {{"key"}, {"default", Value()}}));
    if (!values[0].hash()) return unhashable(values[0]);
    if (const Value* found = self.dict().find(values[0]); found != nullptr) {
        Value popped = *found;
        self.dict().erase(values[0]);
        return popped;
    }
    if (arguments.positional.size() > 1) return std::move(values[1]);
    return template_error("there is no key " + values[0].repr() + " to pop");
}

Result<Value> dict_popitem(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    if (self.dict().size() == 0) return template_error("popitem(): dictionary is empty");
    const Dict::Entry last = self.dict().entries().back();
    self.dict().erase(last.key);
    return Value::tuple({last.key, last.value});
}

Result<Value> dict_setdefault(Vm&, const Value& self, const Arguments& arguments) {
    auto values = TRY(take(arguments, {{"key"}, {"default", Value::none()}}));
    if (!values[0].hash()) return unhashable(values[0]);
    if (const Value* found = self.dict().find(values[0]); found != nullptr) return *found;
    self.dict().set(values[0], values[1]);
    return std::move(values[1]);
}

Result<Value> dict_copy(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    auto copied = make<Dict>();
    for (const auto& entry : self.dict().entries()) copied->set(entry.key, entry.value);
    return Value(copied);
}

Result<Value> dict_clear(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    self.dict().clear();
    return Value::none();
}

Result<Value> set_add(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"element"}}));
    if (!values[0].hash()) return unhashable(values[0]);
    if (self.set().members.find(values[0]) == nullptr) self.set().members.set(values[0], Value::none());
    return Value::none();
}

Result<Value> set_discard(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"element"}}));
    if (!values[0].hash()) return unhashable(values[0]);
    self.set().members.erase(values[0]);
    return Value::none();
}

Result<Value> set_remove(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"element"}}));
    if (!values[0].hash()) return unhashable(values[0]);
    if (!self.set().members.erase(values[0])) return template_error("there is no " + values[0].repr() + " to remove");
    return Value::none();
}

enum class SetOperation : uint8_t { unite, intersect, subtract, update };

template <SetOperation kOperation>
Result<Value> set_combine(Vm& vm, const Value& self, const Arguments& arguments) {
    if (!arguments.named.empty()) return template_error("no keyword arguments are expected");
    auto made = kOperation == SetOperation::update ? Ref<Set>(&self.set()) : make<Set>();
    if (kOperation != SetOperation::update) {
        for (const auto& entry : self.set().members.entries()) made->members.set(entry.key, Value::none());
    }
    for (const Value& argument : arguments.positional) {
        auto other = make<Set>();
        for (const Value& item : TRY(to_items(vm, argument))) {
            if (!item.hash()) return unhashable(item);
            other->members.set(item, Value::none());
        }
        if (kOperation == SetOperation::unite || kOperation == SetOperation::update) {
            for (const auto& entry : other->members.entries()) {
                if (made->members.find(entry.key) == nullptr) made->members.set(entry.key, Value::none());
            }
            continue;
        }
        const auto before = made->members.entries();
        for (const auto& entry : before) {
            const bool is_in = other->members.find(entry.key) != nullptr;
            if (is_in != (kOperation == SetOperation::intersect)) made->members.erase(entry.key);
        }
    }
    return kOperation == SetOperation::update ? Value::none() : Value(made);
}

Result<Value> set_is_subset(Vm& vm, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"other"}}));
    for (const auto& entry : self.set().members.entries()) {
        if (!TRY(contains(vm, values[0], entry.key))) return Value(false);
    }
    return Value(true);
}

constexpr std::array kListMethods{
    Method{"append", list_append},   Method{"clear", list_clear},   Method{"copy", list_copy},
    Method{"count", sequence_count}, Method{"extend", list_extend}, Method{"index", sequence_index},
    Method{"insert", list_insert},   Method{"pop", list_pop},       Method{"remove", list_remove},
    Method{"reverse", list_reverse}, Method{"sort", list_sort},
};
constexpr std::array kTupleMethods{Method{"count", sequence_count}, Method{"index", sequence_index}};
constexpr std::array kDictMethods{
    Method{"clear", dict_clear},
    Method{"copy", dict_copy},
    Method{"get", dict_get},
    Method{"items", dict_view<DictView::items>},
    Method{"keys", dict_view<DictView::keys>},
    Method{"pop", dict_pop},
    Method{"popitem", dict_popitem},
    Method{"setdefault", dict_setdefault},
    Method{"update", dict_update},
    Method{"values", dict_view<DictView::values>},
};
constexpr std::array kSetMethods{
    Method{"add", set_add},
    Method{"difference", set_combine<SetOperation::subtract>},
    Method{"discard", set_discard},
    Method{"intersection", set_combine<SetOperation::intersect>},
    Method{"issubset", set_is_subset},
    Method{"remove", set_remove},
    Method{"union", set_combine<SetOperation::unite>},
    Method{"update", set_combine<SetOperation::update>},
};

std::span<const Method> methods_of(const Value& self) {
    switch (self.kind()) {
        case Kind::string: return string_methods();
        case Kind::list: return kListMethods;
        case Kind::tuple: return kTupleMethods;
        case Kind::dict: return kDictMethods;
        case Kind::set: return kSetMethods;
        default: return {};
    }
}

const Method* find_method(const Value& self, std::string_view name) {
    const auto methods = methods_of(self);
    const auto found =
        std::find_if(methods.begin(), methods.end(), [&](const Method& method) { return method.name == name; });
    return found == methods.end() ? nullptr : &*found;
}

}  // namespace

bool has_builtin_method(const Value& self, std::string_view name) { return find_method(self, name) != nullptr; }

Result<std::optional<Value>> call_builtin_method(Vm& vm, const Value& self, std::string_view name,
                                                 const Arguments& arguments) {
    const Method* const method = find_method(self, name);
    if (method == nullptr) return std::optional<Value>();
    return std::optional<Value>(TRY(method->run(vm, self, arguments)));
}

}  // namespace shaduf::jinja
