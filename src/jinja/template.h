#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"

namespace shaduf::jinja {

struct Program;

struct Span {
    uint32_t line = 1;    // from 1
    uint32_t column = 1;  // from 1, in code points
    uint32_t begin = 0;   // bytes of the source
    uint32_t end = 0;
};

// A tag of the host that defines something at the top of a template, beside `macro`.
struct DefinitionTag {
    enum class Form : uint8_t {
        macro,    // {% test name(a, b=1) %} body {% endtest %}
        options,  // {% materialization name, adapter='x', default %} body {% endmaterialization %}: called without
                  // arguments
        text,     // {% docs name %} body {% enddocs %}: the body is kept as it is
    };
    std::string name;
    Form form;
};

// Whether the name of a macro means that macro in its own template.
enum class DefinitionNames : uint8_t {
    bound,    // as in jinja2
    of_host,  // those at the top are found by the host alone: the scope is asked for the name, there as everywhere
};

struct Syntax {
    std::vector<DefinitionTag> definition_tags = {};
    DefinitionNames definition_names = DefinitionNames::bound;
    bool keep_trailing_newline = false;
    bool trim_blocks = false;
    bool lstrip_blocks = false;
};

// Something defined at the top of a template.
struct Definition {
    struct Parameter {
        std::string name;
        bool has_default = false;
    };
    struct Option {
        std::string name;
        std::optional<Value> value;  // nullopt: the name stands alone, or is no literal
    };
    std::string tag;  // "macro" or that of a DefinitionTag
    std::string name;
    std::vector<Parameter> parameters;  // of form macro
    std::vector<Option> options;        // of form options
    Span span;                          // with its tags
    Span body;
    size_t code = 0;  // of Vm::call_macro; not for form text
};

// A call as it stands in the text, for what can be known without running it.
struct CallSite {
    std::string path;  // "ref", "dbt_utils.star", "adapter.dispatch"
    // nullopt: no literal
    std::vector<std::optional<Value>> positional;
    std::vector<std::pair<std::string, std::optional<Value>>> named;
    Span span;
    // Which definition it stands in; nullopt: at the top.
    std::optional<size_t> definition;
};

// A compiled text. Immutable; threads share it. Holds its source.
class Template {
public:
    // `name` stands in errors. invalid_config with line and column for what is no template.
    static Result<std::shared_ptr<const Template>> compile(std::string source, std::string name, const Syntax& syntax);
    ~Template();

    const std::string& name() const;
    // As given, but for newlines: each is "\n".
    const std::string& source() const;
    const std::vector<Definition>& definitions() const;
    // Calls of names and of attributes of names, in the order of the text.
    const std::vector<CallSite>& calls() const;
    // The text has no tag at all: rendering gives it back (less its trailing newline).
    bool is_plain() const;

private:
    friend class Vm;
    explicit Template(std::unique_ptr<const Program> program);
    std::unique_ptr<const Program> program_;
};
using TemplatePtr = std::shared_ptr<const Template>;

// A text without {{, {% and {#: nothing to compile.
bool has_tags(std::string_view text);

// ast.literal_eval of Python: numbers, strings, tuples, lists, dicts, sets, True, False, None. nullopt: no literal.
std::optional<Value> parse_literal(std::string_view text);

}  // namespace shaduf::jinja
