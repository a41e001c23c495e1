#include "models/artifacts/manifest_fragments.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "models/artifacts/artifact_file.h"
#include "models/context/services.h"
#include "models/parse/state/archive.h"

namespace shaduf::models {
namespace {

constexpr size_t kAroundKey = 6;  // of `, "id": ` without the id

// Whose fragments they are: the parse, the file as it stands on the disk.
std::string identity_of(const std::string& key, const struct stat& file) {
    std::string identity = "shaduf index 01 " + key;
    for (const int64_t part : {static_cast<int64_t>(file.st_ino), static_cast<int64_t>(file.st_size),
                               static_cast<int64_t>(file.st_mtim.tv_sec), static_cast<int64_t>(file.st_mtim.tv_nsec),
                               static_cast<int64_t>(file.st_ctim.tv_sec), static_cast<int64_t>(file.st_ctim.tv_nsec)})
        identity += " " + std::to_string(part);
    return identity;
}

std::string key_of(const ContextServices& services) {
    const std::string& parse = services.manifest.parse_id;
    if (parse.empty()) return parse;
    const jinja::Value* stores = services.flags ? services.flags->find("STORE_FAILURES") : nullptr;
    return parse + (stores != nullptr && stores->truth() ? " stores" : " ");
}

// manifest.json, unless another command has put its own in the place since.
std::optional<struct stat> file_of_this_command(const ContextServices& services) {
    const int file = ::open(artifact_path(services, "manifest.json").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    struct stat found {};
    std::array<char, 4096> head{};
    const ssize_t count = ::fstat(file, &found) == 0 ? ::pread(file, head.data(), head.size(), 0) : 0;
    ::close(file);
    const std::string_view text(head.data(), static_cast<size_t>(std::max<ssize_t>(count, 0)));
    return text.find(services.invocation_id) == std::string_view::npos ? std::nullopt : std::optional(found);
}

std::string index_path(const ContextServices& services) { return artifact_path(services, "partial_parse.index"); }

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

}  // namespace

ManifestFragments::ManifestFragments(const ContextServices& services) : services_(services), key_(key_of(services)) {
    if (key_.empty()) return;
    noted_.resize(services.manifest.nodes.size() + services.manifest.disabled.size());
    load();
}

ManifestFragments::~ManifestFragments() {
    if (!text_.empty()) ::munmap(const_cast<char*>(text_.data()), text_.size());
}

void ManifestFragments::load() {
    const int file = ::open(artifact_path(services_, "manifest.json").c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat found {};
    const std::string index = read_whole(index_path(services_));
    const ArchiveReader::Pool none;
    ArchiveReader in(index, none);
    uint64_t checksum = 0;
    std::string identity;
    in(checksum, identity);
    const bool is_it = ::fstat(file, &found) == 0 && found.st_size > 0 && in.is_well() &&
                       identity == identity_of(key_, found) && archive_checksum(in.rest()) == checksum &&
                       in.rest().size() == noted_.size() * sizeof(Fragment);
    void* mapped = MAP_FAILED;
    if (is_it) {
        mapped = ::mmap(nullptr, static_cast<size_t>(found.st_size), PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    }
    ::close(file);
    if (mapped == MAP_FAILED) return;
    text_ = {static_cast<const char*>(mapped), static_cast<size_t>(found.st_size)};
    known_.resize(noted_.size());
    std::memcpy(known_.data(), in.rest().data(), in.rest().size());
}

const ManifestFragments::Fragment* ManifestFragments::find(const Node& node) const {
    if (node.record == 0 || node.record > known_.size()) return nullptr;
    const Fragment& fragment = known_[node.record - 1];
    const bool is_within = fragment.begin <= text_.size() && fragment.size <= text_.size() - fragment.begin;
    return fragment.size != 0 && is_within ? &fragment : nullptr;
}

ManifestFragments::Run ManifestFragments::run_of(std::span<const std::unique_ptr<Node>> nodes) const {
    const Fragment* first = find(*nodes.front());
    if (first == nullptr) return {};
    uint64_t end = first->begin + first->size;
    size_t count = 1;
    for (; count < nodes.size(); ++count) {
        const std::string& id = nodes[count]->unique_id;
        const Fragment* next = find(*nodes[count]);
        if (next == nullptr || next->begin != end + id.size() + kAroundKey) break;
        if (text_.substr(end, 3) != ", \"" || text_.substr(end + 3, id.size()) != id) break;
        end = next->begin + next->size;
    }
    return {text_.substr(first->begin, end - first->begin), count};
}

void ManifestFragments::note_run(std::span<const std::unique_ptr<Node>> nodes, uint64_t begin) {
    const uint64_t first = find(*nodes.front())->begin;
    for (const auto& node : nodes) {
        const Fragment& old = *find(*node);
        const uint64_t at = begin + (old.begin - first);
        note(*node, at, at + old.size);
    }
}

void ManifestFragments::note(const Node& node, uint64_t begin, uint64_t end) {
    if (node.record != 0 && node.record <= noted_.size()) noted_[node.record - 1] = {begin, end - begin};
}

void ManifestFragments::save() const {
    if (key_.empty()) return;
    const auto own = file_of_this_command(services_);
    if (!own) return;
    const std::string path = index_path(services_);
    ArchiveWriter::Pool pool;
    ArchiveWriter out(pool);
    const std::string_view fragments(reinterpret_cast<const char*>(noted_.data()), noted_.size() * sizeof(Fragment));
    out(archive_checksum(fragments), identity_of(key_, *own));
    const std::string beside = path + ".tmp" + std::to_string(::getpid());
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    file << out.bytes() << fragments;
    file.close();
    std::error_code failure;
    if (file) std::filesystem::rename(beside, path, failure);
    if (!file || failure) std::filesystem::remove(beside, failure);
}

}  // namespace shaduf::models
