#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "flow/json_values.h"
#include "flow/task_type.h"
#include "io/child_process.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "command",
     .type = FieldType::json,
     .help = "A text, which sh -c runs, or a program and its arguments as a list.",
     .required = true},
    {.name = "environment", .type = FieldType::text_map, .help = "Variables for it."},
    {.name = "input", .help = "What it reads from its standard input."},
};
constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kLineBytesMax = 256 << 10;
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::hours kEndPatience{24 * 365};

TaskOutcome failed(const Error& error) {
    TaskOutcome outcome;
    outcome.how = error.kind() == ErrorKind::canceled ? How::stopped : How::failed;
    outcome.error = error;
    return outcome;
}

ChildCommand command_of(const Options& options, const TaskTry& task) {
    ChildCommand command;
    const Node& written = options.node("command");
    if (written.is_list()) {
        for (const Node& word : written.items()) command.arguments.push_back(word.text());
    } else {
        command.arguments = {"/bin/sh", "-c", written.text()};
    }
    command.input = options.text("input");
    command.environment = {{"SHADUF_RUN_ID", task.id.run},
                           {"SHADUF_FLOW", task.flow},
                           {"SHADUF_TASK", task.id.task},
                           {"SHADUF_ATTEMPT", std::to_string(task.id.attempt)},
                           {"SHADUF_DUE", format_timestamp(task.due)},
                           {"SHADUF_INTERVAL_BEGIN", format_timestamp(task.about.begin)},
                           {"SHADUF_INTERVAL_END", format_timestamp(task.about.end)},
                           {"SHADUF_INPUTS", task.inputs.empty() ? "{}" : task.inputs}};
    for (const auto& variable : options.text_map("environment")) command.environment.push_back(variable);
    return command;
}

// Lines of what a program writes, as they come; the last one that is {"shaduf": {...}} gives values.
class Output {
public:
    explicit Output(LogStore::Writer& log) : log_(log) {}
    void add(std::string_view bytes) {
        rest_ += bytes;
        size_t from = 0;
        for (size_t to = rest_.find('\n'); to != std::string::npos; to = rest_.find('\n', from)) {
            line(std::string_view(rest_).substr(from, to - from));
            from = to + 1;
        }
        rest_.erase(0, from);
        if (rest_.size() > kLineBytesMax) end();
    }
    void end() {
        if (!rest_.empty()) line(rest_);
        rest_.clear();
    }
    const std::string& values() const { return values_; }

private:
    void line(std::string_view text) {
        if (trim(text).starts_with("{\"shaduf\"")) {
            const auto parsed = parse_json_value(text);
            const auto* values = parsed.ok() ? member_of(parsed.value(), "shaduf") : nullptr;
            if (values != nullptr && values->kind() == jinja::Kind::dict) values_ = json_text_of(*values);
        }
        log_.write(Severity::info, "stdout", text);
    }
    LogStore::Writer& log_;
    std::string rest_;
    std::string values_ = "{}";
};

Result<ChildExit> follow(ChildProcess& child, Output& output, const Cancellation& cancellation) {
    for (;;) {
        BufferBuilder block;
        const auto got = TRY(child.read(cancellation, kPatience, kReadBytes, block));
        output.add(std::string_view(reinterpret_cast<const char*>(block.data()), block.size()));
        if (got == ChildProcess::Outcome::end) break;
    }
    output.end();
    // It may close its output and work on.
    return child.wait(cancellation, kEndPatience);
}

TaskOutcome run(const Options& options, TaskTry& task) {
    const auto child = ChildProcess::start(
        command_of(options, task), [&](std::string_view line) { task.log.write(Severity::info, "stderr", line); });
    if (!child.ok()) return failed(child.error());
    Output output(task.log);
    const auto ended = follow(*child.value(), output, task.run.cancellation);
    if (!ended.ok()) return failed(ended.error());
    TaskOutcome outcome;
    outcome.values = output.values();
    if (!ended.value().ok()) {
        const std::string_view said = trim(child.value()->error_tail());
        const size_t last = said.rfind('\n');
        const std::string line(said.substr(last == std::string_view::npos ? 0 : last + 1));
        outcome.how = How::failed;
        outcome.error = Error(ErrorKind::unavailable,
                              "command failed: " + ended.value().to_string() + (line.empty() ? "" : ": " + line));
    }
    return outcome;
}

std::vector<Error> check(const Options& options, const Project&) {
    const Node& written = options.node("command");
    const auto is_text = [](const Node& word) { return word.is_scalar(); };
    const bool is_fine = (written.is_scalar() && !trim(written.text()).empty()) ||
                         (written.is_list() && !written.items().empty() &&
                          std::all_of(written.items().begin(), written.items().end(), is_text));
    if (is_fine) return {};
    return {options.error("command", "command: expected a text, or a list of a program and its arguments")};
}

}  // namespace

extern const TaskTypeSpec task_shell;
const TaskTypeSpec task_shell{.name = "shell",
                              .summary = "Runs a command; a line {\"shaduf\": {...}} that it prints gives its values.",
                              .fields = kFields,
                              .check = check,
                              .run = run};

}  // namespace shaduf
