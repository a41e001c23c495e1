#include "flow/desk_local.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "flow/flow_files.h"
#include "flow/json_values.h"

namespace shaduf {
namespace {

constexpr std::chrono::seconds kPatience{15};
constexpr std::chrono::hours kKeyLasts{24};
constexpr std::string_view kKeys = "key/";
constexpr std::string_view kPaused = "paused/";
constexpr int64_t kPageMax = 1'000;

Error too_slow() {
    return {ErrorKind::unavailable,
            "the scheduler has not answered in time; look whether its disk is full, and try again"};
}

Result<void> check_inputs(const std::string& inputs) {
    const auto parsed = parse_json_value(inputs);
    if (parsed.ok() && parsed.value().kind() == jinja::Kind::dict) return {};
    return Error(ErrorKind::invalid_config, "inputs are no JSON object: " + inputs.substr(0, 200));
}

// Of a key: when it was first asked for, and the run, "" as long as it is not sure that there is one.
struct KeyEntry {
    Timestamp at;
    RunId run;
};
std::string to_text(const KeyEntry& entry) {
    return std::to_string(entry.at.time_since_epoch().count()) + " " + entry.run;
}
KeyEntry read_key(const std::string& text) {
    const size_t space = text.find(' ');
    const int64_t micros = std::strtoll(text.c_str(), nullptr, 10);
    return {Timestamp(std::chrono::microseconds(micros)), space == std::string::npos ? "" : text.substr(space + 1)};
}

}  // namespace

Result<FlowPtr> LocalDesk::find(const std::string& flow) const {
    FlowPtr found = parts_.flow(flow);
    if (found != nullptr) return found;
    return Error(ErrorKind::invalid_config, "flow not found: " + flow + did_you_mean(flow, parts_.names()));
}

Result<void> LocalDesk::wait_for(std::future<Result<void>> future) {
    if (future.wait_for(kPatience) != std::future_status::ready) return too_slow();
    return future.get();
}

Result<RunId> LocalDesk::request_now(RunRequest request) {
    const FlowPtr flow = TRY(find(request.flow));
    if (!request.about && !flow->schedules.empty()) {
        // Of a manual run the last interval that is whole by then.
        const Timestamp due = request.due.value_or(parts_.clock.now());
        const Schedule& schedule = flow->schedules.front();
        const auto last = schedule.previous(due + std::chrono::microseconds(1));
        request.about = schedule.interval_of(request.type == RunType::backfill ? due : last.value_or(due));
    }
    auto future = parts_.scheduler.request(std::move(request));
    if (future.wait_for(kPatience) != std::future_status::ready) return too_slow();
    return future.get();
}

// A key whose run is not known was asked for right before the process ended: then the run is there, or not.
Result<std::optional<RunId>> LocalDesk::requested_before(const RunRequest& request, const std::string& key) {
    const auto kept = TRY(parts_.store.values(key));
    const auto found = kept.find(key);
    if (found == kept.end()) return std::optional<RunId>();
    const KeyEntry entry = read_key(found->second);
    if (entry.at + kKeyLasts < parts_.clock.now()) return std::optional<RunId>();
    if (!entry.run.empty()) return std::optional(entry.run);
    RunFilter filter;
    filter.flow = request.flow;
    filter.type = request.type;
    filter.created_from = entry.at;
    filter.limit = kPageMax;
    for (const RunRow& run : TRY(parts_.store.runs(filter))) {
        if (run.inputs == request.inputs && run.actor == request.actor) return std::optional(run.id);
    }
    return std::optional<RunId>();
}

Result<FlowDesk::Requested> LocalDesk::request(const RunRequest& request, const std::string& key) {
    TRY(check_inputs(request.inputs));
    if (key.empty()) return Requested{TRY(request_now(request)), true};
    const std::string own = std::string(kKeys) + request.flow + "/" + key;
    const std::lock_guard lock(keys_);
    if (auto run = TRY(requested_before(request, own))) {
        TRY(parts_.store.keep_value(own, to_text({parts_.clock.now(), *run})));
        return Requested{std::move(*run), false};
    }
    const Timestamp now = parts_.clock.now();
    TRY(parts_.store.keep_value(own, to_text({now, ""})));
    auto run = request_now(request);
    TRY(parts_.store.keep_value(own, run.ok() ? std::optional(to_text({now, run.value()})) : std::nullopt));
    return Requested{TRY(std::move(run)), true};
}

Result<void> LocalDesk::forget_old_keys() {
    for (const auto& [key, text] : TRY(parts_.store.values(std::string(kKeys)))) {
        if (read_key(text).at + kKeyLasts < parts_.clock.now()) TRY(parts_.store.keep_value(key, std::nullopt));
    }
    return {};
}

Result<FlowPtr> LocalDesk::definition(const std::string& flow, const std::string& revision) {
    if (FlowPtr now = parts_.flow(flow); now != nullptr && now->revision == revision) return now;
    const auto text = TRY(parts_.store.definition(flow, revision));
    if (!text) {
        return Error(ErrorKind::invalid_config,
                     "the flow's definition is gone: " + flow + ", revision " + revision + "; begin a new run");
    }
    return flow_from_text(flow, revision, *text);
}

Result<LocalDesk::Known> LocalDesk::known(const RunId& run) {
    auto row = TRY(parts_.store.run(run));
    if (!row) return Error(ErrorKind::invalid_config, "run not found: " + run + "; see the list of runs");
    FlowPtr flow = TRY(definition(row->flow, row->revision));
    return Known{std::move(*row), std::move(flow)};
}

Result<TaskIndex> LocalDesk::task_of(const RunId& run, const std::string& task) {
    const Known of = TRY(known(run));
    if (const auto index = of.flow->graph.find(task)) return *index;
    std::vector<std::string> names;
    for (TaskIndex i = 0; i < of.flow->graph.size(); ++i) names.push_back(of.flow->graph[i].name);
    return Error(ErrorKind::invalid_config, "task not found: " + task + did_you_mean(task, names));
}

Result<void> LocalDesk::cancel(const RunId& run, const std::string& actor) {
    TRY(known(run));
    return wait_for(
        parts_.scheduler.call([run, actor](Engine& engine, Timestamp now) { return engine.cancel(run, actor, now); }));
}

Result<void> LocalDesk::approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) {
    const TaskIndex index = TRY(task_of(run, task));
    return wait_for(parts_.scheduler.call([run, index, yes, actor](Engine& engine, Timestamp now) {
        return engine.approve(run, index, yes, actor, now);
    }));
}

