#include "flow/task_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/time.h"

// A log is two files. The text has a line each; the index, which a log of few lines has not, has 8 bytes for line 257,
// 513 and so on: the offset at which it begins. The text is written first, so that an offset in the index is one of a
// line that is there; what is missing of the index behind a kill is found by counting lines from its last entry. A
// reader takes the length of the text once and looks at nothing behind the last line that is whole.
namespace shaduf {
namespace {

constexpr int64_t kLinesPerEntry = 256;
constexpr size_t kLineBytesMax = 32 << 10;
constexpr int64_t kLogBytesMax = int64_t{1} << 30;
constexpr size_t kReadBytes = 256 << 10;
constexpr std::string_view kIndexSuffix = ".index";

// Owns a file descriptor.
class File {
public:
    explicit File(int file = -1) : file_(file) {}
    ~File() {
        if (file_ >= 0) ::close(file_);
    }
    File(File&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    File& operator=(File&&) = delete;
    bool is_open() const { return file_ >= 0; }
    int get() const { return file_; }
    int64_t size() const {
        struct stat found {};
        return ::fstat(file_, &found) == 0 ? found.st_size : 0;
    }

private:
    int file_;
};

Error file_error(const std::string& what, const std::string& path) {
    const ErrorKind kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::exhausted : ErrorKind::unavailable;
    return {kind, what + ": " + path + ": " + std::strerror(errno) + "; check the disk and who may write there"};
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

bool append_to(const std::string& path, std::string_view bytes) {
    const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    return file.is_open() && write_all(file.get(), bytes);
}

// At most `count` bytes from `offset`; fewer at the end.
Result<std::string> read_at(int file, int64_t offset, size_t count) {
    std::string bytes(count, '\0');
    size_t have = 0;
    while (have < count) {
        const ssize_t found = ::pread(file, bytes.data() + have, count - have, offset + static_cast<int64_t>(have));
        if (found < 0 && errno == EINTR) continue;
        if (found < 0) return Error(ErrorKind::unavailable, std::string("cannot read a log: ") + std::strerror(errno));
        if (found == 0) break;
        have += static_cast<size_t>(found);
    }
    bytes.resize(have);
    return bytes;
}

// Letters, digits, '_', '-' and '.' stay, so that no name leads out of the folder.
std::string file_name_of(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                              c == '-' || (c == '.' && !out.empty());
        constexpr std::string_view kHex = "0123456789ABCDEF";
        if (is_plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out.empty() ? "%" : out;
}

std::string_view severity_word(Severity severity) {
    if (severity == Severity::error) return "ERROR";
    return severity == Severity::warning ? "WARN" : "INFO";
}

// Control characters go, but for tabs and the codes of colours: ESC [ digits ; m.
std::string clean_line(std::string_view line) {
    std::string out;
    out.reserve(std::min(line.size(), kLineBytesMax));
    for (size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
            const size_t end = line.find_first_not_of("0123456789;", i + 2);
            if (end != std::string_view::npos && line[end] == 'm') out.append(line.substr(i, end - i + 1));
            i = end == std::string_view::npos ? line.size() : end;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= 0x20 && byte != 0x7f) || c == '\t') out += c;
        if (out.size() >= kLineBytesMax) {
            out += " ... (cut: the line is longer than 32 KiB)";
            break;
        }
    }
    return is_valid_utf8(out) ? out : make_valid_utf8(out);
}

std::string clean_place(std::string_view place) {
    std::string out = clean_line(place.substr(0, 200));
    for (size_t at = out.find(": "); at != std::string::npos; at = out.find(": ", at)) out.replace(at, 2, ":");
    while (!out.empty() && (out.back() == ':' || out.back() == ' ')) out.pop_back();
    return out;
}

// What `Writer::write` has made of a line; nullopt: it was not made by it.
std::optional<LogLine> parse_line(std::string_view text, int64_t number) {
    LogLine line;
    line.number = number;
    const size_t space = text.find(' ');
    const auto at = parse_timestamp(text.substr(0, space));
    if (space == std::string_view::npos || !at) return std::nullopt;
    line.at = Timestamp(std::chrono::microseconds(at->microseconds));
    text.remove_prefix(space + 1);
    const size_t end = text.find_first_of(" :");
    const std::string_view word = text.substr(0, end);
    if (end == std::string_view::npos) return std::nullopt;
    line.severity = word == "ERROR" ? Severity::error : word == "WARN" ? Severity::warning : Severity::info;
    text.remove_prefix(end);
    const size_t colon = text.find(": ");
    if (colon == std::string_view::npos) return std::nullopt;
    if (colon > 0) line.place = text.substr(1, colon - 1);
    line.text = text.substr(colon + 2);
    return line;
}

// Which tries are being written by this process.
struct OpenLogs {
    std::mutex mutex;
    std::set<TryId> tries;
};

class FileLogWriter final : public LogStore::Writer {
public:
    FileLogWriter(File text, std::string index_path, int64_t lines, TryId id, std::shared_ptr<OpenLogs> open,
                  const Clock& clock)
        : text_(std::move(text)),
          index_path_(std::move(index_path)),
          id_(std::move(id)),
          open_(std::move(open)),
          clock_(clock),
          bytes_(text_.size()),
          lines_(lines) {}
    ~FileLogWriter() override {
        const std::lock_guard lock(open_->mutex);
        open_->tries.erase(id_);
    }
    FileLogWriter(const FileLogWriter&) = delete;
    FileLogWriter& operator=(const FileLogWriter&) = delete;

