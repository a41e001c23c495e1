#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/object.h"
#include "jinja/template.h"
#include "jinja/value.h"

namespace shaduf {
class Cancellation;
}

namespace shaduf::jinja {

class Machine;

// What names mean that a template has not set itself. Outlives the rendering. Filters, tests and the language's own
// globals (range, dict, namespace, ...) are found behind it.
class Scope {
public:
    virtual ~Scope() = default;
    // nullopt: undefined
    virtual Result<std::optional<Value>> find(Vm& vm, std::string_view name) const = 0;
};

// What a template may use at most; an error of kind invalid_config says which one was reached, and where.
struct Limits {
    uint64_t steps_max = 100'000'000;  // instructions, and items made by built-in functions
    uint32_t depth_max = 200;          // macros within macros
    uint64_t output_bytes_max = 256ULL << 20U;
};

struct VmOptions {
    Limits limits = {};
    UndefinedMode undefined = UndefinedMode::plain;
    // Filters of the host, beside the built-in ones: called with the value first.
    std::vector<std::pair<std::string, Value>> filters = {};
    std::vector<std::pair<std::string, Value>> tests = {};
    uint64_t random_seed = 1;  // of the filter `random`
};

// A call that is on its way; the innermost stands last.
struct Frame {
    std::string_view template_name;
    std::string_view macro;  // "": the template itself
    Span span;               // of what is being run
};

// Runs templates and macros. One thread; outlived by what it runs and by the scopes. May be used again after an error.
// Errors: kind invalid_config (or the host's own), place with template, line and column, and the chain of macro calls,
// "in macro x (macros/x.sql:3:5)", as causes.
class Vm {
public:
    explicit Vm(const VmOptions& options, const Cancellation* cancellation = nullptr);
    ~Vm();
    Vm(const Vm&) = delete;
    Vm& operator=(const Vm&) = delete;

    Result<std::string> render(const Template& source, const Scope& scope);
    // Renders; where the whole text is one {{ expression }}, its value as it is, else the text.
    Result<Value> render_value(const Template& source, const Scope& scope);
    // Calls a definition of `source` against `scope`. What it gives is its text, unless `return_value` was called in
    // it.
    Result<Value> call_macro(const Template& source, const Definition& macro, const Scope& scope,
                             const Arguments& arguments);
    // x(...), x.name, x[key] as templates do it.
    Result<Value> call(const Value& callee, const Arguments& arguments);
    Result<Value> attribute(const Value& of, std::string_view name);
    Result<Value> item(const Value& of, const Value& key);

    // x|name(...) and x is name(...): the first argument is x.
    Result<Value> filter(std::string_view name, const Arguments& arguments);
    Result<bool> test(std::string_view name, const Arguments& arguments);
    bool has_filter(std::string_view name) const;
    bool has_test(std::string_view name) const;
    // Counts what a function made (items, kilobytes) against the limit of steps; an error once that is reached.
    Result<void> charge(uint64_t steps);
    // An undefined value that behaves as the options say.
    Value make_undefined(std::string message) const;
    uint64_t random();

    // For host functions. Ends the innermost macro, whose call then gives `value`; at the top, the rendering, which
    // then gives its text. The bodies of call blocks are no macros: what is returned in one ends the macro that called
    // it (as an exception would in Python).
    Result<Value> return_value(Value value);
    // The scope of the template or macro that is being run; one without names when none is.
    const Scope& scope() const;
    // The text that calls: innermost last.
    std::vector<Frame> frames() const;
    // The calling block, of a macro that is called by {% call %}; undefined: none.
    Value caller() const;

private:
    friend class Machine;
    std::unique_ptr<Machine> machine_;
};

// Value to JSON as Python's json.dumps writes it (", " and ": "), and back. Objects of shape sequence and mapping are
// written as such; others are an error that names them.
struct JsonStyle {
    bool sort_keys = false;
    bool ascii = true;
    int indent = 0;
};
Result<std::string> to_json(Vm& vm, const Value& value, const JsonStyle& style);
Result<Value> from_json(std::string_view text);

}  // namespace shaduf::jinja
