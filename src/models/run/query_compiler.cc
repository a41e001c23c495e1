#include "models/run/query_compiler.h"

#include "base/run_context.h"
#include "models/context/node_scope.h"
#include "models/run/compiler.h"
#include "models/run/deferral.h"

namespace shaduf::models {
namespace {

class AbsentSession final : public Session {
public:
    explicit AbsentSession(std::string why) : why_(std::move(why)) {}
    Result<QueryResult> execute(const Statement&) override { return error(); }
    bool in_transaction() const override { return false; }
    Result<void> begin() override { return error(); }
    Result<void> commit() override { return error(); }
    Result<void> rollback() override { return {}; }
    Result<std::vector<ResultColumn>> describe(const std::string&) override { return error(); }

private:
    Error error() const { return {ErrorKind::unavailable, "its template asks the database: " + why_}; }

    const std::string why_;
};

Result<std::string> compile(const ContextServices& services, Compiler& compiler, Session& session, const Node& node) {
    NodeRun run;
    run.session = &session;
    NodeScope scope(services, Phase::run, {.node = &node, .package = node.package, .label = label_of(node)});
    scope.run_with(run);
    defer_refs(scope, session);
    auto compiled = compiler.compile(node, scope, run);
    TRY(session.rollback());
    return TRY(std::move(compiled)).code;
}

}  // namespace

std::unique_ptr<Session> make_absent_session(const ContextServices& services, const std::string& why) {
    const auto nothing = []() -> Result<std::vector<jinja::Ref<Relation>>> {
        return std::vector<jinja::Ref<Relation>>();
    };
    // What is listed already is not asked for again; the answer is an empty list, which cannot fail.
    for (const auto& node : services.manifest.nodes)
        (void)services.relations.relations(node->database.value_or(""), node->schema, nothing);
    for (const auto& source : services.manifest.sources)
        (void)services.relations.relations(source->database.value_or(""), source->schema, nothing);
    return std::make_unique<AbsentSession>(why);
}

std::vector<CompiledQuery> compile_queries(const ContextServices& services, Session& session,
                                           const std::vector<const Node*>& nodes) {
    Compiler compiler(services);
    std::vector<CompiledQuery> queries;
    for (const Node* node : nodes) {
        if (node->type != ResourceType::model && node->type != ResourceType::snapshot) continue;
        CompiledQuery query = {node, "", ""};
        if (node->language != "sql") {
            query.not_compiled = "it is no SQL but " + node->language;
        } else if (auto sql = compile(services, compiler, session, *node); sql.ok()) {
            query.sql = sql.release_value();
        } else {
            query.not_compiled = sql.error().message();
        }
        queries.push_back(std::move(query));
    }
    return queries;
}

}  // namespace shaduf::models
