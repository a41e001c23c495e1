#include <filesystem>
#include <fstream>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/frame/found_streams.h"
#include "cli/frame/session.h"
#include "cli/frame/templates.h"

namespace shaduf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemplates[] = {"quickstart", "medallion", "marketing", "kafka-to-s3",
                                           "rest",       "files",     "postgres",  "empty"};
constexpr ArgumentSpec kArguments[] = {
    {"folder", ArgumentKind::positional, "The folder to make.", false, "."},
    {"template", ArgumentKind::option,
     "What to begin with; marketing loads ads platforms, or `shaduf sandbox`; kafka-to-s3 keeps a topic as Parquet "
     "by date in a bucket; postgres reads the tables of the "
     "database that the variable SOURCE_DSN names.",
     false, "quickstart", kTemplates},
};

// Templates whose pipelines are those of the streams that a connection of theirs is found to have.
struct Discovering {
    std::string_view name;
    std::string_view connection;
    std::string_view needs;  // said when the connection cannot be read
    std::string_view next;   // what to do when it has none
    // Schemas of the template's warehouse that are there before, or mean something else.
    std::span<const std::string_view> taken;
};
// Of a DuckDB file warehouse.duckdb, with the names of databases, which stand where a schema could.
constexpr std::string_view kTaken[] = {"main", "temp", "system", "warehouse"};
constexpr Discovering kDiscovering[] = {
    {"postgres", "database", "SOURCE_DSN names the database, such as postgresql://user:password@host:5432/database",
     "check the database at the end of SOURCE_DSN, and that its role may see the tables' schemas", kTaken},
};

// The files of a project that comes into being; those written are gone again unless it is kept.
class NewProject {
public:
    explicit NewProject(fs::path folder) : folder_(std::move(folder)) {}
    NewProject(const NewProject&) = delete;
    NewProject& operator=(const NewProject&) = delete;
    ~NewProject() {
        std::error_code ignored;
        if (is_kept_) return;
        for (const auto& path : written_) fs::remove(path, ignored);
        // What was there before is not empty, or was not made here.
        for (auto made = made_.rbegin(); made != made_.rend(); ++made) fs::remove(*made, ignored);
    }

    void add(const std::string& name, std::string content) { files_.emplace_back(folder_ / name, std::move(content)); }
    // Those added since the last time. invalid_config, with none of them written, when one is there already.
    Result<void> write() {
        for (const auto& [path, content] : files_) {
            std::error_code ignored;
            if (!fs::exists(path, ignored)) continue;
            return Error(ErrorKind::invalid_config,
                         "file exists already: " + path.string() + "; give another folder: shaduf init FOLDER");
        }
        for (const auto& [path, content] : files_) TRY(write_file(path, content));
        files_.clear();
        return {};
    }
    void keep() { is_kept_ = true; }
    const fs::path& folder() const { return folder_; }
    const std::vector<fs::path>& written() const { return written_; }

private:
    void make_folder(const fs::path& path) {
        std::error_code error;
        if (path.empty() || fs::exists(path, error)) return;
        make_folder(path.parent_path());
        if (fs::create_directory(path, error)) made_.push_back(path);
    }

    Result<void> write_file(const fs::path& path, std::string_view content) {
        make_folder(path.parent_path());
        std::ofstream out(path, std::ios::binary);
        if (out) written_.push_back(path);
        out << content;
        out.close();
        if (out) return {};
        return Error(ErrorKind::exhausted, "cannot write the file: " + path.string());
    }

    const fs::path folder_;
    std::vector<std::pair<fs::path, std::string>> files_;  // to be written
    std::vector<fs::path> written_;
    std::vector<fs::path> made_;  // folders, the outer ones first
    bool is_kept_ = false;
};

Result<std::vector<FoundPipeline>> find_pipelines(Session& session, const Project& project, const Discovering& how) {
    const ConnectionConfig& connection = *project.connection(how.connection);
    auto* const discover = session.connector_of(connection).discover;
    const auto streams = TRY(discover(session.world(), connection.name, connection.options));
    auto pipelines = pipelines_of(connection.name, streams, how.taken);
    if (!pipelines.empty()) return pipelines;
    return Error(ErrorKind::invalid_config, "no tables were found; " + std::string(how.next))
        .at(Place{.connection = connection.name});
}

// kExitDone, or the status of what was told.
int discover(Session& session, const Discovering& how, NewProject& made) {
    ProjectRequest request;
    request.folder = made.folder().string();
    request.connections = {std::string(how.connection)};
    request.without_pipelines = true;
    const Project* project = session.open_project(std::move(request));
    if (project == nullptr) {
        if (!session.json()) session.errors() << how.needs << "\n";
        return kExitMisused;
    }
    const auto pipelines = find_pipelines(session, *project, how);
    if (!pipelines.ok()) return session.fail(pipelines.error());
    for (const auto& pipeline : pipelines.value()) made.add("pipelines/" + pipeline.name + ".yml", pipeline.text);
    const auto written = made.write();
    return written.ok() ? kExitDone : session.fail(written.error());
}

// `next`: commands that make sense now, a line each.
void print(Session& session, const NewProject& made, const std::string& next) {
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("folder", made.folder().string()).key("files").begin_array();
        for (const auto& path : made.written()) json.text(path.string());
        session.out() << json.end_array().end_object().str() << "\n";
        return;
    }
    for (const auto& path : made.written()) session.out() << "wrote " << path.string() << "\n";
    session.out() << "\nnext:\n";
    if (made.folder() != ".") session.out() << "  cd " << made.folder().string() << "\n";
    session.out() << next;
}

int run_init(Session& session) {
    NewProject made(session.arguments().text("folder"));
    const std::string name = session.arguments().text("template");
    std::string next = "  shaduf check\n  shaduf run\n";
    for (const EmbeddedFile& file : template_files()) {
        if (!file.path.starts_with(name + "/")) continue;
        const std::string path(file.path.substr(name.size() + 1));
        if (path == "next") {
            next = file.content;
        } else {
            made.add(path == "gitignore" ? ".gitignore" : path, std::string(file.content));
        }
    }
    const auto written = made.write();
    if (!written.ok()) return session.fail(written.error());
    for (const Discovering& how : kDiscovering) {
        if (how.name != name) continue;
        const int status = discover(session, how, made);
        if (status != kExitDone) return status;
    }
    made.keep();
    print(session, made, next);
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_init{.name = "init",
                                      .summary = "Make a project folder that works.",
                                      .arguments = kArguments,
                                      .run = run_init,
                                      .example = "shaduf init demo --template rest"};

}  // namespace shaduf
