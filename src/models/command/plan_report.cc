#include "models/command/plan_report.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "models/command/lineage_target.h"
#include "models/plan/sql_diff.h"

namespace shaduf::models {
namespace {

constexpr size_t kNamesShown = 3, kContext = 3;

class PlanReport {
public:
    PlanReport(const Plan& plan, const Manifest& manifest, bool with_diff)
        : plan_(plan), manifest_(manifest), with_diff_(with_diff) {}

    std::string text(const std::string& target) {
        add_head(target);
        add_breaks();
        add_nodes();
        add_sums();
        std::string all;
        bool is_blank = true;
        for (const std::string& line : lines_) {
            if (line.empty() && is_blank) continue;
            is_blank = line.empty();
            std::string_view whole = line;
            while (whole.ends_with(' ')) whole.remove_suffix(1);
            all += std::string(whole) + "\n";
        }
        if (!all.empty()) all.pop_back();
        return all;
    }

private:
    using Cells = std::array<std::string, 5>;

    void add_head(const std::string& target) {
        std::string head = "plan for target " + target;
        if (plan_.has_state) {
            head += ", against " + plan_.state;
            if (plan_.state_time.size() > 16) {
                head += " of " + plan_.state_time.substr(0, 10) + " " + plan_.state_time.substr(11, 5) + " UTC";
            }
        }
        lines_.push_back(head);
        if (!plan_.has_state) lines_.push_back("no state at " + plan_.state + ": all counts as new");
        if (!plan_.database_lack.empty())
            lines_.push_back("the database was not asked, so sizes and types are not known: " + plan_.database_lack);
        lines_.emplace_back();
    }

    std::string name_of(const std::string& unique_id) const {
        const Node* node = manifest_.node(unique_id);
        const bool is_test = node != nullptr && node->type == ResourceType::test;
        if (is_test) return "test " + node->name;
        // Macros are called by their name; what they are of says little.
        if (unique_id.starts_with("macro.")) return unique_id.substr(unique_id.rfind('.') + 1) + "()";
        return short_name(manifest_, unique_id);
    }

    void add_breaks() {
        if (plan_.breaks.empty()) return;
        size_t width = 0;
        for (const PlanBreak& found : plan_.breaks) width = std::max(width, name_of(found.unique_id).size());
        lines_.emplace_back("breaks:");
        for (const PlanBreak& found : plan_.breaks) {
            std::string name = name_of(found.unique_id);
            name.resize(width, ' ');
            lines_.push_back("  ! " + name + "  " + found.text);
        }
        lines_.emplace_back();
    }

    std::string names_text(const std::vector<std::string>& names) const {
        std::string text;
        for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) text += (i == 0 ? "" : ", ") + name_of(names[i]);
        if (names.size() > kNamesShown) text += " and " + std::to_string(names.size() - kNamesShown) + " more";
        return text;
    }

    std::string why(const PlannedNode& node) const {
        std::vector<std::string> parts;
        if (node.kind == ChangeKind::added) parts.emplace_back("new");
        if (node.kind == ChangeKind::missing) parts.emplace_back("not in the database");
        if (node.kind == ChangeKind::removed) parts.emplace_back("removed");
        for (const ChangeReason& reason : node.reasons) {
            // What is new has no other reason.
            if (node.kind == ChangeKind::added) break;
            const std::string names = names_text(reason.names);
            parts.push_back(std::string(to_string(reason.what)) + (names.empty() ? "" : " " + names));
        }
        return join(parts, "; ");
    }

    static std::string effect(const PlannedNode& node) {
        switch (node.effect) {
            case TableEffect::nothing: return "ephemeral, no table";
            case TableEffect::view: return "view, no rows stored";
            case TableEffect::created: return node.type == ResourceType::seed ? "loaded" : "created";
            case TableEffect::rebuilt: return node.type == ResourceType::seed ? "loaded anew" : "rebuilt whole";
            case TableEffect::extended: return "incremental, rows added";
            case TableEffect::versions: return "snapshot, versions added";
            case TableEffect::custom: return node.materialized;
            case TableEffect::kept: return node.exists.value_or(true) ? "stays in the database" : "not in the database";
        }
        return "";
    }

    static char mark(ChangeKind kind) {
        switch (kind) {
            case ChangeKind::added: return '+';
            case ChangeKind::removed: return '-';
            case ChangeKind::upstream: return '>';
            case ChangeKind::missing:
            case ChangeKind::changed: return '~';
        }
        return ' ';
    }

