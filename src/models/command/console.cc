#include "models/command/console.h"

#include <array>
#include <cstdio>
#include <map>

#include "base/text.h"
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

std::string Console::shown(std::string text) const {
    return secrets_ == nullptr ? std::move(text) : secrets_->scrub(std::move(text));
}

void Console::message(Level level, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (level == Level::warning) {
        warnings_.push_back(shown(text));
        errors_ << "warning: " << shown(text) << "\n" << std::flush;
    } else if (level == Level::info ? !options_.is_quiet : options_.is_debug) {
        out_ << shown(text) << "\n" << std::flush;
    }
}

void Console::print(const std::string& text) {
    if (!options_.prints) return;
    const std::lock_guard lock(mutex_);
    out_ << shown(text) << "\n" << std::flush;
}

void Console::line(const std::string& text) {
    if (options_.is_quiet) return;
    const std::lock_guard lock(mutex_);
    out_ << shown(text) << "\n" << std::flush;
}

void Console::error(const std::string& text) {
    const std::lock_guard lock(mutex_);
    errors_ << shown(text) << "\n" << std::flush;
}

std::vector<std::string> Console::warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
}

void Console::started(const Node& node, size_t index, size_t total) {
    line(dotted(std::to_string(index) + " of " + std::to_string(total) + " START " + described(node)) + " [RUN]");
}

void Console::ended(const Node& node, const NodeResult& result, size_t index, size_t total) {
    const std::string text = dotted(std::to_string(index) + " of " + std::to_string(total) + " " +
                                    std::string(begun(node, result.status)) + " " + described(node)) +
                             " [" + colored(verdict(node, result), result.status) + " in " +
                             seconds_text(result.execution_seconds) + "]";
    line(text);
}

void Console::summary(const std::vector<NodeResult>& results, double seconds) {
    std::map<NodeStatus, size_t> counts;
    outcomes_.clear();
    for (const NodeResult& result : results) {
        ++counts[result.status];
        outcomes_.push_back({result.unique_id, result.status, shown(result.message), result.execution_seconds});
    }
    line("");
    line("Finished running " + std::to_string(results.size()) + " nodes in " + seconds_text(seconds) + ".");
    for (const NodeResult& result : results) {
        if (!is_failure(result.status) && result.status != NodeStatus::warn) continue;
        std::string text = "\n" + colored(is_failure(result.status) ? "Failure" : "Warning", result.status) + " in " +
                           result.unique_id + "\n  " + result.message;
        if (!result.failing_rows.empty()) text += "\n\n" + result.failing_rows;
        if (!result.failing_query.empty()) {
            text += "\n  to see all of them: " + result.failing_query_path;
            if (const auto line = on_one_line(result.failing_query)) text += "\n  " + *line;
        }
        error(text);
    }
    const size_t failed = counts[NodeStatus::error] + counts[NodeStatus::fail] + counts[NodeStatus::partial_success];
    line("");
    line(failed == 0 ? colored("Completed successfully", NodeStatus::success)
                     : colored("Completed with " + std::to_string(failed) + (failed == 1 ? " error" : " errors"),
                               NodeStatus::error));
    line("Done. PASS=" + std::to_string(counts[NodeStatus::success] + counts[NodeStatus::pass]) +
         " WARN=" + std::to_string(counts[NodeStatus::warn]) + " ERROR=" + std::to_string(failed) +
         " SKIP=" + std::to_string(counts[NodeStatus::skipped]) +
         " NO-OP=" + std::to_string(counts[NodeStatus::no_op]) + " TOTAL=" + std::to_string(results.size()));
}

}  // namespace shaduf::models
