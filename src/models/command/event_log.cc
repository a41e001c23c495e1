#include "models/command/event_log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <utility>

#include "base/time.h"
#include "models/artifacts/json_writer.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

constexpr int kOldFilesMax = 5;
constexpr std::array<std::pair<std::string_view, EventLevel>, 4> kLevels = {{{"debug", EventLevel::debug},
                                                                             {"info", EventLevel::info},
                                                                             {"warn", EventLevel::warn},
                                                                             {"error", EventLevel::error}}};

std::string_view name_of(EventLevel level) { return kLevels[static_cast<size_t>(level)].first; }

Timestamp now() { return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()); }

// 12:34:56.123456
std::string time_of_day() {
    const int64_t micros = now().time_since_epoch().count();
    std::array<char, 32> text{};
    const int64_t day = 86'400'000'000;
    const int64_t rest = micros % day;
    std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%06d", static_cast<int>(rest / 3'600'000'000),
                  static_cast<int>(rest / 60'000'000 % 60), static_cast<int>(rest / 1'000'000 % 60),
                  static_cast<int>(rest % 1'000'000));
    return text.data();
}

}  // namespace

std::optional<EventLevel> event_level(std::string_view name) {
    for (const auto& [known, level] : kLevels) {
        if (known == name) return level;
    }
    return std::nullopt;
}

const std::string& thread_name() {
    static std::atomic<int> threads = 0;
    thread_local const std::string name = [] {
        const int number = ++threads;
        return number == 1 ? std::string("MainThread") : "Thread-" + std::to_string(number - 1) + " (worker)";
    }();
    return name;
}

std::string EventLog::json_line(const Event& event) const {
    std::ostringstream line;
    JsonWriter out(line);
    out.begin_object();
    out.key("data");
    if (event.data.is_none()) {
        out.begin_object();
        out.field("msg", event.text);
        out.end_object();
    } else {
        out.value(event.data);
    }
    out.key("info");
    out.begin_object();
    out.field("category", "");
    out.field("code", event.code);
    out.key("extra");
    out.raw("{}");
    out.field("invocation_id", invocation_id_);
    out.field("level", name_of(event.level));
    out.field("msg", event.text);
    out.field("name", event.name);
    out.integer_field("pid", getpid());
    out.field("thread", thread_name());
    out.field("ts", format_timestamp(now()));
    out.end_object();
    out.end_object();
    out.finish();
    return line.str();
}

std::string EventLog::text_line(const Event& event) const {
    std::string level(name_of(event.level));
    level.resize(5, ' ');
    return time_of_day() + " [" + level + "] [" + thread_name() + "]: " + event.text;
}

void EventLog::write(const Event& event) {
    if (!file_ || event.level < file_->level) return;
    std::string line = file_->format == LogFormat::json ? json_line(event) : text_line(event);
    line += '\n';
    if (!out_.is_open()) open_file();
    if (file_->bytes_max > 0 && bytes_ > 0 && bytes_ + line.size() > file_->bytes_max) rotate();
    out_ << line << std::flush;
    bytes_ += line.size();
}

void EventLog::open_file() {
    std::error_code failure;
    fs::create_directories(fs::path(file_->path).parent_path(), failure);
    out_.open(file_->path, std::ios::binary | std::ios::app);
    const auto size = fs::file_size(file_->path, failure);
    bytes_ = failure ? 0 : size;
    if (file_->format == LogFormat::json || !out_) return;
    const std::string bar(30, '=');
    const std::string head = "\n\n" + bar + " " + time_of_day() + " | " + invocation_id_ + " " + bar + "\n";
    out_ << head;
    bytes_ += head.size();
}

void EventLog::rotate() {
    out_.close();
    std::error_code ignored;
    const auto old = [&](int number) { return file_->path + "." + std::to_string(number); };
    for (int number = kOldFilesMax - 1; number > 0; --number) fs::rename(old(number), old(number + 1), ignored);
    fs::rename(file_->path, old(1), ignored);
    out_.open(file_->path, std::ios::binary | std::ios::app);
    bytes_ = 0;
}

}  // namespace shaduf::models
