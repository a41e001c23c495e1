// Filters of sequences and mappings.

#include <algorithm>
#include <array>

#include "jinja/filters.h"
#include "jinja/iteration.h"
#include "jinja/operators.h"
#include "jinja/text_cases.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

using Values = std::vector<Value>;

Value ignoring_case(const Value& value) {
    return value.is_string() ? Value(map_case(value.string(), CaseMapping::lower)) : value;
}

enum class Case : uint8_t { kept, ignored };

// "a.b.0" of an item; None: the item itself.
class AttributeGetter {
public:
    AttributeGetter(const Value& attribute, Case letters, Value fallback = Value::none())
        : case_(letters), fallback_(std::move(fallback)) {
        if (attribute.is_none()) return;
        if (!attribute.is_string()) {
            parts_.push_back(attribute);
            return;
        }
        for (const auto part : split_text(attribute.string(), ".", -1)) {
            if (is_all_digit(part) && part.size() < 18) {
                parts_.emplace_back(static_cast<int64_t>(std::stoll(std::string(part))));
            } else {
                parts_.emplace_back(part);
            }
        }
    }

    Result<Value> get(Vm& vm, const Value& item) const {
        Value value = item;
        for (const Value& part : parts_) {
            value = TRY(vm.item(value, part));
            if (value.is_undefined() && !fallback_.is_none()) value = fallback_;
        }
        return case_ == Case::ignored ? ignoring_case(value) : value;
    }

private:
    Case case_;
    Value fallback_;
    Values parts_;
};

Case case_of(const Value& is_sensitive) { return is_sensitive.truth() ? Case::kept : Case::ignored; }

Result<Value> filter_list(Vm& vm, const Arguments& arguments) {
    return Value::list(TRY(to_items(vm, TRY(take_filter("do_list", arguments, {{"value"}}))[0])));
}

Result<Value> filter_length(Vm&, const Arguments& arguments) {
    const Value value = TRY(take_filter("len", arguments, {{"obj"}}))[0];
    if (value.is_undefined() && value.undefined_mode() == UndefinedMode::strict) return undefined_error(value);
    const auto length = length_of(value);
    if (!length) return template_error("object of type '" + std::string(value.type_name()) + "' has no len()");
    return Value(static_cast<int64_t>(*length));
}

Result<Value> filter_first(Vm& vm, const Arguments& arguments) {
    Items items = TRY(Items::over(vm, TRY(take_filter("do_first", arguments, {{"seq"}}))[0]));
    Value item;
    if (TRY(items.next(vm, item))) return item;
    return vm.make_undefined("No first item, sequence was empty.");
}

bool is_reversible(const Value& value) {
    switch (value.kind()) {
        case Kind::undefined:
        case Kind::string:
        case Kind::list:
        case Kind::tuple:
        case Kind::dict: return true;
        case Kind::object: return value.object().length().has_value();
        default: return false;
    }
}

Result<Value> filter_last(Vm& vm, const Arguments& arguments) {
    const Value value = TRY(take_filter("do_last", arguments, {{"seq"}}))[0];
    if (!is_reversible(value))
        return template_error("'" + std::string(value.type_name()) + "' object is not reversible");
    const Values items = TRY(to_items(vm, value));
    return items.empty() ? vm.make_undefined("No last item, sequence was empty.") : items.back();
}

Result<Value> filter_random(Vm& vm, const Arguments& arguments) {
    const Values items = TRY(to_items(vm, TRY(take_filter("do_random", arguments, {{"seq"}}))[0]));
    if (items.empty()) return vm.make_undefined("No random item, sequence was empty.");
    return items[vm.random() % items.size()];
}

Result<Value> filter_join(Vm& vm, const Arguments& arguments) {
    const auto values =
        TRY(take_filter("do_join", arguments, {{"value"}, {"d", Value("")}, {"attribute", Value::none()}}));
    const AttributeGetter getter(values[2], Case::kept);
    const std::string separator = TRY(checked_text(values[1]));
    Items items = TRY(Items::over(vm, values[0]));
    std::string out;
    bool is_first = true;
    Value item;
    while (TRY(items.next(vm, item))) {
        TRY(vm.charge(1));
        if (!std::exchange(is_first, false)) out += separator;
        out += TRY(checked_text(TRY(getter.get(vm, item))));
    }
    TRY(vm.charge(out.size() / 256));
    return Value(std::move(out));
}

Result<Value> filter_reverse(Vm& vm, const Arguments& arguments) {
    const Value value = TRY(take_filter("do_reverse", arguments, {{"value"}}))[0];
    if (value.is_string()) return slice_value(value, Value::none(), Value::none(), Value(-1));
    if (!is_iterable(vm, value)) return template_error("argument must be iterable");
    Values items = TRY(to_items(vm, value));
    std::reverse(items.begin(), items.end());
    return is_reversible(value) ? make_generator(std::move(items)) : Value::list(std::move(items));
}

