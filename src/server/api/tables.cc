#include <algorithm>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/pipeline_tables.h"
#include "server/answers.h"
#include "server/data/catalog.h"
#include "server/data/limited_run.h"
#include "server/data/rows_json.h"
#include "server/project/check_results.h"
#include "server/project/model_graph.h"
#include "server/project/stream_history.h"

namespace shaduf::server {
namespace {

constexpr std::chrono::milliseconds kLimit{20'000};
constexpr int64_t kPageMax = 1'000;

constexpr ShapeField kMadeByFields[] = {{"kind", &kText}, {"name", &kText}};
constexpr Shape kMadeBy{.kind = ShapeKind::object, .name = "MadeBy", .fields = kMadeByFields};
constexpr ShapeField kTestFields[] = {{"passed", &kInteger}, {"failed", &kInteger}, {"total", &kInteger}};
constexpr Shape kTests{.kind = ShapeKind::object, .name = "TestCounts", .fields = kTestFields};
constexpr ShapeField kTableFields[] = {
    {"schema", &kText},
    {"name", &kText},
    {"kind", &kText, "table or view"},
    {"rows", &kInteger, "As the warehouse estimates them.", true},
    {"bytes", &kInteger, "", true},
    {"columns", &kAny, "How many; of one table: what they are."},
    {"description", &kText, "", true},
    {"owner", &kText, "", true},
    {"made_by", &kMadeBy},
    {"fresh_at", &kText, "When the pipeline last wrote it.", true},
    {"tests", &kTests},
    {"sql", &kText, "Of a model, as written.", true},
    {"file", &kText, "", true},
};
constexpr Shape kTable{.kind = ShapeKind::object, .name = "Table", .fields = kTableFields};
constexpr ShapeField kProfileFields[] = {
    {"rows", &kInteger}, {"at", &kTime}, {"ms", &kInteger}, {"columns", &kListOf<kAny>}};
constexpr Shape kProfile{.kind = ShapeKind::object, .name = "TableProfile", .fields = kProfileFields};
constexpr Shape kCells{.kind = ShapeKind::list, .of = &kAny};
constexpr ShapeField kSampleFields[] = {{"columns", &kListOf<kAny>}, {"rows", &kListOf<kCells>}, {"cut", &kBoolean}};
constexpr Shape kSample{.kind = ShapeKind::object, .name = "TableSample", .fields = kSampleFields};

constexpr QueryParamSpec kListQuery[] = {
    {"q", &kText, "A part of the name."},
    {"schema", &kText, "Only of this schema."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};
constexpr QueryParamSpec kProfileQuery[] = {{"columns", &kText, "Names, parted by commas; the first 50 unless given."}};
constexpr QueryParamSpec kSampleQuery[] = {{"limit", &kInteger, "Rows, at most 1000.", "50"}};

// What the project knows of tables, by "schema.table" in lower case.
struct Known {
    std::map<std::string, std::string> pipelines;
    std::map<std::string, std::string> fresh;
    ModelGraph models;
    std::map<std::string, TestCounts> tests;
};

std::string key_of(const std::string& schema, const std::string& name) { return to_lower(schema + "." + name); }

Known know(ApiCall& call, const Project& project, RunContext& run) {
    Known known;
    std::map<std::string, std::map<std::string, std::string>> tables;  // pipeline -> stream -> table
    for (const PipelineConfig& pipeline : project.pipelines) {
        if (pipeline.half == PipelineHalf::producer) continue;
        const std::string schema = schema_of(project, pipeline);
        for (const StreamConfig& stream : pipeline.streams) {
            const std::string key = key_of(schema, stream.table);
            known.pipelines[key] = pipeline.title;
            tables[pipeline.name][stream.name] = key;
        }
    }
    const auto records = latest_of_streams(call.serve);
    for (const StreamRecord& record : records.ok() ? records.value() : std::vector<StreamRecord>()) {
        if (record.status != "done") continue;
        const auto stream = tables[record.progress.pipeline].find(record.progress.stream);
        if (stream != tables[record.progress.pipeline].end()) known.fresh[stream->second] = record.started_at;
    }
    // The catalog is of use without the models, whose errors are told where they are looked at.
    auto models = read_model_graph(call.serve, project, run);
    if (models.ok()) known.models = models.release_value();
    known.tests = count_tests(known.models, last_states(call.serve));
    return known;
}

void write_count(JsonWriter& json, std::string_view name, const std::optional<int64_t>& count) {
    json.key(name);
    count ? json.integer(*count) : json.null();
}

void write_table(JsonWriter& json, const CatalogTable& table, const Known& known, bool is_whole) {
    const std::string key = key_of(table.schema, table.name);
    const ModelNode* model = known.models.at_table(table.schema, table.name);
    json.field("schema", table.schema).field("name", table.name).field("kind", table.kind);
    write_count(json, "rows", table.rows);
    write_count(json, "bytes", table.bytes);
    if (!is_whole) json.field("columns", table.columns);
    write_text_or_null(json, "description",
                       model != nullptr && !model->description.empty() ? model->description : table.comment);
    json.key("owner").null().key("made_by").begin_object();
    const auto pipeline = known.pipelines.find(key);
    const bool is_model = model != nullptr && model->kind != "source";
    if (is_model) {
        json.field("kind", model->kind).field("name", model->name);
    } else if (pipeline != known.pipelines.end()) {
        json.field("kind", "pipeline").field("name", pipeline->second);
    } else {
        json.field("kind", "other").field("name", "");
    }
    const auto fresh = known.fresh.find(key);
    write_text_or_null(json.end_object(), "fresh_at", fresh == known.fresh.end() ? "" : fresh->second);
    TestCounts tests;
    if (model != nullptr && known.tests.contains(model->id)) tests = known.tests.at(model->id);
    json.key("tests").begin_object().field("passed", tests.passed).field("failed", tests.failed);
    json.field("total", tests.total).end_object();
    if (!is_whole) return;
    write_text_or_null(json, "sql", is_model ? model->sql : "");
    write_text_or_null(json, "file", is_model ? model->file : "");
}

Result<ApiAnswer> list(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const auto tables = TRY(limited.explain(list_tables(limited.run(), *warehouse, call.query("schema"))));
    const Known known = know(call, *project, limited.run());
    const std::string part = to_lower(call.query("q"));
    const std::string after = call.query("after");
    const auto limit = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    size_t count = 0;
    std::string last, next;
    for (const CatalogTable& table : tables) {
        // A byte that no name has stands between, so that the order is that of both names.
        const std::string cursor = table.schema + "\n" + table.name;
        if (cursor <= after || to_lower(table.schema + "." + table.name).find(part) == std::string::npos) continue;
        if (count == limit) {
            next = last;
            break;
        }
        ++count;
        last = cursor;
        json.begin_object();
        write_table(json, table, known, false);
        json.end_object();
    }
    json.end_array();
    write_text_or_null(json, "next", next);
    return ApiAnswer{.body = json.end_object().str()};
}

Result<CatalogTable> find_table(ApiCall& call, RunContext& run, Warehouse& warehouse) {
    const std::string schema = call.path["schema"], name = call.path["name"];
    auto found = TRY(list_tables(run, warehouse, schema, name));
    if (found.empty()) return not_found("table", schema + "." + name);
    return std::move(found.front());
}

std::string policy_of(const Project& project, const CatalogTable& table, const std::string& column) {
    static constexpr std::string_view kNames[] = {"drop", "hash", "mask", "truncate", "tokenize"};
    for (const PipelineConfig& pipeline : project.pipelines) {
        for (const StreamConfig& stream : pipeline.streams) {
            if (key_of(schema_of(project, pipeline), stream.table) != key_of(table.schema, table.name)) continue;
            for (const PolicyConfig& policy : stream.policies) {
                if (equals_ignoring_case(policy.column, column)) {
                    return std::string(kNames[static_cast<size_t>(policy.kind)]);
                }
            }
        }
    }
    return "";
}

Result<ApiAnswer> show(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const CatalogTable table = TRY(limited.explain(find_table(call, limited.run(), *warehouse)));
    const auto columns = TRY(limited.explain(list_columns(limited.run(), *warehouse, table)));
    const Known known = know(call, *project, limited.run());
    const ModelNode* model = known.models.at_table(table.schema, table.name);
    const auto results = last_states(call.serve);
    JsonWriter json;
    json.begin_object();
    write_table(json, table, known, true);
    json.key("columns").begin_array();
    for (const CatalogColumn& column : columns) {
        std::string description = column.comment;
        for (const auto& [name, text] : model == nullptr ? decltype(model->columns)() : model->columns) {
            if (equals_ignoring_case(name, column.name) && !text.empty()) description = text;
        }
        json.begin_object().field("name", column.name).field("type", column.type);
        write_flag(json, "nullable", column.nullable);
        write_text_or_null(json, "description", description);
        json.key("tests").begin_array();
        for (const ModelNode& test : known.models.nodes) {
            if (model == nullptr || test.kind != "test" || test.on != model->id) continue;
            if (!equals_ignoring_case(test.column, column.name)) continue;
            const auto result = results.find(test.id);
            json.begin_object().field("name", test.name);
            json.field("state", result == results.end() ? "never" : result->second).end_object();
        }
        json.end_array();
        write_text_or_null(json, "policy", policy_of(*project, table, column.name));
        json.end_object();
    }
    return ApiAnswer{.body = json.end_array().end_object().str()};
}

void write_profile(JsonWriter& json, const ColumnProfile& column) {
    json.begin_object().field("name", column.name).field("nulls", column.nulls).field("distinct", column.distinct);
    write_text_or_null(json, "min", make_valid_utf8(column.min));
    write_text_or_null(json, "max", make_valid_utf8(column.max));
    json.key("mean");
    column.mean ? json.number(*column.mean) : json.null();
    json.key("top").begin_array();
    for (const auto& [value, count] : column.top) {
        json.begin_object().field("value", make_valid_utf8(value)).field("count", count).end_object();
    }
    json.end_array().key("histogram").begin_array();
    for (const int64_t count : column.histogram) json.integer(count);
    json.end_array().end_object();
}

Result<ApiAnswer> profile(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const CatalogTable table = TRY(limited.explain(find_table(call, limited.run(), *warehouse)));
    std::vector<CatalogColumn> columns = TRY(limited.explain(list_columns(limited.run(), *warehouse, table)));
    const std::string asked = call.query("columns");
    if (!asked.empty()) {
        std::vector<CatalogColumn> chosen;
        for (const std::string_view name : split(asked, ',')) {
            const auto found = std::find_if(columns.begin(), columns.end(),
                                            [&](const CatalogColumn& column) { return column.name == name; });
            if (found == columns.end()) return not_found("column", name);
            chosen.push_back(*found);
        }
        columns = std::move(chosen);
    }
    if (columns.size() > kProfiledColumnsMax) columns.resize(kProfiledColumnsMax);
    const auto found = TRY(limited.explain(profile_table(limited.run(), *warehouse, table, columns)));
    JsonWriter json;
    json.begin_object().field("rows", found.rows).field("at", format_timestamp(call.serve.world.clock.now()));
    json.field("ms", static_cast<int64_t>(limited.passed().count())).key("columns").begin_array();
    for (const ColumnProfile& column : found.columns) write_profile(json, column);
    return ApiAnswer{.body = json.end_array().end_object().str()};
}

Result<ApiAnswer> sample(ApiCall& call) {
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kLimit);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const CatalogTable table = TRY(limited.explain(find_table(call, limited.run(), *warehouse)));
    Warehouse::Limits limits;
    limits.timeout = kLimit;
    limits.rows_max = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, 1000));
    const std::string sql = "SELECT * FROM " + Warehouse::identifier(table.schema) + "." +
                            Warehouse::identifier(table.name) + " LIMIT " + std::to_string(limits.rows_max + 1);
    const auto rows = TRY(limited.explain(warehouse->read(limited.run(), sql, limits)));
    JsonWriter json;
    json.begin_object();
    write_columns(json, *rows.schema);
    json.key("rows").begin_array();
    for (const RecordBatch& batch : rows.batches) write_rows(json, batch, batch.rows());
    json.end_array();
    write_flag(json, "cut", rows.cut);
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/tables",
     .id = "listTables",
     .summary = "The tables of the warehouse, with what the project knows of them.",
     .query = kListQuery,
     .response = &kPageOf<kTable>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/tables/{schema}/{name}",
     .id = "getTable",
     .summary = "A table and its columns.",
     .response = &kTable,
     .handle = show},
    {.method = "GET",
     .path = "/api/v1/tables/{schema}/{name}/profile",
     .id = "profileTable",
     .summary = "What values the columns have.",
     .query = kProfileQuery,
     .response = &kProfile,
     .handle = profile},
    {.method = "GET",
     .path = "/api/v1/tables/{schema}/{name}/sample",
     .id = "sampleTable",
     .summary = "Some rows of a table.",
     .query = kSampleQuery,
     .response = &kSample,
     .handle = sample},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_tables;
const server::ApiSpec api_tables{
    .name = "tables", .summary = "What stands in the warehouse.", .endpoints = server::kEndpoints};

}  // namespace shaduf
