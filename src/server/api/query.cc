#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "data/csv_writer.h"
#include "data/parquet_writer.h"
#include "io/private_folder.h"
#include "server/answers.h"
#include "server/data/limited_run.h"
#include "server/data/rows_json.h"
#include "server/data/warehouse.h"
#include "server/endpoint.h"

namespace shaduf::server {
namespace {

constexpr int64_t kRowsMax = 10'000;
constexpr int64_t kTimeoutMsMax = 120'000;
constexpr uint64_t kDownloadBytesMax = uint64_t{2} << 30;
constexpr std::chrono::milliseconds kDownloadTimeout = std::chrono::minutes(10);

constexpr std::string_view kFormats[] = {"csv", "parquet"};
constexpr Shape kFormat{.kind = ShapeKind::text, .choices = kFormats};
constexpr ShapeField kQueryFields[] = {
    {"sql", &kText, "One SELECT in the SQL of the warehouse."},
    {"limit", &kInteger, "Rows at most, up to 10000; 1000 unless given.", true},
    {"timeout_ms", &kInteger, "How long it may take, up to 120000; 30000 unless given.", true},
};
constexpr Shape kQuery{.kind = ShapeKind::object, .name = "Query", .fields = kQueryFields};
constexpr ShapeField kDownloadFields[] = {{"sql", &kText},
                                          {"format", &kFormat},
                                          {"formulas", &kBoolean,
                                           "CSV: whether texts that a spreadsheet would take for a formula stay as "
                                           "they are; else an apostrophe stands before "
                                           "them.",
                                           true}};
constexpr Shape kDownload{.kind = ShapeKind::object, .name = "QueryDownload", .fields = kDownloadFields};

constexpr ShapeField kColumnFields[] = {{"name", &kText}, {"type", &kText}};
constexpr Shape kColumn{.kind = ShapeKind::object, .name = "QueryColumn", .fields = kColumnFields};
constexpr Shape kRow{.kind = ShapeKind::list, .of = &kAny};
constexpr ShapeField kAnswerFields[] = {
    {"columns", &kListOf<kColumn>},
    {"rows", &kListOf<kRow>, "Integers past 2^53 and long decimals are texts."},
    {"cut", &kBoolean, "There are more rows."},
    {"ms", &kInteger},
    {"rows_total", &kInteger, "null when there are more than were read.", true},
    {"engine", &kText},
};
constexpr Shape kAnswer{.kind = ShapeKind::object, .name = "QueryAnswer", .fields = kAnswerFields};

Result<ApiAnswer> query(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    Warehouse::Limits limits;
    limits.rows_max = static_cast<size_t>(std::clamp<int64_t>(body.value("limit", int64_t{1000}), 1, kRowsMax));
    limits.timeout =
        std::chrono::milliseconds(std::clamp<int64_t>(body.value("timeout_ms", int64_t{30'000}), 1, kTimeoutMsMax));
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, limits.timeout);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const auto rows = TRY(limited.explain(warehouse->read(limited.run(), body.value("sql", ""), limits)));
    JsonWriter json;
    json.begin_object();
    write_columns(json, *rows.schema);
    json.key("rows").begin_array();
    for (const RecordBatch& batch : rows.batches) write_rows(json, batch, batch.rows());
    json.end_array();
    write_flag(json, "cut", rows.cut);
    json.field("ms", static_cast<int64_t>(limited.passed().count())).key("rows_total");
    rows.cut ? json.null() : json.integer(static_cast<int64_t>(rows.rows));
    return ApiAnswer{.body = json.field("engine", warehouse->type()).end_object().str()};
}

// A result as a file, which goes away with its last reader.
class ResultFile {
public:
    static Result<std::shared_ptr<ResultFile>> create() {
        auto folder = TRY(PrivateFolder::create());
        const std::string path = TRY(folder->write("result", ""));
        return std::make_shared<ResultFile>(std::move(folder), path);
    }
    ResultFile(std::unique_ptr<PrivateFolder> folder, const std::string& path)
        : folder_(std::move(folder)), path_(path), out_(path, std::ios::binary) {}

    Result<void> put(std::string_view bytes) {
        written_ += bytes.size();
        if (written_ > kDownloadBytesMax) {
            return Error(ErrorKind::too_large, "the result is larger than 2 GB; select less");
        }
        out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        if (out_.good()) return {};
        return Error(ErrorKind::exhausted, "the result cannot be written to " + path_ + "; free the disk");
    }
    bool begin_reading() {
        out_.close();
        in_.open(path_, std::ios::binary);
        return out_.good() && in_.good();
    }
    bool next(std::string& out) {
        std::string part(1 << 18, '\0');
        in_.read(part.data(), static_cast<std::streamsize>(part.size()));
        out.append(part, 0, static_cast<size_t>(in_.gcount()));
        return in_.good();
    }

private:
    const std::unique_ptr<PrivateFolder> folder_;
    const std::string path_;
    std::ofstream out_;
    std::ifstream in_;
    uint64_t written_ = 0;
};

Result<void> write_csv(Warehouse& warehouse, RunContext& run, const std::string& sql, CsvTexts texts,
                       ResultFile& file) {
    bool is_first = true;
    return warehouse.each(run, sql, kDownloadTimeout, [&](const RecordBatch& batch) -> Result<bool> {
        std::string text;
        if (std::exchange(is_first, false)) append_csv_header(*batch.schema(), text, texts);
        std::vector<uint32_t> rows(batch.rows());
        for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(i);
        append_csv_rows(batch, rows, text, texts);
        TRY(file.put(text));
        return true;
    });
}

Result<void> write_parquet(Warehouse& warehouse, RunContext& run, const std::string& sql, ResultFile& file) {
    std::unique_ptr<ParquetWriter> writer;
    ParquetOptions options;
    options.row_group_bytes = 8 << 20;
    TRY(warehouse.each(run, sql, kDownloadTimeout, [&](const RecordBatch& batch) -> Result<bool> {
        if (writer == nullptr) {
            writer = std::make_unique<ParquetWriter>(batch.schema(), options,
                                                     [&](std::string_view bytes) { return file.put(bytes); });
        }
        TRY(writer->write(batch));
        return true;
    }));
    return writer->finish();
}

// The result is whole before the first byte of the answer, so that an error is never the end of a file.
Result<ApiAnswer> download(ApiCall& call) {
    const auto body = nlohmann::json::parse(call.request.body);
    const std::string sql = body.value("sql", "");
    const bool is_csv = body.value("format", "") == "csv";
    const bool is_exact = body.contains("formulas") && body["formulas"] == true;
    const auto project = TRY(project_of(call.serve));
    LimitedRun limited(call.serve.world, kDownloadTimeout);
    const auto warehouse = TRY(Warehouse::open(call.serve, *project));
    const auto file = TRY(ResultFile::create());
    TRY(limited.explain(
        is_csv ? write_csv(*warehouse, limited.run(), sql, is_exact ? CsvTexts::exact : CsvTexts::disarmed, *file)
               : write_parquet(*warehouse, limited.run(), sql, *file)));
    if (!file->begin_reading()) return Error(ErrorKind::exhausted, "the result cannot be written; free the disk");
    auto response = std::make_shared<HttpServerResponse>();
    response->headers = {
        {"Content-Type", is_csv ? "text/csv; charset=utf-8" : "application/vnd.apache.parquet"},
        {"Content-Disposition", std::string("attachment; filename=\"result.") + (is_csv ? "csv" : "parquet") + "\""},
        {"Cache-Control", "no-store"}};
    response->next_chunk = [file](std::string& out) { return file->next(out); };
    return ApiAnswer{.raw = std::move(response)};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "POST",
     .path = "/api/v1/query",
     .id = "runQuery",
     .summary = "The first rows of a SELECT in the warehouse. It can change nothing.",
     .request = &kQuery,
     .response = &kAnswer,
     .handle = query},
    {.method = "POST",
     .path = "/api/v1/query/download",
     .id = "downloadQuery",
     .summary = "All rows of a SELECT in the warehouse, as CSV or Parquet.",
     .request = &kDownload,
     .response = &kAny,
     .handle = download},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_query;
const server::ApiSpec api_query{.name = "query", .summary = "SQL that only reads.", .endpoints = server::kEndpoints};

}  // namespace shaduf
