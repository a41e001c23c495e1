#include "models/command/console.h"

#include <array>
#include <cstdio>
#include <map>

#include "base/text.h"
#include "models/command/node_events.h"
#include "models/context/secrets.h"

namespace shaduf::models {
namespace {

constexpr size_t kLineWidth = 80;

std::string described(const Node& node) {
    const std::string relation = node.schema + "." + node.alias;
    switch (node.type) {
        case ResourceType::unit_test: return "unit_test " + node.unit_test->model + "::" + node.name;
        case ResourceType::model:
            if (node.config.text("incremental_strategy") == "microbatch") return "sql microbatch model " + relation;
            return "sql " + node.config.text("materialized") + " model " + relation;
        case ResourceType::seed: return "seed file " + relation;
        case ResourceType::snapshot: return "snapshot " + relation;
        case ResourceType::function: return "function " + relation;
        case ResourceType::test: return "test " + node.name;
        default: return std::string(to_string(node.type)) + " " + node.name;
    }
}

std::string verdict(const Node& node, const NodeResult& result) {
    switch (result.status) {
        case NodeStatus::success:
            if (node.type == ResourceType::seed || node.type == ResourceType::snapshot) return result.message;
            return result.message.empty() ? "OK" : result.message;
        case NodeStatus::pass: return "PASS";
        case NodeStatus::warn: return "WARN " + std::to_string(result.failures.value_or(0));
        case NodeStatus::fail: return "FAIL " + std::to_string(result.failures.value_or(0));
        case NodeStatus::error: return "ERROR";
        case NodeStatus::skipped: return "SKIP";
        case NodeStatus::no_op: return "NO-OP";
        case NodeStatus::partial_success: return "PARTIAL SUCCESS";
    }
    return "";
}

std::string_view begun(const Node& node, NodeStatus status) {
    switch (status) {
        case NodeStatus::success:
            if (node.type == ResourceType::seed) return "OK loaded";
            if (node.type == ResourceType::snapshot) return "OK snapshotted";
            return "OK created";
        case NodeStatus::error:
            return node.type == ResourceType::test || node.type == ResourceType::unit_test ? "ERROR" : "ERROR creating";
        case NodeStatus::partial_success: return "PARTIALLY created";
        case NodeStatus::skipped: return "SKIP relation";
        case NodeStatus::no_op: return "NO-OP";
        case NodeStatus::warn: return "WARN";
        case NodeStatus::fail: return "FAIL";
        default: return "PASS";
    }
}

std::string dotted(std::string text) {
    text += ' ';
    while (text.size() < kLineWidth) text += '.';
    return text;
}

// SQL that is short, to be copied. nullopt: it is long, or a comment in it ends with its line.
std::optional<std::string> on_one_line(std::string_view sql) {
    constexpr size_t kShort = 240;
    if (sql.find("--") != std::string_view::npos) return std::nullopt;
    std::string line;
    char quote = 0;
    for (const char c : trim(sql)) {
        if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = 0;
        const bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        if (is_blank && quote != 0 && c != ' ') return std::nullopt;
        if (!is_blank || quote != 0)
            line += c;
        else if (line.back() != ' ')
            line += ' ';
    }
    if (line.size() > kShort) return std::nullopt;
    return line;
}

std::string seconds_text(double seconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2fs", seconds);
    return text.data();
}

}  // namespace

std::string Console::colored(std::string_view text, NodeStatus status) const {
    if (!options_.has_colors) return std::string(text);
    const std::string_view code = is_failure(status)              ? "31"
                                  : status == NodeStatus::warn    ? "33"
                                  : status == NodeStatus::skipped ? "33"
                                                                  : "32";
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

bool Console::tell(const Event& given) {
    const Event event = shown(given);
    log_.write(event);
    if (options_.format != LogFormat::json) return false;
    if (event.level >= options_.level) out_ << log_.json_line(event) << "\n" << std::flush;
    return true;
}

void Console::event(const Event& event) {
    const std::lock_guard lock(mutex_);
    tell(event);
}

std::string Console::shown(std::string text) const {
    return secrets_ == nullptr ? std::move(text) : secrets_->scrub(std::move(text));
}

Event Console::shown(Event event) const {
    if (secrets_ == nullptr) return event;
    event.text = secrets_->scrub(std::move(event.text));
    if (!event.data.is_none()) event.data = secrets_->scrub_texts(event.data);
    return event;
}

void Console::message(Level level, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (level == Level::warning) {
        warnings_.push_back(shown(text));
        if (!tell({"JinjaLogWarning", "I061", EventLevel::warn, text}))
            errors_ << "warning: " << shown(text) << "\n" << std::flush;
        return;
    }
    const bool is_info = level == Level::info;
    const Event event = is_info ? Event{"JinjaLogInfo", "I062", EventLevel::info, text}
                                : Event{"JinjaLogDebug", "I063", EventLevel::debug, text};
    if (tell(event)) return;
    if (is_info ? !options_.is_quiet : options_.is_debug) out_ << shown(text) << "\n" << std::flush;
}

void Console::print(const std::string& text) {
    if (!options_.prints) return;
    const std::lock_guard lock(mutex_);
    const Event event = shown(options_.is_list ? Event{"ListCmdOut", "Z049", EventLevel::info, text}
                                               : Event{"PrintEvent", "Z052", EventLevel::info, text});
    // What was asked for is told whatever the level.
    log_.write(event);
    out_ << (options_.format == LogFormat::json ? log_.json_line(event) : event.text) << "\n" << std::flush;
}

void Console::line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const Event event = text.empty() ? Event{"Formatting", "Z017", EventLevel::info, text}
                                     : Event{"Note", "Z050", EventLevel::info, text};
    if (!tell(event) && !options_.is_quiet) out_ << shown(text) << "\n" << std::flush;
}

void Console::error(const std::string& text) { error(Event{"MainEncounteredError", "Z002", EventLevel::error, text}); }

void Console::error(const Event& event) {
    const std::lock_guard lock(mutex_);
    if (!tell(event)) errors_ << shown(event.text) << "\n" << std::flush;
}

std::vector<std::string> Console::warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
}

