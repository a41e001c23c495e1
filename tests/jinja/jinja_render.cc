// Renders templates for tests written in other languages: reads a JSON object a line, {"name", "template", "context",
// "trim_blocks", ...}, and writes one a line, {"text": ...} or {"error": ...}.

#include <iostream>
#include <string>

#include "jinja/template.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

class DictScope final : public Scope {
public:
    explicit DictScope(Value names) : names_(std::move(names)) {}
    Result<std::optional<Value>> find(Vm&, std::string_view name) const override {
        const Value* found = names_.dict().find(name);
        return found == nullptr ? std::optional<Value>() : std::optional<Value>(*found);
    }

private:
    Value names_;
};

bool is_set(const Dict& request, std::string_view name) {
    const Value* found = request.find(name);
    return found != nullptr && found->truth();
}

std::string text_of(const Dict& request, std::string_view name) {
    const Value* found = request.find(name);
    return found == nullptr ? std::string() : found->text();
}

UndefinedMode mode_of(const Dict& request) {
    const std::string mode = text_of(request, "undefined");
    if (mode == "chainable") return UndefinedMode::chainable;
    if (mode == "silent") return UndefinedMode::silent;
    return mode == "strict" ? UndefinedMode::strict : UndefinedMode::plain;
}

Result<std::string> render(const Dict& request) {
    Syntax syntax;
    syntax.trim_blocks = is_set(request, "trim_blocks");
    syntax.lstrip_blocks = is_set(request, "lstrip_blocks");
    syntax.keep_trailing_newline = is_set(request, "keep_trailing_newline");
    const auto source = TRY(Template::compile(text_of(request, "template"), text_of(request, "name"), syntax));
    const Value* context = request.find("context");
    const DictScope scope(context == nullptr ? Value(make<Dict>()) : *context);
    VmOptions options;
    options.undefined = mode_of(request);
    options.limits.steps_max = 20'000'000;
    Vm vm(options);
    return vm.render(*source, scope);
}

std::string answer(std::string_view line, Vm& writer) {
    auto request = from_json(line);
    auto reply = make<Dict>();
    if (!request.ok()) {
        reply->set(Value("error"), Value(request.error().to_string()));
    } else {
        auto text = render(request.value().dict());
        if (text.ok()) {
            reply->set(Value("text"), Value(text.release_value()));
        } else {
            reply->set(Value("error"), Value(text.error().to_string()));
        }
    }
    auto json = to_json(writer, Value(reply), {});
    return json.ok() ? json.release_value() : "{\"error\": \"" + json.error().message() + "\"}";
}

}  // namespace
}  // namespace shaduf::jinja

int main() {
    shaduf::jinja::Vm writer({});
    for (std::string line; std::getline(std::cin, line);) std::cout << shaduf::jinja::answer(line, writer) << std::endl;
}
