#include "jinja/iteration.h"

#include <algorithm>

#include "jinja/operators.h"
#include "jinja/unicode.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

class ItemsIterator final : public Iterator {
public:
    ItemsIterator(const std::vector<Value>& items, size_t& at) : items_(items), at_(at) {}
    Result<std::optional<Value>> next(Vm&) override {
        if (at_ >= items_.size()) return std::optional<Value>();
        return std::optional<Value>(items_[at_++]);
    }

private:
    const std::vector<Value>& items_;
    size_t& at_;
};

class Generator final : public Object {
public:
    explicit Generator(std::vector<Value> items) : items_(std::move(items)) {}
    std::string_view type_name() const override { return "generator"; }
    bool truth() const override { return true; }
    std::string repr() const override { return "<generator object>"; }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<ItemsIterator>(items_, at_));
    }

private:
    const std::vector<Value> items_;
    mutable size_t at_ = 0;
};

class ViewIterator final : public Iterator {
public:
    ViewIterator(Ref<Dict> dict, DictView view) : dict_(std::move(dict)), view_(view), size_(dict_->size()) {}
    Result<std::optional<Value>> next(Vm&) override {
        if (dict_->size() != size_) return template_error("dictionary changed size during iteration");
        if (at_ >= size_) return std::optional<Value>();
        const auto& entry = dict_->entries()[at_++];
        switch (view_) {
            case DictView::keys: return std::optional<Value>(entry.key);
            case DictView::values: return std::optional<Value>(entry.value);
            case DictView::items: break;
        }
        return std::optional<Value>(Value::tuple({entry.key, entry.value}));
    }

private:
    Ref<Dict> dict_;
    DictView view_;
    size_t size_;
    size_t at_ = 0;
};

class View final : public Object {
public:
    View(Ref<Dict> dict, DictView view) : dict_(std::move(dict)), view_(view) {}
    std::string_view type_name() const override {
        switch (view_) {
            case DictView::keys: return "dict_keys";
            case DictView::values: return "dict_values";
            case DictView::items: break;
        }
        return "dict_items";
    }
    std::optional<size_t> length() const override { return dict_->size(); }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<ViewIterator>(dict_, view_));
    }
    std::string repr() const override { return std::string(type_name()) + "(" + Value::list(items()).repr() + ")"; }
    // Keys and items are like sets.
    bool is_hashable() const override { return view_ == DictView::values; }
    Result<std::optional<Value>> arithmetic(std::string_view symbol, const Value& other, bool is_left) const override {
        if (symbol != "-" || view_ == DictView::values) return std::optional<Value>();
        const std::vector<Value> others = TRY(items_of(other));
        const std::vector<Value> own = items();
        const auto& from = is_left ? own : others;
        const auto& without = is_left ? others : own;
        for (const auto* items : {&from, &without}) {
            for (const Value& item : *items) {
                if (!item.hash()) return template_error("unhashable type: '" + std::string(item.type_name()) + "'");
            }
        }
        auto left = make<Set>();
        for (const Value& item : from) left->members.set(item, Value::none());
        for (const Value& item : without) left->members.erase(item);
        return std::optional(Value(left));
    }

private:
    std::vector<Value> items() const {
        std::vector<Value> items;
        for (const auto& entry : dict_->entries()) {
            items.push_back(view_ == DictView::keys     ? entry.key
                            : view_ == DictView::values ? entry.value
                                                        : Value::tuple({entry.key, entry.value}));
        }
        return items;
    }
    // Of what needs no template to be run through.
    static Result<std::vector<Value>> items_of(const Value& value) {
        if (const auto* view = value.object_as<View>()) return view->items();
        std::vector<Value> items;
        switch (value.kind()) {
            case Kind::list:
            case Kind::tuple: return value.items();
            case Kind::string:
                each_code_point(value.string(), [&](std::string_view point, char32_t) { items.emplace_back(point); });
                return items;
            case Kind::dict:
            case Kind::set: {
                const Dict& dict = value.kind() == Kind::dict ? value.dict() : value.set().members;
                for (const auto& entry : dict.entries()) items.push_back(entry.key);
                return items;
            }
            case Kind::undefined: return undefined_error(value);
            default: return template_error("'" + std::string(value.type_name()) + "' object is not iterable");
        }
    }

    Ref<Dict> dict_;
    DictView view_;
};

