#include "server/project/scratch_project.h"

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "io/private_folder.h"

namespace shaduf::server {
namespace {

namespace fs = std::filesystem;

// Links to all of `from` but `without`, in `to`.
Result<void> link_others(const fs::path& from, const fs::path& to, const std::string& without) {
    std::error_code error;
    for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name != without) fs::create_symlink(fs::absolute(entry->path()), to / name, error);
        if (error) break;
    }
    if (!error || error == std::errc::no_such_file_or_directory) return {};
    return Error(ErrorKind::internal, "the project cannot be tried out in " + to.string() + ": " + error.message());
}

Error told_as_project(const Error& error, const std::string& scratch) {
    Place place = error.place();
    if (!place.file.starts_with(scratch + "/")) return error;
    place.file.erase(0, scratch.size() + 1);
    return Error(error.kind(), error.message()).at(place);
}

}  // namespace

Result<std::vector<Error>> try_text(ServeContext& serve, const std::string& path, std::string_view text) {
    if (serve.read_folder == nullptr) return Error(ErrorKind::unavailable, "the project cannot be checked here");
    const auto scratch = TRY(PrivateFolder::create());
    fs::path from = serve.folder;
    fs::path to = fs::path(scratch->path()) / "project";
    std::error_code error;
    const std::string root = to.string();
    const auto parts = split(path, '/');
    for (const std::string_view part : parts) {
        fs::create_directory(to, error);
        TRY(link_others(from, to, std::string(part)));
        from /= part;
        to /= part;
    }
    std::ofstream out(to, std::ios::binary);
    out << text;
    out.close();
    if (!out.good()) return Error(ErrorKind::exhausted, "the project cannot be tried out; free the disk");
    Project project;
    FlowSet flows;
    std::vector<Error> errors;
    for (const Error& found : serve.read_folder(root, project, flows)) {
        errors.push_back(told_as_project(found, root));
    }
    return errors;
}

}  // namespace shaduf::server
