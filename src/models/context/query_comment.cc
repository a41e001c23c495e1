#include "models/context/query_comment.h"

#include "base/text.h"
#include "models/context/native.h"
#include "models/context/node_scope.h"
#include "models/project/version.h"

namespace shaduf::models {
namespace {

using jinja::Value;

Result<std::string> default_text(const NodeScope& scope) {
    const ContextServices& services = scope.services();
    auto comment = jinja::make<jinja::Dict>();
    comment->set("app", "dbt");
    comment->set("dbt_version", kDbtVersion);
    for (const char* key : {"profile_name", "target_name"}) {
        const Value* value = services.target->find(key);
        comment->set(key, value == nullptr ? Value::none() : *value);
    }
    if (scope.node() != nullptr && scope.node()->type != ResourceType::operation)
        comment->set("node_id", scope.node()->unique_id);
    else if (scope.subject().source != nullptr)
        comment->set("node_id", scope.subject().source->unique_id);
    else
        comment->set("connection_name", scope.subject().connection);
    jinja::Vm vm({});
    return jinja::to_json(vm, comment, {});
}

}  // namespace

Result<StatementComment> StatementComment::create(const QueryComment& settings) {
    StatementComment made;
    made.append_ = settings.append;
    made.is_default_ = !settings.comment.has_value();
    if (made.is_default_ || settings.comment->empty()) return made;
    made.code_ =
        TRY(jinja::Template::compile("{%- macro query_comment_macro(connection_name, node) -%}\n" + *settings.comment +
                                         "\n{% endmacro %}{{ query_comment_macro(connection_name, node) }}",
                                     "query-comment of dbt_project.yml", {}));
    return made;
}

Result<std::string> StatementComment::text(const NodeScope& scope) const {
    if (is_default_) return default_text(scope);
    if (code_ == nullptr) return std::string();
    const ContextServices& services = scope.services();
    NodeScope own(services, Phase::run, {.package = services.root_package, .label = "query-comment"});
    NodeRun run;  // nothing may be run for it
    own.run_with(run);
    const bool is_of_node = scope.node() != nullptr && scope.node()->type != ResourceType::operation;
    own.set("connection_name", is_of_node ? scope.node()->unique_id : scope.subject().connection);
    auto node = is_of_node ? TRY(scope.find_builtin("model")) : std::optional<Value>();
    own.set("node", node ? *node : Value::none());
    jinja::Vm vm(vm_options(RenderMode::text));
    std::string text(trim(TRY(vm.render(*code_, own))));
    if (text.find("*/") != std::string::npos) {
        return Error(ErrorKind::invalid_config, "query comment contains illegal value \"*/\": " + text)
            .at(Place::in_file("dbt_project.yml", 0));
    }
    return text;
}

std::string StatementComment::add(std::string sql, std::string_view text) const {
    if (text.empty()) return sql;
    const std::string comment = "/* " + std::string(text) + " */";
    if (!append_) return comment + "\n" + sql;
    sql.erase(sql.find_last_not_of(" \t\r\n\f\v") + 1);
    const bool has_end = !sql.empty() && sql.back() == ';';
    if (has_end) sql.pop_back();
    return sql + "\n" + comment + (has_end ? ";" : "");
}

}  // namespace shaduf::models