void Console::started(const Node& node, size_t index, size_t total) {
    if (watcher_) watcher_(node, nullptr, "");
    NodeMoment moment{node, event_time_now(), index, total, described(node), {}};
    moment.line =
        dotted(std::to_string(index) + " of " + std::to_string(total) + " START " + moment.description) + " [RUN]";
    const std::lock_guard lock(mutex_);
    started_at_[node.unique_id] = moment.started_at;
    tell(node_start(moment));
    if (!tell(start_line(moment)) && !options_.is_quiet) out_ << moment.line << "\n" << std::flush;
}

void Console::ended(const Node& node, const NodeResult& result, size_t index, size_t total) {
    if (watcher_) watcher_(node, &result, shown(result.message));
    const std::lock_guard lock(mutex_);
    NodeMoment moment{node, started_at_[node.unique_id], index, total, described(node), {}};
    const std::string begin = dotted(std::to_string(index) + " of " + std::to_string(total) + " " +
                                     std::string(begun(node, result.status)) + " " + moment.description) +
                              " [";
    const std::string end = " in " + seconds_text(result.execution_seconds) + "]";
    moment.line = begin + verdict(node, result) + end;
    if (!tell(result_line(moment, result)) && !options_.is_quiet) {
        out_ << begin << colored(verdict(node, result), result.status) << end << "\n" << std::flush;
    }
    tell(node_finished(moment, result));
    started_at_.erase(node.unique_id);
}