class RangeIterator final : public Iterator {
public:
    RangeIterator(int64_t begin, size_t count, int64_t step) : at_(begin), left_(count), step_(step) {}
    Result<std::optional<Value>> next(Vm&) override {
        if (left_ == 0) return std::optional<Value>();
        const int64_t value = at_;
        if (--left_ > 0) at_ += step_;
        return std::optional<Value>(Value(value));
    }

private:
    int64_t at_;
    size_t left_;
    int64_t step_;
};

class Range final : public Object {
public:
    Range(int64_t begin, int64_t end, int64_t step) : begin_(begin), end_(end), step_(step) {
        // Differences of any two numbers of 64 bits fit when they are unsigned.
        const auto low = static_cast<uint64_t>(step > 0 ? begin : end);
        const auto high = static_cast<uint64_t>(step > 0 ? end : begin);
        const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
        const bool is_empty = step > 0 ? begin >= end : begin <= end;
        count_ = is_empty ? 0 : (high - low - 1) / stride + 1;
    }
    std::string_view type_name() const override { return "range"; }
    std::optional<size_t> length() const override { return count_; }
    Shape shape() const override { return Shape::sequence; }
    std::string repr() const override {
        std::string text = "range(" + std::to_string(begin_) + ", " + std::to_string(end_);
        if (step_ != 1) text += ", " + std::to_string(step_);
        return text + ")";
    }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<RangeIterator>(begin_, count_, step_));
    }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override {
        if (key.kind() != Kind::integer && key.kind() != Kind::boolean) return std::optional<Value>();
        const auto size = static_cast<int64_t>(count_);
        const int64_t index = key.whole() < 0 ? key.whole() + size : key.whole();
        if (index < 0 || index >= size) return std::optional<Value>();
        return std::optional<Value>(Value(begin_ + index * step_));
    }
    Result<std::optional<bool>> contains(Vm&, const Value& value) const override {
        if (!value.is_number()) return std::optional<bool>(false);
        const double number = value.number();
        if (number != static_cast<double>(static_cast<int64_t>(number))) return std::optional<bool>(false);
        const auto whole = static_cast<int64_t>(number);
        const bool is_within = step_ > 0 ? whole >= begin_ && whole < end_ : whole <= begin_ && whole > end_;
        return std::optional<bool>(is_within && (whole - begin_) % step_ == 0);
    }
    bool equals(const Object& other) const override {
        const auto* range = dynamic_cast<const Range*>(&other);
        if (range == nullptr || range->count_ != count_) return false;
        return count_ == 0 || (range->begin_ == begin_ && (count_ == 1 || range->step_ == step_));
    }

private:
    int64_t begin_;
    int64_t end_;
    int64_t step_;
    size_t count_;
};

Error not_iterable(const Value& value) {
    return template_error("'" + std::string(value.type_name()) + "' object is not iterable");
}

}  // namespace

Value make_generator(std::vector<Value> items) { return Value(Ref<Object>(new Generator(std::move(items)))); }
Value make_dict_view(Ref<Dict> dict, DictView view) { return Value(Ref<Object>(new View(std::move(dict), view))); }
Value make_range(int64_t begin, int64_t end, int64_t step) { return Value(Ref<Object>(new Range(begin, end, step))); }

Result<Items> Items::over(Vm& vm, const Value& value) {
    switch (value.kind()) {
        case Kind::undefined:
            if (value.undefined_mode() == UndefinedMode::strict) return undefined_error(value);
            return Items(Value::tuple({}));
        case Kind::string:
        case Kind::list:
        case Kind::tuple: return Items(value);
        case Kind::dict:
        case Kind::set: {
            Items items(value);
            items.size_ = value.kind() == Kind::dict ? value.dict().size() : value.set().members.size();
            return items;
        }
        case Kind::object: {
            auto iterator = TRY(value.object().iterate(vm));
            if (iterator == nullptr) return not_iterable(value);
            Items items(std::move(iterator));
            items.of_ = value;
            return items;
        }
        default: return not_iterable(value);
    }
}

