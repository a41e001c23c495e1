#include "base/text.h"
#include "base/time.h"
#include "flow/task_type.h"
#include "jinja/template.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "for", .type = FieldType::duration, .help = "How long.", .example = "10m"},
    {.name = "until", .help = "Until when: a time such as 2026-01-02T06:00:00Z; UTC unless it says otherwise."},
};

std::vector<Error> check(const Options& options, const Project&) {
    if (options.has("for") == options.has("until")) {
        return {Error(ErrorKind::invalid_config, "wait: give one of for and until").at(options.place())};
    }
    const std::string until = options.text("until");
    if (!options.has("until") || jinja::has_tags(until) || parse_timestamp(until)) return {};
    return {options.error("until", "until: expected a time such as 2026-01-02T06:00:00Z, found " + until)};
}

TaskOutcome run(const Options& options, TaskTry& task) {
    TaskOutcome outcome;
    std::chrono::microseconds left = options.duration("for");
    if (options.has("until")) {
        const auto until = parse_timestamp(options.text("until"));
        if (!until) {
            outcome.how = How::failed;
            outcome.error = options.error(
                "until", "until: expected a time such as 2026-01-02T06:00:00Z, found " + options.text("until"));
            return outcome;
        }
        left = Timestamp(std::chrono::microseconds(until->microseconds)) - task.run.clock.now();
    }
    if (left.count() <= 0) return outcome;
    task.log.write(Severity::info, "", "waiting for " + format_duration(left));
    if (!task.run.clock.sleep(left, task.run.cancellation)) outcome.how = How::stopped;
    return outcome;
}

}  // namespace

extern const TaskTypeSpec task_wait;
const TaskTypeSpec task_wait{
    .name = "wait", .summary = "Lets time pass, without a place.", .fields = kFields, .check = check, .run = run};

}  // namespace shaduf