Result<Value> filter_sort(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter(
        "do_sort", arguments,
        {{"value"}, {"reverse", Value(false)}, {"case_sensitive", Value(false)}, {"attribute", Value::none()}}));
    std::vector<AttributeGetter> getters;
    if (values[3].is_string()) {
        for (const auto part : split_text(values[3].string(), ",", -1)) {
            getters.emplace_back(Value(part), case_of(values[2]));
        }
    } else {
        getters.emplace_back(values[3], case_of(values[2]));
    }
    std::vector<SortItem> items;
    for (Value& item : TRY(to_items(vm, values[0]))) {
        // In a tuple, as keys that are equal need no order there.
        Values key;
        for (const auto& getter : getters) key.push_back(TRY(getter.get(vm, item)));
        items.push_back({Value::tuple(std::move(key)), std::move(item)});
    }
    TRY(sort_items(items, values[1].truth()));
    Values sorted;
    for (auto& item : items) sorted.push_back(std::move(item.value));
    return Value::list(std::move(sorted));
}

Result<Value> filter_dictsort(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(
        take_filter("do_dictsort", arguments,
                    {{"value"}, {"case_sensitive", Value(false)}, {"by", Value("key")}, {"reverse", Value(false)}}));
    const std::string by = values[2].text();
    if (by != "key" && by != "value") return template_error("You can only sort by either \"key\" or \"value\"");
    const Value pairs = TRY(vm.call(TRY(vm.attribute(values[0], "items")), Arguments{}));
    const AttributeGetter getter(Value(by == "key" ? 0 : 1), case_of(values[1]));
    std::vector<SortItem> items;
    for (Value& pair : TRY(to_items(vm, pairs))) items.push_back({TRY(getter.get(vm, pair)), std::move(pair)});
    TRY(sort_items(items, values[3].truth()));
    Values sorted;
    for (auto& item : items) sorted.push_back(std::move(item.value));
    return Value::list(std::move(sorted));
}

Result<Value> filter_items(Vm& vm, const Arguments& arguments) {
    const Value value = TRY(take_filter("do_items", arguments, {{"value"}}))[0];
    if (value.is_undefined()) return make_generator({});
    const bool is_mapping = value.kind() == Kind::dict ||
                            (value.kind() == Kind::object && value.object().shape() == Object::Shape::mapping);
    if (!is_mapping) return template_error("Can only get item pairs from a mapping.");
    return make_generator(TRY(to_items(vm, TRY(vm.call(TRY(vm.attribute(value, "items")), Arguments{})))));
}

Result<Value> filter_unique(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_unique", arguments,
                                        {{"value"}, {"case_sensitive", Value(false)}, {"attribute", Value::none()}}));
    const AttributeGetter getter(values[2], case_of(values[1]));
    Dict seen;
    Values unique;
    for (Value& item : TRY(to_items(vm, values[0]))) {
        Value key = TRY(getter.get(vm, item));
        if (!key.hash()) return template_error("unhashable type: '" + std::string(key.type_name()) + "'");
        if (seen.find(key) != nullptr) continue;
        seen.set(std::move(key), Value::none());
        unique.push_back(std::move(item));
    }
    return make_generator(std::move(unique));
}

template <Op kOp>
Result<Value> filter_extreme(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(
        take_filter("do_min", arguments, {{"value"}, {"case_sensitive", Value(false)}, {"attribute", Value::none()}}));
    const AttributeGetter getter(values[2], case_of(values[1]));
    const Values items = TRY(to_items(vm, values[0]));
    if (items.empty()) return vm.make_undefined("No aggregated item, sequence was empty.");
    size_t best = 0;
    Value best_key = TRY(getter.get(vm, items[0]));
    for (size_t i = 1; i < items.size(); ++i) {
        Value key = TRY(getter.get(vm, items[i]));
        if (!TRY(compare_order(kOp, key, best_key))) continue;
        best = i;
        best_key = std::move(key);
    }
    return items[best];
}

Result<Value> filter_sum(Vm& vm, const Arguments& arguments) {
    const auto values =
        TRY(take_filter("do_sum", arguments, {{"iterable"}, {"attribute", Value::none()}, {"start", Value(0)}}));
    if (values[2].is_string()) return template_error("sum() can't sum strings [use ''.join(seq) instead]");
    const AttributeGetter getter(values[1], Case::kept);
    Value sum = values[2];
    for (const Value& item : TRY(to_items(vm, values[0]))) {
        sum = TRY(apply_binary(Op::add, sum, TRY(getter.get(vm, item))));
        if (sum.kind() == Kind::list) TRY(vm.charge(sum.items().size()));
    }
    return sum;
}

