#include "jinja/value.h"

#include <cmath>
#include <functional>

#include "base/assert.h"
#include "jinja/boxes.h"
#include "jinja/object.h"

namespace shaduf::jinja {

Value::Value(Kind kind, const Counted* shared) : kind_(kind), shared_(shared) {
    if (shared_ != nullptr) shared_->references_.fetch_add(1, std::memory_order_relaxed);
}
Value::Value(bool boolean) : kind_(Kind::boolean), boolean_(boolean) {}
Value::Value(int64_t integer) : kind_(Kind::integer), integer_(integer) {}
Value::Value(double floating) : kind_(Kind::floating), floating_(floating) {}
Value::Value(std::string text) : Value(Kind::string, make<TextBox>(std::move(text), false).get()) {}
Value::Value(std::string_view text) : Value(std::string(text)) {}
Value::Value(Ref<List> list) : Value(Kind::list, list.get()) {}
Value::Value(Ref<Dict> dict) : Value(Kind::dict, dict.get()) {}
Value::Value(Ref<Set> set) : Value(Kind::set, set.get()) {}
Value::Value(Ref<Object> object) : Value(Kind::object, object.get()) {}

Value Value::undefined(UndefinedMode mode, std::string missing) {
    return Value(Kind::undefined, make<MissingBox>(mode, std::move(missing), true).get());
}
Value Value::undefined_because(UndefinedMode mode, std::string message) {
    return Value(Kind::undefined, make<MissingBox>(mode, std::move(message), false).get());
}
Value Value::none() {
    Value value;
    value.kind_ = Kind::none;
    return value;
}
Value Value::list(std::vector<Value> items) { return Value(make<List>(std::move(items))); }
Value Value::tuple(std::vector<Value> items) { return Value(Kind::tuple, make<TupleBox>(std::move(items)).get()); }
Value Value::markup(std::string text) { return Value(Kind::string, make<TextBox>(std::move(text), true).get()); }

Value::Value(const Value& other) : kind_(other.kind_), integer_(other.integer_) {
    if (is_shared() && shared_ != nullptr) shared_->references_.fetch_add(1, std::memory_order_relaxed);
}
Value::Value(Value&& other) noexcept : kind_(other.kind_), integer_(other.integer_) {
    other.kind_ = Kind::undefined;
    other.shared_ = nullptr;
}
Value& Value::operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(integer_, other.integer_);
    return *this;
}
Value::~Value() {
    if (is_shared() && shared_ != nullptr) release();
}

namespace {

// Values may be nested as deep as a template likes: what lies deeper than this goes away one after the other.
constexpr int kNestedMax = 200;
constinit thread_local int releasing = 0;

std::vector<const Counted*>& pending_releases() {
    thread_local std::vector<const Counted*> pending;
    return pending;
}

}  // namespace

