#include "flow/task_config.h"

#include "base/json_writer.h"
#include "base/time.h"
#include "flow/json_values.h"
#include "jinja/vm.h"

namespace shaduf {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Value;

constexpr jinja::Limits kLimits{.steps_max = 2'000'000, .depth_max = 100, .output_bytes_max = 16 << 20};

class NameScope final : public jinja::Scope {
public:
    explicit NameScope(const std::map<std::string, Value, std::less<>>& names) : names_(names) {}
    Result<std::optional<Value>> find(jinja::Vm&, std::string_view name) const override {
        const auto found = names_.find(name);
        return found == names_.end() ? std::optional<Value>() : std::optional<Value>(found->second);
    }

private:
    const std::map<std::string, Value, std::less<>>& names_;
};

// The references of a text stand aside while it is rendered, so that nothing that is inserted can become one.
class SetAside {
public:
    explicit SetAside(std::string_view text) {
        for (;;) {
            const size_t at = text.find("${");
            const size_t end = at == std::string_view::npos ? at : text.find('}', at);
            if (end == std::string_view::npos) break;
            text_ += std::string(text.substr(0, at)) + mark(references_.size());
            references_.emplace_back(text.substr(at, end - at + 1));
            text.remove_prefix(end + 1);
        }
        text_ += text;
    }
    const std::string& text() const { return text_; }
    std::string put_back(std::string rendered) const {
        for (size_t at = rendered.find("${"); at != std::string::npos; at = rendered.find("${", at + 3)) {
            rendered.insert(at, "$");
        }
        for (size_t i = 0; i < references_.size(); ++i) {
            const std::string marked = mark(i);
            for (size_t at = rendered.find(marked); at != std::string::npos; at = rendered.find(marked, at)) {
                rendered.replace(at, marked.size(), references_[i]);
                at += references_[i].size();
            }
        }
        return rendered;
    }

private:
    static std::string mark(size_t number) { return "\x01r" + std::to_string(number) + "\x01"; }
    std::string text_;
    std::vector<std::string> references_;
};

// A value that came out of a template holds no references.
Value without_references(const Value& value) {
    if (value.is_string()) return Value(SetAside("").put_back(value.string()));
    if (value.kind() == Kind::list || value.kind() == Kind::tuple) {
        std::vector<Value> items;
        for (const Value& item : value.items()) items.push_back(without_references(item));
        return Value::list(std::move(items));
    }
    if (value.kind() != Kind::dict) return value;
    auto dict = jinja::make<Dict>();
    for (const auto& [key, item] : value.dict().entries()) dict->set(key, without_references(item));
    return Value(dict);
}

Result<jinja::TemplatePtr> compile(const std::string& text, const std::string& name) {
    jinja::Syntax syntax;
    syntax.keep_trailing_newline = true;
    return jinja::Template::compile(text, name, syntax);
}

Result<void> defined(const Value& value, const std::string& path) {
    if (!value.is_undefined()) return {};
    return Error(ErrorKind::invalid_config, path + ": " + value.undefined_message());
}

Result<Value> render_text(jinja::Vm& vm, const std::string& text, const std::string& path, const NameScope& scope) {
    if (!jinja::has_tags(text)) return Value(text);
    const SetAside aside(text);
    const auto compiled = TRY(compile(aside.text(), path));
    const Value made = TRY(vm.render_value(*compiled, scope));
    TRY(defined(made, path));
    if (made.is_string()) return Value(aside.put_back(made.string()));
    return without_references(made);
}

Result<Value> render_all(jinja::Vm& vm, const Value& value, const std::string& path, const NameScope& scope) {
    if (value.is_string()) return render_text(vm, value.string(), path, scope);
    if (value.kind() == Kind::list) {
        std::vector<Value> items;
        for (const Value& item : value.items()) {
            items.push_back(TRY(render_all(vm, item, path + "[" + std::to_string(items.size()) + "]", scope)));
        }
        return Value::list(std::move(items));
    }
    if (value.kind() != Kind::dict) return value;
    auto dict = jinja::make<Dict>();
    for (const auto& [key, item] : value.dict().entries()) {
        dict->set(key, TRY(render_all(vm, item, path.empty() ? key.text() : path + "." + key.text(), scope)));
    }
    return Value(dict);
}

void check_all(const Value& value, const std::string& path, std::vector<Error>& errors) {
    if (value.is_string() && jinja::has_tags(value.string())) {
        if (const auto made = compile(SetAside(value.string()).text(), path); !made.ok())
            errors.push_back(made.error());
    } else if (value.kind() == Kind::list) {
        for (const Value& item : value.items()) check_all(item, path, errors);
    } else if (value.kind() == Kind::dict) {
        for (const auto& [key, item] : value.dict().entries()) check_all(item, key.text(), errors);
    }
}

Value dict_of(std::initializer_list<std::pair<const char*, Value>> entries) {
    auto dict = jinja::make<Dict>();
    for (const auto& [key, value] : entries) dict->set(Value(key), value);
    return Value(dict);
}

jinja::VmOptions vm_options() {
    jinja::VmOptions options;
    options.limits = kLimits;
    options.undefined = jinja::UndefinedMode::strict;
    return options;
}

}  // namespace

