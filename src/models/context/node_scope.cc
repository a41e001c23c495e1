#include "models/context/node_scope.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "jinja/template.h"
#include "models/context/native.h"
#include "models/context/query_comment.h"

namespace shaduf::models {
namespace {

using jinja::Value;

struct Entries {
    std::vector<ContextEntry> all;
    std::unordered_map<std::string_view, size_t> by_name;

    Entries() {
        for (const auto& part : {base_entries(), project_entries(), reference_entries(), config_entries(),
                                 result_entries(), adapter_entries()}) {
            for (const ContextEntry& entry : part) {
                by_name.emplace(entry.name, all.size());
                all.push_back(entry);
            }
        }
    }
};

const Entries& entries() {
    static const Entries kEntries;
    return kEntries;
}

// The point as it is in the text without what was put before it.
Error without_lead(const Error& error, std::string_view lead) {
    auto point = error.point();
    if (!point || lead.empty()) return error;
    const auto lines = static_cast<size_t>(std::count(lead.begin(), lead.end(), '\n'));
    const auto characters = static_cast<size_t>(
        std::count_if(lead.begin(), lead.end(), [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
    if (point->line > lines)
        point->line -= lines;
    else if (point->line == 0 && point->column > characters)
        point->column -= characters;
    return error.at_point(std::move(*point));
}

}  // namespace

const NodeScope& scope_of(jinja::Vm& vm) { return dynamic_cast<const NodeScope&>(vm.scope()); }

NodeScope::NodeScope(const ContextServices& services, Phase phase, Subject subject)
    : services_(services), phase_(phase), subject_(std::move(subject)), made_(entries().all.size()) {}

void NodeScope::set(std::string name, Value value) { names_.emplace_back(std::move(name), std::move(value)); }

// Macros go before the names of the context: so a project replaces ref() by a macro of that name.
Result<std::optional<Value>> NodeScope::find(jinja::Vm&, std::string_view name) const {
    for (auto known = names_.rbegin(); known != names_.rend(); ++known) {
        if (known->first == name) return std::optional(known->second);
    }
    if (const Macro* macro = find_macro(name)) return std::optional(macro_value(*macro));
    if (auto value = package_value(*this, name)) return value;
    return find_builtin(name);
}

Result<std::optional<Value>> NodeScope::find_builtin(std::string_view name) const {
    const auto found = entries().by_name.find(name);
    if (found == entries().by_name.end()) return std::optional<Value>();
    auto& made = made_[found->second];
    if (!made) made = TRY(entries().all[found->second].make(*this));
    return made;
}

const Macro* NodeScope::find_macro(std::string_view name) const {
    const MacroIndex& macros = services_.macros;
    if (const Macro* macro = macros.in_package(subject_.package, name)) return macro;
    if (subject_.package != services_.root_package) {
        if (const Macro* macro = macros.in_package(services_.root_package, name)) return macro;
    }
    for (const std::string& type : services_.adapter.lineage()) {
        if (const Macro* macro = macros.in_package("dbt_" + type, name)) return macro;
    }
    return macros.in_package(kBuiltinPackage, name);
}

const Macro* NodeScope::find_macro(std::string_view package, std::string_view name) const {
    if (package.empty()) return find_macro(name);
    if (package != kBuiltinPackage) return services_.macros.in_package(package, name);
    for (const std::string& type : services_.adapter.lineage()) {
        if (const Macro* macro = services_.macros.in_package("dbt_" + type, name)) return macro;
    }
    return services_.macros.in_package(kBuiltinPackage, name);
}

Result<Value> NodeScope::call_macro(jinja::Vm& vm, const Macro& macro, const jinja::Arguments& arguments) const {
    return vm.call_macro(*macro.file, macro.code(), *this, arguments);
}

Result<std::optional<Value>> NodeScope::variable(jinja::Vm&, std::string_view name) const {
    if (const Value* own = vars_ ? vars_->find(name) : nullptr) return std::optional(*own);
    const auto raw = services_.vars.find(subject_.package, name);
    if (!raw || !raw->is_string() || !jinja::has_tags(raw->string())) return raw;
    const auto code = TRY(jinja::Template::compile(raw->string(), "var " + std::string(name), {}));
    // In a machine of its own: the one that asks is in the middle of a template.
    jinja::Vm inner(vm_options(RenderMode::text));
    return std::optional(Value(TRY(inner.render(*code, *this))));
}

Result<QueryResult> NodeScope::execute(Statement statement) const {
    Statement sent = statement;
    const StatementComment* comment = services_.comment.get();
    if (comment != nullptr && !trim(sent.sql).empty()) {
        if (!run_->comment) run_->comment = TRY(comment->text(*this));
        sent.sql = comment->add(std::move(sent.sql), *run_->comment);
    }
    auto result = session()->execute(sent);
    if (!result.ok()) {
        const size_t before = sent.sql.ends_with(statement.sql) ? sent.sql.size() - statement.sql.size() : 0;
        const Error error = without_lead(result.error(), std::string_view(sent.sql).substr(0, before));
        run_->refused.emplace(NodeRun::Refused{std::move(statement.sql), error});
    }
    return result;
}

Result<std::vector<Session::ResultColumn>> NodeScope::describe(const std::string& sql) const {
    auto columns = session()->describe(sql);
    if (!columns.ok()) run_->refused.emplace(NodeRun::Refused{sql, columns.error()});
    return columns;
}

Error NodeScope::error(std::string message) const {
    if (!subject_.label.empty()) message += "\n  > in " + subject_.label;
    return {ErrorKind::invalid_config, std::move(message)};
}

}  // namespace shaduf::models
