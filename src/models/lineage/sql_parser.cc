#include "models/lineage/sql_parser.h"

#include "base/run_context.h"
#include "base/text.h"
#include "data/builder.h"
#include "io/duckdb.h"
#include "models/yaml/json_tree.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kSelect = "SELECT ";

ParsedSql read_answer(std::string_view json) {
    ParsedSql parsed;
    auto tree = parse_json(json);
    if (!tree.ok()) {
        parsed.unknown = "the parser's answer is no JSON";
        return parsed;
    }
    parsed.tree = tree.release_value();
    const YamlNode& root = parsed.tree.root();
    const auto statements = root["statements"].items();
    if (root["error"].is_boolean() && root["error"].boolean()) {
        const bool is_other = root["error_type"].text() == "not implemented";
        parsed.unknown = is_other ? "only queries can be read: " + std::string(root["error_message"].text())
                                  : "DuckDB's parser does not take it: " + std::string(root["error_message"].text());
    } else if (statements.size() != 1) {
        parsed.unknown = std::to_string(statements.size()) + " statements where one query is needed";
    } else {
        parsed.query = &statements[0]["node"];
    }
    return parsed;
}

}  // namespace

SqlParser::SqlParser() = default;
SqlParser::~SqlParser() = default;

Result<std::unique_ptr<SqlParser>> SqlParser::create(RunContext& run) {
    auto parser = std::unique_ptr<SqlParser>(new SqlParser());
    DuckDbOptions options;
    options.threads = 1;
    options.external_access = false;
    parser->database_ = TRY(run.databases.open_in_memory(options));
    parser->connection_ = TRY(parser->database_->connect(run.cancellation));
    TRY(parser->read_aggregates());
    return parser;
}

Result<void> SqlParser::read_aggregates() {
    const std::string sql = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'";
    for (const RecordBatch& batch : TRY(connection_->query(sql))) {
        for (size_t row = 0; row < batch.rows(); ++row) aggregates_.emplace(batch.column(0).text_at(row));
    }
    return {};
}

Result<std::vector<ParsedSql>> SqlParser::parse(std::span<const std::string> texts) {
    std::vector<ParsedSql> answers;
    if (texts.empty()) return answers;
    RecordBatchBuilder rows(std::make_shared<const Schema>(std::vector<Field>{{"sql", TypeKind::string}}));
    for (const std::string& text : texts) {
        rows.column(0).append_text(is_valid_utf8(text) ? text : make_valid_utf8(text));
        rows.end_row();
    }
    const RecordBatch batch = rows.finish();
    const std::string sql = "SELECT json_serialize_sql(sql, skip_default := true, skip_null := true) FROM " +
                            std::string(DuckDbConnection::kRowsTable) + " ORDER BY " +
                            std::string(DuckDbConnection::kRowNumberColumn);
    for (const RecordBatch& given : TRY(connection_->query_over(sql, batch.schema(), std::span(&batch, 1)))) {
        for (size_t row = 0; row < given.rows(); ++row) answers.push_back(read_answer(given.column(0).text_at(row)));
    }
    if (answers.size() == texts.size()) return answers;
    return Error(ErrorKind::internal, "the parser answered " + std::to_string(answers.size()) + " of " +
                                          std::to_string(texts.size()) + " queries");
}

std::string SqlParser::name_of(const YamlNode& expression) {
    std::string json = to_python_json(expression);
    const auto known = names_.find(json);
    if (known != names_.end()) return known->second;
    const std::string statement =
        R"({"statements": [{"node": {"type": "SELECT_NODE", "cte_map": {"map": []}, )"
        R"("select_list": [)" +
        json + R"(], "from_table": {"type": "EMPTY"}, "aggregate_handling": "STANDARD_HANDLING"}}]})";
    std::string name;
    const auto given = connection_->query("SELECT json_deserialize_sql(?::JSON)", {statement});
    if (given.ok() && given.value().front().rows() == 1 && !given.value().front().column(0).is_null(0)) {
        name = given.value().front().column(0).text_at(0);
        name = name.starts_with(kSelect) ? name.substr(kSelect.size()) : "";
    }
    return names_.emplace(std::move(json), std::move(name)).first->second;
}

}  // namespace shaduf::models
