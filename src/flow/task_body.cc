#include "flow/task_body.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/json_writer.h"
#include "base/thread_name.h"
#include "flow/json_values.h"
#include "flow/task_config.h"
#include "flow/try_events.h"

namespace shaduf {
namespace {

using How = TaskOutcome::How;

constexpr size_t kItemsMax = 10'000;
constexpr int64_t kParallelMax = 64;

TaskOutcome failed(Error error) {
    TaskOutcome outcome;
    outcome.how = error.kind() == ErrorKind::canceled ? How::stopped : How::failed;
    outcome.error = std::move(error);
    return outcome;
}

TaskOutcome run_guarded(const TaskTypeSpec& type, const Options& options, TaskTry& task) {
    try {
        TaskOutcome outcome = type.run(options, task);
        if (outcome.values.size() > TryReport::kValuesMax) {
            return failed(Error(ErrorKind::too_large,
                                "the task's values are too large: " + std::to_string(outcome.values.size()) + " of " +
                                    std::to_string(TryReport::kValuesMax) +
                                    " bytes; write them to a table or a file instead"));
        }
        return outcome;
    } catch (const std::exception& thrown) {
        return failed(Error(ErrorKind::internal, std::string("a library has thrown: ") + thrown.what()));
    }
}

// One task body at work, and the items of a for_each.
class Body {
public:
    Body(const TaskStart& start, const TryId& id, const TryInputs& inputs, const TaskBodyParts& parts)
        : start_(start), id_(id), inputs_(inputs), parts_(parts), spec_(start.flow->tasks[start.task]) {}

    Result<TaskOutcome> run() {
        type_ = parts_.types.find(spec_.type);
        if (type_ == nullptr) {
            return Error(ErrorKind::invalid_config,
                         "task type not found: " + spec_.type + "; this program has none of that name");
        }
        const TaskConfig config = TRY(TaskConfig::from_json(spec_.config));
        TaskTemplates templates = TRY(TaskTemplates::create(
            {id_.run, start_.flow->name, inputs_.due, inputs_.about, inputs_.inputs, inputs_.outputs}));
        if (!config.condition.empty() && !TRY(templates.holds(config.condition, parts_.run.cancellation))) {
            TaskOutcome outcome;
            outcome.how = How::skipped;
            outcome.why = "its condition does not hold: " + config.condition;
            return outcome;
        }
        if (config.items) return run_items(config, templates);
        const Options options = TRY(options_of(config.options, templates));
        return run_one(options, "");
    }

private:
    Result<Options> options_of(const jinja::Value& written, const TaskTemplates& templates) {
        const jinja::Value rendered = TRY(templates.render(written, parts_.run.cancellation));
        Options options;
        const ValueResolver resolve = parts_.redaction.watch(parts_.project.resolve);
        const Place place = Place::in_file("flow " + start_.flow->name + ", task " + id_.task, 0);
        const auto errors = Options::create(type_->fields, node_of(rendered, place), resolve, options);
        if (!errors.empty()) return errors.front();
        for (const FieldSpec& field : type_->fields) {
            if (field.secret && field.type == FieldType::text) parts_.redaction.add(options.text(field.name));
        }
        return options;
    }

    TaskOutcome run_one(const Options& options, const std::string& prefix) {
        TaskBoard board;
        relay_steps(board, parts_.board, parts_.redaction, prefix);
        TryEvents events(parts_.log, board, id_, parts_.run.clock);
        RunContext run{parts_.run.clock, parts_.run.cancellation, parts_.run.http, parts_.run.databases,
                       events,           parts_.run.shared,       parts_.run.rates};
        std::string part = id_.task;
        if (start_.round > 0) part += ", again from try " + std::to_string(start_.round + 1);
        if (!prefix.empty()) part += ", " + prefix;
        TaskTry task{
            id_,
            start_.flow->name,
            inputs_.due,
            inputs_.about,
            inputs_.inputs,
            inputs_.outputs,
            run,
            parts_.project,
            parts_.connectors,
            parts_.log,
            board,
            part,
            [&](const std::string& flow, const std::string& inputs) { return parts_.run_flow(part, flow, inputs); }};
        return run_guarded(*type_, options, task);
    }

