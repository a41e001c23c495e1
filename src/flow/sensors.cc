#include "flow/sensors.h"

#include <glob.h>
#include <sys/stat.h>

#include <map>

#include "base/json_writer.h"
#include "connectors/store.h"
#include "flow/flow_reader.h"
#include "flow/json_values.h"
#include "io/crypto.h"
#include "io/http.h"

namespace shaduf {
namespace {

constexpr size_t kFilesMax = 10'000;
constexpr size_t kToldMax = 100;

Result<Options> options_of(const SensorTrigger& sensor, const Project& project) {
    const jinja::Value config = TRY(parse_json_value(sensor.config));
    Options options;
    const auto errors = Options::create(sensor_fields(), node_of(config, {}), project.resolve, options);
    if (!errors.empty()) return errors.front();
    return options;
}

// Path to version, of the files that match.
Result<std::map<std::string, std::string>> files_of(const std::string& pattern) {
    std::map<std::string, std::string> files;
    glob_t found{};
    const int status = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc && files.size() <= kFilesMax; ++i) {
        struct stat info {};
        if (::stat(found.gl_pathv[i], &info) != 0 || !S_ISREG(info.st_mode)) continue;
        files[found.gl_pathv[i]] = std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) +
                                   ":" + std::to_string(info.st_size);
    }
    ::globfree(&found);
    if (files.size() > kFilesMax) {
        return Error(ErrorKind::too_large, "too many files match: " + pattern + ": more than " +
                                               std::to_string(kFilesMax) + "; move away what was loaded");
    }
    return files;
}

Result<SensorLook> look_at_files(const Options& options, const std::string& before, const Project& project) {
    const std::string pattern = options.text("file");
    const auto files = TRY(files_of(pattern.starts_with('/') ? pattern : project.folder + "/" + pattern));
    const jinja::Value seen = TRY(parse_json_value(before));
    JsonWriter state, news;
    state.begin_object();
    news.begin_object().field("sensor", "file").key("files").begin_array();
    size_t count = 0;
    for (const auto& [path, version] : files) {
        state.field(path, version);
        if (text_of(member_of(seen, path)) == version) continue;
        if (++count <= kToldMax) news.text(path);
    }
    news.end_array().field("count", static_cast<int64_t>(count)).end_object();
    return SensorLook{state.end_object().str(), count > 0 ? std::optional(news.str()) : std::nullopt};
}

Result<SensorLook> look_at_table(const Options& options, const std::string& before, const Project& project,
                                 const Registry<ConnectorSpec>& connectors, RunContext& run) {
    const ConnectionConfig* connection = project.connection(options.text("connection"));
    const ConnectorSpec* spec = connection == nullptr ? nullptr : connectors.find(connection->type);
    if (spec == nullptr || spec->make_store == nullptr) {
        return options.error("connection", "queries cannot run on this connection: " + options.text("connection"));
    }
    const auto store = TRY(spec->make_store(connection->options, connection->name));
    if (store->reader() == nullptr) {
        return options.error("connection", "queries cannot run on this connection: " + options.text("connection"));
    }
    Sha256 hash;
    JsonWriter news;
    news.begin_object().field("sensor", "table").key("rows").begin_array();
    size_t rows = 0;
    for (const RecordBatch& batch : TRY(store->reader()->query(run, options.text("table")))) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            const std::string text = batch.row_as_json(row);
            hash.add(text + "\n");
            if (++rows <= kToldMax) news.raw(text);
        }
    }
    news.end_array().field("count", static_cast<int64_t>(rows)).end_object();
    const std::string state = rows == 0 ? "none" : to_hex(hash.finish());
    return SensorLook{state, rows > 0 && state != before ? std::optional(news.str()) : std::nullopt};
}

Result<SensorLook> look_at_address(const Options& options, const std::string& before, RunContext& run) {
    HttpRequest request;
    request.url = options.text("http");
    request.headers = options.text_map("headers");
    request.idle_timeout = std::chrono::seconds(10);
    request.response_bytes_max = 16 << 20;
    const HttpResponse response = TRY(run.http.send(run, request));
    if (response.status >= 400) return http_error(run, request, response);
    JsonWriter news;
    news.begin_object().field("sensor", "http").key("value");
    if (options.has("value")) {
        const jinja::Value body = TRY(parse_json_value(response.text()));
        const auto value = value_at(body, options.text("value"));
        const bool is_there = value.ok() && value.value().truth();
        const std::string text = is_there ? json_text_of(value.value()) : "null";
        news.raw(text).end_object();
        const std::string state = to_hex(sha256(text));
        return SensorLook{state, is_there && state != before ? std::optional(news.str()) : std::nullopt};
    }
    const std::string state =
        to_hex(sha256(response.header("ETag").empty() ? response.text() : response.header("ETag")));
    news.text(state.substr(0, 12)).end_object();
    return SensorLook{state, !before.empty() && state != before ? std::optional(news.str()) : std::nullopt};
}

}  // namespace

Result<SensorLook> look_at(const SensorTrigger& sensor, const std::string& before, const Project& project,
                           const Registry<ConnectorSpec>& connectors, RunContext& run) {
    const Options options = TRY(options_of(sensor, project));
    if (sensor.type == "file") return look_at_files(options, before, project);
    if (sensor.type == "table") return look_at_table(options, before, project, connectors, run);
    return look_at_address(options, before, run);
}

}  // namespace shaduf
