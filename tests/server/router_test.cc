#include "server/router.h"

#include "tests/server/serve_fixture.h"

namespace shaduf::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kColors[] = {"red", "green"};
constexpr Shape kColor{.kind = ShapeKind::text, .choices = kColors};
constexpr ShapeField kPartFields[] = {{"size", &kInteger}, {"due", &kTime, "", true}};
constexpr Shape kPart{.kind = ShapeKind::object, .name = "Part", .fields = kPartFields};
constexpr ShapeField kThingFields[] = {{"name", &kText},
                                       {"color", &kColor, "", true},
                                       {"parts", &kListOf<kPart>, "", true},
                                       {"by", &kMapOf<kPart>, "", true}};
constexpr Shape kThing{.kind = ShapeKind::object, .name = "Thing", .fields = kThingFields};
constexpr ShapeField kEchoFields[] = {{"path", &kAny}};
constexpr Shape kEcho{.kind = ShapeKind::object, .name = "Echo", .fields = kEchoFields};
constexpr QueryParamSpec kQuery[] = {{"limit", &kInteger, "", "7"}, {"color", &kColor}};

Result<ApiAnswer> echo(ApiCall& call) {
    nlohmann::json path = call.path;
    path["limit"] = call.query_integer("limit");
    return ApiAnswer{.body = nlohmann::json{{"path", path}}.dump()};
}
Result<ApiAnswer> fail(ApiCall& call) {
    const std::string& kind = call.path["kind"];
    if (kind == "missing") return not_found("thing", "x");
    if (kind == "conflict") return Error(ErrorKind::conflict, "it runs");
    if (kind == "file") return Error(ErrorKind::invalid_config, "bad").at(Place::in_file("shaduf.yml", 3));
    if (kind == "later") return Error(ErrorKind::unavailable, "busy").retry_after(std::chrono::milliseconds(1'500));
    return ApiAnswer{};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/things/{id}",
     .id = "getThing",
     .query = kQuery,
     .response = &kEcho,
     .handle = echo},
    {.method = "GET", .path = "/api/v1/things/special", .id = "special", .role = Role::nobody, .handle = fail},
    {.method = "GET", .path = "/api/v1/files/{path...}", .id = "getFile", .response = &kEcho, .handle = echo},
    {.method = "POST",
     .path = "/api/v1/things",
     .id = "addThing",
     .role = Role::editor,
     .request = &kThing,
     .handle = fail,
     .body_bytes_max = 400,
     .audited = "thing.add"},
    {.method = "POST", .path = "/api/v1/fail/{kind}", .id = "fail", .handle = fail, .audited = "thing.fail"},
    {.method = "POST",
     .path = "/api/v1/hooks/{name}/{secret}",
     .id = "hook",
     .role = Role::nobody,
     .handle = fail,
     .audited = "hook"},
};
constexpr ApiSpec kApi{.name = "things", .summary = "", .endpoints = kEndpoints};

class RouterTest : public ServeFixture {
protected:
    RouterTest() {
        apis = Registry<ApiSpec>({&kApi});
        router.emplace(apis, *serve);
    }
    std::string message(const Answer& answer) { return answer.json["error"]["message"]; }
    std::vector<std::string> audited() {
        std::vector<std::string> lines;
        for (const AuditEntry& entry : audit.list({}).release_value()) {
            lines.push_back(entry.actor + " " + entry.action + " " + entry.target + " " + entry.detail);
        }
        return lines;
    }
};

TEST_F(RouterTest, TakesPathsApart) {
    EXPECT_EQ(get("/api/v1/things/a%2Fb?limit=3").json["path"], nlohmann::json({{"id", "a/b"}, {"limit", 3}}));
    EXPECT_EQ(get("/api/v1/things/a").json["path"]["limit"], 7);
    EXPECT_EQ(get("/api/v1/things/special").status, 204);  // a word comes before a place for any
    EXPECT_EQ(get("/api/v1/files/models/a b.sql").json["path"]["path"], "models/a b.sql");
}

TEST_F(RouterTest, RefusesWhatIsNoCall) {
    EXPECT_EQ(get("/api/v1/nothing").status, 404);
    EXPECT_EQ(get("/api/v1/things/a/b").status, 404);
    const auto answer = call("DELETE", "/api/v1/things/a");
    EXPECT_EQ(answer.status, 405);
    EXPECT_THAT(answer.response.headers, testing::Contains(std::pair<std::string, std::string>("Allow", "GET")));
}

TEST_F(RouterTest, RefusesPathsThatLeadElsewhere) {
    for (const char* path : {"/api/v1/files/../x", "/api/v1/files/%2e%2e/x", "/api/v1/files/a//b",
                             "/api/v1/files/a%00b/..", "/api/v1/files/%2e", "/api/v1/things/"}) {
        SCOPED_TRACE(path);
        EXPECT_EQ(get(path).status, 400);
    }
}

TEST_F(RouterTest, ChecksWhoMay) {
    EXPECT_EQ(get("/api/v1/things/a", Role::nobody).status, 401);
    EXPECT_EQ(get("/api/v1/things/special", Role::nobody).status, 204);
    const auto refused = call("POST", "/api/v1/things", R"({"name": "x"})", Role::viewer);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(message(refused), "role needed: editor; yours: viewer; ask an admin");
    EXPECT_EQ(call("POST", "/api/v1/things", R"({"name": "x"})", Role::operator_).status, 204);
}

TEST_F(RouterTest, ChecksTheQuery) {
    EXPECT_EQ(message(get("/api/v1/things/a?limit=x")), "query parameter limit must be a whole number: x");
    EXPECT_THAT(message(get("/api/v1/things/a?color=gren")), HasSubstr("did you mean green?"));
}

TEST_F(RouterTest, ChecksBodies) {
    const std::string deep(100, '[');
    const struct {
        std::string body;
        int status;
        const char* path;
        const char* message;
    } cases[] = {
        {R"({"name": "x", "color": "red", "parts": [{"size": 1}]})", 204, "", ""},
        {R"({"name": "x", "color": null})", 204, "", ""},
        {R"({"name": 1})", 400, "name", "must be a text"},
        {"", 400, "name", "is missing"},
        {R"({"name": "x", "colour": "red"})", 400, "colour", "is not known; did you mean color?"},
        {R"({"name": "x", "color": "rad"})", 400, "color", "not one of the choices: rad; did you mean red?"},
        {R"({"name": "x", "parts": [{"size": 1}, {"size": 1.5}]})", 400, "parts[1].size", "must be a whole number"},
        {R"({"name": "x", "parts": [{"size": 1, "due": "2026-01-01"}]})", 400, "parts[0].due",
         "must be a time such as 2026-11-22T06:02:11Z"},
        {R"({"name": "x", "by": {"a": {}}})", 400, "by.a.size", "is missing"},
        {R"({"name": )", 400, "", "is no JSON: wrong at byte 10"},
        {"[1]", 400, "", "must be an object"},
        {deep, 400, "", "nests deeper than 64"},
    };
    for (const auto& [body, status, path, text] : cases) {
        SCOPED_TRACE(body);
        const auto answer = call("POST", "/api/v1/things", body);
        EXPECT_EQ(answer.status, status);
        if (status != 400) continue;
        EXPECT_EQ(answer.json["error"]["places"][0]["path"], path);
        EXPECT_EQ(answer.json["error"]["places"][0]["message"], text);
    }
    EXPECT_EQ(call("POST", "/api/v1/things", std::string(401, ' ')).status, 413);
}

TEST_F(RouterTest, TakesNoFormForABody) {
    HttpServerRequest request;
    request.method = "POST";
    request.target = request.path = "/api/v1/things";
    request.headers = {{"Content-Type", "text/plain"}};
    request.body = R"({"name": "x"})";
    EXPECT_EQ(router->handle(request, {"ada", Role::admin, {}, ""}).status, 415);
}

TEST_F(RouterTest, AnswersErrorsByTheirKind) {
    const struct {
        const char* kind;
        int status;
        const char* says;
    } cases[] = {{"missing", 404, "not_found"},
                 {"conflict", 409, "conflict"},
                 {"file", 422, "invalid_config"},
                 {"later", 503, "unavailable"}};
    for (const auto& [kind, status, says] : cases) {
        SCOPED_TRACE(kind);
        const auto answer = call("POST", std::string("/api/v1/fail/") + kind);
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.json["error"]["kind"], says);
    }
    const auto in_file = call("POST", "/api/v1/fail/file").json["error"]["places"][0];
    EXPECT_EQ(in_file["file"], "shaduf.yml");
    EXPECT_EQ(in_file["line"], 3);
    EXPECT_THAT(call("POST", "/api/v1/fail/later").response.headers,
                testing::Contains(std::pair<std::string, std::string>("Retry-After", "2")));
}

TEST_F(RouterTest, WritesChangesDownBeforeTheyAreMade) {
    call("POST", "/api/v1/things", R"({"name": "x", "color": "red"})");
    call("POST", "/api/v1/things", R"({"nam": "x"})");  // is not called
    call("POST", "/api/v1/fail/conflict");
    call("POST", "/api/v1/hooks/daily/s3cret");
    EXPECT_THAT(audited(), ElementsAre("ada hook /hooks/daily/... ", "ada thing.fail.failed /fail/conflict it runs",
                                       "ada thing.fail /fail/conflict ", "ada thing.add /things {\"name\":\"x\"}"));
}

TEST_F(RouterTest, ChangesNothingThatCannotBeWrittenDown) {
    std::filesystem::create_directory(folder.path() / ".shaduf/audit.log");
    const auto answer = call("POST", "/api/v1/fail/conflict");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(message(answer), HasSubstr("cannot open the audit log"));
}

}  // namespace
}  // namespace shaduf::server