Result<void> LocalDesk::mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) {
    const TaskIndex index = TRY(task_of(run, task));
    return wait_for(parts_.scheduler.call([run, index, state, actor](Engine& engine, Timestamp now) {
        return engine.mark(run, index, state, actor, now);
    }));
}

Result<void> LocalDesk::run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) {
    const Known of = TRY(known(run));
    auto rows = TRY(parts_.store.tasks(run));
    std::vector<TaskIndex> which;
    for (const std::string& task : tasks) which.push_back(TRY(task_of(run, task)));
    if (tasks.empty()) {
        for (const TaskRow& row : rows) {
            if (is_failure(row.state)) which.push_back(row.task);
        }
        if (which.empty()) {
            return Error(ErrorKind::conflict, "nothing to run again: no task of " + run +
                                                  " has failed; name the tasks that are to run again");
        }
    }
    return wait_for(parts_.scheduler.call(
        [row = of.row, rows = std::move(rows), flow = of.flow, which, actor](Engine& engine, Timestamp now) {
            return engine.run_again(row, rows, flow, which, actor, now);
        }));
}

Result<std::multimap<Timestamp, RunRow>> LocalDesk::runs_by_due(const std::string& flow) {
    std::multimap<Timestamp, RunRow> found;
    RunFilter filter;
    filter.flow = flow;
    filter.limit = kPageMax;
    for (;;) {
        const auto page = TRY(parts_.store.runs(filter));
        for (const RunRow& run : page) {
            const bool is_of_schedule = run.type == RunType::scheduled || run.type == RunType::backfill;
            if (is_of_schedule) found.emplace(run.due, run);
        }
        if (static_cast<int64_t>(page.size()) < kPageMax) return found;
        filter.behind = page.back().id;
    }
}

