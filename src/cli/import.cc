#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/frame/kafka_connect.h"
#include "cli/frame/session.h"
#include "cli/frame/sinks.h"
#include "io/row_child.h"

namespace shaduf {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kKafkaConnect = "kafka-connect";
constexpr std::string_view kTools[] = {"airbyte", "singer", kKafkaConnect};
constexpr ArgumentSpec kArguments[] = {
    {"tool", ArgumentKind::positional, "Whose files they are.", true, {}, kTools},
    {"catalog", ArgumentKind::positional, "The file of the configured catalog, or of the connector's configuration.",
     true},
    {"command", ArgumentKind::option, "The command that is the source or the tap, as one text."},
    {"config", ArgumentKind::option, "The file of its configuration; what looks like a secret goes to .secrets/."},
    {"state", ArgumentKind::option, "The file of the state it stands at."},
    {"name", ArgumentKind::option, "Name of the pipeline; the catalog's file name unless given."},
    {"sink", ArgumentKind::option, "The connection to write to.", false, "warehouse"},
};

struct Files {
    std::string catalog;
    std::string state;
    std::string config = "{}";
};

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (in && !fs::is_directory(path)) return text.str();
    return Error(ErrorKind::invalid_config, "file cannot be read: " + path);
}

Result<Files> read_files(const Arguments& arguments) {
    Files files;
    files.catalog = TRY(read_file(arguments.text("catalog")));
    if (arguments.has("state")) files.state = TRY(read_file(arguments.text("state")));
    if (arguments.has("config")) files.config = TRY(read_file(arguments.text("config")));
    return files;
}

Result<void> write_file(const fs::path& path, std::string_view content, bool is_secret = false) {
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    if (fs::exists(path, ignored)) {
        return Error(ErrorKind::invalid_config, "file exists already: " + path.string() + "; give another --name");
    }
    const mode_t before = ::umask(is_secret ? 0077 : 0022);
    std::ofstream out(path, std::ios::binary);
    ::umask(before);
    out << content;
    out.close();
    if (out) return {};
    return Error(ErrorKind::exhausted, "cannot write the file: " + path.string());
}

std::string file_name_of(const std::string& text) {
    std::string name;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name += plain ? c : '_';
    }
    return name;
}

// Moves what looks like a secret out of a configuration: `secrets` gets its name and value.
class SecretMover {
public:
    explicit SecretMover(std::string prefix) : prefix_(std::move(prefix)) {}

    Json move(const Json& json, const std::string& path) {
        if (json.is_object() || json.is_array()) {
            Json moved = json;
            for (auto& [key, value] : moved.items()) value = move(value, path + "_" + key);
            return moved;
        }
        if (!json.is_string()) return json;
        const std::string text = json.get<std::string>();
        const std::string name = prefix_ + file_name_of(path);
        if (!text.empty() && is_secret_name(path)) {
            secrets.emplace_back(name, text);
            return "${secret:" + name + "}";
        }
        std::string escaped;
        for (size_t i = 0; i < text.size(); ++i) {
            escaped += text.substr(i, 2) == "${" ? "$$" : text.substr(i, 1);
        }
        return escaped;
    }
    std::vector<std::pair<std::string, std::string>> secrets;

private:
    const std::string prefix_;
};

std::string quoted(const std::string& text) { return Json(text).dump(); }

std::string stream_line(const ImportedStream& stream) {
    std::string options = stream.read == ReadMode::incremental ? "mode: incremental" : "mode: full_refresh";
    if (stream.write == WriteMode::merge) options += ", write: merge";
    if (stream.write == WriteMode::append) options += ", write: append";
    if (!stream.key.empty()) {
        std::vector<std::string> columns;
        for (const auto& column : stream.key) columns.push_back(quoted(column));
        options += ", key: [" + join(columns, ", ") + "]";
    }
    if (!stream.cursor_field.empty()) options += ", cursor_field: " + quoted(stream.cursor_field);
    return "  " + quoted(stream.name) + ": {" + options + "}" + (stream.note.empty() ? "" : "  # " + stream.note) +
           "\n";
}

std::string pipeline_text(const Arguments& arguments, const std::string& catalog, const Json& config,
                          const std::vector<ImportedStream>& streams) {
    std::string text = "# Imported from " + arguments.text("catalog") + " (" + arguments.text("tool") + ").\n";
    text += "source:\n  type: " + arguments.text("tool") + "\n  command: " + quoted(arguments.text("command")) +
            "\n  config: " + config.dump() + "\n  catalog: " + quoted(catalog) + "\n";
    text += "sink: " + arguments.text("sink") + "\nstreams:\n";
    for (const auto& stream : streams) text += stream_line(stream);
    return text;
}

// Gives the sink the positions; how many, or why not.
Result<size_t> carry_states(Session& session, const std::string& name, const std::vector<ImportedStream>& streams) {
    size_t carried = 0;
    auto sinks = open_sinks(session, name);
    if (!sinks.ok()) return sinks.error();
    auto* store = sinks.value().empty() ? nullptr : sinks.value().front().store->checkpoints();
    for (const auto& stream : streams) {
        if (!stream.checkpoint) continue;
        if (store == nullptr) {
            return Error(ErrorKind::invalid_config,
                         "sink keeps no checkpoints that could be set; the streams begin anew");
        }
        TRY(store->set_checkpoint(session.world(), name, stream.name, stream.checkpoint));
        ++carried;
    }
    return carried;
}

