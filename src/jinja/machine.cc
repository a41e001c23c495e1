#include "jinja/machine.h"

#include <algorithm>
#include <utility>

#include "base/cancellation.h"
#include "jinja/builtins.h"
#include "jinja/lexer.h"
#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kStackValues = 1U << 18U;  // of address space; pages that are not used are not there
constexpr uint64_t kStepsBetweenChecks = 4096;
constexpr size_t kPoolMax = 64;

// Most renderings are short, and mapping a stack for each would cost more than they do: a thread keeps the one that was
// given back last.
class SpareStack {
public:
    SpareStack() = default;
    SpareStack(const SpareStack&) = delete;
    SpareStack& operator=(const SpareStack&) = delete;
    ~SpareStack() { release(values_); }
    Value* take() {
        Value* values = std::exchange(values_, nullptr);
        return values != nullptr ? values : std::allocator<Value>().allocate(kStackValues);
    }
    void give_back(Value* values) { release(std::exchange(values_, values)); }

private:
    static void release(Value* values) {
        if (values != nullptr) std::allocator<Value>().deallocate(values, kStackValues);
    }
    Value* values_ = nullptr;
};
thread_local SpareStack spare_stack;

}  // namespace

Machine::Machine(Vm& owner, const VmOptions& given, const Cancellation* cancellation)
    : vm(owner),
      options(given),
      random_state(given.random_seed),
      cancellation_(cancellation),
      stack_(spare_stack.take()),
      top_(stack_),
      end_(stack_ + kStackValues),
      return_error_(ErrorKind::invalid_config, "return outside of a macro") {}

Machine::~Machine() {
    release_escaped();
    drop(static_cast<size_t>(top_ - stack_));
    spare_stack.give_back(stack_);
}

Value Machine::undefined(std::string message) const {
    return Value::undefined_because(options.undefined, std::move(message));
}

Error Machine::limit_error(std::string message) const { return template_error(std::move(message)); }

Result<void> Machine::charge(uint64_t steps) {
    const uint64_t before = steps_ / kStepsBetweenChecks;
    steps_ += steps;
    if (steps_ > options.limits.steps_max) {
        return limit_error("the template takes too many steps: " + std::to_string(options.limits.steps_max) +
                           " are allowed; does it loop for ever?");
    }
    if (cancellation_ != nullptr && steps_ / kStepsBetweenChecks != before) return cancellation_->check();
    return {};
}

Ref<Activation> Machine::activate(const Closure& closure) {
    Ref<Activation> activation;
    if (pool_.empty()) {
        activation = make<Activation>();
    } else {
        activation = std::move(pool_.back());
        pool_.pop_back();
    }
    activation->function = closure.function;
    activation->outer = closure.outer;
    activation->slots.resize(closure.function->slots.size());
    return activation;
}

// What a macro that lives on can still see stays until the outermost call ends: it may hold the macro itself.
void Machine::retire(Ref<Activation> activation) {
    if (activation.is_shared()) {
        escaped_.push_back(std::move(activation));
        return;
    }
    activation->slots.clear();
    activation->outer = {};
    if (pool_.size() < kPoolMax) pool_.push_back(std::move(activation));
}

void Machine::release_escaped() {
    for (const auto& activation : escaped_) std::fill(activation->slots.begin(), activation->slots.end(), Value());
    escaped_.clear();
}

// Runs a function to its end, whatever that is, and leaves all as it was before, less the values pushed for it.
Result<Value> Machine::run(CallFrame& frame, size_t pushed) {
    const Routine& function = *frame.closure.function;
    if (calls.size() >= options.limits.depth_max) {
        drop(pushed);
        return limit_error("macros are nested too deeply: " + std::to_string(options.limits.depth_max) +
                           " levels are allowed; does one call itself?");
    }
    if (static_cast<size_t>(end_ - top_) < function.code.size() + 1) {
        drop(pushed);
        return limit_error("the template is too big");
    }
    Value* const top = top_ - pushed;
    const size_t captures = captures_.size() + 1;
    const size_t loops = loops_.size();
    captures_.push_back(std::move(out_));
    out_.clear();
    calls.push_back(&frame);
    auto status = execute(frame);
    calls.pop_back();
    drop(static_cast<size_t>(top_ - top));
    while (loops_.size() > loops) loops_.pop_back();
    std::string text = std::move(captures_.size() > captures ? captures_[captures] : out_);
    out_ = std::move(captures_[captures - 1]);
    captures_.resize(captures - 1);
    retire(std::move(frame.activation));
    if (calls.empty() && !frame.is_kept) release_escaped();
    if (status.ok()) return frame.wants_value ? std::move(frame.value) : Value(std::move(text));
    if (returned_) {
        if (function.kind == Routine::Kind::macro) return *std::exchange(returned_, std::nullopt);
        if (function.kind == Routine::Kind::top) {
            returned_.reset();
            return Value(std::move(text));
        }
    }
    return status.release_error();
}

