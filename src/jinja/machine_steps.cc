// The instructions.

#include <algorithm>

#include "jinja/builtins.h"
#include "jinja/machine.h"
#include "jinja/operators.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kBytesAStep = 256;
constexpr size_t kItemsMax = 32U << 20U;  // of a list that operators make

// Arguments of a call as they lie on the stack, and those of * and ** besides.
class Passed {
public:
    Result<Arguments> gather(Vm& vm, const Program& program, const Signature& signature, const Value* first) {
        Arguments arguments;
        arguments.positional = {first, signature.positional};
        const Value* at = first + signature.positional;
        for (const uint32_t name : signature.names) named_.push_back({program.names[name], *at++});
        if (signature.has_list) TRY(add_list(vm, arguments, *at++));
        if (signature.has_dict) TRY(add_dict(*at));
        arguments.named = named_;
        return arguments;
    }

private:
    Result<void> add_list(Vm& vm, Arguments& arguments, const Value& more) {
        auto items = to_items(vm, more);
        if (!items.ok()) {
            if (more.is_undefined()) return items.release_error();
            return template_error("argument after * must be an iterable, not " + std::string(more.type_name()));
        }
        positional_.assign(arguments.positional.begin(), arguments.positional.end());
        for (auto& item : items.value()) positional_.push_back(std::move(item));
        arguments.positional = positional_;
        return {};
    }

    Result<void> add_dict(const Value& more) {
        if (more.is_undefined()) return undefined_error(more);
        if (more.kind() != Kind::dict) {
            return template_error("argument after ** must be a mapping, not " + std::string(more.type_name()));
        }
        dict_ = more;
        for (const auto& entry : more.dict().entries()) {
            if (!entry.key.is_string()) return template_error("keywords must be strings");
            const std::string_view name = entry.key.string();
            const auto is_same = [&](const NamedValue& other) { return other.name == name; };
            if (std::any_of(named_.begin(), named_.end(), is_same)) {
                return template_error("got multiple values for keyword argument '" + std::string(name) + "'");
            }
            keys_.push_back(entry.key);
            named_.push_back({name, entry.value});
        }
        return {};
    }

    std::vector<Value> positional_;
    std::vector<NamedValue> named_;
    std::vector<Value> keys_;  // hold the names
    Value dict_;
};

}  // namespace

Result<void> Machine::step(CallFrame& frame, const Instruction& in) {
    switch (in.op) {
        case Op::load:
        case Op::load_raw: return load(frame, in);
        case Op::resolve: {
            TRY(resolve(frame, *frame.activation, in.a));
            Value& value = frame.activation->slots[in.a];
            if (value.is_undefined()) value = Value();
            return {};
        }
        case Op::jump_if_false:
            if (!TRY(checked_truth(top_[-1]))) frame.pc = in.a;
            drop(1);
            return {};
        case Op::jump_if_true:
            if (TRY(checked_truth(top_[-1]))) frame.pc = in.a;
            drop(1);
            return {};
        case Op::and_jump:
        case Op::or_jump:
            if (TRY(checked_truth(top_[-1])) == (in.op == Op::or_jump)) {
                frame.pc = in.a;
            } else {
                drop(1);
            }
            return {};
        case Op::chain_jump:
            if (TRY(checked_truth(top_[-1]))) {
                drop(1);
            } else {
                Value result = pop();
                drop(1);
                push(std::move(result));
                frame.pc = in.a;
            }
            return {};
        case Op::duplicate_under: {
            Value y = pop();
            Value x = pop();
            push(y);
            push(std::move(x));
            push(std::move(y));
            return {};
        }
        case Op::default_jump:
            if (!frame.activation->slots[in.small].is_missing()) frame.pc = in.a;
            return {};
        case Op::call:
        case Op::call_method:
        case Op::filter:
        case Op::test:
        case Op::make_macro: return step_call(frame, in);
        case Op::emit:
        case Op::emit_text:
        case Op::emit_constant:
        case Op::capture_begin:
        case Op::capture_end: return step_output(frame, in);
        case Op::loop_begin:
        case Op::loop_next:
        case Op::loop_object:
        case Op::loop_end:
        case Op::loop_call:
        case Op::loop_complete:
        case Op::loop_else: return step_loop(frame, in);
        default: return step_value(frame, in);
    }
}

