// How quick flows are: flow_bench dag|most|pace|minute --folder FOLDER [--state DSN] [--tasks N] [--rate N] [--seconds
// N] [--flows N]
//
//   dag     one run of N empty tasks, four wide: from the end of the last task that one waits for to its own begin
//   most    runs of two empty tasks, asked for by 64 clients, each of which asks again when its run has ended
//   pace    the same runs, N a second: how long a task waits for its begin, from when the run was to be asked for, or
//   from
//           the end of the task before it
//   minute  N flows of one task each, all due at the same moment: until the last task has begun
//
// All of it through the platform that `serve` runs: the store, its thread, the runner with a log for each try. Prints
// one JSON object.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "flow/flow_platform.h"
#include "flow/task_type.h"
#include "io/duckdb.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr size_t kClients = 64;
constexpr size_t kWide = 4;
constexpr uint32_t kPlaces = 64;

// When tries began and ended, by run and task. Thread-safe.
class Moments {
public:
    struct Moment {
        Steady::time_point began, ended;
    };
    void add(const TryId& id, Moment moment) {
        const std::lock_guard lock(mutex_);
        of_[id.run][id.task] = moment;
        ++count_;
        changed_.notify_all();
    }
    void wait_for(size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ >= count; });
    }
    std::map<std::string, std::map<std::string, Moment>> all() const {
        const std::lock_guard lock(mutex_);
        return of_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::map<std::string, Moment>> of_;
    size_t count_ = 0;
    std::condition_variable changed_;
};
Moments moments;

TaskOutcome run_nothing(const Options&, TaskTry& task) {
    const auto now = Steady::now();
    moments.add(task.id, {now, Steady::now()});
    return {};
}
const TaskTypeSpec task_nothing{.name = "nothing", .summary = "Ends at once.", .run = run_nothing};

// The system's time, so much later.
class ShiftedClock final : public Clock {
public:
    explicit ShiftedClock(std::chrono::microseconds by) : by_(by) {}
    Timestamp now() const override { return system_.now() + by_; }
    Steady::time_point steady_now() const override { return system_.steady_now(); }
    bool sleep(std::chrono::nanoseconds duration, const Cancellation& cancellation) override {
        return system_.sleep(duration, cancellation);
    }

private:
    SystemClock system_;
    const std::chrono::microseconds by_;
};

struct Request {
    std::string what;
    std::string state;
    std::string folder;
    size_t tasks = 10'000;
    size_t rate = 1'000;
    size_t seconds = 10;
    size_t flows = 5'000;
};

FlowInfo flow_of(const std::string& name, std::vector<TaskNode> nodes, std::vector<Schedule> schedules) {
    FlowSpec spec{.name = name,
                  .revision = "r" + std::to_string(nodes.size()),
                  .graph = TaskGraph::create(std::move(nodes)).release_value(),
                  .tasks = {},
                  .schedules = std::move(schedules),
                  .starts = {},
                  .ends = {}};
    spec.tasks.resize(spec.graph.size());
    for (TaskSpec& task : spec.tasks) {
        task.type = task_nothing.name;
        task.config = "{}";
        task.uses = {{"tasks", 1}};
    }
    spec.runs_max = 100'000;
    FlowInfo info;
    info.spec = std::make_shared<const FlowSpec>(std::move(spec));
    return info;
}

// A platform of its own, over a file in a folder that goes with it or over PostgreSQL.
class Bench {
public:
    Bench(const Request& request, FlowSet flows, std::chrono::microseconds shift) : clock_(shift) {
        flows.pools = {{"tasks", kPlaces}};
        std::sort(flows.flows.begin(), flows.flows.end(),
                  [](const FlowInfo& a, const FlowInfo& b) { return a.spec->name < b.spec->name; });
        FlowPlatform::Parts parts{.world = run_,
                                  .connectors = connectors_,
                                  .types = types_,
                                  .folder = request.folder,
                                  .worker = "bench",
                                  .project = [this] { return Result<std::shared_ptr<const Project>>(project_); },
                                  .watcher = {},
                                  .board_watcher = {},
                                  .state = request.state,
                                  .places = kPlaces,
                                  .version = "bench"};
        auto started = FlowPlatform::start(std::move(parts), std::make_shared<const FlowSet>(std::move(flows)));
        if (!started.ok()) {
            std::fprintf(stderr, "%s\n", started.error().to_string().c_str());
            std::exit(1);
        }
        platform_ = started.release_value();
        while (!platform_->leads()) std::this_thread::yield();
    }

