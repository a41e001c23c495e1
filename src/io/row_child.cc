#include "io/row_child.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBytesAtOnce = 256 << 10;
constexpr size_t kBytesTogether = 1 << 20;  // of a batch, when the child has so much
constexpr milliseconds kQuiet{50};          // what came is taken, when no more comes for so long
constexpr milliseconds kTogetherMax{500};   // or after this time
constexpr milliseconds kEndPatience{10'000};
constexpr size_t kShownLineMax = 500;
constexpr size_t kSecretBytesMin = 4;

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

void find_secrets(const nlohmann::json& json, bool is_secret, std::vector<std::string>& out) {
    if (json.is_object()) {
        for (const auto& [key, value] : json.items()) {
            find_secrets(value, is_secret || is_secret_name(key), out);
        }
    } else if (json.is_array()) {
        for (const auto& value : json) find_secrets(value, is_secret, out);
    } else if (is_secret && json.is_string()) {
        out.push_back(json.get<std::string>());
    }
}

Error hang_error(milliseconds patience) {
    return Error(ErrorKind::unavailable, "command hangs: it has written nothing for " + format_duration(patience) +
                                             "; it was killed; raise timeout when it needs longer")
        .permanent();
}

}  // namespace

bool is_secret_name(std::string_view name) {
    return has_any(to_lower(name), {"secret", "token", "passw", "key", "credential", "private", "dsn", "auth", "cert"});
}

std::vector<std::string> secrets_of_json(const std::string& json) {
    std::vector<std::string> secrets;
    find_secrets(nlohmann::json::parse(json, nullptr, false), false, secrets);
    return secrets;
}

std::string end_of_child(const ChildExit& exit, const std::string& tail) {
    constexpr size_t kLinesShown = 3;
    constexpr size_t kLineBytesShown = 300;
    std::vector<std::string> last;
    for (const std::string_view line : split(trim(tail), '\n')) {
        std::string shown = make_valid_utf8(trim(line).substr(0, kLineBytesShown));
        if (shown.empty() || (!last.empty() && last.back() == shown)) continue;
        last.push_back(std::move(shown));
        if (last.size() > kLinesShown) last.erase(last.begin());
    }
    return exit.to_string() + (last.empty() ? "" : ": " + join(last, " | "));
}

// ---------------------------------------------------------------------------------------------------------- its words

ChildLog::ChildLog(RunContext& run, std::string place, std::vector<std::string> secrets)
    : run_(run), place_(std::move(place)), secrets_(std::move(secrets)), refilled_at_(run.clock.steady_now()) {}

std::string ChildLog::without_secrets(std::string_view text) const {
    std::string shown(text);
    for (const auto& secret : secrets_) {
        if (secret.size() < kSecretBytesMin) continue;
        for (size_t at = shown.find(secret); at != std::string::npos; at = shown.find(secret, at + 3)) {
            shown.replace(at, secret.size(), "***");
        }
    }
    return shown;
}

void ChildLog::say(Severity severity, std::string_view text) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(run_.clock.steady_now() - refilled_at_);
    refilled_at_ += seconds;
    allowed_ = static_cast<int>(std::min<int64_t>(kBurst, allowed_ + seconds.count()));
    if (allowed_ <= 0) {
        ++left_out_;
        return;
    }
    --allowed_;
    std::string line = make_valid_utf8(without_secrets(text.substr(0, kShownLineMax)));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
    run_.events.message(severity, place_, line);
}

void ChildLog::say_unframed(std::string_view line) {
    if (has_any(line, {"ERROR", "CRITICAL", "FATAL", "WARN"})) say(Severity::warning, line);
}

void ChildLog::finish() {
    if (left_out_ == 0) return;
    run_.events.message(Severity::warning, place_,
                        "left out " + format_count(std::exchange(left_out_, 0)) + " lines that the command wrote");
}

// ----------------------------------------------------------------------------------------------------------- its rows