    static std::string size(const PlannedNode& node) {
        if (!node.size.rows && !node.size.bytes) return "";
        std::string text =
            node.size.rows ? format_count(*node.size.rows) + (*node.size.rows == 1 ? " row" : " rows") : "";
        if (node.size.bytes) text += (text.empty() ? "" : ", ") + format_bytes(static_cast<uint64_t>(*node.size.bytes));
        return text;
    }

    void add_nodes() {
        std::array<size_t, 5> widths = {};
        std::vector<Cells> rows;
        for (const PlannedNode& node : plan_.nodes) {
            const std::string label = node.node == nullptr ? node.name : short_name(manifest_, node.unique_id);
            rows.push_back({label, why(node), effect(node), size(node), ""});
            for (size_t i = 0; i < 3; ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
        }
        for (size_t i = 0; i < rows.size(); ++i) {
            const PlannedNode& node = plan_.nodes[i];
            std::string line = std::string("  ") + mark(node.kind) + " ";
            for (size_t k = 0; k < 4; ++k) {
                std::string cell = rows[i][k];
                if (k < 3) cell.resize(widths[k] + 2, ' ');
                line += cell;
            }
            lines_.push_back(line);
            add_columns(node);
            for (const std::string& note : node.notes) lines_.push_back("      " + note);
            if (with_diff_) add_diff(node);
        }
        if (!rows.empty()) lines_.emplace_back();
    }

    void add_columns(const PlannedNode& node) {
        size_t width = 0;
        for (const ColumnChange& column : node.columns) width = std::max(width, column.name.size());
        for (const ColumnChange& column : node.columns) {
            std::string name = column.name;
            name.resize(width, ' ');
            using What = ColumnChange::What;
            const char sign = column.what == What::added ? '+' : column.what == What::dropped ? '-' : '~';
            std::string types = column.what == What::added     ? column.after
                                : column.what == What::dropped ? column.before
                                                               : column.before + " -> " + column.after;
            lines_.push_back(std::string("      ") + sign + " column " + name + "  " + types);
        }
        // Where nothing but what it reads has changed, its columns are the less likely to.
        const bool is_told = node.kind == ChangeKind::changed && plan_.database_lack.empty();
        if (is_told && !node.columns_unknown.empty())
            lines_.push_back("      columns not compared: " + node.columns_unknown);
    }

    void add_diff(const PlannedNode& node) {
        if (node.old_sql.empty() || node.new_sql.empty()) return;
        const auto diff = diff_lines(node.old_sql, node.new_sql, kContext);
        if (diff.empty()) return;
        lines_.emplace_back();
        for (const DiffLine& line : diff) {
            using What = DiffLine::What;
            const std::string sign = line.what == What::added ? "+ " : line.what == What::removed ? "- " : "  ";
            lines_.push_back("      " + (line.what == What::skipped ? "  ..." : sign + std::string(line.text)));
        }
        lines_.emplace_back();
    }

    // "1 new, 2 changed, 1 of them ...; 12 unchanged", then what is written anew.
    void add_sums() {
        using enum ChangeKind;
        std::vector<std::string> parts;
        for (const auto& [kind, name] :
             {std::pair(added, "new"), std::pair(changed, "changed"), std::pair(missing, "not in the database"),
              std::pair(removed, "removed"), std::pair(upstream, "by what they read")}) {
            if (const size_t count = plan_.count(kind)) parts.push_back(std::to_string(count) + " " + name);
        }
        if (parts.empty()) {
            lines_.push_back("nothing would change: " + std::to_string(plan_.unchanged) + " unchanged");
            return;
        }
        lines_.push_back(join(parts, ", ") + "; " + std::to_string(plan_.unchanged) + " unchanged");
        int64_t rows = 0, bytes = 0;
        size_t tables = 0;
        for (const PlannedNode& node : plan_.nodes) {
            if (node.effect != TableEffect::rebuilt) continue;
            ++tables;
            rows += node.size.rows.value_or(0);
            bytes += node.size.bytes.value_or(0);
        }
        if (tables == 0 || !plan_.database_lack.empty()) return;
        lines_.push_back(std::to_string(tables) + (tables == 1 ? " table" : " tables") + " rebuilt, which hold" +
                         (tables == 1 ? "s" : "") + " about " + format_count(rows) + " rows" +
                         (bytes > 0 ? " in " + format_bytes(static_cast<uint64_t>(bytes)) : ""));
    }

    const Plan& plan_;
    const Manifest& manifest_;
    const bool with_diff_;
    std::vector<std::string> lines_;
};

}  // namespace

std::string plan_text(const Plan& plan, const Manifest& manifest, const std::string& target, bool with_diff) {
    return PlanReport(plan, manifest, with_diff).text(target);
}

}  // namespace shaduf::models