Result<Value> filter_batch(Vm& vm, const Arguments& arguments) {
    const auto values =
        TRY(take_filter("do_batch", arguments, {{"value"}, {"linecount"}, {"fill_with", Value::none()}}));
    const int64_t size = TRY(filter_integer(values[1]));
    Values batches;
    Values batch;
    for (Value& item : TRY(to_items(vm, values[0]))) {
        if (static_cast<int64_t>(batch.size()) == size) batches.push_back(Value::list(std::exchange(batch, {})));
        batch.push_back(std::move(item));
    }
    if (!batch.empty()) {
        if (!values[2].is_none() && size > kWidthMax) return template_error("the batch is too big");
        while (!values[2].is_none() && static_cast<int64_t>(batch.size()) < size) batch.push_back(values[2]);
        batches.push_back(Value::list(std::move(batch)));
    }
    return make_generator(std::move(batches));
}

Result<Value> filter_slice(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_slice", arguments, {{"value"}, {"slices"}, {"fill_with", Value::none()}}));
    const Values items = TRY(to_items(vm, values[0]));
    const int64_t count = TRY(filter_integer(values[1]));
    if (count == 0) return template_error("integer division or modulo by zero");
    if (count > kWidthMax) return template_error("too many slices");
    Values slices;
    const auto size = static_cast<int64_t>(items.size());
    int64_t at = 0;
    for (int64_t i = 0; i < count; ++i) {
        const bool has_extra = i < size % count;
        const int64_t end = at + size / count + (has_extra ? 1 : 0);
        Values slice(items.begin() + at, items.begin() + end);
        if (!values[2].is_none() && !has_extra) slice.push_back(values[2]);
        slices.push_back(Value::list(std::move(slice)));
        at = end;
    }
    TRY(vm.charge(static_cast<uint64_t>(std::max<int64_t>(count, 0))));
    return make_generator(std::move(slices));
}

// (grouper, list) of groupby: a tuple whose parts have names.
class Group final : public Object {
public:
    Group(Value grouper, Value list) : tuple_(Value::tuple({std::move(grouper), std::move(list)})) {}
    std::string_view type_name() const override { return "_GroupTuple"; }
    Shape shape() const override { return Shape::sequence; }
    std::optional<size_t> length() const override { return 2; }
    std::string repr() const override { return tuple_.repr(); }
    bool equals_value(const Value& other) const override {
        if (const auto* group = other.object_as<Group>(); group != nullptr) return tuple_.equals(group->tuple_);
        return tuple_.equals(other);
    }
    Result<std::optional<Value>> attribute(Vm&, std::string_view name) const override {
        if (name == "grouper") return std::optional<Value>(tuple_.items()[0]);
        if (name == "list") return std::optional<Value>(tuple_.items()[1]);
        return std::optional<Value>();
    }
    Result<std::optional<Value>> item(Vm& vm, const Value& key) const override {
        if (key.kind() != Kind::integer) return std::optional<Value>();
        Value found = TRY(vm.item(tuple_, key));
        return found.is_undefined() ? std::optional<Value>() : std::optional<Value>(std::move(found));
    }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<Parts>(tuple_));
    }

private:
    class Parts final : public Iterator {
    public:
        explicit Parts(Value tuple) : tuple_(std::move(tuple)) {}
        Result<std::optional<Value>> next(Vm&) override {
            if (at_ >= 2) return std::optional<Value>();
            return std::optional<Value>(tuple_.items()[at_++]);
        }

    private:
        Value tuple_;
        size_t at_ = 0;
    };
    Value tuple_;
};

Result<Value> filter_groupby(Vm& vm, const Arguments& arguments) {
    const auto values =
        TRY(take_filter("do_groupby", arguments,
                        {{"value"}, {"attribute"}, {"default", Value::none()}, {"case_sensitive", Value(false)}}));
    const AttributeGetter getter(values[1], case_of(values[3]), values[2]);
    const AttributeGetter shown(values[1], Case::kept, values[2]);
    std::vector<SortItem> items;
    for (Value& item : TRY(to_items(vm, values[0]))) items.push_back({TRY(getter.get(vm, item)), std::move(item)});
    TRY(sort_items(items, false));
    Values groups;
    for (size_t begin = 0; begin < items.size();) {
        Values members;
        size_t end = begin;
        for (; end < items.size() && items[end].key.equals(items[begin].key); ++end)
            members.push_back(items[end].value);
        Value grouper = TRY(shown.get(vm, members[0]));
        groups.emplace_back(Ref<Object>(new Group(std::move(grouper), Value::list(std::move(members)))));
        begin = end;
    }
    return Value::list(std::move(groups));
}

