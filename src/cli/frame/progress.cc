#include "cli/frame/progress.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

constexpr std::chrono::milliseconds kRedrawAfter{100};
constexpr std::chrono::seconds kPlainLineAfter{10};
constexpr size_t kBarWidth = 20;
constexpr size_t kNameWidth = 28;

std::string padded(std::string text, size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string rate_of(const StreamProgress& progress) {
    const double rate = progress.seconds > 0 ? static_cast<double>(progress.rows_read) / progress.seconds : 0;
    return format_count(static_cast<int64_t>(rate)) + " rows/s";
}

}  // namespace

LoadProgress::Line& LoadProgress::line_of(const StreamProgress& progress) {
    for (Line& line : lines_) {
        if (line.progress.pipeline == progress.pipeline && line.progress.stream == progress.stream) return line;
    }
    return lines_.emplace_back(Line{progress, State::running, std::chrono::steady_clock::now()});
}

// The length of a stream is not known before its end, so the bar of one that runs is a mark that moves.
std::string LoadProgress::format(const Line& line) const {
    std::string text;
    if (style_ == ProgressStyle::live) {
        std::string bar(kBarWidth, line.state == State::done ? '=' : '.');
        if (line.state == State::running) {
            const auto at = static_cast<size_t>(line.progress.seconds * 10) % (kBarWidth - 2);
            bar.replace(at, 3, "===");
        }
        text += "[" + bar + "] ";
    }
    const StreamProgress& progress = line.progress;
    text += padded(progress.pipeline + "." + progress.stream, kNameWidth) + "  " + format_count(progress.rows_read) +
            " rows  " + rate_of(progress) + "  " + format_bytes(static_cast<uint64_t>(progress.bytes_read));
    if (progress.rows_quarantined > 0) text += "  " + format_count(progress.rows_quarantined) + " quarantined";
    if (line.lag && line.state == State::running) {
        text += "  " + format_count(line.lag->messages) + " behind";
        if (line.lag->oldest_seconds) {
            const auto age = std::chrono::nanoseconds(static_cast<int64_t>(*line.lag->oldest_seconds * 1e9));
            text += ", oldest " + format_duration(age);
        }
    }
    text += "  " + format_duration(std::chrono::nanoseconds(static_cast<int64_t>(progress.seconds * 1e9)));
    if (line.state == State::failed) text += "  failed";
    if (line.state == State::stopped) text += "  stopped";
    if (line.state == State::done && style_ == ProgressStyle::plain) text += "  done";
    return text;
}

void LoadProgress::erase() {
    if (drawn_ > 0) out_ << "\x1b[" << drawn_ << "F\x1b[J";
    drawn_ = 0;
}

void LoadProgress::draw() {
    if (style_ != ProgressStyle::live) return;
    erase();
    for (const Line& line : lines_) out_ << format(line) << "\x1b[K\n";
    drawn_ = lines_.size();
    drawn_at_ = std::chrono::steady_clock::now();
    out_.flush();
}

void LoadProgress::stream_started(const StreamProgress& progress) {
    std::lock_guard lock(mutex_);
    line_of(progress).progress = progress;
    if (style_ == ProgressStyle::plain) {
        out_ << progress.pipeline << "." << progress.stream << "  started" << std::endl;
    }
    draw();
}

void LoadProgress::stream_progressed(const StreamProgress& progress) {
    std::lock_guard lock(mutex_);
    Line& line = line_of(progress);
    line.progress = progress;
    const auto now = std::chrono::steady_clock::now();
    if (style_ == ProgressStyle::live && now - drawn_at_ >= kRedrawAfter) draw();
    if (style_ == ProgressStyle::plain && now - line.said_at >= kPlainLineAfter) {
        line.said_at = now;
        out_ << format(line) << std::endl;
    }
}

void LoadProgress::stream_lag(const StreamLag& lag) {
    std::lock_guard lock(mutex_);
    for (Line& line : lines_) {
        if (line.progress.pipeline == lag.pipeline && line.progress.stream == lag.stream) line.lag = lag;
    }
}

void LoadProgress::stream_finished(const StreamProgress& progress, const Error* error) {
    std::lock_guard lock(mutex_);
    Line& line = line_of(progress);
    line.progress = progress;
    const bool was_stopped = error != nullptr && error->kind() == ErrorKind::canceled;
    line.state = error == nullptr ? State::done : was_stopped ? State::stopped : State::failed;
    if (style_ == ProgressStyle::plain) out_ << format(line) << std::endl;
    draw();
}

void LoadProgress::message(Severity severity, std::string_view place, std::string_view text) {
    std::lock_guard lock(mutex_);
    const char* label = severity == Severity::error ? "error: " : severity == Severity::warning ? "warning: " : "";
    if (style_ == ProgressStyle::live) erase();
    out_ << label << place << (place.empty() ? "" : ": ") << text << std::endl;
    draw();
}

}  // namespace shaduf