    void write(Severity severity, std::string_view place, std::string_view text) override {
        while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
        const std::lock_guard lock(mutex_);
        const int64_t micros = clock_.now().time_since_epoch().count();
        std::string head = format_timestamp(Timestamp(std::chrono::microseconds(micros - micros % 1000)));
        head = head.substr(0, 19) + milliseconds(micros) + "Z " + std::string(severity_word(severity));
        if (const std::string shown = clean_place(place); !shown.empty()) head += " " + shown;
        head += ": ";
        std::string block;
        std::string entries;
        int64_t lines = lines_.load();
        for (const std::string_view line : split(text, '\n')) {
            if (is_full_ || bytes_ + static_cast<int64_t>(block.size()) > kLogBytesMax) {
                if (std::exchange(is_full_, true)) break;
                add_entry(lines++, block, entries);
                block += head + "the log is full: 1 GiB; what comes is not kept\n";
                break;
            }
            add_entry(lines++, block, entries);
            block += head + clean_line(line) + "\n";
        }
        // A log that cannot be written, on a full disk, must not end the work; what is cut off is cut off for good.
        if (block.empty() || is_broken_ || !write_all(text_.get(), block)) {
            is_broken_ = is_broken_ || !block.empty();
            return;
        }
        bytes_ += static_cast<int64_t>(block.size());
        if (!entries.empty() && !append_to(index_path_, entries)) is_broken_ = true;
        lines_.store(lines);
    }
    int64_t lines() const override { return lines_.load(); }

private:
    static std::string milliseconds(int64_t micros) {
        const std::string digits = std::to_string(1000 + (micros % 1'000'000) / 1000);
        return "." + digits.substr(1);
    }
    void add_entry(int64_t line, const std::string& block, std::string& entries) const {
        if (line == 0 || line % kLinesPerEntry != 0) return;
        const int64_t offset = bytes_ + static_cast<int64_t>(block.size());
        std::array<char, sizeof offset> raw{};
        std::memcpy(raw.data(), &offset, raw.size());
        entries.append(raw.data(), raw.size());
    }

    File text_;
    const std::string index_path_;
    const TryId id_;
    const std::shared_ptr<OpenLogs> open_;
    const Clock& clock_;
    std::mutex mutex_;
    int64_t bytes_;
    std::atomic<int64_t> lines_;
    bool is_full_ = false;
    bool is_broken_ = false;
};

// One log as it stands when it is opened.
class LogView {
public:
    static Result<std::optional<LogView>> open(const std::string& path) {
        File text(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!text.is_open()) {
            if (errno == ENOENT || errno == ENOTDIR) return std::optional<LogView>();
            return file_error("cannot open a log", path);
        }
        File index(::open((path + std::string(kIndexSuffix)).c_str(), O_RDONLY | O_CLOEXEC));
        LogView view(std::move(text));
        if (index.is_open()) TRY(view.read_index(index));
        TRY(view.look_at_end());
        return std::optional(std::move(view));
    }

