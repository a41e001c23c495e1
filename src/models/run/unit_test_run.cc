// Runs unit tests: a part of NodeRunner in a file of its own.
#include <algorithm>

#include "base/text.h"
#include "models/context/response.h"
#include "models/run/node_runner.h"
#include "models/run/statement_error.h"
#include "models/run/unit_test.h"
#include "models/run/unit_test_diff.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kSide = "actual_or_expected";

// The rows of one side, without the column that says which.
Table rows_of(const Table& table, size_t side_column, std::string_view side) {
    const auto without_side = [&](auto list) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(side_column));
        return list;
    };
    std::vector<Table::Row> rows;
    for (const Table::Row& row : table.rows()) {
        if (row[side_column].text() == side) rows.push_back(without_side(row));
    }
    return {without_side(table.names()), without_side(table.types()), std::move(rows)};
}

}  // namespace

Result<void> NodeRunner::compile_unit_test(const Node& node, NodeRun& run, NodeResult& result) {
    CompiledNode compiled = TRY(UnitTestCompiler(services_, node).compile(run));
    result.compiled_code = compiled.code;
    for (auto& cte : compiled.ctes) result.extra_ctes.emplace_back(cte.unique_id, std::move(cte.sql));
    return write_compiled(services_, node, compiled.code);
}

Result<void> NodeRunner::run_unit_test(const Node& node, NodeScope& scope, NodeRun& run, NodeResult& result) {
    if (auto done = call_materialization(node.config.text("materialized"), scope); !done.ok()) {
        const Error why = statement_error(done.error(), run, origin_of(services_, node, run));
        return Error(why.kind(), "An error occurred during execution of unit test '" + node.unit_test->name +
                                     "'. There may be an error in the unit test definition: check the data "
                                     "types.\n  " +
                                     why.to_string());
    }
    const auto main = run.results.find("main");
    const Table* table = main == run.results.end() ? nullptr : main->second.dict().find("table")->object_as<Table>();
    std::optional<size_t> side;
    for (size_t i = 0; table != nullptr && i < table->names().size(); ++i) {
        if (equals_ignoring_case(table->names()[i], kSide)) side = i;
    }
    if (!side) return scope.error("the materialization of unit tests gave no column " + std::string(kSide));
    const auto difference = table_difference(rows_of(*table, *side, "expected"), rows_of(*table, *side, "actual"));
    result.adapter_response = response_dict(*main->second.dict().find("response"));
    result.status = difference ? NodeStatus::fail : NodeStatus::pass;
    result.failures = difference ? 1 : 0;
    if (difference) result.message = "\n\nactual differs from expected:\n\n" + *difference + "\n";
    return {};
}

}  // namespace shaduf::models
