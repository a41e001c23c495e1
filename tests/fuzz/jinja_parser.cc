// Compiles any bytes: an error with its place, or definitions and calls that stand in the text.

#include <cstdint>
#include <cstdlib>

#include "jinja/template.h"

using namespace shaduf::jinja;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Syntax syntax;
    syntax.definition_tags = {{"test", DefinitionTag::Form::macro},
                              {"materialization", DefinitionTag::Form::options},
                              {"docs", DefinitionTag::Form::text}};
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto source = Template::compile(text, "fuzz", syntax);
    (void)parse_literal(text);
    if (!source.ok()) {
        if (source.error().place().line < 1) std::abort();
        return 0;
    }
    const auto is_within = [&](const Span& span) {
        return span.begin <= span.end && span.end <= source.value()->source().size() && span.line >= 1;
    };
    for (const auto& definition : source.value()->definitions()) {
        if (!is_within(definition.span) || !is_within(definition.body)) std::abort();
    }
    for (const auto& call : source.value()->calls()) {
        if (!is_within(call.span)) std::abort();
    }
    return 0;
}
