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
constexpr std::chrono::hours kForgetKeysEvery{1};
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

// Of a key: when its run was asked for, and the run.
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

Result<RunRequest> LocalDesk::completed(RunRequest request) const {
    TRY(check_inputs(request.inputs));
    const FlowPtr flow = TRY(find(request.flow));
    if (!request.about && !flow->schedules.empty()) {
        // Of a manual run the last interval that is whole by then.
        const Timestamp due = request.due.value_or(parts_.clock.now());
        const Schedule& schedule = flow->schedules.front();
        const auto last = schedule.previous(due + std::chrono::microseconds(1));
        request.about = schedule.interval_of(request.type == RunType::backfill ? due : last.value_or(due));
    }
    return request;
}

Result<std::optional<RunId>> LocalDesk::requested_before(const std::string& key) {
    const auto kept = TRY(parts_.store.values(key));
    const auto found = kept.find(key);
    if (found == kept.end()) return std::optional<RunId>();
    const KeyEntry entry = read_key(found->second);
    if (entry.at + kKeyLasts < parts_.clock.now()) return std::optional<RunId>();
    return std::optional(entry.run);
}

// REQUIRES: `keys_` is held when there is a key
LocalDesk::Item LocalDesk::item_of(const Asked& asked) {
    Item item{.request = completed(asked.request), .key = {}, .known = {}, .open = {}};
    if (asked.key.empty() || !item.request.ok()) return item;
    item.key = std::string(kKeys) + asked.request.flow + "/" + asked.key;
    if (const auto open = open_.find(item.key); open != open_.end()) {
        item.open = open->second;
        return item;
    }
    auto before = requested_before(item.key);
    if (before.ok()) {
        item.known = before.release_value();
    } else {
        item.request = before.release_error();
    }
    return item;
}

Result<FlowDesk::Requested> LocalDesk::make(const Item& item, Engine& engine, Timestamp now, FlowStep& step) {
    if (!item.request.ok()) return item.request.error();
    if (item.known) return Requested{*item.known, false};
    if (item.open) {
        // Calls are made in the order of their posting, so that one was made before.
        const Requested other = TRY(Result<Requested>(item.open->pending.made->at(item.open->place)));
        return Requested{other.run, false};
    }
    Engine::Requested requested = TRY(engine.request(item.request.value(), now));
    append(step, std::move(requested.step));
    if (!item.key.empty()) step.changes.values[item.key] = to_text({now, requested.run});
    return Requested{std::move(requested.run), true};
}

LocalDesk::Pending LocalDesk::request_all(const std::vector<Asked>& asked, Making making) {
    const auto made = std::make_shared<std::vector<Result<Requested>>>(
        asked.size(), Result<Requested>(Error(ErrorKind::internal, "the run was not asked for")));
    const auto items = std::make_shared<std::vector<Item>>();
    const std::lock_guard lock(keys_);
    if (const Timestamp now = parts_.clock.now(); now >= forgets_at_) {
        forgets_at_ = now + kForgetKeysEvery;
        static_cast<void>(forget_old_keys().ok());  // an hour later will do as well
    }
    // What is decided stands in the store.
    std::erase_if(open_, [](const auto& key) {
        return key.second.pending.kept.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    });
    std::promise<Result<void>> own;
    Pending pending{own.get_future().share(), made};
    for (size_t i = 0; i < asked.size(); ++i) {
        Item item = item_of(asked[i]);
        const bool asks = !item.key.empty() && item.request.ok() && !item.known && !item.open;
        if (asks) open_.insert({item.key, OpenKey{pending, i}});
        items->push_back(std::move(item));
    }
    parts_.scheduler.call_then(
        [items, made, making = std::move(making)](Engine& engine, Timestamp now) -> Result<FlowStep> {
            FlowStep step;
            for (size_t i = 0; i < items->size(); ++i) {
                made->at(i) = make(items->at(i), engine, now, step);
                if (making) making(i, made->at(i), step.changes);
            }
            return step;
        },
        std::move(own));
    return pending;
}

Result<FlowDesk::Requested> LocalDesk::request(const RunRequest& request, const std::string& key) {
    const Pending pending = request_all({{request, key}}, nullptr);
    if (pending.kept.wait_for(kPatience) != std::future_status::ready) return too_slow();
    TRY(Result<void>(pending.kept.get()));
    return pending.made->front();
}

Result<void> LocalDesk::forget_old_keys() {
    for (const auto& [key, text] : TRY(parts_.store.values(std::string(kKeys)))) {
        if (read_key(text).at + kKeyLasts < parts_.clock.now()) TRY(parts_.store.keep_value(key, std::nullopt));
    }
    return {};
}

Result<FlowPtr> definition_of(RunStore& store, const FlowPtr& now, const std::string& flow,
                              const std::string& revision) {
    if (now != nullptr && now->revision == revision) return now;
    const auto text = TRY(store.definition(flow, revision));
    if (!text) {
        return Error(ErrorKind::invalid_config,
                     "the flow's definition is gone: " + flow + ", revision " + revision + "; begin a new run");
    }
    return flow_from_text(flow, revision, *text);
}

Result<LocalDesk::Known> LocalDesk::known(const RunId& run) {
    auto row = TRY(parts_.store.run(run));
    if (!row) return Error(ErrorKind::invalid_config, "run not found: " + run + "; see the list of runs");
    FlowPtr flow = TRY(definition_of(parts_.store, parts_.flow(row->flow), row->flow, row->revision));
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
    return first_due(*spec, parts_.clock.now());
}

}  // namespace shaduf
