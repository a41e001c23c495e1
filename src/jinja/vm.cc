#include "jinja/vm.h"

#include "base/cancellation.h"
#include "jinja/builtins.h"
#include "jinja/machine.h"
#include "jinja/operators.h"

namespace shaduf::jinja {

namespace {

class NoNames final : public Scope {
public:
    Result<std::optional<Value>> find(Vm&, std::string_view) const override { return std::optional<Value>(); }
};

}  // namespace

Vm::Vm(const VmOptions& options, const Cancellation* cancellation)
    : machine_(std::make_unique<Machine>(*this, options, cancellation)) {}
Vm::~Vm() = default;

Result<std::string> Vm::render(const Template& source, const Scope& scope) {
    const Program& program = *source.program_;
    if (program.is_plain) return std::string(program.body());
    const Value text = TRY(machine_->run_top(program, scope, Machine::Wanted::text));
    return text.string();
}

Result<Value> Vm::render_value(const Template& source, const Scope& scope) {
    const Program& program = *source.program_;
    if (program.is_plain) return Value(program.body());
    return machine_->run_top(program, scope, program.is_expression ? Machine::Wanted::value : Machine::Wanted::text);
}

Result<Value> Vm::call_macro(const Template& source, const Definition& macro, const Scope& scope,
                             const Arguments& arguments) {
    const Program& program = *source.program_;
    Closure closure{&program, program.functions[macro.code].get(), {}, &scope};
    if (closure.function->needs_top) {
        TRY(machine_->run_top(program, scope, Machine::Wanted::text, &closure.outer));
    }
    return machine_->run_macro(closure, arguments);
}

Result<Value> Vm::call(const Value& callee, const Arguments& arguments) { return machine_->call(callee, arguments); }
Result<Value> Vm::attribute(const Value& of, std::string_view name) { return machine_->attribute(of, name); }
Result<Value> Vm::item(const Value& of, const Value& key) { return machine_->item(of, key); }
Result<Value> Vm::filter(std::string_view name, const Arguments& arguments) {
    return machine_->filter(name, arguments);
}
Result<bool> Vm::test(std::string_view name, const Arguments& arguments) {
    return TRY(machine_->test(name, arguments)).truth();
}

bool Vm::has_filter(std::string_view name) const {
    if (find_builtin(builtin_filters(), name) != nullptr) return true;
    for (const auto& filter : machine_->options.filters) {
        if (filter.first == name) return true;
    }
    return false;
}

bool Vm::has_test(std::string_view name) const {
    if (find_builtin(builtin_tests(), name) != nullptr) return true;
    for (const auto& test : machine_->options.tests) {
        if (test.first == name) return true;
    }
    return false;
}

Result<void> Vm::charge(uint64_t steps) { return machine_->charge(steps); }
Value Vm::make_undefined(std::string message) const { return machine_->undefined(std::move(message)); }

// splitmix64: https://prng.di.unimi.it/splitmix64.c
uint64_t Vm::random() {
    uint64_t mixed = (machine_->random_state += 0x9E3779B97F4A7C15ULL);
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    return mixed ^ (mixed >> 31U);
}

Result<Value> Vm::return_value(Value value) { return machine_->return_value(std::move(value)); }
const Scope& Vm::scope() const {
    static const NoNames none;
    return machine_->calls.empty() ? none : *machine_->calls.back()->closure.scope;
}
std::vector<Frame> Vm::frames() const { return machine_->frames(); }

Value Vm::caller() const {
    for (auto call = machine_->calls.rbegin(); call != machine_->calls.rend(); ++call) {
        const Routine& function = *(*call)->closure.function;
        if (function.kind != Routine::Kind::macro) continue;
        if (function.caller_slot < 0) return Value();
        return (*call)->activation->slots[static_cast<size_t>(function.caller_slot)];
    }
    return Value();
}

}  // namespace shaduf::jinja
