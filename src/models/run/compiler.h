#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "models/context/node_scope.h"

namespace shaduf::models {

// A node's text with its Jinja rendered, and the ephemeral models it refers to as CTEs before it.
struct CompiledNode {
    std::string code;
    struct Cte {
        std::string unique_id;
        std::string sql;  // " name as (\n...\n)"
    };
    std::vector<Cte> ctes;
};

// Compiles nodes for running. Thread-safe; ephemeral models are compiled once, whoever refers to them first.
class Compiler {
public:
    explicit Compiler(const ContextServices& services) : services_(services) {}

    // Renders within `scope`, which runs with `run`; what was compiled stands in run.compiled_code, too.
    Result<CompiledNode> compile(const Node& node, NodeScope& scope, NodeRun& run);

private:
    Result<CompiledNode> compile_ephemeral(const std::string& unique_id, Session* session);

    const ContextServices& services_;
    std::recursive_mutex mutex_;  // an ephemeral model may refer to another one
    std::map<std::string, CompiledNode> ephemeral_;
};

// "model customers (models/customers.sql)", for messages.
std::string label_of(const Node& node);
// Where that stands, as people are told: "target/compiled/shop/models/orders.sql".
std::string compiled_path(const ContextServices& services, const Node& node, std::string_view batch);
// Below target/compiled, where people look for it. `batch`: the name of the batch of a model that it is for.
Result<void> write_compiled(const ContextServices& services, const Node& node, const std::string& code,
                            std::string_view batch = {});
// Puts CTEs before those of a query, behind its own `with` if it has one.
std::string inject_ctes(const std::string& sql, const std::vector<CompiledNode::Cte>& ctes);

}  // namespace shaduf::models
