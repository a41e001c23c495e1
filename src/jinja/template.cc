#include "jinja/template.h"

#include <algorithm>

#include "jinja/ast.h"
#include "jinja/compiler.h"
#include "jinja/lexer.h"
#include "jinja/names.h"
#include "jinja/parser.h"
#include "jinja/program.h"

namespace shaduf::jinja {
namespace {

void normalize_newlines(std::string& text) {
    if (text.find('\r') == std::string::npos) return;
    size_t out = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\r') {
            text[out++] = '\n';
            if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
        } else {
            text[out++] = text[at];
        }
    }
    text.resize(out);
}

constexpr size_t kSourceBytesMax = 1U << 30U;

}  // namespace

Template::Template(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Template::~Template() = default;

Result<std::shared_ptr<const Template>> Template::compile(std::string source, std::string name, const Syntax& syntax) {
    auto program = std::make_unique<Program>();
    program->name = std::move(name);
    if (source.size() > kSourceBytesMax) return syntax_error(program->name, {}, 0, "the template is too big");
    program->source = std::move(source);
    normalize_newlines(program->source);
    program->body_size = program->source.size();
    if (!syntax.keep_trailing_newline && program->source.ends_with('\n')) --program->body_size;
    program->is_plain = !has_tags(program->source);
    if (!program->is_plain) {
        Lexer lexer(program->body(), program->name, syntax);
        const std::vector<Token> tokens = TRY(lexer.run());
        Names names(program->names);
        Arena arena;
        const Nodes body = TRY(Parser(*program, names, arena, tokens, syntax).run());
        program->is_expression = body.size() == 1 && body[0]->kind == NodeKind::output && body[0]->a != nullptr;
        TRY(Compiler(*program, names).run(body));
    }
    return std::shared_ptr<const Template>(new Template(std::move(program)));
}

const std::string& Template::name() const { return program_->name; }
const std::string& Template::source() const { return program_->source; }
const std::vector<Definition>& Template::definitions() const { return program_->definitions; }
const std::vector<CallSite>& Template::calls() const { return program_->calls; }
bool Template::is_plain() const { return program_->is_plain; }

bool has_tags(std::string_view text) {
    for (size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
        if (at + 1 < text.size() && (text[at + 1] == '{' || text[at + 1] == '%' || text[at + 1] == '#')) return true;
    }
    return false;
}

}  // namespace shaduf::jinja