    // The time is that before the request.
    std::pair<std::string, Steady::time_point> ask(const std::string& flow) {
        const auto begin = Steady::now();
        const auto asked = platform_->desk().request({flow, RunType::manual, {}, {}, {}, "bench"}, "");
        if (asked.ok()) return {asked.value().run, begin};
        std::fprintf(stderr, "%s\n", asked.error().to_string().c_str());
        std::exit(1);
    }
    void wait_for(const std::string& run) { static_cast<void>(platform_->wait_for(run, never_).ok()); }
    Timestamp now() const { return clock_.now(); }

private:
    DuckDbInstances databases_;
    World world_{databases_};
    ShiftedClock clock_;
    Cancellation never_;
    RunContext run_{clock_,          never_, world_.run.http, databases_, world_.run.events, world_.run.shared,
                    world_.run.rates};
    Registry<ConnectorSpec> connectors_{{}};
    Registry<TaskTypeSpec> types_{{&task_nothing}};
    std::shared_ptr<const Project> project_ = std::make_shared<const Project>();
    std::unique_ptr<FlowPlatform> platform_;
};

class Figures {
public:
    Figures() { json_.begin_object(); }
    void add(std::string_view name, double value) { json_.key(name).number(std::round(value * 100) / 100); }
    // Sorts them.
    void add(const std::string& name, std::vector<double>& values) {
        std::sort(values.begin(), values.end());
        if (values.empty()) return;
        add(name + "_median", values[values.size() / 2]);
        add(name + "_p99", values[values.size() * 99 / 100]);
        add(name + "_max", values.back());
    }
    void print() { std::printf("%s\n", json_.end_object().str().c_str()); }

private:
    JsonWriter json_;
};