Result<size_t> LocalDesk::backfill(const Backfill& backfill) {
    TRY(check_inputs(backfill.inputs));
    const FlowPtr flow = TRY(find(backfill.flow));
    if (flow->schedules.empty()) {
        return Error(ErrorKind::invalid_config, "the flow has no schedule to fill back: " + flow->name);
    }
    const std::lock_guard lock(backfills_);
    std::vector<Timestamp> moments;
    for (const Schedule& schedule : flow->schedules) {
        for (auto at = schedule.next(backfill.from - std::chrono::microseconds(1)); at && *at < backfill.to;
             at = schedule.next(*at)) {
            moments.push_back(*at);
            if (moments.size() <= kBackfillMax) continue;
            return Error(ErrorKind::invalid_config, "too many runs at once: more than " + std::to_string(kBackfillMax) +
                                                        " from " + format_timestamp(backfill.from) + " to " +
                                                        format_timestamp(backfill.to) + "; take a shorter time");
        }
    }
    std::sort(moments.begin(), moments.end());
    moments.erase(std::unique(moments.begin(), moments.end()), moments.end());
    if (!backfill.oldest_first) std::reverse(moments.begin(), moments.end());
    const auto had = TRY(runs_by_due(flow->name));
    std::vector<std::future<Result<RunId>>> asked;
    size_t count = 0;
    for (const Timestamp due : moments) {
        const auto [first, last] = had.equal_range(due);
        const bool is_open = std::any_of(first, last, [](const auto& run) { return !is_end(run.second.state); });
        const auto newest = std::max_element(
            first, last, [](const auto& a, const auto& b) { return a.second.created < b.second.created; });
        const bool has_failed =
            first != last && (newest->second.state == RunState::failed || newest->second.state == RunState::killed);
        const bool is_wanted = first == last || backfill.again == Backfill::Again::all ||
                               (backfill.again == Backfill::Again::failed && has_failed);
        if (is_open || !is_wanted) continue;
        ++count;
        const auto earlier =
            std::find_if(first, last, [](const auto& run) { return run.second.type == RunType::backfill; });
        if (earlier != last) {
            // A moment has one run of a backfill, which is run again as a whole.
            const Known of = TRY(known(earlier->second.id));
            std::vector<std::string> all;
            for (TaskIndex i = 0; i < of.flow->graph.size(); ++i) all.push_back(of.flow->graph[i].name);
            TRY(run_again(of.row.id, all, backfill.actor));
            continue;
        }
        RunRequest request{flow->name, RunType::backfill, due, {}, backfill.inputs, backfill.actor};
        for (const Schedule& schedule : flow->schedules) {
            const auto again = schedule.next(due - std::chrono::microseconds(1));
            if (again && *again == due) request.about = schedule.interval_of(due);
        }
        asked.push_back(parts_.scheduler.request(std::move(request)));
    }
    for (auto& future : asked) {
        if (future.wait_for(kPatience) != std::future_status::ready) return too_slow();
        TRY(future.get());
    }
    return count;
}

Result<void> LocalDesk::pause(const std::string& flow, bool yes, const std::string& actor) {
    const FlowPtr spec = TRY(find(flow));
    TRY(parts_.store.keep_value(std::string(kPaused) + flow, (yes ? "yes " : "no ") + actor));
    FlowPtr changed = parts_.for_engine(spec, yes);
    return wait_for(parts_.scheduler.call(
        [changed](Engine& engine, Timestamp now) -> Result<FlowStep> { return engine.set_flow(changed, now); }));
}

Result<bool> LocalDesk::is_paused(const std::string& flow) {
    const FlowPtr spec = TRY(find(flow));
    const std::string key = std::string(kPaused) + flow;
    const auto kept = TRY(parts_.store.values(key));
    const auto found = kept.find(key);
    return found == kept.end() ? spec->is_paused : found->second.starts_with("yes");
}

std::optional<Timestamp> LocalDesk::next_due(const std::string& flow) {
    const FlowPtr spec = parts_.flow(flow);
    const auto paused = is_paused(flow);
    if (spec == nullptr || !paused.ok() || paused.value()) return std::nullopt;
    Timestamp behind = parts_.clock.now();
    if (spec->starts) behind = std::max(behind, *spec->starts - std::chrono::microseconds(1));
    std::optional<Timestamp> first;
    for (const Schedule& schedule : spec->schedules) {
        const auto next = schedule.next(behind);
        if (next && (!spec->ends || *next < *spec->ends) && (!first || *next < *first)) first = next;
    }
    return first;
}

}  // namespace shaduf
