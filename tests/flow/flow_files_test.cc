#include "flow/flow_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FlowFilesTest : public testing::Test {
protected:
    FlowFilesTest() {
        project.folder = folder.path().string();
        project.pools["warehouse"] = 2;
        std::filesystem::create_directories(folder / "flows");
    }
    void write(const std::string& name, const std::string& text) { std::ofstream(folder / ("flows/" + name)) << text; }
    std::vector<std::string> errors() {
        std::vector<std::string> found;
        for (const Error& error : read_flows(project, types, set)) found.push_back(error.to_string());
        return found;
    }
    // Of a flow with these lines, and a task.
    std::string error_of(const std::string& text) {
        write("a.yml", text);
        const auto found = errors();
        return found.empty() ? "" : found.front();
    }

    TempFolder folder;
    Project project;
    FlowSet set;
    const Registry<TaskTypeSpec> types = builtin_tasks();
};

TEST_F(FlowFilesTest, AllKeys) {
    write("nightly.yml", R"(
title: Nightly
description: All of it.
owner: ana
labels: {team: data}
schedule: ["0 6 * * *", every 15m, {cron: "@daily", zone: America/New_York}, {at: [2030-01-01, 2030-01-02T06:00]}]
zone: Europe/Zurich
starts: 2026-01-01
ends: 2031-01-01T00:00:00Z
catch_up: true
missed: all
max_runs: 3
overlap: skip
priority: 5
deadline: 2h
stale_after: 1d
paused: true
on:
  tables: [raw.Orders, raw.items]
  when: any
  within: 1h
  hook: a-long-secret
  sensors:
    - {file: in/*.csv, every: 10s}
    - {http: "http://localhost/x", value: /v}
defaults: {retries: 3, backoff: constant, timeout: 1m}
tasks:
  a: {shell: echo hi}
  b: {shell: {command: [echo, hi]}, depends_on: a, retries: 1, when: all_done, pool: {warehouse: 2}, mutex: m}
  c: {wait: 5s, depends_on: [a, b], if: "inputs.x", allow_failure: true, approval: true}
)");
    EXPECT_THAT(errors(), ElementsAre());
    const FlowInfo* flow = set.find("nightly");
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->title, "Nightly");
    EXPECT_THAT(flow->schedules_as_written,
                ElementsAre("0 6 * * *", "every 15m", "@daily", "at 2030-01-01", "at 2030-01-02T06:00"));
    EXPECT_THAT(flow->on_tables.at(0).tables, ElementsAre("raw.orders", "raw.items"));
    EXPECT_FALSE(flow->on_tables.at(0).needs_all);
    ASSERT_EQ(flow->sensors.size(), 2u);
    EXPECT_EQ(flow->sensors[0].every, std::chrono::seconds(10));
    const FlowSpec& spec = *flow->spec;
    EXPECT_EQ(spec.schedules.size(), 4u);
    // Midnight in Zurich.
    EXPECT_EQ(*spec.starts, Timestamp(std::chrono::seconds(1'767'222'000)));
    EXPECT_EQ(spec.missed, MissedRuns::all);
    EXPECT_EQ(spec.overlap, Overlap::skip);
    EXPECT_TRUE(spec.is_paused && spec.catches_up);
    EXPECT_EQ(spec.tasks[0].retry.tries_more, 3);
    EXPECT_EQ(spec.tasks[1].retry.tries_more, 1);
    EXPECT_EQ(spec.tasks[1].retry.delay, TaskRetry::Delay::constant);
    EXPECT_EQ(spec.tasks[1].timeout, std::chrono::minutes(1));
    ASSERT_EQ(spec.tasks[1].uses.size(), 2u);
    EXPECT_EQ(spec.tasks[1].uses[1].places, 2u);
    EXPECT_TRUE(spec.tasks[2].uses.empty());  // it only waits
    EXPECT_EQ(spec.graph[1].rule, TriggerRule::all_done);
    EXPECT_TRUE(spec.graph[2].allows_failure && spec.graph[2].needs_approval);
}

TEST_F(FlowFilesTest, ErrorsNameTheLineAndWhatToDo) {
    const std::pair<const char*, const char*> cases[] = {
        {"tasks: {}", "flows/a.yml:1: tasks: expected a map of names to tasks"},
        {"taskz:\n  a: {shell: x}", "flows/a.yml:1: unknown key: taskz; did you mean tasks?"},
        {"tasks:\n  a: {shel: x}", "flows/a.yml:2: unknown key: shel; did you mean shell?"},
        {"tasks:\n  a: {depends_on: []}", "flows/a.yml:2: task without a type; give one of"},
        {"tasks:\n  a: {shell: x, wait: 1s}", "task of several types: shell, wait"},
        {"tasks:\n  a: {shell: x, depends_on: b}", "b"},
        {"tasks:\n  a: {shell: x, depends_on: b}\n  b: {shell: x, depends_on: a}", "a"},
        {"tasks:\n  a b: {shell: x}", "flows/a.yml:2: task name: expected letters"},
        {"tasks:\n  a: {shell: x, pool: warehose}", "pool not found: warehose; did you mean warehouse?"},
        {"tasks:\n  a: {shell: x, when: allsuccess}", "when: not one of the choices: allsuccess"},
        {"tasks:\n  a: {shell: x, retries: -1}", "retries: expected 0 to 1000, found -1"},
        {"tasks:\n  a: {shell: x, if: \"a ==\"}", "flows/a.yml:2: if:"},
        {"tasks:\n  a: {shell: \"{{ x\"}", "flows/a.yml:2: shell:"},
        {"tasks:\n  a: {shell: x, for_each: {items: 5}}", "for_each.items: expected a list"},
        {"tasks:\n  a:\n    wait: {for: x}", "flows/a.yml:3: for: expected a duration"},
        {"tasks:\n  a: {wait: {for: 1s, until: 2026-01-01}}", "wait: give one of for and until"},
        {"tasks:\n  a: {pipeline: nope}", "pipeline not found: nope"},
        {"tasks:\n  a: {sql: {sql: x, connection: nope}}", "connection not found: nope"},
        {"tasks:\n  a: {models: {}}", "the project has no models"},
        {"schedule: \"0 25 * * *\"\ntasks:\n  a: {shell: x}", "flows/a.yml:1:"},
        {"schedule: every 1ms\ntasks:\n  a: {shell: x}", "every: expected a duration of at least 1s"},
        {"zone: Mars/Olympus\ntasks:\n  a: {shell: x}", "flows/a.yml:1:"},
        {"starts: soon\ntasks:\n  a: {shell: x}", "expected a date or a time"},
        {"catch_up: true\ntasks:\n  a: {shell: x}", "catch_up: needs starts"},
        {"on: {tables: [orders]}\ntasks:\n  a: {shell: x}", "tables: expected schema.table, found orders"},
        {"on: {hook: short}\ntasks:\n  a: {shell: x}", "hook: a secret of at least 8 characters"},
        {"on:\n  sensors: [{every: 5s}]\ntasks:\n  a: {shell: x}", "flows/a.yml:2: sensor: give one of"},
        {"max_runs: 0\ntasks:\n  a: {shell: x}", "max_runs: expected 1 to 10000"},
        {"- a", "a flow is a map with tasks"},
    };
    for (const auto& [text, expected] : cases) {
        SCOPED_TRACE(text);
        EXPECT_THAT(error_of(text), HasSubstr(expected));
    }
}

TEST_F(FlowFilesTest, TemplatesMayStandWhereATypeIsWanted) {
    EXPECT_EQ(error_of("tasks:\n  a: {wait: \"{{ inputs.time }}\"}\n"
                       "  b: {http: {url: \"{{ inputs.url }}\", method: \"{{ inputs.m }}\", headers: \"{{ x }}\"}}"),
              "");
}

TEST_F(FlowFilesTest, ADefinitionIsTheSameAfterItsText) {
    ASSERT_EQ(error_of("max_runs: 2\ndeadline: 1h\ntasks:\n"
                       "  a: {shell: \"echo ${env:X}\", retries: 2, pool: warehouse, if: inputs.x}\n"
                       "  b: {wait: 1s, depends_on: a, when: one_failed, for_each: {items: [1, 2]}}"),
              "");
    const FlowSpec& spec = *set.find("a")->spec;
    const std::string text = flow_to_text(spec);
    const auto again = flow_from_text("a", spec.revision, text);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(flow_to_text(*again.value()), text);
    EXPECT_THAT(text, HasSubstr("${env:X}"));  // what it stands for is not kept
    EXPECT_EQ(again.value()->graph[1].rule, TriggerRule::one_failed);
    EXPECT_FALSE(flow_from_text("a", "r", "{}").ok());
    EXPECT_FALSE(flow_from_text("a", "r", "nothing").ok());
    const std::string before = spec.revision;
    ASSERT_EQ(error_of("tasks:\n  a: {shell: other}"), "");
    EXPECT_NE(set.find("a")->spec->revision, before);
}

TEST_F(FlowFilesTest, JitterIsTheSameEachTimeAndKeepsWhatARunIsAbout) {
    ASSERT_EQ(error_of("schedule: \"0 * * * *\"\njitter: 10m\ntasks:\n  a: {shell: x}"), "");
    const Schedule& schedule = set.find("a")->spec->schedules.at(0);
    const Timestamp midnight{std::chrono::days(20'000)};
    const Timestamp first = *schedule.next(midnight - std::chrono::minutes(1));
    EXPECT_GT(first, midnight);
    EXPECT_LT(first, midnight + std::chrono::minutes(10));
    EXPECT_EQ(*schedule.next(first), first + std::chrono::hours(1));
    EXPECT_EQ(*schedule.previous(first + std::chrono::hours(1)), first);
    EXPECT_EQ(schedule.interval_of(first).end, midnight);
    EXPECT_EQ(schedule.interval_of(first).begin, midnight - std::chrono::hours(1));
}

TEST_F(FlowFilesTest, PipelinesHaveFlowsUnlessAFileReplacesThem) {
    PipelineConfig shop;
    shop.name = shop.title = "shop";
    shop.file = "pipelines/shop.yml";
    shop.schema = "raw";
    shop.schedule = "0 * * * *";
    StreamConfig orders;
    orders.name = orders.table = "orders";
    shop.streams = {orders};
    PipelineConfig events = shop;
    events.name = events.title = "events";
    events.schedule.clear();
    events.streams[0].mode = ReadMode::stream;
    project.pipelines = {shop, events};
    project.pipeline_names = {"shop", "events"};
    EXPECT_THAT(errors(), ElementsAre());
    const FlowInfo* flow = set.find("shop");
    ASSERT_NE(flow, nullptr);
    EXPECT_EQ(flow->pipeline, "shop");
    EXPECT_THAT(flow->writes, ElementsAre("raw.orders"));
    EXPECT_EQ(flow->spec->graph.size(), 1u);
    EXPECT_TRUE(set.find("events")->is_endless);
    EXPECT_TRUE(set.find("events")->spec->tasks[0].uses.empty());
    std::ofstream(folder / "dbt_project.yml") << "name: x\n";
    EXPECT_THAT(errors(), ElementsAre());
    EXPECT_EQ(set.find("shop")->spec->graph.size(), 2u);
    EXPECT_EQ(set.find("events")->spec->graph.size(), 1u);
    write("shop.yml", "tasks:\n  a: {pipeline: shop}\n  b: {pipeline: events}\n  c: {shell: x}");
    EXPECT_THAT(errors(), ElementsAre());
    EXPECT_EQ(set.find("shop")->file, "flows/shop.yml");
    EXPECT_EQ(set.find("shop")->spec->tasks[2].uses.size(), 1u);
}

}  // namespace
}  // namespace shaduf
