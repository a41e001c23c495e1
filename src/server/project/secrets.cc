#include "server/project/secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "config/node.h"
#include "server/project/project_files.h"

namespace shaduf::server {
namespace {

constexpr size_t kValueBytesMax = 64 << 10;

Error failed(const std::string& name) {
    return Error(errno == ENOSPC ? ErrorKind::exhausted : ErrorKind::internal,
                 "the secret cannot be written: .secrets/" + name + ": " + std::strerror(errno));
}

// Where each reference stands: at the second level of keys, as people name it.
void collect(const Node& node, const std::string& where, int depth,
             std::map<std::string, std::vector<std::string>>& out) {
    for (const std::string& reference : references_in(node.text())) {
        if (!reference.starts_with("secret:")) continue;
        auto& users = out[reference.substr(7)];
        if (std::find(users.begin(), users.end(), where) == users.end()) users.push_back(where);
    }
    for (const Node& item : node.items()) collect(item, where, depth, out);
    for (const Node::Entry& entry : node.entries()) {
        const std::string below = depth == 0 ? where + ": " + entry.key : where + "." + entry.key;
        collect(entry.value, depth < 2 ? below : where, depth + 1, out);
    }
}

}  // namespace

std::vector<std::string> references_in(std::string_view text) {
    std::vector<std::string> found;
    for (size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 2)) {
        if (at > 0 && text[at - 1] == '$') continue;
        const size_t end = text.find('}', at);
        if (end == text.npos) break;
        std::string reference(text.substr(at + 2, end - at - 2));
        reference = reference.substr(0, reference.find(":-"));
        if (reference.starts_with("env:") || reference.starts_with("secret:")) found.push_back(std::move(reference));
    }
    return found;
}

bool Secrets::is_name(std::string_view name) {
    return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
}

Result<std::vector<Secrets::Info>> Secrets::list() const {
    std::map<std::string, std::vector<std::string>> used;
    const ProjectFiles files(folder_);
    for (const ProjectFiles::Info& file : TRY(files.list())) {
        if (file.kind != "project" && file.kind != "pipeline" && file.kind != "flow") continue;
        const auto text = files.read(file.path);
        if (!text.ok()) continue;
        const auto node = Node::parse_yaml(text.value().text, file.path);
        if (node.ok()) collect(node.value(), file.path, 0, used);
    }
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/.secrets", ignored)) {
        const std::string name = entry.path().filename().string();
        if (is_name(name)) used[name];
    }
    std::vector<Info> infos;
    for (auto& [name, users] : used) {
        Info info{name, false, std::nullopt, std::move(users)};
        struct stat found {};
        if (::stat((folder_ + "/.secrets/" + name).c_str(), &found) == 0) {
            info.set = true;
            info.changed_at = Timestamp(std::chrono::seconds(found.st_mtim.tv_sec));
        }
        infos.push_back(std::move(info));
    }
    return infos;
}

Result<void> Secrets::write(const std::string& name, std::string_view value) const {
    static std::atomic<uint64_t> number{0};
    if (!is_name(name)) {
        return Error(ErrorKind::invalid_config, "is no name of a secret: " + name + "; use letters, digits and _");
    }
    if (value.empty() || value.size() > kValueBytesMax) {
        return Error(ErrorKind::invalid_config, "the value of a secret has 1 to 65536 bytes: " + name);
    }
    const std::string folder = folder_ + "/.secrets";
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(name);
    const std::string beside = folder + "/." + std::to_string(::getpid()) + "-" + std::to_string(number++) + ".tmp";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return failed(name);
    bool is_written = true;
    for (std::string_view rest = value; is_written && !rest.empty();) {
        const ssize_t count = ::write(file, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        is_written = count >= 0;
        if (is_written) rest.remove_prefix(static_cast<size_t>(count));
    }
    is_written = is_written && ::fsync(file) == 0;
    ::close(file);
    is_written = is_written && ::rename(beside.c_str(), (folder + "/" + name).c_str()) == 0;
    if (is_written) return {};
    const Error error = failed(name);
    ::unlink(beside.c_str());
    return error;
}

}  // namespace shaduf::server