Arguments rest_of(const Arguments& arguments, size_t from) {
    return Arguments{arguments.positional.subspan(std::min(from, arguments.positional.size())), arguments.named};
}

// Calls a filter or a test by its name, with the item before the arguments.
Values with_item(const Value& item, const Arguments& arguments) {
    Values all{item};
    all.insert(all.end(), arguments.positional.begin(), arguments.positional.end());
    return all;
}

Result<Value> map_attribute(Vm& vm, const Value& value, const Arguments& arguments) {
    Value fallback = Value::none();
    for (const auto& argument : arguments.named) {
        if (argument.name == "default") {
            fallback = argument.value;
        } else if (argument.name != "attribute") {
            return template_error("Unexpected keyword argument '" + std::string(argument.name) + "'");
        }
    }
    const AttributeGetter getter(*arguments.find("attribute"), Case::kept, fallback);
    Values mapped;
    for (const Value& item : TRY(to_items(vm, value))) mapped.push_back(TRY(getter.get(vm, item)));
    return make_generator(std::move(mapped));
}

Result<Value> filter_map(Vm& vm, const Arguments& arguments) {
    if (arguments.positional.empty()) return template_error("map requires a value");
    const Value& value = arguments.positional[0];
    if (!TRY(checked_truth(value))) return make_generator({});
    const Arguments rest = rest_of(arguments, 1);
    if (rest.positional.empty() && rest.find("attribute") != nullptr) return map_attribute(vm, value, rest);
    if (rest.positional.empty()) return template_error("map requires a filter argument");
    const std::string name = rest.positional[0].text();
    const Arguments given = rest_of(rest, 1);
    Values mapped;
    for (const Value& item : TRY(to_items(vm, value))) {
        const Values all = with_item(item, given);
        mapped.push_back(TRY(vm.filter(name, Arguments{all, given.named})));
    }
    return make_generator(std::move(mapped));
}

enum class Choice : uint8_t { select, reject };
enum class Subject : uint8_t { item, attribute };

template <Choice kChoice, Subject kSubject>
Result<Value> filter_select(Vm& vm, const Arguments& arguments) {
    if (arguments.positional.empty()) return template_error("a value is needed");
    const Value& value = arguments.positional[0];
    if (!TRY(checked_truth(value))) return make_generator({});
    constexpr size_t kOff = kSubject == Subject::attribute ? 1 : 0;
    const Arguments rest = rest_of(arguments, 1);
    if (rest.positional.size() < kOff) return template_error("Missing parameter for attribute name");
    const AttributeGetter getter(kOff == 1 ? rest.positional[0] : Value::none(), Case::kept);
    const bool has_test = rest.positional.size() > kOff;
    const std::string name = has_test ? rest.positional[kOff].text() : std::string();
    const Arguments given = rest_of(rest, kOff + 1);
    Values chosen;
    for (Value& item : TRY(to_items(vm, value))) {
        const Value subject = TRY(getter.get(vm, item));
        bool holds = false;
        if (has_test) {
            const Values all = with_item(subject, given);
            holds = TRY(vm.test(name, Arguments{all, given.named}));
        } else {
            holds = TRY(checked_truth(subject));
        }
        if (holds == (kChoice == Choice::select)) chosen.push_back(std::move(item));
    }
    return make_generator(std::move(chosen));
}

constexpr std::array kFilters{
    Builtin{"batch", filter_batch},
    Builtin{"count", filter_length},
    Builtin{"dictsort", filter_dictsort},
    Builtin{"first", filter_first},
    Builtin{"groupby", filter_groupby},
    Builtin{"items", filter_items},
    Builtin{"join", filter_join},
    Builtin{"last", filter_last},
    Builtin{"length", filter_length},
    Builtin{"list", filter_list},
    Builtin{"map", filter_map},
    Builtin{"max", filter_extreme<Op::gt>},
    Builtin{"min", filter_extreme<Op::lt>},
    Builtin{"random", filter_random},
    Builtin{"reject", filter_select<Choice::reject, Subject::item>},
    Builtin{"rejectattr", filter_select<Choice::reject, Subject::attribute>},
    Builtin{"reverse", filter_reverse},
    Builtin{"select", filter_select<Choice::select, Subject::item>},
    Builtin{"selectattr", filter_select<Choice::select, Subject::attribute>},
    Builtin{"slice", filter_slice},
    Builtin{"sort", filter_sort},
    Builtin{"sum", filter_sum},
    Builtin{"unique", filter_unique},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kFilters; }

}  // namespace shaduf::jinja
