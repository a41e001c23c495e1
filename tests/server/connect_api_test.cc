#include "server/connect_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FakeHost final : public ConnectorHost {
public:
    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const auto& [name, info] : connectors) all.push_back(name);
        return all;
    }
    std::optional<ConnectorInfo> info(const std::string& name) const override {
        const auto found = connectors.find(name);
        return found == connectors.end() ? std::nullopt : std::optional(found->second);
    }
    Result<void> put(const std::string& name, const ConnectorConfig& config) override {
        if (!config.contains("topics")) return Error(ErrorKind::invalid_config, "topics: missing");
        connectors[name] = {name, ConnectorState::running, "", config, {{ConnectorState::running, "", config}}, {"t"}};
        return {};
    }
    Result<void> remove(const std::string& name) override {
        connectors.erase(name);
        return {};
    }
    std::vector<ConnectorProblem> validate(const ConnectorConfig& config) const override {
        if (config.contains("topics")) return {};
        return {{"topics", "missing"}};
    }
    std::vector<std::string> classes() const override { return {"io.confluent.connect.s3.S3SinkConnector"}; }
    Result<void> pause(const std::string& name) override { return note("pause " + name); }
    Result<void> resume(const std::string& name) override { return note("resume " + name); }
    Result<void> stop(const std::string& name) override { return note("stop " + name); }
    Result<void> restart(const std::string& name, const RestartOptions& options) override {
        return note("restart " + name + (options.include_tasks ? " tasks" : "") +
                    (options.only_failed ? " failed" : ""));
    }
    Result<void> restart_task(const std::string& name, size_t task) override {
        return note("restart " + name + " " + std::to_string(task));
    }
    Result<std::vector<ConnectorOffset>> offsets(const std::string&) const override {
        return std::vector<ConnectorOffset>{{"t", 3, 42}};
    }
    Result<void> set_offsets(const std::string&, const std::vector<ConnectorOffset>& offsets) override {
        if (!stopped) return Error(ErrorKind::invalid_config, "stop it first");
        std::string text = "set";
        for (const auto& offset : offsets) {
            text += " " + offset.topic + "/" + std::to_string(offset.partition) + ":" +
                    (offset.offset ? std::to_string(*offset.offset) : "none");
        }
        return note(text);
    }

    std::map<std::string, ConnectorInfo> connectors;
    std::vector<std::string> calls;
    bool stopped = false;

private:
    Result<void> note(const std::string& call) {
        calls.push_back(call);
        return {};
    }
};

class ConnectApiTest : public testing::Test {
protected:
    ConnectApiTest() {
        connector_.name = "clicks";
        connector_.state = ConnectorState::running;
        connector_.config = {{"topics", "t"}};
        connector_.tasks = {{ConnectorState::running, "", {{"stream", "t"}}},
                            {ConnectorState::failed, "bucket: access denied", {{"stream", "u"}}}};
        connector_.topics = {"t", "u"};
        host_.connectors["clicks"] = connector_;
    }
    // "200 {...}"
    std::string ask(const std::string& method, const std::string& path, const std::string& body = "",
                    QueryParams query = {}) {
        HttpServerRequest request;
        request.method = method;
        request.path = path;
        request.body = body;
        request.query = std::move(query);
        const auto response = api_.handle(request);
        return std::to_string(response.status) + (response.body.empty() ? "" : " " + response.body);
    }

    ConnectorInfo connector_;
    FakeHost host_;
    ConnectApi api_{host_, "127.0.0.1:8083"};
};

TEST_F(ConnectApiTest, ShowsWhatThereIs) {
    EXPECT_THAT(ask("GET", "/"), HasSubstr(R"("kafka_cluster_id")"));
    EXPECT_EQ(ask("GET", "/connectors"), R"(200 ["clicks"])");
    EXPECT_EQ(ask("GET", "/connectors/"), R"(200 ["clicks"])");
    const std::string info = R"({"name":"clicks","config":{"topics":"t"},"tasks":[{"connector":"clicks","task":0},)"
                             R"({"connector":"clicks","task":1}],"type":"sink"})";
    EXPECT_EQ(ask("GET", "/connectors/clicks"), "200 " + info);
    const std::string status =
        R"({"name":"clicks","connector":{"state":"RUNNING","worker_id":"127.0.0.1:8083"},"tasks":[)"
        R"({"id":0,"state":"RUNNING","worker_id":"127.0.0.1:8083"},{"id":1,"state":"FAILED",)"
        R"("worker_id":"127.0.0.1:8083","trace":"bucket: access denied"}],"type":"sink"})";
    EXPECT_EQ(ask("GET", "/connectors/clicks/status"), "200 " + status);
    EXPECT_EQ(ask("GET", "/connectors", "", {{"expand", "status"}, {"expand", "info"}}),
              R"(200 {"clicks":{"status":)" + status + R"(,"info":)" + info + "}}");
    EXPECT_EQ(ask("GET", "/connectors/clicks/config"), R"(200 {"topics":"t"})");
    EXPECT_EQ(ask("GET", "/connectors/clicks/tasks"),
              R"(200 [{"id":{"connector":"clicks","task":0},"config":{"stream":"t"}},)"
              R"({"id":{"connector":"clicks","task":1},"config":{"stream":"u"}}])");
    EXPECT_EQ(ask("GET", "/connectors/clicks/tasks/1/status"),
              R"(200 {"id":1,"state":"FAILED","worker_id":"127.0.0.1:8083","trace":"bucket: access denied"})");
    EXPECT_EQ(ask("GET", "/connectors/clicks/topics"), R"(200 {"clicks":{"topics":["t","u"]}})");
    EXPECT_EQ(
        ask("GET", "/connectors/clicks/offsets"),
        R"(200 {"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":3},"offset":{"kafka_offset":42}}]})");
    EXPECT_THAT(ask("GET", "/connector-plugins"), HasSubstr(R"("class":"io.confluent.connect.s3.S3SinkConnector")"));
}

