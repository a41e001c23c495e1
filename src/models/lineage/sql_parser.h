#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "models/yaml/yaml_node.h"

namespace shaduf {
class DuckDbConnection;
class DuckDbDatabase;
struct RunContext;
}  // namespace shaduf

namespace shaduf::models {

// A query as the engine's own parser reads it: the tree that its json_serialize_sql prints.
struct ParsedSql {
    YamlTree tree;
    const YamlNode* query = nullptr;  // the node of the only statement; nullptr: `unknown` says why
    std::string unknown;
};

// The parser of the embedded engine, in a memory of its own: no table and no file is looked at. One thread.
class SqlParser {
public:
    static Result<std::unique_ptr<SqlParser>> create(RunContext& run);
    ~SqlParser();

    // One answer a text. What the engine does not read as one query is told in it.
    Result<std::vector<ParsedSql>> parse(std::span<const std::string> texts);
    // The name that the engine gives a column of this expression when the query names none. "": it has none to give.
    std::string name_of(const YamlNode& expression);
    bool is_aggregate(std::string_view function) const { return aggregates_.contains(std::string(function)); }

private:
    SqlParser();
    Result<void> read_aggregates();

    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
    std::unordered_set<std::string> aggregates_;
    std::unordered_map<std::string, std::string> names_;  // by the expression's JSON
};

}  // namespace shaduf::models