Result<Value> Machine::run_top(const Program& program, const Scope& scope, Wanted wanted, Ref<Activation>* kept) {
    CallFrame frame;
    frame.closure = {&program, program.functions[0].get(), {}, &scope};
    frame.activation = activate(frame.closure);
    frame.wants_value = wanted == Wanted::value;
    frame.is_kept = kept != nullptr;
    if (kept != nullptr) *kept = frame.activation;
    return run(frame);
}

Result<Value> Machine::run_macro(const Closure& closure, const Arguments& arguments) {
    CallFrame frame;
    frame.closure = closure;
    frame.activation = activate(closure);
    TRY(bind_macro(closure, arguments, *frame.activation));
    return run(frame);
}

Result<Value> Machine::run_loop(const Closure& closure, Value over, int64_t depth) {
    CallFrame frame;
    frame.closure = closure;
    frame.activation = activate(closure);
    frame.loop_depth = depth;
    if (static_cast<size_t>(end_ - top_) < closure.function->code.size() + 2)
        return limit_error("the template is too big");
    push(std::move(over));
    return run(frame, 1);
}

namespace {

struct MacroNames {
    const Program& program;
    const Routine& function;
    std::string_view operator[](size_t parameter) const { return program.names[function.slots[parameter].name]; }
    size_t find(std::string_view name) const {
        for (size_t i = 0; i < function.parameters; ++i) {
            if ((*this)[i] == name) return i;
        }
        return SIZE_MAX;
    }
};

std::string name_of_macro(const Program& program, const Routine& function) {
    return function.kind == Routine::Kind::macro ? "'" + std::string(program.names[function.name]) + "'" : "None";
}

}  // namespace

// As the macros of jinja2 take their arguments.
Result<void> Machine::bind_macro(const Closure& closure, const Arguments& arguments, Activation& activation) {
    const Routine& function = *closure.function;
    const MacroNames names{*closure.program, function};
    const size_t by_position = std::min<size_t>(arguments.positional.size(), function.parameters);
    auto& slots = activation.slots;
    for (size_t i = 0; i < by_position; ++i) slots[i] = arguments.positional[i];
    const bool wants_caller = function.caller_slot >= 0;
    if (wants_caller) slots[static_cast<size_t>(function.caller_slot)] = undefined("No caller defined");
    Ref<Dict> rest;
    for (const auto& argument : arguments.named) {
        const size_t parameter = names.find(argument.name);
        if (parameter != SIZE_MAX && parameter >= by_position) {
            slots[parameter] = argument.value;
        } else if (wants_caller && argument.name == "caller") {
            slots[static_cast<size_t>(function.caller_slot)] = argument.value;
        } else if (function.kwargs_slot >= 0) {
            if (!rest) rest = make<Dict>();
            rest->set(Value(argument.name), argument.value);
        } else {
            return template_error("macro " + name_of_macro(*closure.program, function) +
                                  " takes no keyword argument '" + std::string(argument.name) + "'");
        }
    }
    if (function.kwargs_slot >= 0) {
        slots[static_cast<size_t>(function.kwargs_slot)] = Value(rest ? rest : make<Dict>());
    }
    if (function.varargs_slot >= 0) {
        slots[static_cast<size_t>(function.varargs_slot)] = Value::tuple(
            {arguments.positional.begin() + static_cast<std::ptrdiff_t>(by_position), arguments.positional.end()});
    } else if (arguments.positional.size() > function.parameters) {
        return template_error("macro " + name_of_macro(*closure.program, function) + " takes not more than " +
                              std::to_string(function.parameters) + " argument(s)");
    }
    for (size_t i = by_position; i < function.parameters; ++i) {
        if (slots[i].is_missing() && !function.has_default(i)) {
            slots[i] = undefined("parameter '" + std::string(names[i]) + "' was not provided");
        }
    }
    return {};
}

Error Machine::return_value(Value value) {
    returned_ = std::move(value);
    return return_error_;
}

