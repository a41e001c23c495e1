#include "server/project/lineage.h"

#include <charconv>

#include "base/text.h"
#include "flow/pipeline_tables.h"

namespace shaduf::server {

LineageGraph::LineageGraph(const Project& project, const ModelGraph& models,
                           const std::map<std::string, TestCounts>& tests) {
    add_pipelines(project);
    for (const ModelNode& model : models.nodes) {
        const bool is_shown = model.kind == "model" || model.kind == "seed" || model.kind == "snapshot" ||
                              model.kind == "source" || model.kind == "exposure";
        if (!is_shown) continue;
        const std::string key = to_lower(model.schema + "." + model.table);
        const auto loaded = model.kind == "source" ? tables_.find(key) : tables_.end();
        const std::string id = loaded != tables_.end() ? loaded->second : model.id;
        ids_[model.id] = id;
        LineageNode& node = nodes_[id];
        if (loaded == tables_.end()) {
            node = {id, model.kind, model.name, model.schema, model.table, model.group, "", model.file, {}};
            if (model.kind != "exposure") tables_.emplace(key, id);
        }
        node.description = model.description;
        const auto counts = tests.find(model.id);
        if (counts != tests.end()) node.tests = counts->second;
    }
    for (const ModelNode& model : models.nodes) {
        const auto to = ids_.find(model.id);
        for (const std::string& read : model.reads) {
            const auto from = ids_.find(read);
            if (to != ids_.end() && from != ids_.end()) link(from->second, to->second);
        }
    }
}

void LineageGraph::add_pipelines(const Project& project) {
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (pipeline.half == PipelineHalf::producer) continue;
        // Of one with `via`, rows come from where its producer reads.
        const PipelineConfig& first = *project.pipelines_of(pipeline.title).front();
        const std::string connection = "connection:" + first.source;
        nodes_.emplace(connection,
                       LineageNode{connection, "connection", first.source, "", "", "", "", "shaduf.yml", {}});
        const std::string schema = schema_of(project, pipeline);
        for (const StreamConfig& stream : pipeline.streams) {
            const std::string key = to_lower(schema + "." + stream.table);
            const std::string id = "table:" + key;
            nodes_[id] = {id, "table", stream.table, schema, stream.table, pipeline.title, "", pipeline.file, {}};
            tables_[key] = id;
            link(connection, id);
        }
    }
    // A pipeline that reads the warehouse reads tables of it.
    for (const PipelineConfig& pipeline : project.pipelines) {
        for (const StreamConfig& stream : pipeline.streams) {
            const auto read = tables_.find(to_lower(stream.name));
            const bool is_own = pipeline.source == project.warehouse && read != tables_.end();
            if (is_own) link(read->second, "table:" + to_lower(schema_of(project, pipeline) + "." + stream.table));
        }
    }
}

void LineageGraph::link(const std::string& from, const std::string& to) {
    if (from == to || !edges_.emplace(from, to).second) return;
    after_[from].insert(to);
    before_[to].insert(from);
}

std::set<std::string> LineageGraph::named(std::string_view name) const {
    std::set<std::string> found;
    const std::string lower = to_lower(name);
    for (const auto& [id, node] : nodes_) {
        const bool is_table = !node.table.empty() && to_lower(node.schema + "." + node.table) == lower;
        if (id == name || to_lower(node.name) == lower || is_table || (node.kind == "table" && node.group == name)) {
            found.insert(id);
        }
    }
    return found;
}

const std::string& LineageGraph::id_of(const std::string& unique_id) const {
    const auto found = ids_.find(unique_id);
    return found == ids_.end() ? unique_id : found->second;
}

std::set<std::string> LineageGraph::reach(std::set<std::string> from, bool before, int64_t depth) const {
    const auto& next = before ? before_ : after_;
    std::set<std::string> edge = from;
    for (int64_t step = 0; !edge.empty() && (depth < 0 || step < depth); ++step) {
        std::set<std::string> found;
        for (const std::string& id : edge) {
            const auto neighbours = next.find(id);
            if (neighbours == next.end()) continue;
            for (const std::string& neighbour : neighbours->second) {
                if (from.insert(neighbour).second) found.insert(neighbour);
            }
        }
        edge = std::move(found);
    }
    return from;
}

std::pair<int64_t, int64_t> LineageGraph::hidden(const std::string& id, const std::set<std::string>& shown) const {
    const auto count = [&](const auto& map) {
        const auto found = map.find(id);
        int64_t hidden = 0;
        if (found == map.end()) return hidden;
        for (const std::string& neighbour : found->second) hidden += shown.contains(neighbour) ? 0 : 1;
        return hidden;
    };
    return {count(before_), count(after_)};
}

LineageCriterion read_criterion(std::string_view text) {
    const auto steps = [](std::string_view digits) {
        int64_t value = -1;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    };
    LineageCriterion criterion;
    const size_t first = text.find('+');
    if (first != text.npos && text.substr(0, first).find_first_not_of("0123456789") == text.npos) {
        criterion.has_before = true;
        criterion.before = steps(text.substr(0, first));
        text.remove_prefix(first + 1);
    }
    const size_t last = text.rfind('+');
    if (last != text.npos && text.substr(last + 1).find_first_not_of("0123456789") == text.npos) {
        criterion.has_after = true;
        criterion.after = steps(text.substr(last + 1));
        text.remove_suffix(text.size() - last);
    }
    criterion.name = text;
    return criterion;
}

}  // namespace shaduf::server