    int64_t lines() const { return lines_; }
    int64_t bytes() const { return end_; }
    size_t blocks() const { return entries_.size(); }
    int64_t offset_of(size_t block) const { return entries_[block]; }
    int64_t first_line_of(size_t block) const { return static_cast<int64_t>(block) * kLinesPerEntry + 1; }
    size_t block_of(int64_t line) const {
        return std::min(static_cast<size_t>(std::max<int64_t>(line - 1, 0) / kLinesPerEntry), entries_.size() - 1);
    }
    // The lines of a block, each without its end.
    Result<void> read_block(size_t block,
                            const std::function<bool(int64_t number, std::string_view line)>& each) const {
        const int64_t begin = entries_[block];
        const int64_t end = block + 1 < entries_.size() ? entries_[block + 1] : end_;
        int64_t number = first_line_of(block);
        std::string rest;
        for (int64_t at = begin; at < end; at += static_cast<int64_t>(kReadBytes)) {
            rest += TRY(read_at(text_.get(), at, static_cast<size_t>(std::min<int64_t>(kReadBytes, end - at))));
            size_t from = 0;
            for (size_t to = rest.find('\n'); to != std::string::npos; to = rest.find('\n', from)) {
                if (!each(number++, std::string_view(rest).substr(from, to - from))) return {};
                from = to + 1;
            }
            rest.erase(0, from);
        }
        return {};
    }

private:
    explicit LogView(File text) : text_(std::move(text)), end_(text_.size()) {}

    Result<void> read_index(const File& index) {
        const std::string raw = TRY(read_at(index.get(), 0, static_cast<size_t>(index.size())));
        for (size_t at = 0; at + sizeof(int64_t) <= raw.size(); at += sizeof(int64_t)) {
            int64_t offset = 0;
            std::memcpy(&offset, raw.data() + at, sizeof offset);
            if (offset > end_ || offset <= entries_.back()) break;
            entries_.push_back(offset);
        }
        return {};
    }

    // Finds the end of the last whole line, and counts those behind the last entry.
    Result<void> look_at_end() {
        int64_t whole = entries_.back();
        lines_ = static_cast<int64_t>(entries_.size() - 1) * kLinesPerEntry;
        for (int64_t at = entries_.back(); at < end_; at += static_cast<int64_t>(kReadBytes)) {
            const std::string bytes =
                TRY(read_at(text_.get(), at, static_cast<size_t>(std::min<int64_t>(kReadBytes, end_ - at))));
            for (size_t to = bytes.find('\n'); to != std::string::npos; to = bytes.find('\n', to + 1)) {
                whole = at + static_cast<int64_t>(to) + 1;
                if (++lines_ % kLinesPerEntry == 0 && whole < end_) entries_.push_back(whole);
            }
        }
        end_ = whole;
        if (entries_.size() > 1 && entries_.back() >= end_) entries_.pop_back();
        return {};
    }