std::string name_of(size_t task) { return "t" + std::to_string(100'000 + task); }

void bench_dag(const Request& request, Figures& figures) {
    std::vector<TaskNode> nodes;
    for (size_t i = 0; i < request.tasks; ++i) {
        TaskNode node{.name = name_of(i)};
        const size_t row = i / kWide, column = i % kWide;
        if (row > 0) {
            node.after = {name_of((row - 1) * kWide + column), name_of((row - 1) * kWide + (column + 1) % kWide)};
        }
        nodes.push_back(std::move(node));
    }
    FlowSet flows;
    flows.flows.push_back(flow_of("dag", nodes, {}));
    Bench bench(request, std::move(flows), {});
    const auto [run, begin] = bench.ask("dag");
    bench.wait_for(run);
    figures.add("dag_seconds", std::chrono::duration<double>(Steady::now() - begin).count());
    const auto of = moments.all()[run];
    std::vector<double> gaps;
    for (const TaskNode& node : nodes) {
        if (node.after.empty()) continue;
        Steady::time_point ready{};
        for (const std::string& before : node.after) ready = std::max(ready, of.at(before).ended);
        gaps.push_back(Milliseconds(of.at(node.name).began - ready).count());
    }
    figures.add("dag_end_to_begin_ms", gaps);
}

FlowSet pair_of_tasks() {
    FlowSet flows;
    flows.flows.push_back(flow_of("pair", {{.name = "one"}, {.name = "two", .after = {"one"}}}, {}));
    return flows;
}

// As many as go: each client asks again when its run has ended.
void bench_most(const Request& request, Figures& figures) {
    Bench bench(request, pair_of_tasks(), {});
    std::atomic<size_t> ended{0};
    const auto begin = Steady::now(), until = begin + std::chrono::seconds(request.seconds);
    std::vector<std::thread> clients;
    for (size_t i = 0; i < kClients; ++i) {
        clients.emplace_back([&] {
            while (Steady::now() < until) {
                bench.wait_for(bench.ask("pair").first);
                ++ended;
            }
        });
    }
    for (std::thread& client : clients) client.join();
    figures.add("runs_a_second_most",
                static_cast<double>(ended) / std::chrono::duration<double>(Steady::now() - begin).count());
}

// At a pace that does not wait for what was asked for before.
void bench_pace(const Request& request, Figures& figures) {
    Bench bench(request, pair_of_tasks(), {});
    const size_t count = request.rate * request.seconds;
    std::vector<std::pair<std::string, Steady::time_point>> asked(count);
    std::atomic<size_t> next{0};
    const auto begin = Steady::now();
    std::vector<std::thread> clients;
    for (size_t i = 0; i < kClients; ++i) {
        clients.emplace_back([&] {
            for (size_t at = next++; at < count; at = next++) {
                const auto due = begin + std::chrono::nanoseconds(1'000'000'000 * at / request.rate);
                std::this_thread::sleep_until(due);
                asked[at] = bench.ask("pair");
                asked[at].second = due;
            }
        });
    }
    for (std::thread& client : clients) client.join();
    for (const auto& [run, at] : asked) bench.wait_for(run);
    figures.add("runs_a_second_paced",
                static_cast<double>(count) / std::chrono::duration<double>(Steady::now() - begin).count());
    const auto all = moments.all();
    std::vector<double> delays;
    for (const auto& [run, at] : asked) {
        const auto& of = all.at(run);
        delays.push_back(Milliseconds(of.at("one").began - at).count());
        delays.push_back(Milliseconds(of.at("two").began - of.at("one").ended).count());
    }
    figures.add("dispatch_delay_ms", delays);
}

void bench_minute(const Request& request, Figures& figures) {
    // The minute begins four seconds after the start.
    const auto now = SystemClock().now();
    const auto minute = std::chrono::ceil<std::chrono::minutes>(now);
    const auto shift = minute - now - std::chrono::seconds(4);
    FlowSet flows;
    for (size_t i = 0; i < request.flows; ++i) {
        flows.flows.push_back(flow_of("flow" + std::to_string(100'000 + i), {{.name = "one"}},
                                      {Schedule(std::vector<Timestamp>{minute})}));
    }
    Bench bench(request, std::move(flows), shift);
    const auto due = Steady::now() + (minute - bench.now());
    moments.wait_for(request.flows);
    std::vector<double> seconds;
    for (const auto& [run, tasks] : moments.all()) {
        seconds.push_back(std::chrono::duration<double>(tasks.at("one").began - due).count());
    }
    figures.add("same_minute_begun_s", seconds);
}

int run(const Request& request) {
    Figures figures;
    if (request.what == "dag") bench_dag(request, figures);
    if (request.what == "most") bench_most(request, figures);
    if (request.what == "pace") bench_pace(request, figures);
    if (request.what == "minute") bench_minute(request, figures);
    figures.print();
    return 0;
}

}  // namespace
}  // namespace shaduf

int main(int count, char** words) {
    shaduf::Request request;
    if (count > 1) request.what = words[1];
    for (int i = 2; i + 1 < count; i += 2) {
        const std::string name = words[i];
        const size_t number = std::strtoull(words[i + 1], nullptr, 10);
        if (name == "--state") request.state = words[i + 1];
        if (name == "--folder") request.folder = words[i + 1];
        if (name == "--tasks") request.tasks = number;
        if (name == "--rate") request.rate = number;
        if (name == "--seconds") request.seconds = number;
        if (name == "--flows") request.flows = number;
    }
    return shaduf::run(request);
}
