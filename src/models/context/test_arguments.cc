#include "models/context/test_arguments.h"

#include "base/text.h"
#include "models/context/native.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

bool is_call_without_braces(std::string_view text) {
    text = trim(text);
    if (!text.ends_with(')')) return false;
    for (const std::string_view name : {"env_var", "ref", "var", "source", "doc"}) {
        if (!text.starts_with(name)) continue;
        const std::string_view rest = trim(text.substr(name.size()));
        if (rest.size() > 2 && rest.front() == '(') return true;
    }
    return false;
}

class ArgumentRenderer {
public:
    ArgumentRenderer(const std::string& file, const jinja::Scope& scope) : file_(file), scope_(scope), vm_(options()) {}

    Result<Value> render(const Value& value) {
        switch (value.kind()) {
            case Kind::string: return render_text(value.string());
            case Kind::list: {
                std::vector<Value> items;
                for (const Value& item : value.items()) items.push_back(TRY(render(item)));
                return Value::list(std::move(items));
            }
            case Kind::dict: {
                auto dict = jinja::make<jinja::Dict>();
                for (const auto& [key, item] : value.dict().entries()) dict->set(key, TRY(render(item)));
                return Value(dict);
            }
            default: return value;
        }
    }

private:
    static jinja::VmOptions options() {
        jinja::VmOptions options = vm_options(RenderMode::native);
        options.undefined = jinja::UndefinedMode::silent;
        return options;
    }

    Result<Value> render_text(const std::string& text) {
        const bool is_call = is_call_without_braces(text);
        if (!is_call && !jinja::has_tags(text)) return Value(text);
        const auto code = TRY(jinja::Template::compile(is_call ? "{{ " + text + " }}" : text, file_, {}));
        return vm_.render_value(*code, scope_);
    }

    const std::string& file_;
    const jinja::Scope& scope_;
    jinja::Vm vm_;
};

}  // namespace

Result<Value> render_test_arguments(const TestMetadata& test, const std::string& file, const jinja::Scope& scope) {
    auto arguments = jinja::make<jinja::Dict>();
    if (test.arguments.kind() != Kind::dict) return Value(arguments);
    ArgumentRenderer renderer(file, scope);
    for (const auto& [key, value] : test.arguments.dict().entries()) {
        const bool is_kept = key.text() == "column_name" && value.is_string();
        arguments->set(key, is_kept ? value : TRY(renderer.render(value)));
    }
    return Value(arguments);
}

}  // namespace shaduf::models
