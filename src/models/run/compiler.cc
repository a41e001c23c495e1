#include "models/run/compiler.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/run_context.h"
#include "base/text.h"
#include "models/context/native.h"
#include "models/context/test_arguments.h"
#include "models/run/deferral.h"
#include "models/run/sql_words.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::Value;

Result<std::string> render_node(const Node& node, NodeScope& scope, const Cancellation& cancellation) {
    if (node.test)
        scope.set(std::string(kTestArgumentsName),
                  TRY(render_test_arguments(*node.test, node.place.original_path, scope)));
    jinja::TemplatePtr code = node.code;
    if (code == nullptr) code = TRY(jinja::Template::compile(node.raw_code, node.place.original_path, {}));
    jinja::Vm vm(vm_options(RenderMode::text), &cancellation);
    return vm.render(*code, scope);
}

void add_cte(std::vector<CompiledNode::Cte>& ctes, const CompiledNode::Cte& cte) {
    const bool known =
        std::any_of(ctes.begin(), ctes.end(), [&](const auto& other) { return other.unique_id == cte.unique_id; });
    if (!known) ctes.push_back(cte);
}

}  // namespace

std::string label_of(const Node& node) {
    return std::string(to_string(node.type)) + " " + node.name + " (" + node.place.original_path + ")";
}

std::string compiled_path(const ContextServices& services, const Node& node, std::string_view batch) {
    return (std::filesystem::path(services.target_path) / "compiled" / written_path(node, batch)).string();
}

Result<void> write_compiled(const ContextServices& services, const Node& node, const std::string& code,
                            std::string_view batch) {
    if (code.empty()) return {};
    const auto file = std::filesystem::path(services.project_root) / compiled_path(services, node, batch);
    std::error_code failure;
    std::filesystem::create_directories(file.parent_path(), failure);
    std::ofstream out(file, std::ios::binary);
    out.write(code.data(), static_cast<std::streamsize>(code.size()));
    if (out.flush()) return {};
    return Error(ErrorKind::exhausted,
                 "cannot write compiled code: " + file.string() + "; is there room, and may it be written?");
}

std::string inject_ctes(const std::string& sql, const std::vector<CompiledNode::Cte>& ctes) {
    if (ctes.empty()) return sql;
    std::string joined;
    for (const auto& cte : ctes) joined += (joined.empty() ? "" : ", ") + cte.sql;
    if (const auto with = end_of_with(sql)) {
        const size_t next = std::min(sql.find_first_not_of(" \t\r\n", *with), sql.size());
        return sql.substr(0, next) + joined + ", " + sql.substr(next);
    }
    const size_t first = std::min(sql.find_first_not_of(" \t\r\n"), sql.size());
    return sql.substr(0, first) + "with" + joined + " " + sql.substr(first);
}

Result<CompiledNode> Compiler::compile(const Node& node, NodeScope& scope, NodeRun& run) {
    CompiledNode compiled;
    const std::string text = TRY(render_node(node, scope, services_.run.cancellation));
    for (const std::string& unique_id : std::vector<std::string>(run.ctes)) {
        const CompiledNode below = TRY(compile_ephemeral(unique_id, run.session));
        for (const auto& cte : below.ctes) add_cte(compiled.ctes, cte);
    }
    compiled.code = inject_ctes(text, compiled.ctes);
    run.compiled_code = compiled.code;
    return compiled;
}

// Its own CTE stands last among those it needs.
Result<CompiledNode> Compiler::compile_ephemeral(const std::string& unique_id, Session* session) {
    const std::lock_guard lock(mutex_);
    const auto known = ephemeral_.find(unique_id);
    if (known != ephemeral_.end()) return known->second;
    const Node* node = services_.manifest.node(unique_id);
    SHADUF_ASSERT(node != nullptr);
    NodeRun run;
    run.session = session;
    NodeScope scope(services_, Phase::run, {.node = node, .package = node->package, .label = label_of(*node)});
    scope.run_with(run);
    if (session != nullptr) defer_refs(scope, *session);
    const std::string text = TRY(render_node(*node, scope, services_.run.cancellation));
    CompiledNode compiled;
    for (const std::string& below : std::vector<std::string>(run.ctes)) {
        const CompiledNode child = TRY(compile_ephemeral(below, session));
        for (const auto& cte : child.ctes) add_cte(compiled.ctes, cte);
    }
    compiled.code = inject_ctes(text, compiled.ctes);
    TRY(write_compiled(services_, *node, compiled.code));
    add_cte(compiled.ctes, {unique_id, " " + std::string(kEphemeralPrefix) + node->alias + " as (\n" + text + "\n)"});
    return ephemeral_.emplace(unique_id, std::move(compiled)).first->second;
}

}  // namespace shaduf::models
