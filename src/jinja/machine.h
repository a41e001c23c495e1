#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/iteration.h"
#include "jinja/program.h"
#include "jinja/vm.h"

namespace shaduf::jinja {

// The variables of a function that runs, or whose macros still may.
class Activation final : public Counted {
public:
    const Routine* function = nullptr;
    Ref<Activation> outer;
    std::vector<Value> slots;
};

// What a value of the language that is called needs of where it was made.
struct Closure {
    const Program* program = nullptr;
    const Routine* function = nullptr;
    Ref<Activation> outer;
    const Scope* scope = nullptr;
};

class LoopObject;

// A call that is on its way.
struct CallFrame {
    Closure closure;
    Ref<Activation> activation;
    size_t pc = 0;
    int64_t loop_depth = 0;  // of the body of a recursive loop
    bool wants_value = false;
    bool is_kept = false;  // another call will read its variables
    Value value = {};      // of what was printed, when it is wanted as a value
};

// The inside of a Vm: a stack machine. The stack is one block of memory that never moves, so that arguments of calls
// are read where they lie; each function says by its size how much it can need at most.
class Machine {
public:
    Machine(Vm& vm, const VmOptions& options, const Cancellation* cancellation);
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    // What it printed, or what was returned, or the value of the one expression when that is wanted.
    enum class Wanted : uint8_t { text, value };
    Result<Value> run_top(const Program& program, const Scope& scope, Wanted wanted, Ref<Activation>* kept = nullptr);
    Result<Value> run_macro(const Closure& closure, const Arguments& arguments);
    Result<Value> run_loop(const Closure& closure, Value over, int64_t depth);
    Result<bool> run_condition(CallFrame& frame, size_t begin, Value item);

    Result<Value> call(const Value& callee, const Arguments& arguments);
    Result<Value> call_method(const Value& self, std::string_view name, const Arguments& arguments);
    Result<Value> attribute(const Value& of, std::string_view name);
    Result<Value> item(const Value& of, const Value& key);
    Result<Value> filter(std::string_view name, const Arguments& arguments);
    Result<Value> test(std::string_view name, const Arguments& arguments);
    Result<void> charge(uint64_t steps);
    Value undefined(std::string message) const;
    Error return_value(Value value);
    std::vector<Frame> frames() const;

    Vm& vm;
    const VmOptions options;
    std::vector<CallFrame*> calls;  // innermost last
    uint64_t random_state;

private:
    struct Loop {
        std::optional<Items> items;
        Ref<LoopObject> object;
        bool is_completed = false;
    };

    Ref<Activation> activate(const Closure& closure);
    void retire(Ref<Activation> activation);
    void release_escaped();
    Result<Value> run(CallFrame& frame, size_t pushed = 0);
    Result<void> execute(CallFrame& frame);
    Result<void> step(CallFrame& frame, const Instruction& in);
    Result<void> step_value(CallFrame& frame, const Instruction& in);
    Result<void> step_call(CallFrame& frame, const Instruction& in);
    Result<void> step_loop(CallFrame& frame, const Instruction& in);
    Result<void> step_output(CallFrame& frame, const Instruction& in);
    Result<void> binary(Op op);
    Result<void> compare(Op op);
    Result<void> load(CallFrame& frame, const Instruction& in);
    Result<void> resolve(CallFrame& frame, Activation& activation, uint32_t slot);
    Result<void> begin_loop(CallFrame& frame, size_t condition);
    Result<void> next_item(CallFrame& frame, const Instruction& in);
    Result<void> unpack(size_t count);
    Result<void> make_dict(size_t pairs);
    Result<void> emit(const Value& value);
    Result<void> check_output();
    Result<void> bind_macro(const Closure& closure, const Arguments& arguments, Activation& activation);
    Result<Value> find_name(const Scope& scope, std::string_view name);
    Error located(Error error);
    Error limit_error(std::string message) const;

    void push(Value value) { new (top_++) Value(std::move(value)); }
    Value pop() {
        Value value = std::move(*--top_);
        top_->~Value();
        return value;
    }
    void drop(size_t count) {
        while (count-- > 0) (--top_)->~Value();
    }

    const Cancellation* cancellation_;
    Value* stack_;
    Value* top_;
    Value* end_;
    std::string out_;
    std::vector<std::string> captures_;
    std::vector<Loop> loops_;
    std::vector<Ref<Activation>> pool_;
    std::vector<Ref<Activation>> escaped_;
    bool has_completed_loop_ = false;
    uint64_t steps_ = 0;
    uint64_t printed_ = 0;
    std::optional<Value> returned_;
    const void* located_ = nullptr;      // the message of the error whose place is known already,
    std::optional<Error> last_located_;  // which is kept, so that no other has its address
    Error return_error_;
};

// The `loop` of a loop.
class LoopObject final : public Object {
public:
    LoopObject(Items items, Closure body, int64_t depth)
        : items_(std::move(items)), body_(std::move(body)), depth_(depth) {}
    Result<bool> next(Vm& vm, Value& item);

    std::string_view type_name() const override { return "LoopContext"; }
    Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const override;
    Result<std::optional<Value>> call_method(Vm& vm, std::string_view name, const Arguments& arguments) const override;
    bool is_callable() const override { return true; }
    Result<Value> call(Vm& vm, const Arguments& arguments) const override;
    std::string repr() const override { return "<LoopContext>"; }
    bool truth() const override { return true; }

private:
    friend class Machine;
    Result<bool> peek(Vm& vm) const;
    Result<size_t> size(Vm& vm) const;
    Result<Value> method(Vm& vm, std::string_view name, const Arguments& arguments) const;

    mutable Items items_;
    Closure body_;  // of a recursive loop
    Machine* machine_ = nullptr;
    int64_t depth_;
    int64_t index0_ = -1;
    mutable std::optional<size_t> length_;
    mutable std::optional<Value> after_;
    Value current_;
    Value before_;
    mutable std::optional<Value> changed_;
};

// {% macro %} and the body of {% call %}, as values.
class MacroObject final : public Object {
public:
    MacroObject(Machine& machine, Closure closure) : machine_(machine), closure_(std::move(closure)) {}
    std::string_view type_name() const override { return "Macro"; }
    std::string repr() const override;
    bool is_callable() const override { return true; }
    Result<Value> call(Vm&, const Arguments& arguments) const override {
        return machine_.run_macro(closure_, arguments);
    }
    Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const override;

private:
    Machine& machine_;
    Closure closure_;
};

// {% set ns.x = 1 %}
class Namespace final : public Object {
public:
    std::string_view type_name() const override { return "Namespace"; }
    Result<std::optional<Value>> attribute(Vm& vm, std::string_view name) const override;
    std::string repr() const override;
    const Ref<Dict> values = make<Dict>();

private:
    mutable bool is_printing_ = false;  // it may hold itself
};

}  // namespace shaduf::jinja
