#include "models/command/plan_command.h"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "base/text.h"
#include "models/command/plan_json.h"
#include "models/command/plan_report.h"
#include "models/command/project_database.h"
#include "models/plan/changes.h"
#include "models/plan/columns.h"
#include "models/plan/effects.h"

namespace shaduf::models {
namespace {

constexpr int kDone = 0, kWouldChange = 2;

std::optional<int64_t> number_of(const jinja::Value& value) {
    if (value.is_number()) return static_cast<int64_t>(value.number());
    return std::nullopt;
}

class Planner {
public:
    Planner(Invocation& invocation, const PreviousState& state)
        : invocation_(invocation), services_(invocation.services()), state_(state) {}

    Result<Plan> make(const std::vector<const Member*>& selected) {
        database_ = ProjectDatabase::open(invocation_);
        traced_ = TRY(trace_columns(invocation_, database_));
        for (const CompiledQuery& query : traced_.queries) queries_.emplace(query.node->unique_id, &query);
        Plan plan;
        plan.database_lack = database_.why_not;
        plan.has_state = state_.has_manifest();
        plan.state = state_.folder() + "/manifest.json";
        plan.state_time = state_.manifest()["metadata"]["generated_at"].text();
        find_nodes(plan);
        if (!database_.catalog && plan.has_state) TRY(trace_state());
        for (PlannedNode& node : plan.nodes) look_at(node);
        plan.breaks = find_breaks(services_.manifest, traced_.lineage, plan.nodes);
        keep_selected(selected, plan);
        for (PlannedNode& node : plan.nodes) {
            if (node.exists.value_or(false) && node.effect != TableEffect::view) add_size(node);
        }
        sort(plan);
        return plan;
    }

private:
    void find_nodes(Plan& plan) {
        const Members members(services_.manifest);
        const StateComparison comparison(services_.manifest, state_);
        ChangeInputs inputs = {members, state_, comparison, {}};
        if (database_.catalog) {
            for (const auto& node : services_.manifest.nodes) {
                if (has_relation(*node) && !is_custom(*node) && database_.catalog->find(*node) == nullptr)
                    inputs.absent.insert(node->unique_id);
            }
        }
        plan.nodes = find_changes(inputs);
    }

    // What is not selected was looked at, too: it may change what is. What is gone from the project belongs to no
    // selection.
    void keep_selected(const std::vector<const Member*>& selected, Plan& plan) const {
        const DbtArguments& arguments = invocation_.arguments();
        std::set<std::string_view> ids;
        for (const Member* member : selected) ids.insert(member->unique_id);
        bool is_whole = true;
        for (const std::string_view flag : {"select", "exclude", "selector", "resource-type", "exclude-resource-type"})
            is_whole = is_whole && !arguments.has(flag);
        std::erase_if(plan.nodes, [&](const PlannedNode& node) {
            return node.node == nullptr ? !is_whole : !ids.contains(node.unique_id);
        });
        const auto removed = plan.count(ChangeKind::removed);
        plan.unchanged = ids.size() - (plan.nodes.size() - removed);
        if (is_whole) return;
        std::erase_if(plan.breaks, [&](const PlanBreak& found) {
            return !ids.contains(found.unique_id) && !ids.contains(found.cause);
        });
    }

    // What a materialization of the project's own leaves cannot be told.
    static bool is_custom(const Node& node) {
        static constexpr std::array<std::string_view, 5> kKnown = {"view", "table", "incremental", "seed", "snapshot"};
        const std::string materialized = node.config.text("materialized");
        return std::find(kKnown.begin(), kKnown.end(), materialized) == kKnown.end();
    }

    // Without a database, the columns before are those of the SQL that the state has.
    Result<void> trace_state() {
        std::vector<CompiledQuery> queries;
        for (const CompiledQuery& query : traced_.queries) {
            const YamlNode* old = state_.find(query.node->unique_id);
            CompiledQuery then = {query.node, "", ""};
            if (old != nullptr) then.sql = (*old)["compiled_code"].text();
            if (then.sql.empty()) then.not_compiled = "the state has no compiled SQL of it";
            queries.push_back(std::move(then));
        }
        const LineageWorld world = {services_.manifest, invocation_.target().type, invocation_.target().schema, {}};
        old_lineage_ = TRY(trace_project(invocation_.run(), world, queries));
        return {};
    }

    void look_at(PlannedNode& planned) {
        const CatalogTable* table = nullptr;
        if (planned.node == nullptr) {
            if (database_.catalog && planned.materialized != "ephemeral")
                table = database_.catalog->find(planned.path.database, *planned.path.schema, *planned.path.identifier);
            if (database_.catalog) planned.exists = table != nullptr;
        } else {
            const Node& node = *planned.node;
            planned.materialized = node.config.text("materialized");
            planned.path = {node.database, node.schema, node.alias};
            if (database_.catalog && has_relation(node)) table = database_.catalog->find(node);
            EffectInputs inputs;
            inputs.full_refresh = invocation_.arguments().is_on("full-refresh");
            if (database_.catalog && has_relation(node)) inputs.exists = table != nullptr;
            inputs.is_view = table != nullptr && table->is_view();
            if (const auto query = queries_.find(planned.unique_id); query != queries_.end())
                planned.new_sql = query->second->sql.empty() ? node.raw_code : query->second->sql;
            if (has_relation(node)) compare(planned, table);
            add_effect(inputs, planned);
        }
        if (planned.materialized != "ephemeral")
            planned.relation = *planned.path.schema + "." + *planned.path.identifier;
    }

