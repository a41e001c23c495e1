#include "models/command/lineage_command.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "models/artifacts/artifact_file.h"
#include "models/artifacts/lineage_json.h"
#include "models/command/lineage_target.h"
#include "models/command/project_database.h"
#include "models/lineage/lineage_graph.h"

namespace shaduf::models {
namespace {

using Branch = LineageGraph::Branch;
using Direction = LineageGraph::Direction;

// How many characters a text takes on the terminal: those of UTF-8 that begin one.
size_t width_of(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string text, size_t width) {
    const size_t own = width_of(text);
    if (own < width) text.append(width - own, ' ');
    return text;
}

std::string joined_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
    return text;
}

class LineageReport {
public:
    LineageReport(const Manifest& manifest, const ProjectLineage& lineage, const LineageTarget& target)
        : manifest_(manifest), lineage_(lineage), graph_(lineage), target_(target) {}

    std::string text() const { return joined_lines(target_.column ? column_lines() : relation_lines()); }

    void write(JsonWriter& out) const {
        out.begin_object();
        out.field("relation", target_.relation);
        out.field("column", target_.column);
        if (!target_.column) {
            const auto node = lineage_.find(target_.relation);
            out.key("lineage");
            write_lineage(node == lineage_.end() ? NodeLineage{} : node->second, out);
        } else {
            for (const Direction direction : {Direction::upstream, Direction::downstream}) {
                out.key(direction == Direction::upstream ? "upstream" : "downstream");
                write_branches(branches(direction), out);
            }
        }
        out.end_object();
    }

private:
    struct Line {
        std::string tree;
        std::string how;
    };

    ColumnName column() const { return {target_.relation, *target_.column}; }
    const LineageTarget::Side& side(Direction direction) const {
        return direction == Direction::upstream ? target_.upstream : target_.downstream;
    }
    std::vector<Branch> branches(Direction direction) const {
        if (!side(direction).is_shown) return {};
        return graph_.walk(column(), direction, side(direction).depth);
    }
    std::string name_of(const ColumnName& name) const {
        const std::string relation = short_name(manifest_, name.relation);
        return name.column.empty() ? relation : relation + "." + name.column;
    }
    std::string heading() const {
        const Node* node = manifest_.node(target_.relation);
        if (node == nullptr) return "source " + short_name(manifest_, target_.relation);
        return std::string(to_string(node->type)) + " " + short_name(manifest_, target_.relation) + " (" +
               node->place.original_path + ")";
    }
    const NodeLineage* own() const {
        const auto node = lineage_.find(target_.relation);
        return node == lineage_.end() ? nullptr : &node->second;
    }

    // Every column with what it comes from directly and how many read it.
    std::vector<std::string> relation_lines() const {
        std::vector<std::string> lines = {heading()};
        const NodeLineage* node = own();
        if (node == nullptr) return lines;
        size_t width = 0, source_width = 0;
        for (const ColumnLineage& column : node->columns) {
            width = std::max(width, width_of(column.name));
            for (const ColumnSource& source : column.sources)
                source_width = std::max(source_width, width_of(name_of(source.from)));
        }
        for (const ColumnLineage& column : node->columns) {
            bool is_first = true;
            const auto add = [&](const std::string& what) {
                lines.push_back("  " + padded(is_first ? column.name : "", width) + "  " + what);
                is_first = false;
            };
            for (const ColumnSource& source : column.sources)
                add("<- " + padded(name_of(source.from), source_width) + "  " + std::string(to_string(source.kind)));
            if (!column.unknown.empty()) add("?  " + column.unknown);
            if (is_first) add("");
            while (lines.back().ends_with(' ')) lines.back().pop_back();
        }
        add_conditions(*node, lines);
        for (const ColumnName& absent : node->absent)
            lines.push_back("  reads what is not there: " + absent_name(absent));
        if (!node->unknown.empty()) lines.push_back("  not all columns are known: " + node->unknown);
        return lines;
    }