Result<void> Machine::step_value(CallFrame& frame, const Instruction& in) {
    const Program& program = *frame.closure.program;
    switch (in.op) {
        case Op::attribute: top_[-1] = TRY(attribute(top_[-1], program.names[in.a])); return {};
        case Op::item: {
            Value value = TRY(item(top_[-2], top_[-1]));
            drop(1);
            top_[-1] = std::move(value);
            return {};
        }
        case Op::slice: {
            Value value = TRY(slice_value(top_[-4], top_[-3], top_[-2], top_[-1]));
            drop(3);
            top_[-1] = std::move(value);
            return charge(length_of(top_[-1]).value_or(1));
        }
        case Op::logic_not: top_[-1] = Value(!TRY(checked_truth(top_[-1]))); return {};
        case Op::negate:
        case Op::plus: top_[-1] = TRY(apply_unary(in.op, top_[-1])); return {};
        case Op::concat: {
            std::string text;
            for (size_t i = in.a; i > 0; --i) {
                const Value& part = *(top_ - i);
                if (part.is_undefined()) TRY(checked_text(part));
                part.append_text(text);
            }
            if (text.size() > options.limits.output_bytes_max) return limit_error("a text is too long");
            TRY(charge(text.size() / kBytesAStep));
            drop(in.a);
            push(Value(std::move(text)));
            return {};
        }
        case Op::make_list:
        case Op::make_tuple: {
            std::vector<Value> items(std::make_move_iterator(top_ - in.a), std::make_move_iterator(top_));
            drop(in.a);
            push(in.op == Op::make_list ? Value::list(std::move(items)) : Value::tuple(std::move(items)));
            return {};
        }
        case Op::make_dict: return make_dict(in.a);
        case Op::no_else:
            // Plain, whatever the mode.
            push(Value::undefined_because(
                UndefinedMode::plain, "the inline if-expression evaluated to false and no else section was defined."));
            return {};
        case Op::unpack: return unpack(in.a);
        case Op::check_namespace:
            if (top_[-1].object_as<Namespace>() == nullptr) {
                return template_error("cannot assign attribute on non-namespace object");
            }
            drop(1);
            return {};
        case Op::set_attribute: {
            auto* const target = top_[-1].object_as<Namespace>();
            if (target == nullptr) return template_error("cannot assign attribute on non-namespace object");
            target->values->set(Value(program.names[in.a]), std::move(top_[-2]));
            drop(2);
            return {};
        }
        case Op::eq:
        case Op::ne:
        case Op::lt:
        case Op::lteq:
        case Op::gt:
        case Op::gteq:
        case Op::in:
        case Op::not_in: return compare(in.op);
        default: return binary(in.op);
    }
}

Result<void> Machine::binary(Op op) {
    Value value = TRY(apply_binary(op, top_[-2], top_[-1]));
    if (value.is_string()) {
        if (value.string().size() > options.limits.output_bytes_max) return limit_error("a text is too long");
        TRY(charge(value.string().size() / kBytesAStep));
    } else if (value.kind() == Kind::list || value.kind() == Kind::tuple) {
        if (value.items().size() > kItemsMax) return limit_error("a list is too long");
        TRY(charge(value.items().size()));
    }
    drop(1);
    top_[-1] = std::move(value);
    return {};
}

Result<void> Machine::compare(Op op) {
    bool result = false;
    switch (op) {
        case Op::eq:
        case Op::ne: result = TRY(compare_equal(top_[-2], top_[-1])) == (op == Op::eq); break;
        case Op::in:
        case Op::not_in: result = TRY(contains(vm, top_[-1], top_[-2])) == (op == Op::in); break;
        default: result = TRY(compare_order(op, top_[-2], top_[-1]));
    }
    drop(1);
    top_[-1] = Value(result);
    return {};
}