void print(Session& session, const std::string& pipeline, const std::vector<ImportedStream>& streams, size_t carried,
           const std::vector<std::string>& written) {
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("pipeline", pipeline).key("files").begin_array();
        for (const auto& file : written) json.text(file);
        json.end_array().field("streams", static_cast<int64_t>(streams.size()));
        json.field("states", static_cast<int64_t>(carried)).end_object();
        session.out() << json.str() << "\n";
        return;
    }
    for (const auto& file : written) session.out() << "wrote " << file << "\n";
    for (const auto& stream : streams) {
        session.out() << stream.name << ": "
                      << (stream.read != ReadMode::incremental ? "is read whole each time"
                          : stream.checkpoint                  ? "goes on from its state"
                                                               : "has no state, begins at the beginning")
                      << (stream.note.empty() ? "" : "; " + stream.note) << "\n";
    }
    session.out() << "\nnext:\n  shaduf check\n  shaduf run " << pipeline << "\n";
}

Result<std::vector<std::string>> write_project(const Arguments& arguments, const std::string& name, const Files& files,
                                               const std::vector<ImportedStream>& streams) {
    const Json config = Json::parse(files.config, nullptr, false);
    if (!config.is_object()) return Error(ErrorKind::invalid_config, "config is no JSON object");
    SecretMover mover(file_name_of(name));
    const Json moved = mover.move(config, "");
    std::vector<std::string> written;
    const std::string catalog = "catalogs/" + name + ".json";
    const std::string pipeline = "pipelines/" + name + ".yml";
    TRY(write_file(pipeline, pipeline_text(arguments, catalog, moved, streams)));
    TRY(write_file(catalog, files.catalog));
    written = {pipeline, catalog};
    for (const auto& [secret, value] : mover.secrets) {
        TRY(write_file(".secrets/" + secret, value, true));
        written.push_back(".secrets/" + secret);
    }
    return written;
}

// Of a connector of Kafka Connect: a pipeline alone, and what of it has no equal here.
int import_connector(Session& session, const std::string& name) {
    const std::string file = session.arguments().text("catalog");
    const auto text = read_file(file);
    if (!text.ok()) return session.fail(text.error());
    const auto made = read_kafka_connect(text.value(), session.arguments().text("sink"));
    if (!made.ok()) return session.fail(made.error().at(Place::in_file(file, 0)));
    const ConnectPipeline& pipeline = made.value();
    const std::string path = "pipelines/" + name + ".yml";
    const auto written = write_file(path, "# Imported from " + file + " (kafka-connect).\n" + pipeline.yaml);
    if (!written.ok()) return session.fail(written.error());
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("pipeline", name).key("files").begin_array().text(path).end_array();
        json.field("streams", static_cast<int64_t>(pipeline.streams.size())).key("variables").begin_array();
        for (const auto& variable : pipeline.variables) json.text(variable);
        json.end_array().key("no_equal").begin_array();
        for (const auto& note : pipeline.notes) json.text(note);
        session.out() << json.end_array().end_object().str() << "\n";
        return kExitDone;
    }
    session.out() << "wrote " << path << "\n";
    for (const auto& note : pipeline.notes) session.out() << "no equal: " << note << "\n";
    if (!pipeline.variables.empty()) session.out() << "\nput into .env: " << join(pipeline.variables, ", ") << "\n";
    session.out() << "\nnext:\n  shaduf check\n  shaduf run " << name << "\n";
    return kExitDone;
}

int run_import(Session& session) {
    const Arguments& arguments = session.arguments();
    const std::string given = arguments.text("name");
    const std::string name = given.empty() ? file_name_of(fs::path(arguments.text("catalog")).stem().string()) : given;
    if (name.empty() || name != file_name_of(name)) {
        return session.misuse("--name: expected letters, digits and underscores, found " + name);
    }
    if (arguments.text("tool") == kKafkaConnect) return import_connector(session, name);
    if (!arguments.has("command"))
        return session.misuse("--command: the command that is the source or the tap is missing");
    const auto files = read_files(arguments);
    if (!files.ok()) return session.fail(files.error());
    const ConnectorSpec* spec = session.connectors().find(arguments.text("tool"));
    const auto streams = spec->import_streams(files.value().catalog, files.value().state);
    if (!streams.ok()) return session.fail(streams.error().at(Place::in_file(arguments.text("catalog"), 0)));
    if (streams.value().empty()) return session.misuse("catalog has no selected stream: " + arguments.text("catalog"));
    ProjectRequest request;
    request.without_pipelines = true;
    if (session.open_project(std::move(request)) == nullptr) return kExitMisused;
    const auto written = write_project(arguments, name, files.value(), streams.value());
    if (!written.ok()) return session.fail(written.error());
    const auto carried = carry_states(session, name, streams.value());
    if (!carried.ok()) {
        return session.fail(Error(carried.error().kind(), "states were not carried over, the pipeline was written")
                                .caused_by(carried.error()));
    }
    print(session, name, streams.value(), carried.value(), written.value());
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_import{
    .name = "import",
    .summary = "Make a pipeline of what Airbyte, Singer or Kafka Connect was told to do.",
    .arguments = kArguments,
    .run = run_import,
    .example = "shaduf import airbyte catalog.json --command .venv/bin/source-faker"};

}  // namespace shaduf
