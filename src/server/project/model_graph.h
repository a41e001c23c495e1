#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/serve_context.h"

namespace shaduf::server {

struct TestCounts {
    int64_t passed = 0;
    int64_t failed = 0;
    int64_t total = 0;
};

// A resource of the project's models, as the API tells it.
struct ModelNode {
    std::string id;    // unique id
    std::string kind;  // model, seed, snapshot, source, exposure, test
    std::string name;
    std::string schema;
    std::string table;
    std::string description;
    std::string file;
    std::string group;
    std::string sql;  // as written
    std::string on;   // of a test: the id that it is attached to
    std::string column;
    std::vector<std::string> reads;                            // ids
    std::vector<std::pair<std::string, std::string>> columns;  // with descriptions
};
struct ModelGraph {
    std::vector<ModelNode> nodes;
    std::vector<std::string> selected;  // ids that the selection names, where one was asked for
    const ModelNode* at_table(const std::string& schema, const std::string& table) const;  // names as in the graph
};

// Parses the project's models, as far as they have changed since the last time; none without dbt_project.yml. Errors
// are those of the files. `select`: in dbt's syntax, "" selects nothing.
Result<ModelGraph> read_model_graph(ServeContext& serve, const Project& project, RunContext& run,
                                    const std::string& select = "");

// Of the tests that are attached to a resource, by how each ended last (check_results.h).
std::map<std::string, TestCounts> count_tests(const ModelGraph& graph,
                                              const std::map<std::string, std::string>& states);

// A command of dbt's in this process, that only reads: what it printed. The error is what it said.
Result<std::string> run_model_command(const Project& project, RunContext& run, std::vector<std::string> words);

}  // namespace shaduf::server
