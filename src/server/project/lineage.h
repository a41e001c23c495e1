#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/project/model_graph.h"

namespace shaduf::server {

struct LineageNode {
    std::string id;
    std::string kind;  // connection, source, table, seed, model, snapshot, exposure
    std::string name;
    std::string schema;
    std::string table;
    std::string group;  // the pipeline, or the group of the model
    std::string description;
    std::string file;
    TestCounts tests;
};

// Connections, the tables that pipelines load from them, and the models that read these. A table that a pipeline writes
// and models know as a source is one node.
class LineageGraph {
public:
    LineageGraph(const Project& project, const ModelGraph& models, const std::map<std::string, TestCounts>& tests);

    const std::map<std::string, LineageNode>& nodes() const { return nodes_; }
    const std::set<std::pair<std::string, std::string>>& edges() const { return edges_; }
    // Nodes of that name, id, table ("schema.table") or pipeline.
    std::set<std::string> named(std::string_view name) const;
    // The id that a unique id of the models has here.
    const std::string& id_of(const std::string& unique_id) const;
    // With those that come before (or after), at most so many steps.
    std::set<std::string> reach(std::set<std::string> from, bool before, int64_t depth) const;
    // How many neighbours before and after a node are not among those shown.
    std::pair<int64_t, int64_t> hidden(const std::string& id, const std::set<std::string>& shown) const;

private:
    void add_pipelines(const Project& project);
    void link(const std::string& from, const std::string& to);

    std::map<std::string, LineageNode> nodes_;
    std::set<std::pair<std::string, std::string>> edges_;
    std::map<std::string, std::set<std::string>> before_, after_;
    std::map<std::string, std::string> ids_;     // of models' unique ids
    std::map<std::string, std::string> tables_;  // "schema.table" -> id
};

// One criterion of a selection: "2+orders+".
struct LineageCriterion {
    std::string name;
    bool has_before = false, has_after = false;
    int64_t before = -1, after = -1;  // steps; -1: all
};
LineageCriterion read_criterion(std::string_view text);

}  // namespace shaduf::server
