#include "models/context/native.h"

#include "jinja/template.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Kind;
using jinja::Value;
using jinja::Vm;

enum class Wanted : uint8_t { anything, boolean, number };

Result<Value> read_literal(const Value& value, Wanted wanted) {
    Value read = value;
    if (value.is_string()) {
        if (auto literal = jinja::parse_literal(value.string())) read = *literal;
    }
    if (wanted == Wanted::boolean && read.kind() != Kind::boolean) {
        return Error(ErrorKind::invalid_config, "Could not convert value '" + value.text() + "' into type 'bool'");
    }
    const bool is_number = read.kind() == Kind::integer || read.kind() == Kind::floating;
    if (wanted == Wanted::number && !is_number) {
        return Error(ErrorKind::invalid_config, "Could not convert value '" + value.text() + "' into type 'number'");
    }
    return read;
}

Value filter(std::string name, Wanted wanted) {
    return jinja::make_function(std::move(name), [wanted](Vm&, const Arguments& arguments) -> Result<Value> {
        return read_literal(arguments.positional.empty() ? Value() : arguments.positional[0], wanted);
    });
}

Value same(std::string name) {
    return jinja::make_function(std::move(name), [](Vm&, const Arguments& arguments) -> Result<Value> {
        return arguments.positional.empty() ? Value() : arguments.positional[0];
    });
}

Value as_text() {
    return jinja::make_function("as_text", [](Vm&, const Arguments& arguments) -> Result<Value> {
        return Value(arguments.positional.empty() ? std::string() : arguments.positional[0].text());
    });
}

Value is_list() {
    return jinja::make_function("is_list", [](Vm&, const Arguments& arguments) -> Result<Value> {
        return Value(!arguments.positional.empty() && arguments.positional[0].kind() == Kind::list);
    });
}

}  // namespace

jinja::VmOptions vm_options(RenderMode mode) {
    jinja::VmOptions options;
    if (mode == RenderMode::parsing) options.undefined = jinja::UndefinedMode::silent;
    if (mode == RenderMode::native) {
        options.filters = {{"as_text", as_text()},
                           {"as_bool", filter("as_bool", Wanted::boolean)},
                           {"as_native", filter("as_native", Wanted::anything)},
                           {"as_number", filter("as_number", Wanted::number)}};
    } else {
        options.filters = {{"as_text", same("as_text")},
                           {"as_bool", same("as_bool")},
                           {"as_native", same("as_native")},
                           {"as_number", same("as_number")}};
    }
    options.filters.emplace_back("is_list", is_list());
    return options;
}

Result<Value> render_native(std::string_view text, const std::string& name, const jinja::Scope& scope) {
    if (!jinja::has_tags(text)) return Value(text);
    const auto code = TRY(jinja::Template::compile(std::string(text), name, {}));
    Vm vm(vm_options(RenderMode::native));
    return vm.render_value(*code, scope);
}

}  // namespace shaduf::models