    // By the table: "orders: customer_id, ordered_at".
    void add_conditions(const NodeLineage& node, std::vector<std::string>& lines) const {
        if (node.conditions.empty()) return;
        std::vector<std::string> order;
        std::map<std::string, std::string> columns;
        for (const ColumnName& condition : node.conditions) {
            std::string& names = columns[condition.relation];
            if (names.empty()) order.push_back(condition.relation);
            names += (names.empty() ? "" : ", ") + condition.column;
        }
        lines.emplace_back("  rows are chosen by");
        for (const std::string& id : order) lines.push_back("    " + short_name(manifest_, id) + ": " + columns[id]);
    }

    std::string absent_name(const ColumnName& absent) const {
        return absent.relation.empty() ? absent.column : name_of(absent);
    }

    std::vector<std::string> column_lines() const {
        std::vector<std::string> lines = {name_of(column()) + "  " + heading()};
        const NodeLineage* node = own();
        const ColumnLineage* known = node == nullptr ? nullptr : node->find(*target_.column);
        if (known != nullptr && !known->unknown.empty()) lines.push_back("? " + known->unknown);
        for (const Direction direction : {Direction::upstream, Direction::downstream}) {
            if (!side(direction).is_shown) continue;
            const auto found = branches(direction);
            lines.emplace_back();
            lines.emplace_back(direction == Direction::upstream ? "comes from" : "goes to");
            if (found.empty()) lines.emplace_back("  nothing");
            std::vector<Line> tree;
            add_tree(found, "", tree);
            size_t width = 0;
            for (const Line& line : tree) width = std::max(width, width_of(line.tree));
            for (const Line& line : tree)
                lines.push_back(line.how.empty() ? line.tree : padded(line.tree, width) + "  " + line.how);
        }
        return lines;
    }

    void add_tree(const std::vector<Branch>& branches, const std::string& indent, std::vector<Line>& lines) const {
        for (size_t i = 0; i < branches.size(); ++i) {
            const Branch& branch = branches[i];
            const bool is_last = i + 1 == branches.size();
            Line line;
            line.tree = indent + (is_last ? "└─ " : "├─ ") + name_of(branch.step.column);
            line.how = branch.step.is_condition ? "chooses its rows" : std::string(to_string(branch.step.kind));
            if (branch.is_cut) line.how += " ...";
            lines.push_back(std::move(line));
            add_tree(branch.branches, indent + (is_last ? "   " : "│  "), lines);
        }
    }

    void write_branches(const std::vector<Branch>& branches, JsonWriter& out) const {
        out.begin_list();
        for (const Branch& branch : branches) {
            out.begin_object();
            write_column_name(branch.step.column, out);
            out.field("kind", branch.step.is_condition ? "condition" : to_string(branch.step.kind));
            out.flag_field("cut", branch.is_cut);
            out.key("branches");
            write_branches(branch.branches, out);
            out.end_object();
        }
        out.end_list();
    }

    const Manifest& manifest_;
    const ProjectLineage& lineage_;
    const LineageGraph graph_;
    const LineageTarget& target_;
};

}  // namespace

Result<int> run_lineage(Invocation& invocation, Console& console) {
    const auto& words = invocation.arguments().words;
    if (words.size() != 1) {
        return Error(ErrorKind::invalid_config,
                     "lineage needs one MODEL or MODEL.COLUMN, as in: shaduf lineage orders.amount");
    }
    ProjectDatabase database = ProjectDatabase::open(invocation);
    const TracedProject traced = TRY(trace_columns(invocation, database));
    const Manifest& manifest = invocation.services().manifest;
    const LineageTarget target = TRY(read_lineage_target(words[0], manifest, traced.lineage));
    const LineageReport report(manifest, traced.lineage, target);
    if (!invocation.arguments().is_on("json")) {
        console.print(report.text());
        return 0;
    }
    std::ostringstream text;
    JsonWriter out(text);
    report.write(out);
    out.finish();
    console.print(std::move(text).str());
    return 0;
}

Result<void> write_lineage_artifact(Invocation& invocation, Console& console) {
    ProjectDatabase database = ProjectDatabase::open(invocation);
    const TracedProject traced = TRY(trace_columns(invocation, database));
    TRY(write_column_lineage(invocation.services(), traced.lineage));
    console.line("Column lineage written to " + artifact_path(invocation.services(), "column_lineage.json"));
    return {};
}

}  // namespace shaduf::models