Result<TaskConfig> TaskConfig::from_json(std::string_view text) {
    const Value all = TRY(parse_json_value(text));
    TaskConfig config;
    config.condition = text_of(member_of(all, "if"));
    if (const Value* each = member_of(all, "for_each")) {
        const Value* items = member_of(*each, "items");
        config.items = items == nullptr ? Value::list({}) : *items;
        const Value* parallel = member_of(*each, "parallel");
        config.parallel = parallel == nullptr ? 1 : integer_of(parallel);
    }
    const Value* options = member_of(all, "options");
    config.options = options == nullptr ? Value(jinja::make<Dict>()) : *options;
    return config;
}

std::string TaskConfig::to_json() const {
    JsonWriter json;
    json.begin_object();
    if (!condition.empty()) json.field("if", condition);
    if (items) {
        json.key("for_each").begin_object().key("items").raw(json_text_of(*items));
        json.field("parallel", parallel).end_object();
    }
    return json.key("options").raw(json_text_of(options)).end_object().str();
}

Result<TaskTemplates> TaskTemplates::create(const TemplateValues& values) {
    TaskTemplates made;
    made.names_["run"] = dict_of({{"id", Value(values.run)}});
    made.names_["flow"] = Value(values.flow);
    made.names_["due"] = Value(format_timestamp(values.due));
    made.names_["interval"] = dict_of(
        {{"begin", Value(format_timestamp(values.about.begin))}, {"end", Value(format_timestamp(values.about.end))}});
    made.names_["inputs"] = TRY(parse_json_value(values.inputs));
    made.names_["outputs"] = TRY(parse_json_value(values.outputs));
    return made;
}

void TaskTemplates::set_item(Value item, int64_t index) {
    names_["item"] = std::move(item);
    names_["index"] = Value(index);
}

Result<Value> TaskTemplates::render(const Value& value, const Cancellation& cancellation) const {
    jinja::Vm vm(vm_options(), &cancellation);
    return render_all(vm, value, "", NameScope(names_));
}

Result<bool> TaskTemplates::holds(const std::string& condition, const Cancellation& cancellation) const {
    jinja::Vm vm(vm_options(), &cancellation);
    const auto compiled = TRY(compile("{{ (" + condition + ") }}", "if"));
    const Value made = TRY(vm.render_value(*compiled, NameScope(names_)));
    TRY(defined(made, "if"));
    return made.truth();
}

std::vector<Error> check_templates(const Value& value) {
    std::vector<Error> errors;
    check_all(value, "", errors);
    return errors;
}

Result<void> check_condition(const std::string& condition) {
    TRY(compile("{{ (" + condition + ") }}", "if"));
    return {};
}

}  // namespace shaduf
