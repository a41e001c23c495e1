#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Values of templates, with the semantics of Python's types of the same names. Lists, dicts and sets are shared by
// reference and may change; all else is immutable. Counted by atomics, so values may cross threads; but a list, dict or
// set may be changed only while one thread has it: what threads share is immutable, or an Object that guards itself.
namespace shaduf::jinja {

class Dict;
class List;
class Object;
class Set;

enum class Kind : uint8_t { undefined, none, boolean, integer, floating, string, list, tuple, dict, set, object };

class Counted {
public:
    Counted() = default;
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    virtual ~Counted() = default;

private:
    template <typename T>
    friend class Ref;
    friend class Value;
    mutable std::atomic<uint32_t> references_ = 0;
};

// An owner among several, of a Counted.
template <typename T>
class Ref {
public:
    Ref() = default;
    explicit Ref(T* target) : target_(target) { retain(); }
    Ref(const Ref& other) : target_(other.target_) { retain(); }
    Ref(Ref&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(target_, other.target_);
        return *this;
    }
    ~Ref() {
        if (target_ != nullptr && target_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete target_;
    }
    T* get() const { return target_; }
    T* operator->() const { return target_; }
    T& operator*() const { return *target_; }
    explicit operator bool() const { return target_ != nullptr; }
    // Whether there are other owners. REQUIRES: one target
    bool is_shared() const { return target_->references_.load(std::memory_order_acquire) > 1; }

private:
    void retain() const {
        if (target_ != nullptr) target_->references_.fetch_add(1, std::memory_order_relaxed);
    }
    T* target_ = nullptr;
};

template <typename T, typename... Arguments>
Ref<T> make(Arguments&&... arguments) {
    return Ref<T>(new T(std::forward<Arguments>(arguments)...));
}

// How an undefined value behaves when a template goes on with it.
enum class UndefinedMode : uint8_t {
    plain,      // prints as nothing, is false, has no items; its attributes, items, calls and arithmetic are errors
    chainable,  // its attributes and items are undefined as well
    silent,     // chainable, and a call of it gives undefined, too
    strict,     // any use but `is defined` is an error
};

// 16 bytes; cheap to copy and to move.
class Value {
public:
    Value() = default;  // undefined, without a name
    // `missing` says what is: "'x' is undefined" is made of it when it is used.
    static Value undefined(UndefinedMode mode, std::string missing);
    // Undefined for another reason than a missing name: the whole message, as "'dict object' has no attribute 'x'".
    static Value undefined_because(UndefinedMode mode, std::string message);
    static Value none();
    Value(bool boolean);
    Value(int integer) : Value(static_cast<int64_t>(integer)) {}
    Value(int64_t integer);
    Value(double floating);
    Value(std::string text);
    Value(std::string_view text);
    Value(const char* text) : Value(std::string_view(text)) {}
    Value(Ref<List> list);
    Value(Ref<Dict> dict);
    Value(Ref<Set> set);
    Value(Ref<Object> object);
    // A pointer would otherwise become a bool.
    template <typename T>
    Value(T*) = delete;
    static Value list(std::vector<Value> items);
    static Value tuple(std::vector<Value> items);
    // Text that is escaped already: a string in all else (Markup of Python).
    static Value markup(std::string text);

    Value(const Value& other);
    Value(Value&& other) noexcept;
    Value& operator=(Value other) noexcept;
    ~Value();

    Kind kind() const { return kind_; }
    bool is_undefined() const { return kind_ == Kind::undefined; }
    bool is_none() const { return kind_ == Kind::none; }
    bool is_string() const { return kind_ == Kind::string; }

    // REQUIRES: of that kind
    bool boolean() const;
    int64_t integer() const;
    double floating() const;
    const std::string& string() const;
    List& list() const;                       // of a list
    const std::vector<Value>& items() const;  // of a list or a tuple
    Dict& dict() const;
    Set& set() const;
    Object& object() const;
    template <typename T>
    T* object_as() const;    // nullptr: no object, or of another class
    bool is_markup() const;  // false of all but strings made by `markup`
    UndefinedMode undefined_mode() const;
    std::string_view missing() const;
    std::string undefined_message() const;  // "'x' is undefined"
    bool is_number() const { return kind_ == Kind::integer || kind_ == Kind::floating || kind_ == Kind::boolean; }
    // An integer or a boolean, as a number. REQUIRES: one of them
    int64_t whole() const { return kind_ == Kind::boolean ? int64_t{boolean_} : integer_; }
    // REQUIRES: is_number()
    double number() const;
    // Python's `is`: the same object, or equal and of a kind that is a value.
    bool is_same(const Value& other) const;
    // Undefined without a name: what a slot holds that was never set.
    bool is_missing() const { return kind_ == Kind::undefined && shared_ == nullptr; }

    // The name of the type as Python has it: "str", "int", "NoneType", "dict", an Object's own.
    std::string_view type_name() const;
    // Python's bool(x), str(x) and repr(x). Undefined is false and "".
    bool truth() const;
    std::string text() const;
    std::string repr() const;
    void append_text(std::string& out) const;
    void append_repr(std::string& out) const;
    // Python's ==: 1 == 1.0 == True, tuples are no lists.
    bool equals(const Value& other) const;
    // Python's hash for a key of a dict. nullopt: unhashable (list, dict, set).
    std::optional<size_t> hash() const;

private:
    Value(Kind kind, const Counted* shared);
    bool is_shared() const { return kind_ == Kind::undefined || kind_ >= Kind::string; }
    void release() const;

    Kind kind_ = Kind::undefined;
    union {
        bool boolean_;
        int64_t integer_;
        double floating_;
        const Counted* shared_ = nullptr;
    };
};

class List final : public Counted {
public:
    List() = default;
    explicit List(std::vector<Value> values) : items(std::move(values)) {}
    std::vector<Value> items;
};

// Keys in the order in which they came.
class Dict final : public Counted {
public:
    struct Entry {
        Value key;
        Value value;
    };
    Dict();
    ~Dict() override;

    // REQUIRES (all): the key is hashable
    const Value* find(const Value& key) const;
    const Value* find(std::string_view key) const;
    const Value* find(const char* key) const { return find(std::string_view(key)); }
    const Value* find(const std::string& key) const { return find(std::string_view(key)); }
    void set(Value key, Value value);
    bool erase(const Value& key);
    size_t size() const;
    // Stays until the dict is changed.
    const std::vector<Entry>& entries() const;
    void clear();

private:
    static constexpr uint32_t kEmpty = 0;
    size_t position_of(const Value& key) const;
    size_t position_of(std::string_view key) const;
    template <typename Equal>
    size_t position_by(size_t hash, const Equal& is_equal) const;
    void insert_slot(size_t hash, uint32_t position);
    void rebuild();

    std::vector<Entry> entries_;
    std::vector<uint32_t> slots_;  // of a hash table over entries_, when there are more than a few: position + 1
};

// Members in the order in which they came.
class Set final : public Counted {
public:
    Dict members;  // each its own key; the values are none
};

}  // namespace shaduf::jinja