Result<void> Machine::make_dict(size_t pairs) {
    auto dict = make<Dict>();
    for (Value* at = top_ - 2 * pairs; at < top_; at += 2) {
        if (!at[0].hash()) return template_error("unhashable type: '" + std::string(at[0].type_name()) + "'");
        dict->set(std::move(at[0]), std::move(at[1]));
    }
    drop(2 * pairs);
    push(Value(dict));
    return {};
}

Result<void> Machine::unpack(size_t count) {
    const Value of = pop();
    auto items = Items::over(vm, of);
    if (!items.ok()) {
        if (of.is_undefined()) return items.release_error();
        return template_error("cannot unpack non-iterable " + std::string(of.type_name()) + " object");
    }
    Items iterated = items.release_value();
    std::vector<Value> values;
    Value value;
    while (values.size() <= count && TRY(iterated.next(vm, value))) values.push_back(std::move(value));
    if (values.size() > count) {
        return template_error("too many values to unpack (expected " + std::to_string(count) + ")");
    }
    if (values.size() < count) {
        return template_error("not enough values to unpack (expected " + std::to_string(count) + ", got " +
                              std::to_string(values.size()) + ")");
    }
    for (size_t i = count; i > 0; --i) push(std::move(values[i - 1]));
    return {};
}

Result<void> Machine::step_call(CallFrame& frame, const Instruction& in) {
    const Program& program = *frame.closure.program;
    if (in.op == Op::make_macro) {
        const Closure closure{&program, program.functions[in.a].get(), frame.activation, frame.closure.scope};
        push(Value(Ref<Object>(new MacroObject(*this, closure))));
        return {};
    }
    const Signature& signature = program.signatures[in.a];
    const bool is_call = in.op == Op::call || in.op == Op::call_method;
    const size_t size = signature.size() + 1;
    Value* const first = top_ - size;
    Passed passed;
    Value result;
    if (is_call) {
        const Arguments arguments = TRY(passed.gather(vm, program, signature, first + 1));
        result = in.op == Op::call ? TRY(call(*first, arguments))
                                   : TRY(call_method(*first, program.names[in.small], arguments));
    } else {
        Signature with_self = {};
        const Signature* shape = &signature;
        with_self = *shape;
        ++with_self.positional;
        const Arguments arguments = TRY(passed.gather(vm, program, with_self, first));
        if (signature.builtin != nullptr) {
            result = TRY(signature.builtin->run(vm, arguments));
        } else if (in.op == Op::filter) {
            result = TRY(filter(program.names[in.small], arguments));
        } else {
            result = TRY(test(program.names[in.small], arguments));
        }
    }
    drop(size - 1);
    top_[-1] = std::move(result);
    return {};
}

Result<void> Machine::check_output() {
    if (printed_ <= options.limits.output_bytes_max) return {};
    return limit_error("the output is too long: " + std::to_string(options.limits.output_bytes_max) +
                       " bytes are allowed");
}

Result<void> Machine::emit(const Value& value) {
    if (value.is_undefined() && value.undefined_mode() == UndefinedMode::strict) return undefined_error(value);
    const size_t before = out_.size();
    value.append_text(out_);
    printed_ += out_.size() - before;
    return check_output();
}

Result<void> Machine::step_output(CallFrame& frame, const Instruction& in) {
    const Program& program = *frame.closure.program;
    switch (in.op) {
        case Op::emit:
            if (frame.wants_value) {
                frame.value = pop();
                return {};
            }
            TRY(emit(top_[-1]));
            drop(1);
            return {};
        case Op::emit_text:
            out_ += program.texts[in.a];
            printed_ += program.texts[in.a].size();
            return check_output();
        case Op::emit_constant:
            if (frame.wants_value) {
                frame.value = program.constants[in.a];
                return {};
            }
            return emit(program.constants[in.a]);
        case Op::capture_begin:
            captures_.push_back(std::move(out_));
            out_.clear();
            return {};
        default:
            push(Value(std::move(out_)));
            out_ = std::move(captures_.back());
            captures_.pop_back();
            return {};
    }
}

}  // namespace shaduf::jinja
