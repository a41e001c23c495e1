// A line is {"number", "at", "actor", "action", "target", "detail", "address", "hash"}, where the hash is that of the
// hash of the line before and of this line's bytes without its hash. So it is checked by bytes, whatever wrote them.
#include "server/audit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/time.h"
#include "io/crypto.h"

namespace shaduf::server {
namespace {

using Json = nlohmann::json;

constexpr size_t kHashChars = 64;
constexpr std::string_view kBeforeHash = ",\"hash\":\"";
constexpr size_t kHashEndBytes = kBeforeHash.size() + kHashChars + 2;  // with the quote and the brace behind it
constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kTextBytesMax = 4'000;  // of each text of an entry, so that a line is well below a block

Error file_error(const std::string& path, const std::string& what) {
    const int code = errno;
    const ErrorKind kind = code == ENOSPC || code == EDQUOT ? ErrorKind::exhausted : ErrorKind::invalid_config;
    return Error(kind, "cannot " + what + " the audit log: " + path + ": " + std::strerror(code) +
                           "; nothing is changed that cannot stand in it");
}

std::string cut(const std::string& text) {
    return text.size() <= kTextBytesMax ? text : text.substr(0, kTextBytesMax) + "...";
}

std::string hash_of(std::string_view before, std::string_view body) {
    return to_hex(sha256(std::string(before) + std::string(body)));
}

// The line, without its end, of an entry whose number and time are set; sets its hash.
std::string line_of(AuditEntry& entry, std::string_view hash_before) {
    JsonWriter json;
    json.begin_object().field("number", entry.number).field("at", format_timestamp(entry.at));
    json.field("actor", cut(entry.actor)).field("action", cut(entry.action)).field("target", cut(entry.target));
    json.field("detail", cut(entry.detail)).field("address", cut(entry.address)).end_object();
    std::string line = json.str();
    entry.hash = hash_of(hash_before, line);
    line.pop_back();
    return line + std::string(kBeforeHash) + entry.hash + "\"}";
}

// What the hash is of; "" when the line has none.
std::string body_of(std::string_view line) {
    if (line.size() <= kHashEndBytes) return "";
    const std::string_view end = line.substr(line.size() - kHashEndBytes);
    if (!end.starts_with(kBeforeHash) || !end.ends_with("\"}")) return "";
    return std::string(line.substr(0, line.size() - kHashEndBytes)) + "}";
}

std::optional<AuditEntry> parse_line(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto text = [&](const char* name) {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>() : "";
    };
    const auto number = json.find("number");
    const auto at = parse_timestamp(text("at"));
    if (number == json.end() || !number->is_number_integer() || !at) return std::nullopt;
    AuditEntry entry;
    entry.number = number->get<int64_t>();
    entry.at = Timestamp(std::chrono::microseconds(at->microseconds));
    entry.actor = text("actor");
    entry.action = text("action");
    entry.target = text("target");
    entry.detail = text("detail");
    entry.address = text("address");
    entry.hash = text("hash");
    return entry;
}

// A descriptor of its own for reading; -1 when there is no file.
class ReadFile {
public:
    explicit ReadFile(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~ReadFile() {
        if (file_ >= 0) ::close(file_);
    }
    ReadFile(const ReadFile&) = delete;
    ReadFile& operator=(const ReadFile&) = delete;
    bool is_open() const { return file_ >= 0; }
    off_t size() const {
        struct stat status {};
        return ::fstat(file_, &status) == 0 ? status.st_size : 0;
    }
    std::string read(off_t from, size_t size) const {
        std::string bytes(size, '\0');
        size_t done = 0;
        while (done < size) {
            const ssize_t count = ::pread(file_, bytes.data() + done, size - done, from + static_cast<off_t>(done));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            done += static_cast<size_t>(count);
        }
        bytes.resize(done);
        return bytes;
    }

private:
    const int file_;
};

// Whole lines, the last first, until `take` gives false.
void each_line_backwards(const ReadFile& file, const std::function<bool(std::string_view)>& take) {
    off_t begin = file.size();
    std::string text;  // of the file from `begin` on, without the lines that were taken
    bool is_first = true;
    while (begin > 0) {
        const off_t from = std::max<off_t>(0, begin - static_cast<off_t>(kBlockBytes));
        text.insert(0, file.read(from, static_cast<size_t>(begin - from)));
        begin = from;
        for (;;) {
            const size_t end = text.rfind('\n');
            if (end == std::string::npos) break;
            if (is_first) {  // what stands behind the last line's end is torn
                text.resize(end);
                is_first = false;
                continue;
            }
            if (!take(std::string_view(text).substr(end + 1))) return;
            text.resize(end);
        }
    }
    if (!is_first && !text.empty()) take(text);
}

// Holds the file against other processes.
class FileLock {
public:
    explicit FileLock(int file) : file_(file) {
        while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    ~FileLock() { ::flock(file_, LOCK_UN); }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    const int file_;
};

}  // namespace

// How the file ends.
struct AuditLog::Tail {
    int64_t number = 0;
    std::string hash;
    off_t bytes = 0;       // of whole lines
    off_t torn_bytes = 0;  // behind them
};

AuditLog::AuditLog(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

AuditLog::~AuditLog() {
    if (file_ >= 0) ::close(file_);
}

Result<void> AuditLog::open() {
    if (file_ >= 0) return {};
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return file_ >= 0 ? Result<void>() : file_error(path_, "open");
}

Result<AuditLog::Tail> AuditLog::read_tail() const {
    const ReadFile file(path_);
    if (!file.is_open()) return file_error(path_, "read");
    const off_t size = file.size();
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(kBlockBytes));
    const std::string text = file.read(from, static_cast<size_t>(size - from));
    const size_t end = text.rfind('\n');
    Tail tail;
    if (end == std::string::npos) {
        tail.torn_bytes = size;
        return tail;
    }
    tail.torn_bytes = static_cast<off_t>(text.size() - end - 1);
    tail.bytes = size - tail.torn_bytes;
    const size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const size_t begin = before == std::string::npos ? 0 : before + 1;
    const auto last = parse_line(std::string_view(text).substr(begin, end - begin));
    if (!last || last->hash.size() != kHashChars) {
        return Error(
            ErrorKind::invalid_config,
            "the last line of the audit log is none: " + path_ +
                "; nothing is changed until it is put right: move the file away and keep it, a new one is begun");
    }
    tail.number = last->number;
    tail.hash = last->hash;
    return tail;
}

Result<void> AuditLog::write(const std::vector<AuditEntry>& entries, Tail tail) {
    std::string text;
    for (AuditEntry entry : entries) {
        entry.number = ++tail.number;
        entry.at = clock_.now();
        text += line_of(entry, tail.hash) + "\n";
        tail.hash = entry.hash;
    }
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t count = ::write(file_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            auto error = file_error(path_, "write to");
            if (::ftruncate(file_, tail.bytes) != 0) return error;  // the next one heals it
            return error;
        }
        rest.remove_prefix(static_cast<size_t>(count));
    }
    return ::fdatasync(file_) == 0 ? Result<void>() : file_error(path_, "write to");
}

Result<void> AuditLog::append(AuditEntry entry) {
    const std::lock_guard lock(mutex_);
    TRY(open());
    const FileLock others(file_);
    const Tail tail = TRY(read_tail());
    std::vector<AuditEntry> entries;
    if (tail.torn_bytes > 0) {
        if (::ftruncate(file_, tail.bytes) != 0) return file_error(path_, "heal");
        AuditEntry healed;
        healed.actor = "shaduf";
        healed.action = "audit.healed";
        healed.detail = "the last line was torn: " + std::to_string(tail.torn_bytes) + " bytes cut off";
        entries.push_back(std::move(healed));
    }
    entries.push_back(std::move(entry));
    return write(entries, tail);
}

Result<std::vector<AuditEntry>> AuditLog::list(const AuditFilter& filter) const {
    std::vector<AuditEntry> found;
    const ReadFile file(path_);
    if (!file.is_open()) return found;  // nothing has happened yet
    each_line_backwards(file, [&](std::string_view line) {
        auto entry = parse_line(line);
        if (!entry) return true;  // `verify` tells of it
        if (filter.since && entry->at < *filter.since) return false;
        const bool is_asked_for = (filter.actor.empty() || entry->actor == filter.actor) &&
                                  entry->action.starts_with(filter.action) &&
                                  (filter.before == 0 || entry->number < filter.before);
        if (is_asked_for) found.push_back(std::move(*entry));
        return found.size() < filter.limit;
    });
    return found;
}

Result<AuditLog::Verdict> AuditLog::verify() const {
    Verdict verdict;
    const ReadFile file(path_);
    if (!file.is_open()) return verdict;
    std::string hash;
    std::string text;
    const auto broken = [&](const std::string& what) {
        verdict.broken_at = verdict.lines + 1;
        verdict.what = what;
        return verdict;
    };
    for (off_t at = 0;;) {
        const std::string block = file.read(at, kBlockBytes);
        if (block.empty()) break;
        at += static_cast<off_t>(block.size());
        text += block;
        size_t begin = 0;
        for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            const std::string line = text.substr(begin, end - begin);
            begin = end + 1;
            const auto entry = parse_line(line);
            const std::string body = body_of(line);
            if (!entry || body.empty()) return broken("the line is none of the log");
            if (entry->number != verdict.lines + 1) return broken("a line is missing, or stands twice");
            if (entry->hash != hash_of(hash, body)) return broken("the line, or the one before, was changed");
            hash = entry->hash;
            ++verdict.lines;
        }
        text.erase(0, begin);
    }
    if (!text.empty()) return broken("the last line is torn, which the next entry heals");
    return verdict;
}

}  // namespace shaduf::server
