#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/project.h"
#include "connectors/connector.h"
#include "io/duckdb.h"
#include "io/url.h"
#include "server/audit_log.h"
#include "server/json_shape.h"
#include "server/live_events.h"
#include "server/router.h"
#include "server/run_views.h"
#include "server/serve_context.h"
#include "server/users.h"
#include "tests/world.h"

namespace shaduf::server {

// Notes what it is asked for. `error` is given instead, once it is set.
class FakeDesk final : public FlowDesk {
public:
    Result<Requested> request(const RunRequest& request, const std::string& key) override {
        TRY(note("request " + request.flow + " by " + request.actor + (key.empty() ? "" : " key " + key) +
                 (request.inputs.empty() ? "" : " inputs " + request.inputs)));
        return Requested{"run-1", true};
    }
    Result<void> cancel(const RunId& run, const std::string& actor) override {
        return note("cancel " + run + " by " + actor);
    }
    Result<void> approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) override {
        return note((yes ? "approve " : "refuse ") + run + " " + task + " by " + actor);
    }
    Result<void> mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) override {
        return note("mark " + run + " " + task + " " + std::string(to_string(state)) + " by " + actor);
    }
    Result<void> run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) override {
        return note("again " + run + " [" + join(tasks, ",") + "] by " + actor);
    }
    Result<size_t> backfill(const Backfill& backfill) override {
        TRY(note("backfill " + backfill.flow + " by " + backfill.actor));
        return size_t{3};
    }
    Result<void> pause(const std::string& flow, bool yes, const std::string& actor) override {
        paused[flow] = yes;
        return note((yes ? "pause " : "resume ") + flow + " by " + actor);
    }
    Result<bool> is_paused(const std::string& flow) override { return paused[flow]; }
    std::optional<Timestamp> next_due(const std::string& flow) override {
        const auto found = due.find(flow);
        return found == due.end() ? std::nullopt : std::optional(found->second);
    }

    std::vector<std::string> asked;
    std::map<std::string, bool> paused;
    std::map<std::string, Timestamp> due;
    std::optional<Error> error;

private:
    Result<void> note(std::string text) {
        if (error) return *error;
        asked.push_back(std::move(text));
        return {};
    }
};

// Logs that a test has put there.
class FakeLogs final : public LogStore {
public:
    Result<std::unique_ptr<Writer>> open(const TryId&) override {
        return Error(ErrorKind::internal, "nothing is written here");
    }
    Result<std::optional<LogPage>> read(const TryId& id, const LogRequest& request) override {
        asked = request;
        const auto found = logs.find(id);
        if (found == logs.end()) return std::nullopt;
        LogPage page{{}, static_cast<int64_t>(found->second.size()), 0, true};
        for (const LogLine& line : found->second) {
            if (line.number >= request.first && line.number < request.first + request.count) page.lines.push_back(line);
        }
        return std::optional(std::move(page));
    }
    Result<std::string> read_text(const TryId& id, int64_t offset, int64_t bytes_max) override {
        std::string text;
        for (const LogLine& line : logs[id]) text += line.text + "\n";
        return offset >= static_cast<int64_t>(text.size())
                   ? std::string()
                   : text.substr(static_cast<size_t>(offset), static_cast<size_t>(bytes_max));
    }
    Result<void> forget(const RunId&) override { return {}; }

    std::map<TryId, std::vector<LogLine>> logs;
    LogRequest asked;
};

// The calls of the API over a project in a folder of its own, without sockets: the real router, users, audit log, live
// events and run store; a desk and logs that a test looks into. A test writes files, calls `reload`, then `call`.
class ServeFixture : public testing::Test {
protected:
    ServeFixture() {
        std::filesystem::create_directories(folder.path() / ".shaduf");
        write("shaduf.yml",
              "name: acme\nenvironments:\n  dev: {warehouse: local, default: true}\n"
              "connections:\n  local: {type: duckdb, path: acme.duckdb}\n");
        users = open_users();
        runs = open_sqlite_run_store(folder / ".shaduf/runs.db").release_value();
        views = std::make_unique<RunViews>(*runs, [this] { return room.view().flows; });
        serve.emplace(ServeContext{room, connectors, task_types, world.run, desk, *runs, board, logs, *views, live,
                                   *users, audit, "0.0.0", world.clock.now()});
        router.emplace(apis, *serve);
        reload();
    }

