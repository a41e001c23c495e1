// Splits any bytes into tokens: they stand in the order of the text and within it.

#include <cstdint>
#include <cstdlib>

#include "jinja/lexer.h"

using namespace shaduf::jinja;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1) return 0;
    Syntax syntax;
    syntax.trim_blocks = (data[0] & 1U) != 0;
    syntax.lstrip_blocks = (data[0] & 2U) != 0;
    if ((data[0] & 4U) != 0) syntax.definition_tags = {{"docs", DefinitionTag::Form::text}};
    const std::string_view source(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (source.find('\r') != std::string_view::npos) return 0;
    Lexer lexer(source, "fuzz", syntax);
    const auto tokens = lexer.run();
    if (!tokens.ok()) return 0;
    uint32_t at = 0;
    for (const auto& token : tokens.value()) {
        if (token.begin < at || token.end < token.begin || token.end > source.size()) std::abort();
        at = token.end;
    }
    return 0;
}