void Value::release() const {
    if (shared_->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (releasing >= kNestedMax) {
        pending_releases().push_back(shared_);
        return;
    }
    ++releasing;
    delete shared_;
    while (releasing == 1 && !pending_releases().empty()) {
        const Counted* next = pending_releases().back();
        pending_releases().pop_back();
        delete next;
    }
    --releasing;
}

bool Value::boolean() const {
    SHADUF_ASSERT(kind_ == Kind::boolean);
    return boolean_;
}
int64_t Value::integer() const {
    SHADUF_ASSERT(kind_ == Kind::integer);
    return integer_;
}
double Value::floating() const {
    SHADUF_ASSERT(kind_ == Kind::floating);
    return floating_;
}
double Value::number() const {
    SHADUF_ASSERT(is_number());
    return kind_ == Kind::floating ? floating_ : static_cast<double>(whole());
}
const std::string& Value::string() const {
    SHADUF_ASSERT(kind_ == Kind::string);
    return static_cast<const TextBox*>(shared_)->text;
}
bool Value::is_markup() const { return kind_ == Kind::string && static_cast<const TextBox*>(shared_)->is_markup; }
List& Value::list() const {
    SHADUF_ASSERT(kind_ == Kind::list);
    return *static_cast<List*>(const_cast<Counted*>(shared_));
}
const std::vector<Value>& Value::items() const {
    SHADUF_ASSERT(kind_ == Kind::list || kind_ == Kind::tuple);
    return kind_ == Kind::list ? list().items : static_cast<const TupleBox*>(shared_)->items;
}
Dict& Value::dict() const {
    SHADUF_ASSERT(kind_ == Kind::dict);
    return *static_cast<Dict*>(const_cast<Counted*>(shared_));
}
Set& Value::set() const {
    SHADUF_ASSERT(kind_ == Kind::set);
    return *static_cast<Set*>(const_cast<Counted*>(shared_));
}
Object& Value::object() const {
    SHADUF_ASSERT(kind_ == Kind::object);
    return *static_cast<Object*>(const_cast<Counted*>(shared_));
}
UndefinedMode Value::undefined_mode() const {
    const auto* box = is_undefined() ? static_cast<const MissingBox*>(shared_) : nullptr;
    return box == nullptr ? UndefinedMode::plain : box->mode;
}
std::string_view Value::missing() const {
    const auto* box = is_undefined() ? static_cast<const MissingBox*>(shared_) : nullptr;
    return box == nullptr ? std::string_view() : box->text;
}
std::string Value::undefined_message() const {
    const auto* box = is_undefined() ? static_cast<const MissingBox*>(shared_) : nullptr;
    if (box == nullptr) return "the value is undefined";
    return box->is_name ? "'" + box->text + "' is undefined" : box->text;
}

std::string_view Value::type_name() const {
    switch (kind_) {
        case Kind::undefined: return "Undefined";
        case Kind::none: return "NoneType";
        case Kind::boolean: return "bool";
        case Kind::integer: return "int";
        case Kind::floating: return "float";
        case Kind::string: return is_markup() ? "Markup" : "str";
        case Kind::list: return "list";
        case Kind::tuple: return "tuple";
        case Kind::dict: return "dict";
        case Kind::set: return "set";
        case Kind::object: return object().type_name();
    }
    return "object";
}

bool Value::truth() const {
    switch (kind_) {
        case Kind::undefined:
        case Kind::none: return false;
        case Kind::boolean: return boolean_;
        case Kind::integer: return integer_ != 0;
        case Kind::floating: return floating_ != 0;
        case Kind::string: return !string().empty();
        case Kind::list:
        case Kind::tuple: return !items().empty();
        case Kind::dict: return dict().size() != 0;
        case Kind::set: return set().members.size() != 0;
        case Kind::object: return object().truth();
    }
    return false;
}

namespace {

// A comparison or a hash of values that hold each other, or the same ones again and again, ends: what lies deeper, or
// comes after that much work, is different.
constexpr uint64_t kWorkMax = 20'000'000;
constinit thread_local int comparing = 0;
constinit thread_local uint64_t compared = 0;

class Comparison {
public:
    Comparison() {
        if (comparing++ == 0) compared = 0;
        ++compared;
    }
    ~Comparison() { --comparing; }
    Comparison(const Comparison&) = delete;
    Comparison& operator=(const Comparison&) = delete;
    bool is_too_much() const { return comparing > kNestedMax || compared > kWorkMax; }
};

bool equal_items(const std::vector<Value>& a, const std::vector<Value>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
        if (!a[i].equals(b[i])) return false;
    }
    return true;
}

bool equal_entries(const Dict& a, const Dict& b) {
    if (a.size() != b.size()) return false;
    for (const auto& entry : a.entries()) {
        const Value* other = b.find(entry.key);
        if (other == nullptr || !entry.value.equals(*other)) return false;
    }
    return true;
}

bool equal_numbers(const Value& a, const Value& b) {
    if (a.kind() != Kind::floating && b.kind() != Kind::floating) return a.whole() == b.whole();
    return a.number() == b.number();
}

size_t mix(size_t seed, size_t hash) { return seed ^ (hash + 0x9E3779B97F4A7C15ULL + (seed << 6U) + (seed >> 2U)); }

size_t hash_of_number(double number) {
    constexpr double kWhole = 9.2e18;
    if (std::floor(number) == number && std::fabs(number) < kWhole) {
        return std::hash<int64_t>()(static_cast<int64_t>(number));
    }
    return std::hash<double>()(number);
}

}  // namespace

bool Value::equals(const Value& other) const {
    if (is_number() && other.is_number()) return equal_numbers(*this, other);
    if (kind_ == Kind::object) return object().equals_value(other);
    if (other.kind_ == Kind::object) return other.object().equals_value(*this);
    if (kind_ != other.kind_) return false;
    if (kind_ == Kind::string) return string() == other.string();
    const Comparison comparison;
    if (comparison.is_too_much()) return false;
    switch (kind_) {
        case Kind::list:
        case Kind::tuple: return shared_ == other.shared_ || equal_items(items(), other.items());
        case Kind::dict: return shared_ == other.shared_ || equal_entries(dict(), other.dict());
        case Kind::set: return equal_entries(set().members, other.set().members);
        default: return true;  // undefined, none
    }
}

bool Value::is_same(const Value& other) const {
    if (kind_ != other.kind_) return false;
    switch (kind_) {
        case Kind::none: return true;
        case Kind::boolean: return boolean_ == other.boolean_;
        case Kind::integer: return integer_ == other.integer_;
        case Kind::floating: return floating_ == other.floating_;
        case Kind::string: return string() == other.string();
        default: return shared_ == other.shared_;
    }
}

std::optional<size_t> Value::hash() const {
    switch (kind_) {
        case Kind::undefined: return 1;
        case Kind::none: return 2;
        case Kind::boolean:
        case Kind::integer: return std::hash<int64_t>()(whole());
        case Kind::floating: return hash_of_number(floating_);
        case Kind::string: return std::hash<std::string_view>()(string());
        case Kind::object: return object().is_hashable() ? std::optional(object().hash()) : std::nullopt;
        case Kind::tuple: {
            size_t seed = items().size();
            const Comparison comparison;
            if (comparison.is_too_much()) return seed;
            for (const Value& item : items()) {
                const auto hash = item.hash();
                if (!hash) return std::nullopt;
                seed = mix(seed, *hash);
            }
            return seed;
        }
        default: return std::nullopt;
    }
}

}  // namespace shaduf::jinja
