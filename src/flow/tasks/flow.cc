#include "base/text.h"
#include "flow/task_type.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr FieldSpec kFields[] = {
    {.name = "flow", .help = "Which flow.", .required = true},
    {.name = "inputs", .type = FieldType::json, .help = "Its inputs, a map."},
};

std::vector<Error> check(const Options& options, const Project&) {
    const Node& inputs = options.node("inputs");
    if (inputs.is_null() || inputs.is_map() || inputs.is_scalar()) return {};
    return {options.error("inputs", "inputs: expected a map")};
}

TaskOutcome run(const Options& options, TaskTry& task) {
    TaskOutcome outcome;
    const std::string flow = options.text("flow");
    task.log.write(Severity::info, "", "a run of flow " + flow + " begins");
    const Node& inputs = options.node("inputs");
    const auto ended = task.run_flow(flow, inputs.is_null() ? "{}" : inputs.to_json());
    if (!ended.ok()) {
        outcome.how = ended.error().kind() == ErrorKind::canceled ? How::stopped : How::failed;
        outcome.error = ended.error();
    } else if (ended.value() == RunState::warned) {
        outcome.how = How::warned;
        outcome.why = "flow " + flow + " has a warning";
    } else if (ended.value() == RunState::skipped) {
        outcome.how = How::skipped;
        outcome.why = "flow " + flow + " was skipped";
    } else if (ended.value() != RunState::succeeded) {
        outcome.how = How::failed;
        outcome.error = Error(ErrorKind::unavailable, "flow " + flow + " ended as " +
                                                          std::string(to_string(ended.value())) + "; look at its run");
    }
    return outcome;
}

}  // namespace

extern const TaskTypeSpec task_flow;
const TaskTypeSpec task_flow{.name = "flow",
                             .summary = "Runs another flow, and waits for its end without a place.",
                             .fields = kFields,
                             .check = check,
                             .run = run};

}  // namespace shaduf
