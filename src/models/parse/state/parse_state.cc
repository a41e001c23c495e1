#include "models/parse/state/parse_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <span>

#include "io/crypto.h"
#include "models/parse/parallel.h"
#include "models/parse/state/manifest_fields.h"
#include "version.h"

namespace shaduf::models {
namespace {

constexpr std::string_view kMagic = "shaduf parse 01\n";
constexpr size_t kPieces = 3;
constexpr size_t kRecordBytes = 1200;  // of a node, most of the time

struct Start {
    char magic[16];
    uint64_t sizes[kPieces];      // of the head, the pool and the records behind it
    uint64_t checksums[kPieces];  // of each
};

template <typename Archive, typename Head>
void head_fields(Archive& archive, Head& head) {
    archive(head.binary, head.fingerprint, head.parse_id, head.variables, head.looked_at_ns, head.packages,
            head.warnings, head.restless);
}

// A record for each, one behind the other.
template <typename Resource>
std::vector<uint32_t> put_records(const std::vector<std::unique_ptr<Resource>>& resources, ArchiveWriter& out) {
    std::vector<uint32_t> sizes;
    sizes.reserve(resources.size());
    out.bytes().reserve(out.bytes().size() + resources.size() * kRecordBytes);
    for (const auto& resource : resources) {
        const size_t before = out.bytes().size();
        out(*resource);
        sizes.push_back(static_cast<uint32_t>(out.bytes().size() - before));
    }
    return sizes;
}

template <typename Resource>
void put_all(const std::vector<std::unique_ptr<Resource>>& resources, ArchiveWriter& out) {
    out(static_cast<uint32_t>(resources.size()));
    for (const auto& resource : resources) out(*resource);
}

template <typename Resource>
void get_all(std::vector<std::unique_ptr<Resource>>& resources, ArchiveReader& in) {
    uint32_t count = 0;
    in(count);
    for (uint32_t i = 0; i < count && in.is_well(); ++i) in(*resources.emplace_back(std::make_unique<Resource>()));
}

std::vector<std::string_view> cut(std::string_view& bytes, const std::vector<uint32_t>& sizes) {
    std::vector<std::string_view> pieces;
    pieces.reserve(sizes.size());
    for (const uint32_t size : sizes) {
        pieces.push_back(bytes.substr(0, size));
        bytes.remove_prefix(std::min<size_t>(size, bytes.size()));
    }
    return pieces;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

bool replace_file(const std::string& path, const Start& start, std::span<const std::string_view> pieces) {
    const std::string beside = path + ".tmp" + std::to_string(::getpid());
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return false;
    const bool is_written =
        write_all(file, {reinterpret_cast<const char*>(&start), sizeof(start)}) &&
        std::all_of(pieces.begin(), pieces.end(), [&](std::string_view piece) { return write_all(file, piece); });
    if (::close(file) == 0 && is_written && ::rename(beside.c_str(), path.c_str()) == 0) return true;
    ::unlink(beside.c_str());
    return false;
}

}  // namespace

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, KeptFile>
void archive_fields(Archive& archive, T& file) {
    archive(file.type, file.path, file.bytes, file.modified_ns, file.changed_ns, file.inode, file.checksum,
            file.lines_before);
}

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, KeptPackage>
void archive_fields(Archive& archive, T& package) { archive(package.name, package.root, package.files); }

template <typename Archive, typename T>
requires std::is_same_v<std::remove_const_t<T>, KeptFinding>
void archive_fields(Archive& archive, T& finding) {
    archive(finding.kind, finding.message, finding.file, finding.line);
}

std::string binary_identity() {
    struct stat found {};
    std::string identity(kVersion);
    if (::stat("/proc/self/exe", &found) != 0) return identity;
    for (const int64_t part : {static_cast<int64_t>(found.st_ino), static_cast<int64_t>(found.st_size),
                               static_cast<int64_t>(found.st_mtim.tv_sec), static_cast<int64_t>(found.st_mtim.tv_nsec)})
        identity += " " + std::to_string(part);
    return identity;
}

std::string hashed_variable(const std::optional<std::string>& value) {
    return value ? std::string(as_text(sha256(*value))) : std::string();
}

ParseState::~ParseState() { ::munmap(const_cast<char*>(mapped_.data()), mapped_.size()); }

std::unique_ptr<ParseState> ParseState::load(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    struct stat found {};
    void* mapped = MAP_FAILED;
    if (::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > static_cast<off_t>(sizeof(Start))) {
        mapped = ::mmap(nullptr, static_cast<size_t>(found.st_size), PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    }
    ::close(file);
    if (mapped == MAP_FAILED) return nullptr;
    const std::string_view bytes(static_cast<const char*>(mapped), static_cast<size_t>(found.st_size));
    auto state = std::unique_ptr<ParseState>(new ParseState(bytes));
    return state->open() ? std::move(state) : nullptr;
}

bool ParseState::open() {
    Start start{};
    std::memcpy(&start, mapped_.data(), sizeof(start));
    if (std::string_view(start.magic, sizeof(start.magic)) != kMagic) return false;
    std::string_view left = mapped_.substr(sizeof(start));
    std::array<std::string_view, kPieces> pieces;
    for (size_t i = 0; i < kPieces; ++i) {
        if (start.sizes[i] > left.size()) return false;
        pieces[i] = left.substr(0, start.sizes[i]);
        left.remove_prefix(start.sizes[i]);
        if (start.checksums[i] != archive_checksum(pieces[i])) return false;
    }
    const std::string_view bytes = pieces[0];
    const ArchiveReader::Pool none;
    ArchiveReader first(bytes, none);
    first(head_.binary);
    if (!first.is_well() || head_.binary != binary_identity()) return false;
    ArchiveReader in(bytes, none);
    head_fields(in, head_);
    in(pool_sizes_, node_sizes_, disabled_sizes_, macros_, others_);
    pool_ = pieces[1];
    records_ = pieces[2];
    return in.is_well() && in.rest().empty() && left.empty();
}

bool ParseState::read_resources(size_t threads, Manifest& manifest) const {
    std::string_view pool_bytes = pool_, bytes = records_;
    const auto pooled = cut(pool_bytes, pool_sizes_);
    const auto nodes = cut(bytes, node_sizes_);
    const auto disabled = cut(bytes, disabled_sizes_);
    std::atomic<bool> is_well = bytes.empty() && pool_bytes.empty();
    ArchiveReader::Pool pool(pooled.size());
    const ArchiveReader::Pool none;
    in_parallel(pooled.size(), threads, [&](size_t i) {
        ArchiveReader in(pooled[i], none);
        pool[i] = in.get_dict();
        if (!in.is_well()) is_well = false;
    });
    manifest.nodes.resize(nodes.size());
    manifest.disabled.resize(disabled.size());
    in_parallel(nodes.size() + disabled.size(), threads, [&](size_t i) {
        const bool is_enabled = i < nodes.size();
        auto& node = is_enabled ? manifest.nodes[i] : manifest.disabled[i - nodes.size()];
        node = std::make_unique<Node>();
        ArchiveReader in(is_enabled ? nodes[i] : disabled[i - nodes.size()], pool);
        in(*node);
        node->record = static_cast<uint32_t>(i + 1);
        if (!in.is_well() || !in.rest().empty()) is_well = false;
    });
    ArchiveReader in(others_, pool);
    get_all(manifest.sources, in);
    get_all(manifest.declarations, in);
    get_all(manifest.unit_tests, in);
    get_all(manifest.docs, in);
    get_all(manifest.groups, in);
    get_all(manifest.disabled_sources, in);
    get_all(manifest.disabled_declarations, in);
    manifest.parse_id = head_.parse_id;
    return is_well && in.is_well();
}

bool ParseState::read_macros(Manifest& manifest) const {
    const ArchiveReader::Pool none;
    ArchiveReader in(macros_, none);
    for (auto& macro : manifest.macros) {
        std::string id;
        in(id);
        if (id != macro->unique_id) return false;
        in(*macro);
    }
    return in.is_well() && in.rest().empty();
}

void number_records(Manifest& manifest, std::string parse_id) {
    manifest.parse_id = std::move(parse_id);
    uint32_t number = 0;
    for (auto* nodes : {&manifest.nodes, &manifest.disabled}) {
        for (auto& node : *nodes) node->record = ++number;
    }
}

bool save_parse_state(const std::string& path, const StateHead& head, const Manifest& manifest) {
    ArchiveWriter::Pool pool;
    ArchiveWriter nodes(pool), others(pool), macros(pool), all(pool);
    const auto node_sizes = put_records(manifest.nodes, nodes);
    const auto disabled_sizes = put_records(manifest.disabled, nodes);
    put_all(manifest.sources, others);
    put_all(manifest.declarations, others);
    put_all(manifest.unit_tests, others);
    put_all(manifest.docs, others);
    put_all(manifest.groups, others);
    put_all(manifest.disabled_sources, others);
    put_all(manifest.disabled_declarations, others);
    for (const auto& macro : manifest.macros) macros(macro->unique_id, *macro);
    std::vector<uint32_t> pool_sizes;
    std::string pooled;
    for (const std::string* dict : pool.dicts) {
        pooled += *dict;
        pool_sizes.push_back(static_cast<uint32_t>(dict->size()));
    }
    head_fields(all, head);
    all(pool_sizes, node_sizes, disabled_sizes, macros.bytes(), others.bytes());
    const bool is_whole = nodes.is_whole() && others.is_whole() && macros.is_whole() && pool.is_whole;
    const std::array<std::string_view, kPieces> pieces = {all.bytes(), pooled, nodes.bytes()};
    Start start{};
    kMagic.copy(start.magic, sizeof(start.magic));
    for (size_t i = 0; i < kPieces; ++i) {
        start.sizes[i] = pieces[i].size();
        start.checksums[i] = archive_checksum(pieces[i]);
    }
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failure);
    if (is_whole && replace_file(path, start, pieces)) return true;
    ::unlink(path.c_str());
    return false;
}

}  // namespace shaduf::models