namespace {

using jinja::Value;

Event finished_event(size_t nodes, double seconds) {
    auto data = jinja::make<jinja::Dict>();
    data->set("execution", " in " + seconds_text(seconds));
    data->set("execution_time", seconds);
    data->set("stat_line", std::to_string(nodes) + " nodes");
    return {"FinishedRunningStats", "E047", EventLevel::info,
            "Finished running " + std::to_string(nodes) + " nodes in " + seconds_text(seconds) + ".", Value(data)};
}

Event failure_event(const NodeResult& result, const std::string& text) {
    auto data = jinja::make<jinja::Dict>();
    data->set("msg", result.message);
    auto info = jinja::make<jinja::Dict>();
    info->set("node_status", to_string(result.status));
    info->set("unique_id", result.unique_id);
    data->set("node_info", info);
    return is_failure(result.status) ? Event{"RunResultError", "Z024", EventLevel::error, text, Value(data)}
                                     : Event{"RunResultWarningMessage", "Z046", EventLevel::warn, text, Value(data)};
}

Event end_event(const std::string& text, size_t failed, size_t warned, size_t partial) {
    auto data = jinja::make<jinja::Dict>();
    data->set("keyboard_interrupt", false);
    data->set("num_errors", static_cast<int64_t>(failed));
    data->set("num_partial_success", static_cast<int64_t>(partial));
    data->set("num_warnings", static_cast<int64_t>(warned));
    return {"EndOfRunSummary", "Z030", EventLevel::info, text, Value(data)};
}

Event stats_event(std::map<NodeStatus, size_t>& counts, size_t failed, size_t total) {
    const size_t passed = counts[NodeStatus::success] + counts[NodeStatus::pass];
    auto stats = jinja::make<jinja::Dict>();
    const auto set = [&](std::string_view name, size_t count) { stats->set(name, static_cast<int64_t>(count)); };
    set("error", failed);
    set("noop", counts[NodeStatus::no_op]);
    set("pass", passed);
    set("skip", counts[NodeStatus::skipped]);
    set("total", total);
    set("warn", counts[NodeStatus::warn]);
    auto data = jinja::make<jinja::Dict>();
    data->set("stats", stats);
    return {"StatsLine", "Z023", EventLevel::info,
            "Done. PASS=" + std::to_string(passed) + " WARN=" + std::to_string(counts[NodeStatus::warn]) +
                " ERROR=" + std::to_string(failed) + " SKIP=" + std::to_string(counts[NodeStatus::skipped]) +
                " NO-OP=" + std::to_string(counts[NodeStatus::no_op]) + " TOTAL=" + std::to_string(total),
            Value(data)};
}

}  // namespace

void Console::line(const Event& event, std::string_view shown) {
    const std::lock_guard lock(mutex_);
    if (!tell(event) && !options_.is_quiet) out_ << (shown.empty() ? event.text : shown) << "\n" << std::flush;
}

void Console::published(const Node& node, const NodeResult& result) {
    if (watcher_) watcher_(node, &result, shown(result.message));
    const std::string relation = node.schema + "." + node.alias;
    const bool is_out = !is_failure(result.status);
    line(dotted(is_out ? "PUBLISHED " + relation + " after its tests" : "NOT PUBLISHED " + relation) + " [" +
         colored(is_out ? "OK" : "ERROR", result.status) + "]");
}

void Console::summary(const std::vector<NodeResult>& results, double seconds) {
    std::map<NodeStatus, size_t> counts;
    outcomes_.clear();
    for (const NodeResult& result : results) {
        ++counts[result.status];
        outcomes_.push_back({result.unique_id, result.status, shown(result.message), result.execution_seconds});
    }
    line("");
    line(finished_event(results.size(), seconds));
    for (const NodeResult& result : results) {
        if (!is_failure(result.status) && result.status != NodeStatus::warn) continue;
        std::string text = "\n" + colored(is_failure(result.status) ? "Failure" : "Warning", result.status) + " in " +
                           result.unique_id + "\n  " + result.message;
        if (!result.failing_rows.empty()) text += "\n\n" + result.failing_rows;
        if (!result.failing_query.empty()) {
            text += "\n  to see all of them: " + result.failing_query_path;
            if (const auto line = on_one_line(result.failing_query)) text += "\n  " + *line;
        }
        error(failure_event(result, text));
    }
    const size_t failed = counts[NodeStatus::error] + counts[NodeStatus::fail] + counts[NodeStatus::partial_success];
    line("");
    const bool is_well = failed == 0;
    const std::string end = is_well ? "Completed successfully"
                                    : "Completed with " + std::to_string(failed) + (failed == 1 ? " error" : " errors");
    line(end_event(end, failed, counts[NodeStatus::warn], counts[NodeStatus::partial_success]),
         colored(end, is_well ? NodeStatus::success : NodeStatus::error));
    line(stats_event(counts, failed, results.size()));
}

}  // namespace shaduf::models
