// Loops of templates: {% for %} with its condition, `loop`, recursion.

#include "jinja/machine.h"
#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

// Items for which the condition of a loop holds; it is asked when the item is wanted, not before. Keeps the variables
// that the condition reads, as a `loop` that was stored somewhere may outlive what it was made in.
class Filtered final : public Iterator {
public:
    Filtered(Machine& machine, const CallFrame& frame, size_t condition, Items items)
        : machine_(machine), condition_(condition), items_(std::move(items)) {
        frame_.closure = frame.closure;
        frame_.activation = frame.activation;
        frame_.loop_depth = frame.loop_depth;
    }

    Result<std::optional<Value>> next(Vm& vm) override {
        Value item;
        while (TRY(items_.next(vm, item))) {
            TRY(vm.charge(1));
            if (TRY(machine_.run_condition(frame_, condition_, item))) return std::optional<Value>(std::move(item));
        }
        return std::optional<Value>();
    }

private:
    Machine& machine_;
    CallFrame frame_;
    size_t condition_;
    Items items_;
};

}  // namespace

// Stands in for the frame of the loop while it runs.
Result<bool> Machine::run_condition(CallFrame& frame, size_t begin, Value item) {
    if (static_cast<size_t>(end_ - top_) < frame.closure.function->code.size() + 2) {
        return limit_error("the template is too big");
    }
    frame.pc = begin;
    push(std::move(item));
    if (calls.empty()) calls.push_back(nullptr);
    CallFrame* const around = std::exchange(calls.back(), &frame);
    auto status = execute(frame);
    calls.back() = around;
    if (around == nullptr) calls.pop_back();
    TRY(std::move(status));
    const Value result = pop();
    return checked_truth(result);
}

Result<void> Machine::begin_loop(CallFrame& frame, size_t condition) {
    const Value over = pop();
    Items items = TRY(Items::over(vm, over));
    if (condition != 0) items = Items(std::make_unique<Filtered>(*this, frame, condition, std::move(items)));
    loops_.push_back({std::move(items), {}, false});
    return {};
}

Result<void> Machine::next_item(CallFrame& frame, const Instruction& in) {
    Value value;
    // The loop may move while its condition runs.
    const Ref<LoopObject> object = loops_.back().object;
    bool has_item = false;
    if (object) {
        has_item = TRY(object->next(vm, value));
    } else {
        Items items = std::move(*loops_.back().items);
        auto found = items.next(vm, value);
        loops_.back().items = std::move(items);
        has_item = TRY(std::move(found));
    }
    if (has_item) {
        push(std::move(value));
        return {};
    }
    has_completed_loop_ = loops_.back().is_completed;
    loops_.pop_back();
    frame.pc = in.a;
    return {};
}

Result<void> Machine::step_loop(CallFrame& frame, const Instruction& in) {
    switch (in.op) {
        case Op::loop_begin: return begin_loop(frame, in.a);
        case Op::loop_next: return next_item(frame, in);
        case Op::loop_object: {
            Loop& loop = loops_.back();
            const bool is_recursive = frame.closure.function->kind == Routine::Kind::loop;
            loop.object =
                make<LoopObject>(std::move(*loop.items), is_recursive ? frame.closure : Closure{}, frame.loop_depth);
            loop.object->machine_ = this;
            push(Value(Ref<Object>(loop.object.get())));
            return {};
        }
        case Op::loop_end:
            has_completed_loop_ = loops_.back().is_completed;
            loops_.pop_back();
            return {};
        case Op::loop_complete: loops_.back().is_completed = true; return {};
        case Op::loop_else: push(Value(!has_completed_loop_)); return {};
        default: {
            const Program& program = *frame.closure.program;
            const Closure closure{&program, program.functions[in.a].get(), frame.activation, frame.closure.scope};
            const Value text = TRY(run_loop(closure, pop(), 0));
            return emit(text);
        }
    }
}