std::vector<Frame> Machine::frames() const {
    std::vector<Frame> frames;
    for (const CallFrame* call : calls) {
        const Routine& function = *call->closure.function;
        const Program& program = *call->closure.program;
        const size_t at = call->pc > 0 ? call->pc - 1 : 0;
        const uint32_t place = at < function.places.size() ? function.places[at] : 0;
        frames.push_back({program.name,
                          function.kind == Routine::Kind::macro ? program.names[function.name] : std::string_view(),
                          span_of(program.source, place, place)});
    }
    return frames;
}

// An error with the place where it came up and the macros on the way there.
Error Machine::located(Error error) {
    if (returned_ || &error.message() == located_) return error;
    const std::vector<Frame> stack = frames();
    constexpr size_t kShownMax = 12;  // a macro that calls itself is told of no more often
    std::optional<Error> chain;
    for (size_t i = 0; i < stack.size(); ++i) {
        if (i > 2 && i + kShownMax < stack.size()) continue;
        const Frame& frame = stack[i];
        const bool is_macro = !frame.macro.empty();
        if (!is_macro && i + 1 == stack.size()) break;
        std::string text = "in " + (is_macro ? "macro " + std::string(frame.macro) + " (" : std::string());
        text += std::string(frame.template_name) + ":" + std::to_string(frame.span.line) + ":" +
                std::to_string(frame.span.column) + (is_macro ? ")" : "");
        const Error link(error.kind(), std::move(text));
        chain = chain ? link.caused_by(*chain) : link;
    }
    if (error.place().empty() && !stack.empty()) {
        const Span& span = stack.back().span;
        Place place = Place::in_file(std::string(stack.back().template_name), static_cast<int>(span.line));
        place.position = "column " + std::to_string(span.column);
        error = error.at(place);
    }
    if (chain && !error.cause()) error = error.caused_by(*chain);
    located_ = &error.message();
    last_located_ = error;
    return error;
}

Result<Value> Machine::find_name(const Scope& scope, std::string_view name) {
    auto found = TRY(scope.find(vm, name));
    if (found) return std::move(*found);
    const Builtin* const builtin = find_builtin(builtin_globals(), name);
    if (builtin == nullptr) return Value::undefined(options.undefined, std::string(name));
    return make_function(std::string(name), builtin->run);
}

Result<void> Machine::resolve(CallFrame& frame, Activation& activation, uint32_t slot) {
    const std::string_view name = frame.closure.program->names[activation.function->slots[slot].name];
    Value value = TRY(find_name(*frame.closure.scope, name));
    activation.slots[slot] = std::move(value);
    return {};
}

Result<void> Machine::load(CallFrame& frame, const Instruction& in) {
    Activation* activation = frame.activation.get();
    for (uint16_t depth = in.small; depth > 0 && activation != nullptr; --depth) activation = activation->outer.get();
    if (activation == nullptr || in.a >= activation->slots.size()) {
        // A macro that outlived what it could see.
        const Routine* function = frame.closure.function;
        for (uint16_t depth = in.small; depth > 0; --depth) function = function->outer;
        push(TRY(find_name(*frame.closure.scope, frame.closure.program->names[function->slots[in.a].name])));
        return {};
    }
    const Slot& slot = activation->function->slots[in.a];
    if (activation->slots[in.a].is_missing()) {
        if (slot.is_resolved) {
            TRY(resolve(frame, *activation, in.a));
        } else if (in.op == Op::load) {
            push(Value::undefined(options.undefined, std::string(frame.closure.program->names[slot.name])));
            return {};
        }
    }
    push(activation->slots[in.a]);
    return {};
}

Result<void> Machine::execute(CallFrame& frame) {
    const Program& program = *frame.closure.program;
    const Instruction* const code = frame.closure.function->code.data();
    for (;;) {
        const Instruction& in = code[frame.pc++];
        if (++steps_ % kStepsBetweenChecks == 0) {
            if (auto status = charge(0); !status.ok()) return located(status.release_error());
            if (cancellation_ != nullptr) TRY(cancellation_->check());
        }
        switch (in.op) {
            case Op::constant: push(program.constants[in.a]); continue;
            case Op::store: frame.activation->slots[in.a] = pop(); continue;
            case Op::clear: frame.activation->slots[in.a] = Value(); continue;
            case Op::pop: drop(1); continue;
            case Op::jump: frame.pc = in.a; continue;
            case Op::finish:
            case Op::end_condition: return {};
            case Op::load:
                if (in.small == 0) {
                    const Value& value = frame.activation->slots[in.a];
                    if (!value.is_missing()) {
                        push(value);
                        continue;
                    }
                }
                break;
            default: break;
        }
        if (auto status = step(frame, in); !status.ok()) return located(status.release_error());
    }
}

}  // namespace shaduf::jinja