Result<std::unique_ptr<RowChild>> RowChild::start(RunContext& run, RowChildSettings settings, LineProtocol& protocol) {
    std::unique_ptr<RowChild> rows(new RowChild(run, std::move(settings), protocol));
    rows->child_ = TRY(ChildProcess::start(rows->settings_.command,
                                           [log = &rows->log_](std::string_view line) { log->say_unframed(line); }));
    return rows;
}

RowChild::RowChild(RunContext& run, RowChildSettings settings, LineProtocol& protocol)
    : settings_(std::move(settings)),
      protocol_(protocol),
      log_(run, settings_.place, settings_.secrets),
      lines_(settings_.place),
      held_(settings_.held_bytes_max) {}

// Waits for the first bytes, then takes what comes soon after. False at the end.
Result<bool> RowChild::collect(RunContext& run) {
    const auto began = std::chrono::steady_clock::now();
    milliseconds patience = settings_.patience;
    for (size_t before = lines_.input().size();;) {
        const auto outcome = TRY(child_->read(run.cancellation, patience, kBytesAtOnce, lines_.input()));
        if (outcome == ChildProcess::Outcome::end) return false;
        const bool any = lines_.input().size() > before;
        if (outcome == ChildProcess::Outcome::quiet && !any) {
            if (child_->silent_for() >= settings_.patience) return hang_error(settings_.patience);
            continue;
        }
        const bool enough = lines_.input().size() - before >= kBytesTogether;
        if (outcome == ChildProcess::Outcome::quiet || enough ||
            std::chrono::steady_clock::now() - began >= kTogetherMax) {
            return true;
        }
        patience = kQuiet;
    }
}

Result<void> RowChild::take_lines(RawRows lines) {
    if (lines.rows.empty()) return {};
    held_.add(TRY(protocol_.read_lines(std::move(lines), log_)));
    return {};
}

Result<std::optional<HeldRows::Piece>> RowChild::next(RunContext& run) {
    for (;;) {
        if (auto piece = held_.take()) return piece;
        if (ended_) return std::optional<HeldRows::Piece>();
        if (TRY(collect(run))) {
            TRY(take_lines(lines_.take()));
            continue;
        }
        TRY(take_lines(lines_.finish()));
        if (auto piece = held_.take()) return piece;  // before it is known how the child ended
        TRY(end(run));
        ended_ = true;
    }
}

Result<void> RowChild::end(RunContext& run) {
    const auto exit = child_->wait(run.cancellation, kEndPatience);
    if (!exit.ok()) return exit.error().kind() == ErrorKind::canceled ? exit.error() : exit.error().permanent();
    const auto judged = protocol_.judge_end(exit.value(), log_.without_secrets(child_->error_tail()), log_);
    log_.finish();
    TRY(judged);
    held_.end();
    return {};
}

Result<ChildAnswer> ask_child(RunContext& run, const RowChildSettings& settings, size_t bytes_max) {
    ChildLog log(run, settings.place, settings.secrets);
    const auto child =
        TRY(ChildProcess::start(settings.command, [&log](std::string_view line) { log.say_unframed(line); }));
    NdjsonSplitter lines(settings.place, bytes_max);
    for (;;) {
        const auto outcome = TRY(child->read(run.cancellation, settings.patience, kBytesAtOnce, lines.input()));
        if (child->silent_for() >= settings.patience) return hang_error(settings.patience);
        if (outcome == ChildProcess::Outcome::end) break;
        if (lines.input().size() > bytes_max) {
            return Error(ErrorKind::exhausted, "command answers with more than " + format_bytes(bytes_max));
        }
    }
    ChildAnswer answer;
    answer.exit = TRY(child->wait(run.cancellation, kEndPatience));
    answer.tail = log.without_secrets(child->error_tail());
    answer.lines = lines.finish();
    log.finish();
    return answer;
}

}  // namespace shaduf
