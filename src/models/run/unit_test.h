#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/context/node_scope.h"
#include "models/run/compiler.h"

namespace shaduf::models {

// Gives every unit test the node that runs it: the text of its model under its own name.
// REQUIRES: the manifest is parsed and indexed
void make_unit_test_nodes(Manifest& manifest);

// Compiles one unit test: its model, with the rows that are given in place of what it reads. One thread, one use.
class UnitTestCompiler {
public:
    // `node` is one of make_unit_test_nodes; all outlive it.
    UnitTestCompiler(const ContextServices& services, const Node& node);
    // Fixtures need the columns of what they stand for: run.session asks the database. What was compiled stands in
    // run.compiled_code, too.
    Result<CompiledNode> compile(NodeRun& run);

private:
    // Rows that stand for a model, seed, snapshot or source, as an ephemeral model.
    struct Input {
        const UnitTestRows* rows;
        Node node;
    };
    Result<void> read_inputs();
    Result<void> add_input(const UnitTestRows& rows);
    Input& input_for(const Node& target, const UnitTestRows& rows);
    Result<jinja::Value> use(const std::string& original_id, const std::string& spelled);
    Result<void> override_names(NodeScope& scope) const;
    void override_macro(NodeScope& scope, const std::string& name, const jinja::Value& value) const;
    Result<std::string> render_input(const Input& input, Session* session) const;

    const ContextServices& services_;
    const Node& node_;
    const UnitTest& test_;
    const Node* model_ = nullptr;
    std::map<std::string, Input> inputs_;  // by the unique id of what they stand for
    std::vector<std::string> used_;        // likewise, in the order of the text
};

}  // namespace shaduf::models
