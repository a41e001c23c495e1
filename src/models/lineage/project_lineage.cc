#include "models/lineage/project_lineage.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "models/lineage/known_tables.h"

namespace shaduf::models {
namespace {

// Trees of so many queries are held at once: those of a large model take some hundred kilobytes.
constexpr size_t kParsedAtOnce = 64;

bool is_plain(const Node& node) {
    constexpr std::array<std::string_view, 6> kPlain = {"view",      "table",    "incremental",
                                                        "ephemeral", "snapshot", "materialized_view"};
    return std::find(kPlain.begin(), kPlain.end(), node.config.text("materialized")) != kPlain.end();
}

// What is read stands before what reads it. Without recursion: a chain of models may be as long as it likes.
std::vector<const CompiledQuery*> in_order(const std::vector<CompiledQuery>& queries) {
    std::unordered_map<std::string_view, const CompiledQuery*> by_id;
    for (const CompiledQuery& query : queries) by_id.emplace(query.node->unique_id, &query);
    std::vector<const CompiledQuery*> ordered;
    std::unordered_set<std::string_view> entered, left;
    for (const CompiledQuery& first : queries) {
        std::vector<const CompiledQuery*> open = {&first};
        while (!open.empty()) {
            const CompiledQuery* at = open.back();
            if (entered.insert(at->node->unique_id).second) {
                for (const std::string& id : at->node->depends_on_nodes) {
                    const auto below = by_id.find(id);
                    if (below != by_id.end() && !entered.contains(id)) open.push_back(below->second);
                }
                continue;
            }
            open.pop_back();
            if (left.insert(at->node->unique_id).second) ordered.push_back(at);
        }
    }
    return ordered;
}

class ProjectTracer {
public:
    ProjectTracer(SqlParser& parser, const LineageWorld& world)
        : parser_(parser), world_(world), tables_(world), lineage_(tables_.given()) {}

    Result<void> add(std::span<const CompiledQuery* const> queries) {
        std::vector<std::string> texts;
        for (const CompiledQuery* query : queries) texts.push_back(query->sql);
        const std::vector<ParsedSql> parsed = TRY(parser_.parse(texts));
        for (size_t i = 0; i < queries.size(); ++i) {
            const Node& node = *queries[i]->node;
            NodeLineage lineage = trace(*queries[i], parsed[i]);
            tables_.set(node.unique_id, lineage);
            lineage_.emplace(node.unique_id, std::move(lineage));
        }
        return {};
    }
    ProjectLineage take() { return std::move(lineage_); }

private:
    NodeLineage trace(const CompiledQuery& query, const ParsedSql& parsed) {
        const std::string& why = query.not_compiled.empty() ? parsed.unknown : query.not_compiled;
        if (parsed.query != nullptr && query.not_compiled.empty()) {
            const SqlDialect dialect = world_.adapter_type == "postgres" ? SqlDialect::postgres : SqlDialect::duckdb;
            NodeLineage lineage = QueryTracer(tables_, parser_, dialect).trace(*parsed.query);
            if (query.node->type == ResourceType::snapshot) add_snapshot_columns(*query.node, lineage);
            // A materialization of another kind may bring names of its own into the query, as parameters are.
            if (!is_plain(*query.node)) lineage.absent.clear();
            return lineage;
        }
        NodeLineage lineage;
        const auto known = world_.known_columns.find(query.node->unique_id);
        if (known == world_.known_columns.end()) {
            lineage.unknown = why;
            return lineage;
        }
        for (const std::string& name : known->second) lineage.columns.push_back({name, {}, why});
        return lineage;
    }

    SqlParser& parser_;
    const LineageWorld& world_;
    KnownTables tables_;
    ProjectLineage lineage_;
};

}  // namespace

Result<ProjectLineage> trace_project(RunContext& run, const LineageWorld& world,
                                     const std::vector<CompiledQuery>& queries) {
    const auto parser = TRY(SqlParser::create(run));
    ProjectTracer tracer(*parser, world);
    const std::vector<const CompiledQuery*> ordered = in_order(queries);
    for (size_t at = 0; at < ordered.size(); at += kParsedAtOnce) {
        const size_t count = std::min(kParsedAtOnce, ordered.size() - at);
        TRY(tracer.add(std::span(ordered).subspan(at, count)));
    }
    return tracer.take();
}

}  // namespace shaduf::models