    void compare(PlannedNode& planned, const CatalogTable* table) {
        const bool is_there = table != nullptr || (!database_.catalog && planned.kind != ChangeKind::added);
        if (!is_there) return;
        PlannedColumns before;
        if (table != nullptr) {
            for (const CatalogRow& column : table->columns)
                before.push_back({text_of(column, "column_name"), text_of(column, "column_type")});
        } else {
            const auto old = old_lineage_.find(planned.unique_id);
            const bool is_known =
                old != old_lineage_.end() && old->second.unknown.empty() && old->second.columns.size() > 0;
            if (!is_known || planned.type == ResourceType::seed) {
                planned.columns_unknown = "the database was not asked";
                return;
            }
            for (const ColumnLineage& column : old->second.columns) before.push_back({column.name, ""});
        }
        const auto after = columns_after(planned);
        if (after) planned.columns = compare_columns(before, *after);
    }

    // By the lineage, which knows what becomes of the models above; types by the database, as long as none of these
    // changes.
    std::optional<PlannedColumns> columns_after(PlannedNode& planned) {
        const NodeLineage& lineage = traced_.lineage.find(planned.unique_id)->second;
        const auto query = queries_.find(planned.unique_id);
        PlannedColumns described;
        const bool reads_change = std::any_of(planned.reasons.begin(), planned.reasons.end(), [](const auto& reason) {
            return reason.what == ChangeReason::What::upstream;
        });
        const bool can_ask = database_.catalog && query != queries_.end() && !query->second->sql.empty() &&
                             planned.type == ResourceType::model && !reads_change;
        if (can_ask) {
            auto given = database_.session->describe(query->second->sql);
            if (given.ok()) {
                for (const auto& column : given.value()) described.push_back({column.name, column.type});
            } else {
                planned.notes.push_back("its query fails: " + first_line(given.error().message()));
            }
            // A query that failed has ended the transaction; what that answers changes nothing here.
            (void)database_.session->rollback();
        }
        if (!described.empty()) return described;
        if (!lineage.unknown.empty()) {
            planned.columns_unknown = lineage.unknown;
            return std::nullopt;
        }
        PlannedColumns columns;
        for (const ColumnLineage& column : lineage.columns) columns.push_back({column.name, ""});
        return columns;
    }

    static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

    void add_size(PlannedNode& planned) {
        const std::string sql = services_.adapter.size_query(planned.path);
        if (sql.empty()) return;
        auto given = database_.session->execute({.sql = sql, .fetch = Fetch::rows});
        if (given.ok() && given.value().table->rows().size() == 1) {
            const Table::Row& row = given.value().table->rows()[0];
            planned.size = {number_of(row[0]), number_of(row[1])};
        }
        (void)database_.session->rollback();
    }

    // What is the largest first, of each kind; what only reads a change comes last.
    static void sort(Plan& plan) {
        const auto rank = [](ChangeKind kind) {
            switch (kind) {
                case ChangeKind::changed:
                case ChangeKind::missing: return 0;
                case ChangeKind::added: return 1;
                case ChangeKind::removed: return 2;
                case ChangeKind::upstream: return 3;
            }
            return 4;
        };
        const auto weight = [&](const PlannedNode& node) {
            return std::make_tuple(rank(node.kind), -node.size.rows.value_or(0), node.name);
        };
        std::sort(plan.nodes.begin(), plan.nodes.end(),
                  [&](const PlannedNode& a, const PlannedNode& b) { return weight(a) < weight(b); });
    }

    Invocation& invocation_;
    const ContextServices& services_;
    const PreviousState& state_;
    ProjectDatabase database_;
    TracedProject traced_;
    ProjectLineage old_lineage_;
    std::map<std::string, const CompiledQuery*> queries_;
};

}  // namespace

Result<int> run_plan(Invocation& invocation, const std::vector<const Member*>& selected, Console& console) {
    const DbtArguments& arguments = invocation.arguments();
    std::string folder = arguments.text("state");
    if (folder.empty()) folder = invocation.services().target_path;
    const PreviousState state = TRY(PreviousState::load(invocation.services(), folder));
    const Plan plan = TRY(Planner(invocation, state).make(selected));
    const std::string target = invocation.target().name + " (" + invocation.target().type + ")";
    if (arguments.is_on("json")) {
        std::ostringstream text;
        JsonWriter out(text);
        write_plan(plan, target, out);
        out.finish();
        console.print(std::move(text).str());
    } else {
        console.print(plan_text(plan, invocation.services().manifest, target, arguments.is_on("diff")));
    }
    return !plan.is_empty() && arguments.is_on("exit-code") ? kWouldChange : kDone;
}

}  // namespace shaduf::models
