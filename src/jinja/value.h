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
    T* object_as() const;  // nullptr: no object, or of another class
    UndefinedMode undefined_mode() const;
    std::string_view missing() const;

    // The name of the type as Python has it: "str", "int", "NoneType", "dict", an Object's own.
    std::string_view type_name() const;
    // Python's bool(x), str(x) and repr(x). Undefined is false and "".
    bool truth() const;
    std::string text() const;
    std::string repr() const;
    void append_text(std::string& out) const;
    // Python's ==: 1 == 1.0 == True, tuples are no lists.
    bool equals(const Value& other) const;
    // Python's hash for a key of a dict. nullopt: unhashable (list, dict, set).
    std::optional<size_t> hash() const;

private:
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
    std::vector<Entry> entries_;
    std::vector<uint32_t> slots_;  // of a hash table over entries_, when there are more than a few
};

}  // namespace shaduf::jinja