Result<bool> LoopObject::next(Vm& vm, Value& item) {
    if (after_) {
        item = *std::exchange(after_, std::nullopt);
    } else if (!TRY(items_.next(vm, item))) {
        return false;
    }
    ++index0_;
    before_ = std::move(current_);
    current_ = item;
    return true;
}

Result<bool> LoopObject::peek(Vm& vm) const {
    if (after_) return true;
    Value item;
    if (!TRY(items_.next(vm, item))) return false;
    after_ = std::move(item);
    return true;
}

// What has no length is read to its end for it.
Result<size_t> LoopObject::size(Vm& vm) const {
    if (length_) return *length_;
    length_ = items_.length();
    if (length_) return *length_;
    std::vector<Value> rest;
    Value item;
    while (TRY(items_.next(vm, item))) rest.push_back(std::move(item));
    length_ = rest.size() + static_cast<size_t>(index0_ + 1) + (after_ ? 1 : 0);
    items_ = TRY(Items::over(vm, Value::list(std::move(rest))));
    return *length_;
}

Result<std::optional<Value>> LoopObject::attribute(Vm& vm, std::string_view name) const {
    const auto number = [](int64_t value) { return std::optional<Value>(Value(value)); };
    if (name == "index") return number(index0_ + 1);
    if (name == "index0") return number(index0_);
    if (name == "first") return std::optional<Value>(Value(index0_ == 0));
    if (name == "last") return std::optional<Value>(Value(!TRY(peek(vm))));
    if (name == "length") return number(static_cast<int64_t>(TRY(size(vm))));
    if (name == "revindex") return number(static_cast<int64_t>(TRY(size(vm))) - index0_);
    if (name == "revindex0") return number(static_cast<int64_t>(TRY(size(vm))) - index0_ - 1);
    if (name == "depth") return number(depth_ + 1);
    if (name == "depth0") return number(depth_);
    if (name == "previtem") {
        return std::optional<Value>(index0_ == 0 ? vm.make_undefined("there is no previous item") : before_);
    }
    if (name == "nextitem") {
        return std::optional<Value>(TRY(peek(vm)) ? *after_ : vm.make_undefined("there is no next item"));
    }
    if (name == "cycle" || name == "changed") {
        Ref<const LoopObject> self(this);
        return std::optional<Value>(make_function(
            std::string(name), [self, method_name = std::string(name)](Vm& caller, const Arguments& arguments) {
                return self->method(caller, method_name, arguments);
            }));
    }
    return std::optional<Value>();
}

Result<Value> LoopObject::method(Vm&, std::string_view name, const Arguments& arguments) const {
    if (!arguments.named.empty()) {
        return template_error(std::string(name) + "() got an unexpected keyword argument '" +
                              std::string(arguments.named[0].name) + "'");
    }
    if (name == "cycle") {
        if (arguments.positional.empty()) return template_error("no items for cycling given");
        return arguments.positional[static_cast<size_t>(index0_) % arguments.positional.size()];
    }
    Value now = Value::tuple({arguments.positional.begin(), arguments.positional.end()});
    if (changed_ && changed_->equals(now)) return Value(false);
    changed_ = std::move(now);
    return Value(true);
}

Result<std::optional<Value>> LoopObject::call_method(Vm& vm, std::string_view name, const Arguments& arguments) const {
    if (name == "cycle" || name == "changed") return std::optional<Value>(TRY(method(vm, name, arguments)));
    return Object::call_method(vm, name, arguments);
}

Result<Value> LoopObject::call(Vm& vm, const Arguments& arguments) const {
    if (body_.function == nullptr) {
        return template_error("The loop must have the 'recursive' marker to be called recursively.");
    }
    constexpr std::string_view kParameter = "iterable";
    const std::vector<Parameter> parameters{{kParameter}};
    auto values = TRY(bind_arguments("loop", parameters, arguments));
    (void)vm;
    return machine_->run_loop(body_, std::move(values[0]), depth_ + 1);
}

}  // namespace shaduf::jinja