    void write(const std::string& name, const std::string& text) {
        const auto path = folder.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }
    std::string read(const std::string& name) const {
        std::ifstream file(folder.path() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::vector<Error> reload() { return room.reload(); }

    struct Answer {
        int status = 0;
        nlohmann::json json;  // null when the body is none
        HttpServerResponse response;
    };
    // `target` has the query. What is answered must be what the endpoint's spec says.
    Answer call(std::string_view method, const std::string& target, const std::string& body = "",
                Role role = Role::admin) {
        return call(method, target, body, Caller{"ada", role, {}, "127.0.0.1"});
    }
    Answer call(std::string_view method, const std::string& target, const std::string& body, const Caller& caller,
                HttpHeaders headers = {}) {
        HttpServerRequest request;
        request.method = method;
        request.target = target;
        const size_t mark = target.find('?');
        request.path = percent_decode(std::string_view(target).substr(0, mark));
        if (mark != std::string::npos) request.query = parse_query(std::string_view(target).substr(mark + 1));
        request.headers = std::move(headers);
        if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
        request.body = body;
        Answer answer;
        answer.response = router->handle(request, caller);
        answer.status = answer.response.status;
        answer.json = nlohmann::json::parse(answer.response.body, nullptr, false);
        if (answer.json.is_discarded()) answer.json = nullptr;
        check_shape(method, target, answer);
        return answer;
    }
    Answer get(const std::string& target, Role role = Role::viewer) { return call("GET", target, "", role); }

    TempFolder folder;
    DuckDbInstances databases;
    World world{databases};
    Registry<ConnectorSpec> connectors = builtin_connectors();
    Registry<TaskTypeSpec> task_types{{}};
    Registry<ApiSpec> apis = builtin_apis();
    FlowSet flows;  // what a reload finds
    std::map<std::string, std::string> variables;
    FakeDesk desk;
    FakeLogs logs;
    TaskBoard board;
    LiveEvents live;
    AuditLog audit{folder / ".shaduf/audit.log", world.clock};
    std::unique_ptr<Users> users;
    std::unique_ptr<RunStore> runs;
    std::unique_ptr<RunViews> views;
    ProjectRoom room{[this](Project& project, FlowSet& found) { return read_project(project, found); }};
    std::optional<ServeContext> serve;
    std::optional<Router> router;

private:
    std::unique_ptr<Users> open_users() {
        Users::Limits limits;
        limits.work = {1, 8192};
        auto database = open_user_database(folder.path().string(), "").release_value();
        return std::make_unique<Users>(std::move(database), world.clock, limits);
    }
    std::vector<Error> read_project(Project& project, FlowSet& found) {
        ProjectRequest request;
        request.folder = folder.path().string();
        ProjectWorld outside;
        outside.variable = [this](const std::string& name) -> std::optional<std::string> {
            const auto value = variables.find(name);
            return value == variables.end() ? std::nullopt : std::optional(value->second);
        };
        outside.connector_types = connectors.names();
        outside.connector = [this](std::string_view type) -> std::optional<ConnectorFields> {
            const ConnectorSpec* spec = connectors.find(type);
            if (spec == nullptr) return std::nullopt;
            return ConnectorFields{spec->fields,          spec->stream_fields,          spec->table_fields,
                                   spec->stream_defaults, spec->make_source != nullptr, spec->make_sink != nullptr};
        };
        found = flows;
        return load_project(request, outside, project);
    }
    void check_shape(std::string_view method, const std::string& target, const Answer& answer) const {
        const EndpointSpec* spec = router->find(method, target);
        if (spec == nullptr || answer.status >= 300 || answer.json.is_null() || answer.response.next_chunk) return;
        ASSERT_NE(spec->response, nullptr) << spec->id << " answers what its spec does not tell of";
        for (const ShapeProblem& problem : check_json(answer.response.body, *spec->response)) {
            ADD_FAILURE() << spec->id << ": the answer's " << problem.path << " " << problem.message;
        }
    }
};

}  // namespace shaduf::server
