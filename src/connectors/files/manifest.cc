#include "connectors/files/manifest.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <random>

#include "base/failpoint.h"
#include "base/run_events.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/files/manifest_text.h"
#include "io/crypto.h"

namespace shaduf {
namespace {

constexpr std::string_view kFolder = "/_shaduf/manifest/";
constexpr std::string_view kQuarantineFolder = "_shaduf/quarantine/";

// Without a version that stops them, writers at work keep their uploads: a commit comes long before this.
constexpr std::chrono::hours kUploadLifetime{24};
constexpr std::chrono::hours kNone{0};

// A table of more versions than this is not listed from the first one on.
constexpr size_t kListedAtMost = 1000;
constexpr int kTriesBesideOthers = 20;

// "20260102T030405Z-": how the names of all files begin that sinks make.
bool is_name_of_load(std::string_view name) {
    constexpr std::string_view kForm = "00000000T000000Z-";
    if (name.size() <= kForm.size()) return false;
    return std::equal(kForm.begin(), kForm.end(), name.begin(),
                      [](char form, char c) { return form == '0' ? c >= '0' && c <= '9' : form == c; });
}

std::string_view name_of_key(std::string_view key) { return key.substr(key.rfind('/') + 1); }

// Whether a table's sinks may have made the file: other tables may lie in this one's folder, and people put files
// there.
bool is_of_table(std::string_view path) {
    const auto slash = path.rfind('/');
    if (!is_name_of_load(path.substr(slash == path.npos ? 0 : slash + 1))) return false;
    if (slash == path.npos || path.substr(0, slash + 1) == kQuarantineFolder) return true;
    const auto folders = split(path.substr(0, slash), '/');
    return std::all_of(folders.begin(), folders.end(),
                       [](const auto& folder) { return folder.find('=') != folder.npos; });
}

uint64_t version_of(std::string_view key) { return std::strtoull(std::string(name_of_key(key)).c_str(), nullptr, 10); }

}  // namespace

std::string make_load_id(const RunContext& run, const std::string& stream) {
    std::string stamp = format_timestamp(std::chrono::floor<std::chrono::seconds>(run.clock.now()));
    std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
    std::random_device random;
    std::array<char, 16> suffix{};
    std::snprintf(suffix.data(), suffix.size(), "%08x", random());
    // Streams that write into one table at the same time must not take each other's names.
    return stamp + "-" + to_hex(sha256(stream)).substr(0, 6) + suffix.data();
}

std::string load_of_file(std::string_view key) {
    const std::string_view name = name_of_key(key);
    if (!is_name_of_load(name)) return {};
    const auto random = name.find('-') + 1;
    return std::string(name.substr(0, name.find_first_of("-.", random)));
}

ManifestLog::ManifestLog(ObjectStore& store, std::string table_folder)
    : store_(store), folder_(std::move(table_folder)) {}

std::string ManifestLog::key_of(uint64_t version) const {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%020" PRIu64 ".json", version);
    return folder_ + std::string(kFolder) + name.data();
}

// --------------------------------------------------------------------------------------------------------------- read

Result<void> ManifestLog::refresh(RunContext& run) {
    if (state_.version == 0) TRY(open(run));
    while (state_.version > 0 && TRY(apply_version(run, state_.version + 1))) {
    }
    return {};
}

// From the newest snapshot on is enough.
Result<void> ManifestLog::open(RunContext& run) {
    std::vector<uint64_t> versions;
    bool has_more = false;
    const auto listed = store_.list(run, folder_ + std::string(kFolder), [&](auto page) -> Result<void> {
        for (const auto& object : page) versions.push_back(version_of(object.key));
        has_more = versions.size() >= kListedAtMost;
        return has_more ? Result<void>(Error(ErrorKind::canceled, "enough was listed")) : Result<void>();
    });
    if (!listed.ok() && !has_more) return listed.error();
    if (versions.empty()) return {};
    const uint64_t newest = has_more ? TRY(find_newest(run, versions.back())) : versions.back();
    const uint64_t snapshot = newest - newest % kVersionsBetweenSnapshots;
    uint64_t version = std::max(snapshot, versions.front());
    for (; version <= newest; ++version) {
        const bool is_hole = !has_more && !std::binary_search(versions.begin(), versions.end(), version);
        if (is_hole) continue;  // the next one tells
        if (!TRY(apply_version(run, version))) {
            return Error(ErrorKind::unavailable,
                         "manifest vanished while it was read: " + store_.name_of(key_of(version)));
        }
    }
    return {};
}

// All versions from `known` up to the newest one are there: in leaps up, then between the last two.
Result<uint64_t> ManifestLog::find_newest(RunContext& run, uint64_t known) {
    uint64_t step = kListedAtMost;
    while (TRY(store_.head(run, key_of(known + step)))) {
        known += step;
        step *= 2;
    }
    uint64_t missing = known + step;
    while (missing - known > 1) {
        const uint64_t middle = known + (missing - known) / 2;
        (TRY(store_.head(run, key_of(middle))) ? known : missing) = middle;
    }
    return known;
}

Result<bool> ManifestLog::apply_version(RunContext& run, uint64_t version) {
    const BufferPtr text = TRY(store_.get(run, key_of(version)));
    if (text == nullptr) return false;
    const VersionNote note = TRY(apply_manifest(store_.name_of(key_of(version)), text->view(), state_));
    if (note.kind != VersionKind::joins) changed_at_ = state_.version;
    swept_.insert(note.swept.begin(), note.swept.end());
    return true;
}

Result<void> ManifestLog::commit(RunContext& run, TableState next, const VersionNote& note) {
    next.version = state_.version + 1;
    next.committed_at = format_timestamp(run.clock.now());
    const std::string text = TRY(write_manifest(state_, next, note));
    if (!TRY(store_.put_if_absent(run, key_of(next.version), text))) {
        return Error(ErrorKind::conflict, "another writer has changed the table: " +
                                              store_.name_of(key_of(next.version)) + " is there already; run again");
    }
    state_ = std::move(next);
    if (note.kind != VersionKind::joins) changed_at_ = state_.version;
    swept_.insert(note.swept.begin(), note.swept.end());
    return {};
}

// --------------------------------------------------------------------------------------------------------------- sweep

bool ManifestLog::names(const std::string& key) const {
    return state_.files.contains(key) || state_.staged.contains(key) || state_.quarantine.contains(key) ||
           state_.retired.contains(key);
}

Result<ManifestLog::Orphans> ManifestLog::find_orphans(RunContext& run, Timestamp modified_before) {
    Orphans orphans;
    TRY(store_.list(run, folder_ + "/", [&](std::span<const ObjectInfo> page) -> Result<void> {
        for (const auto& object : page) {
            orphans.beside_others =
                orphans.beside_others || object.key.find("/_shaduf/", folder_.size() + 1) != object.key.npos;
            if (object.modified >= modified_before || names(object.key)) continue;
            if (is_of_table(std::string_view(object.key).substr(folder_.size() + 1)))
                orphans.keys.push_back(object.key);
        }
        return {};
    }));
    return orphans;
}

Result<void> ManifestLog::remove_orphans(RunContext& run, const std::vector<std::string>& keys,
                                         const std::string& run_id) {
    std::set<std::string> loads;
    for (const auto& key : keys) loads.insert(load_of_file(key));
    TRY(commit(run, state_, VersionNote{.run_id = run_id, .swept = {loads.begin(), loads.end()}}));
    TRY(failpoint("files.swept"));
    for (const auto& key : keys) TRY(store_.remove(run, key));
    return {};
}

Result<int64_t> ManifestLog::sweep(RunContext& run, const std::string& run_id) {
    TRY(remove_retired(run, run_id));
    const Orphans orphans = TRY(find_orphans(run, Timestamp::max()));
    if (orphans.keys.empty()) {
        TRY(remove_unfinished(run, run.clock.now() - kUploadLifetime));
        return 0;
    }
    TRY(remove_orphans(run, orphans.keys, run_id));
    TRY(remove_unfinished(run, run.clock.now() - (orphans.beside_others ? kUploadLifetime : kNone)));
    return static_cast<int64_t>(orphans.keys.size());
}

Result<int64_t> ManifestLog::sweep_older(RunContext& run, const std::string& run_id, std::chrono::milliseconds age) {
    TRY(remove_retired(run, run_id));
    const Timestamp before = run.clock.now() - age;
    Orphans orphans = TRY(find_orphans(run, before));
    std::erase_if(orphans.keys, [&](const auto& key) { return load_of_file(key) == run_id; });
    TRY(remove_unfinished(run, before));
    for (int tries = 0; !orphans.keys.empty() && tries < kTriesBesideOthers; ++tries) {
        const auto removed = remove_orphans(run, orphans.keys, run_id);
        if (removed.ok()) return static_cast<int64_t>(orphans.keys.size());
        if (removed.error().kind() != ErrorKind::conflict) return removed.error();
        TRY(refresh(run));
        std::erase_if(orphans.keys, [&](const auto& key) { return names(key); });
    }
    return 0;  // what is left is the next one's
}

// Removed first and forgotten then: a file that is gone already hinders nobody.
Result<int64_t> ManifestLog::remove_retired(RunContext& run, const std::string& run_id) {
    std::vector<std::string> due;
    for (const auto& [key, until] : state_.retired) {
        if (until <= run.clock.now()) due.push_back(key);
    }
    for (const auto& key : due) TRY(store_.remove(run, key));
    TRY(failpoint("files.retired.removed"));
    for (int tries = 0; !due.empty() && tries < kTriesBesideOthers; ++tries) {
        TableState next = state_;
        for (const auto& key : due) next.retired.erase(key);
        const auto forgotten = commit(run, std::move(next), VersionNote{run_id, VersionKind::joins});
        if (forgotten.ok()) break;
        if (forgotten.error().kind() != ErrorKind::conflict) return forgotten.error();
        TRY(refresh(run));
    }
    return static_cast<int64_t>(due.size());
}

// What is left over costs money, but hinders nobody: so neither does a server or a key that cannot list uploads.
Result<void> ManifestLog::remove_unfinished(RunContext& run, Timestamp begun_before) {
    auto removed = store_.remove_unfinished(run, folder_ + "/", begun_before);
    TRY(run.cancellation.check());
    if (!removed.ok()) {
        run.events.message(Severity::info, store_.name_of(folder_),
                           "uploads that were not finished cannot be removed: " + removed.error().to_string());
    }
    return {};
}

}  // namespace shaduf