TEST_F(ConnectApiTest, MakesChangesAndRemoves) {
    EXPECT_THAT(ask("POST", "/connectors", R"({"name":"new","config":{"topics":"a","tasks.max":2}})"),
                HasSubstr(R"(201 {"name":"new","config":{"tasks.max":"2","topics":"a"})"));
    EXPECT_EQ(ask("POST", "/connectors", R"({"name":"new","config":{"topics":"a"}})"),
              R"(409 {"error_code":409,"message":"Connector new already exists"})");
    EXPECT_THAT(ask("PUT", "/connectors/other/config", R"({"topics":"b"})"), HasSubstr("201 "));
    EXPECT_THAT(ask("PUT", "/connectors/other/config", R"({"topics":"c"})"), HasSubstr("200 "));
    EXPECT_THAT(ask("PATCH", "/connectors/other/config", R"({"flush.size":"9","tasks.max":null})"), HasSubstr("200 "));
    EXPECT_EQ(ask("GET", "/connectors/other/config"), R"(200 {"flush.size":"9","topics":"c"})");
    EXPECT_EQ(ask("DELETE", "/connectors/other"), "204");
    EXPECT_EQ(ask("GET", "/connectors/other"), R"(404 {"error_code":404,"message":"Connector other not found"})");
}

TEST_F(ConnectApiTest, PassesOnWhatIsToBeDone) {
    EXPECT_EQ(ask("PUT", "/connectors/clicks/pause"), "202");
    EXPECT_EQ(ask("PUT", "/connectors/clicks/resume"), "202");
    EXPECT_EQ(ask("PUT", "/connectors/clicks/stop"), "204");
    EXPECT_EQ(ask("POST", "/connectors/clicks/restart"), "204");
    EXPECT_THAT(ask("POST", "/connectors/clicks/restart", "", {{"includeTasks", "true"}, {"onlyFailed", "true"}}),
                HasSubstr(R"(202 {"name":"clicks")"));
    EXPECT_EQ(ask("POST", "/connectors/clicks/tasks/1/restart"), "204");
    EXPECT_THAT(ask("PATCH", "/connectors/clicks/offsets", R"({"offsets":[]})"), HasSubstr("400 "));
    const std::string offsets =
        R"({"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":)"
        R"({"kafka_offset":7}},{"partition":{"kafka_topic":"t","kafka_partition":1},"offset":null}]})";
    EXPECT_THAT(ask("PATCH", "/connectors/clicks/offsets", offsets), HasSubstr("400 ")) << "it is running";
    host_.stopped = true;
    EXPECT_THAT(ask("PATCH", "/connectors/clicks/offsets", offsets), HasSubstr("altered successfully"));
    EXPECT_THAT(ask("DELETE", "/connectors/clicks/offsets"), HasSubstr("reset successfully"));
    EXPECT_THAT(host_.calls,
                ElementsAre("pause clicks", "resume clicks", "stop clicks", "restart clicks",
                            "restart clicks tasks failed", "restart clicks 1", "set t/0:7 t/1:none", "set"));
}

TEST_F(ConnectApiTest, TellsWhatIsWrongWithAConfiguration) {
    const std::string path = "/connector-plugins/S3SinkConnector/config/validate";
    EXPECT_THAT(ask("PUT", path, R"({"name":"x"})"),
                testing::AllOf(HasSubstr(R"("error_count":1)"),
                               HasSubstr(R"("value":null,"recommended_values":[],"errors":["missing"])")));
    EXPECT_THAT(ask("PUT", path, R"({"topics":"x"})"), HasSubstr(R"("error_count":0)"));
    EXPECT_THAT(ask("PUT", "/connector-plugins/Other/config/validate", "{}"), HasSubstr("404 "));
}

TEST_F(ConnectApiTest, AnswersWhatItDoesNotKnowAsConnectDoes) {
    struct Case {
        const char* method;
        const char* path;
        const char* body;
        const char* expected;
    };
    constexpr Case kCases[] = {
        {"GET", "/nowhere", "", "404 "},
        {"GET", "/connectors/none/status", "", "404 "},
        {"PUT", "/connectors/none/pause", "", "404 "},
        {"DELETE", "/connectors/none", "", "404 "},
        {"GET", "/connectors/clicks/tasks/2/status", "", "404 "},
        {"GET", "/connectors/clicks/tasks/x/status", "", "404 "},
        {"GET", "/connectors/clicks/tasks/-1/status", "", "404 "},
        {"POST", "/connectors/clicks/tasks/99999999999999999999/restart", "", "404 "},
        {"POST", "/connectors/clicks/status", "", "405 "},
        {"DELETE", "/connectors", "", "405 "},
        {"POST", "/connectors", "not json", "400 "},
        {"POST", "/connectors", "[]", "400 "},
        {"POST", "/connectors", R"({"config":{}})", "400 "},
        {"POST", "/connectors", R"({"name":"x","config":[]})", "400 "},
        {"POST", "/connectors", R"({"name":"x","config":{}})", "400 "},
        {"PUT", "/connectors/x/config", "[1]", "400 "},
    };
    for (const auto& [method, path, body, expected] : kCases) {
        SCOPED_TRACE(std::string(method) + " " + path + " " + body);
        const std::string answer = ask(method, path, body);
        EXPECT_THAT(answer, testing::StartsWith(expected));
        EXPECT_THAT(answer, HasSubstr("\"error_code\":"));
    }
    EXPECT_THAT(host_.calls, IsEmpty());
}

}  // namespace
}  // namespace shaduf::server
