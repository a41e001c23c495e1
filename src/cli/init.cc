#include <filesystem>
#include <fstream>
#include <set>

#include "cli/command.h"
#include "cli/frame/json_writer.h"
#include "cli/frame/session.h"
#include "cli/frame/templates.h"

namespace shaduf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemplates[] = {"quickstart", "rest", "files", "empty"};
constexpr ArgumentSpec kArguments[] = {
    {"folder", ArgumentKind::positional, "The folder to make.", false, "."},
    {"template", ArgumentKind::option, "What to begin with.", false, "quickstart", kTemplates},
};

Result<void> write_file(const fs::path& path, std::string_view content) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::binary);
    out << content;
    out.close();
    if (out) return {};
    return Error(ErrorKind::exhausted, "cannot write the file: " + path.string());
}

int run_init(Session& session) {
    const fs::path folder = session.arguments().text("folder");
    const std::string prefix = session.arguments().text("template") + "/";
    std::vector<std::pair<fs::path, std::string_view>> files;
    for (const TemplateFile& file : template_files()) {
        if (!file.path.starts_with(prefix)) continue;
        const auto name = file.path.substr(prefix.size());
        files.emplace_back(folder / (name == "gitignore" ? ".gitignore" : name), file.content);
    }
    for (const auto& [path, content] : files) {
        std::error_code ignored;
        if (!fs::exists(path, ignored)) continue;
        return session.misuse("file exists already: " + path.string() + "; give another folder: shaduf init FOLDER");
    }
    for (const auto& [path, content] : files) {
        const auto written = write_file(path, content);
        if (!written.ok()) return session.fail(written.error());
    }
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("folder", folder.string()).key("files").begin_array();
        for (const auto& [path, content] : files) json.text(path.string());
        session.out() << json.end_array().end_object().str() << "\n";
        return kExitDone;
    }
    for (const auto& [path, content] : files) session.out() << "wrote " << path.string() << "\n";
    session.out() << "\nnext:\n";
    if (folder != ".") session.out() << "  cd " << folder.string() << "\n";
    session.out() << "  shaduf check\n  shaduf run\n";
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_init{.name = "init",
                                      .summary = "Make a project folder that works.",
                                      .arguments = kArguments,
                                      .run = run_init,
                                      .example = "shaduf init demo --template rest"};

}  // namespace shaduf
