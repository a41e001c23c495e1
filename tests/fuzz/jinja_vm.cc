// Renders any text within small limits; the same machine goes on after an error.

#include <cstdint>
#include <cstdlib>

#include "jinja/template.h"
#include "jinja/vm.h"

using namespace shaduf;
using namespace shaduf::jinja;

namespace {

class FewNames final : public Scope {
public:
    Result<std::optional<Value>> find(Vm& vm, std::string_view name) const override {
        if (name == "items") return std::optional<Value>(Value::list({Value(1), Value("a"), Value::none()}));
        if (name == "d") return std::optional<Value>(from_json(R"({"a": [1, {"b": 2}], "c": "x"})").release_value());
        if (name == "s") return std::optional<Value>(Value("text, \xC3\xA9"));
        if (name == "n") return std::optional<Value>(Value(3));
        if (name != "return") return std::optional<Value>();
        (void)vm;
        return std::optional<Value>(make_function("return", [](Vm& own, const Arguments& arguments) -> Result<Value> {
            return own.return_value(arguments.positional.empty() ? Value::none() : arguments.positional[0]);
        }));
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto source = Template::compile(std::string(reinterpret_cast<const char*>(data), size), "fuzz", {});
    if (!source.ok()) return 0;
    VmOptions options;
    options.limits.steps_max = 20'000;
    options.limits.depth_max = 30;
    options.limits.output_bytes_max = 1U << 16U;
    Vm vm(options);
    const FewNames names;
    const auto first = vm.render(*source.value(), names);
    static const TemplatePtr known =
        Template::compile("{% for i in items %}{{ i }}{% endfor %}", "known", {}).release_value();
    Vm other(options);
    if (other.render(*known, names).release_value() != "1aNone") std::abort();
    (void)first;
    (void)vm.render(*known, names);
    return 0;
}