    File text_;
    std::vector<int64_t> entries_{0};
    int64_t end_;
    int64_t lines_ = 0;
};

class LineFilter {
public:
    explicit LineFilter(const LogRequest& request) : search_(to_lower(request.search)), least_(request.least) {}
    bool is_open() const { return search_.empty() && least_ == Severity::info; }
    bool takes(const LogLine& line) const {
        if (line.severity < least_) return false;
        return search_.empty() || to_lower(line.place + ": " + line.text).find(search_) != std::string::npos;
    }

private:
    const std::string search_;
    const Severity least_;
};

LogLine line_of(std::string_view text, int64_t number) {
    if (auto parsed = parse_line(text, number)) return std::move(*parsed);
    LogLine line;
    line.number = number;
    line.text = text;
    return line;
}

Result<std::vector<LogLine>> lines_from(const LogView& view, const LogRequest& request, const LineFilter& filter) {
    std::vector<LogLine> found;
    const int64_t first = std::max<int64_t>(request.first, 1);
    bool more = first <= view.lines() && request.count > 0;
    for (size_t block = view.block_of(first); block < view.blocks() && more; ++block) {
        TRY(view.read_block(block, [&](int64_t number, std::string_view text) {
            if (number < first) return true;
            LogLine line = line_of(text, number);
            if (filter.takes(line)) found.push_back(std::move(line));
            return more = static_cast<int64_t>(found.size()) < request.count;
        }));
    }
    return found;
}

Result<std::vector<LogLine>> last_lines(const LogView& view, int64_t count, const LineFilter& filter) {
    std::vector<LogLine> found;  // the last first
    for (size_t left = view.blocks(); left > 0 && static_cast<int64_t>(found.size()) < count; --left) {
        std::vector<LogLine> block;
        TRY(view.read_block(left - 1, [&](int64_t number, std::string_view text) {
            LogLine line = line_of(text, number);
            if (filter.takes(line)) block.push_back(std::move(line));
            return true;
        }));
        std::move(block.rbegin(), block.rend(), std::back_inserter(found));
    }
    if (static_cast<int64_t>(found.size()) > count) found.resize(static_cast<size_t>(count));
    std::reverse(found.begin(), found.end());
    return found;
}

class FileLogStore final : public LogStore {
public:
    FileLogStore(std::string folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

    Result<std::unique_ptr<Writer>> open(const TryId& id) override {
        const std::string path = path_of(id);
        std::error_code error;
        std::filesystem::create_directories(folder_of(id.run), error);
        // What an earlier process has left of it stays; what was cut off goes.
        const auto left = TRY(LogView::open(path));
        File text(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
        if (!text.is_open()) return file_error("cannot write a log", path);
        const std::string index = path + std::string(kIndexSuffix);
        if (left) {
            std::filesystem::remove(index, error);
            const bool is_cut = ::ftruncate(text.get(), left->bytes()) == 0;
            if (!is_cut || !append_to(index, index_of(*left))) return file_error("cannot go on with a log", path);
        }
        const int64_t lines = left ? left->lines() : 0;
        {
            const std::lock_guard lock(open_->mutex);
            open_->tries.insert(id);
        }
        return std::unique_ptr<Writer>(
            std::make_unique<FileLogWriter>(std::move(text), index, lines, id, open_, clock_));
    }

    Result<std::optional<LogPage>> read(const TryId& id, const LogRequest& request) override {
        LogPage page;
        {
            // Before the file is looked at: lines that come between are missed by one that says it is complete.
            const std::lock_guard lock(open_->mutex);
            page.is_complete = !open_->tries.contains(id);
        }
        const auto view = TRY(LogView::open(path_of(id)));
        if (!view) return std::optional<LogPage>();
        page.lines_total = view->lines();
        page.bytes_total = view->bytes();
        const LineFilter filter(request);
        if (request.first >= 0) {
            page.lines = TRY(lines_from(*view, request, filter));
        } else {
            const int64_t last = std::min(-request.first, std::max<int64_t>(request.count, 0));
            if (filter.is_open()) {
                LogRequest from = request;
                from.first = std::max<int64_t>(view->lines() - last + 1, 1);
                from.count = last;
                page.lines = TRY(lines_from(*view, from, filter));
            } else {
                page.lines = TRY(last_lines(*view, last, filter));
            }
        }
        return std::optional(std::move(page));
    }

    Result<std::string> read_text(const TryId& id, int64_t offset, int64_t bytes_max) override {
        const auto view = TRY(LogView::open(path_of(id)));
        if (!view || offset < 0 || offset >= view->bytes() || bytes_max <= 0) return std::string();
        const File text(::open(path_of(id).c_str(), O_RDONLY | O_CLOEXEC));
        if (!text.is_open()) return std::string();
        return read_at(text.get(), offset, static_cast<size_t>(std::min(bytes_max, view->bytes() - offset)));
    }

    Result<void> forget(const RunId& run) override {
        std::error_code error;
        std::filesystem::remove_all(folder_of(run), error);
        if (!error) return {};
        return Error(ErrorKind::unavailable, "cannot remove logs: " + folder_of(run) + ": " + error.message());
    }

private:
    std::string folder_of(const RunId& run) const { return folder_ + "/" + file_name_of(run); }
    std::string path_of(const TryId& id) const { return log_path(folder_, id); }
    static std::string index_of(const LogView& view) {
        std::string raw;
        for (size_t block = 1; block < view.blocks(); ++block) {
            const int64_t offset = view.offset_of(block);
            std::array<char, sizeof offset> bytes{};
            std::memcpy(bytes.data(), &offset, bytes.size());
            raw.append(bytes.data(), bytes.size());
        }
        return raw;
    }

    const std::string folder_;
    const Clock& clock_;
    const std::shared_ptr<OpenLogs> open_ = std::make_shared<OpenLogs>();
};

}  // namespace

std::string log_path(const std::string& folder, const TryId& id) {
    return folder + "/" + file_name_of(id.run) + "/" + file_name_of(id.task) + "." + std::to_string(id.attempt) +
           ".log";
}

std::unique_ptr<LogStore> make_file_log_store(std::string folder, const Clock& clock) {
    return std::make_unique<FileLogStore>(std::move(folder), clock);
}

}  // namespace shaduf