    Result<TaskOutcome> run_items(const TaskConfig& config, TaskTemplates& templates) {
        const jinja::Value items = TRY(templates.render(*config.items, parts_.run.cancellation));
        if (items.kind() != jinja::Kind::list && items.kind() != jinja::Kind::tuple) {
            return Error(ErrorKind::invalid_config, "for_each.items is no list: " + json_text_of(items).substr(0, 200));
        }
        if (items.items().size() > kItemsMax) {
            return Error(ErrorKind::too_large, "for_each has too many items: " + std::to_string(items.items().size()) +
                                                   " of " + std::to_string(kItemsMax));
        }
        // All options are made before anything runs: one that is wrong must not be found halfway.
        for (const jinja::Value& item : items.items()) {
            templates.set_item(item, static_cast<int64_t>(options_.size()));
            options_.push_back(TRY(options_of(config.options, templates)));
            names_.push_back(item.is_string() ? item.string() : json_text_of(item).substr(0, 80));
        }
        outcomes_.resize(options_.size());
        const auto threads = std::clamp<int64_t>(config.parallel, 1, kParallelMax);
        std::vector<std::thread> others;
        for (int64_t i = 1; i < std::min<int64_t>(threads, static_cast<int64_t>(options_.size())); ++i) {
            others.emplace_back([this] {
                name_thread("task item");
                work();
            });
        }
        work();
        for (std::thread& other : others) other.join();
        return sum_up();
    }

    void work() {
        for (size_t item = next_++; item < options_.size(); item = next_++) {
            if (parts_.run.cancellation.canceled()) {
                outcomes_[item] = failed(Error(ErrorKind::canceled, "the run was stopped"));
                continue;
            }
            TaskStep step;
            step.name = "item " + std::to_string(item + 1) + ": " + parts_.redaction.apply(names_[item]);
            step.kind = "item";
            step.state = TaskState::running;
            step.began = parts_.run.clock.now();
            parts_.board.set_step(id_, step);
            parts_.log.write(Severity::info, "", step.name);
            outcomes_[item] = run_one(options_[item], "item " + std::to_string(item + 1) + ": ");
            const TaskOutcome& outcome = outcomes_[item];
            step.ended = parts_.run.clock.now();
            step.state = outcome.how == How::succeeded ? TaskState::succeeded
                         : outcome.how == How::warned  ? TaskState::warned
                         : outcome.how == How::skipped ? TaskState::skipped
                         : outcome.how == How::stopped ? TaskState::killed
                                                       : TaskState::failed;
            step.message = parts_.redaction.apply(outcome.error ? outcome.error->to_string() : outcome.why);
            if (outcome.error) parts_.log.write(Severity::error, step.name, step.message);
            parts_.board.set_step(id_, step);
        }
    }

    // {"results": [values of each]}; the worst of them decides.
    TaskOutcome sum_up() const {
        TaskOutcome all;
        JsonWriter values;
        values.begin_object().key("results").begin_array();
        size_t failures = 0;
        for (const TaskOutcome& outcome : outcomes_) {
            values.raw(outcome.values.empty() ? "{}" : outcome.values);
            all.tables.insert(all.tables.end(), outcome.tables.begin(), outcome.tables.end());
            if (outcome.how == How::stopped) all.how = How::stopped;
            if (outcome.how == How::failed) ++failures;
            if (!all.error && outcome.error) all.error = outcome.error;
            if (outcome.how == How::warned && all.how == How::succeeded) {
                all.how = How::warned;
                all.why = outcome.why;
            }
        }
        all.values = values.end_array().end_object().str();
        if (failures > 0 && all.how != How::stopped) {
            all.how = How::failed;
            all.why = std::to_string(failures) + " of " + std::to_string(outcomes_.size()) +
                      " items failed, the first: " + all.error->to_string();
        }
        return all;
    }

    const TaskStart& start_;
    const TryId& id_;
    const TryInputs& inputs_;
    const TaskBodyParts& parts_;
    const TaskSpec& spec_;
    const TaskTypeSpec* type_ = nullptr;
    std::vector<Options> options_;
    std::vector<std::string> names_;
    std::vector<TaskOutcome> outcomes_;
    std::atomic<size_t> next_ = 0;
};

}  // namespace

TaskOutcome run_task_body(const TaskStart& start, const TryId& id, const TryInputs& inputs,
                          const TaskBodyParts& parts) {
    auto outcome = Body(start, id, inputs, parts).run();
    return outcome.ok() ? outcome.release_value() : failed(outcome.release_error());
}

}  // namespace shaduf