Result<bool> Items::next_of_dict(const Dict& dict, Value& item) {
    if (dict.size() != size_) return template_error("dictionary changed size during iteration");
    if (at_ >= size_) return false;
    item = dict.entries()[at_++].key;
    return true;
}

Result<bool> Items::next(Vm& vm, Value& item) {
    if (iterator_ != nullptr) {
        auto found = TRY(iterator_->next(vm));
        if (!found) return false;
        item = std::move(*found);
        return true;
    }
    switch (of_.kind()) {
        case Kind::list:
        case Kind::tuple:
            if (at_ >= of_.items().size()) return false;
            item = of_.items()[at_++];
            return true;
        case Kind::string: {
            const std::string& text = of_.string();
            if (at_ >= text.size()) return false;
            const size_t size = code_point_size(text, at_);
            item = Value(std::string_view(text).substr(at_, size));
            at_ += size;
            return true;
        }
        case Kind::dict: return next_of_dict(of_.dict(), item);
        case Kind::set: return next_of_dict(of_.set().members, item);
        default: return false;
    }
}

std::optional<size_t> Items::length() const { return of_.is_missing() ? std::nullopt : length_of(of_); }

std::optional<size_t> length_of(const Value& value) {
    switch (value.kind()) {
        case Kind::undefined: return 0;
        case Kind::string: return count_code_points(value.string());
        case Kind::list:
        case Kind::tuple: return value.items().size();
        case Kind::dict: return value.dict().size();
        case Kind::set: return value.set().members.size();
        case Kind::object: return value.object().length();
        default: return std::nullopt;
    }
}

Result<std::vector<Value>> to_items(Vm& vm, const Value& value) {
    if (value.kind() == Kind::list || value.kind() == Kind::tuple) {
        TRY(vm.charge(value.items().size()));
        return value.items();
    }
    Items items = TRY(Items::over(vm, value));
    std::vector<Value> all;
    Value item;
    while (TRY(items.next(vm, item))) {
        TRY(vm.charge(1));
        all.push_back(std::move(item));
    }
    return all;
}

bool is_iterable(Vm& vm, const Value& value) { return Items::over(vm, value).ok(); }

Result<bool> contains(Vm& vm, const Value& container, const Value& item) {
    if (item.is_undefined() && item.undefined_mode() == UndefinedMode::strict) {
        const bool hashes = container.kind() == Kind::dict || container.kind() == Kind::set;
        if (hashes || length_of(container).value_or(1) > 0) return undefined_error(item);
    }
    switch (container.kind()) {
        case Kind::string:
            if (item.is_string()) return container.string().find(item.string()) != std::string::npos;
            if (item.is_undefined()) return undefined_error(item);
            return template_error("'in <string>' requires string as left operand, not " +
                                  std::string(item.type_name()));
        case Kind::dict:
        case Kind::set: {
            if (!item.hash()) return template_error("unhashable type: '" + std::string(item.type_name()) + "'");
            const Dict& dict = container.kind() == Kind::dict ? container.dict() : container.set().members;
            return dict.find(item) != nullptr;
        }
        case Kind::list:
        case Kind::tuple:
            for (const Value& other : container.items()) {
                if (TRY(compare_equal(other, item))) return true;
            }
            return false;
        case Kind::object: {
            const auto known = TRY(container.object().contains(vm, item));
            if (known) return *known;
            break;
        }
        case Kind::undefined: break;
        default: return template_error("argument of type '" + std::string(container.type_name()) + "' is not iterable");
    }
    auto items = Items::over(vm, container);
    if (!items.ok()) {
        if (container.is_undefined()) return items.release_error();
        return template_error("argument of type '" + std::string(container.type_name()) + "' is not iterable");
    }
    Items iterated = items.release_value();
    Value other;
    while (TRY(iterated.next(vm, other))) {
        TRY(vm.charge(1));
        if (other.equals(item)) return true;
    }
    return false;
}

}  // namespace shaduf::jinja
