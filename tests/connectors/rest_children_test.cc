#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/connectors/rest_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(RestTest, ChildrenAreReadForEveryParent) {
    siblings.emplace_back("users", read_options(connector_rest.stream_fields, "paginate: {type: page}"));
    world.http.expect("GET /v1/users?page=1").reply(R"([{"id":1,"name":"Ann \"A\""},{"id":"b/2","name":null}])");
    world.http.expect("GET /v1/users?page=2").reply(R"([{"id":3}])");
    world.http.expect("GET /v1/users?page=3").reply("[]");
    world.http.expect("GET /v1/users/1/posts?by=1&page=1").reply(R"([{"p":1},{},7])");
    world.http.expect("GET /v1/users/1/posts?by=1&page=2").reply(R"([{"p":2}])");
    world.http.expect("GET /v1/users/1/posts?by=1&page=3").reply("[]");
    world.http.expect("GET /v1/users/b%2F2/posts?by=b%2F2&page=1").reply("[]");
    world.http.expect("GET /v1/users/3/posts?by=3&page=1").reply(404, "{}");
    const Outcome outcome = read(
        "{parent: users, path: '/users/{id}/posts', params: {by: '{id}'}, paginate: {type: page}, empty_on: [404], "
        "include: {user_id: id, user_name: name}}");
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_THAT(outcome.rows, ElementsAre(R"({"user_id":1,"user_name":"Ann \"A\"","p":1})",
                                          R"({"user_id":1,"user_name":"Ann \"A\""})", "7",
                                          R"({"user_id":1,"user_name":"Ann \"A\"","p":2})"));
    EXPECT_EQ(outcome.positions.back(), "GET /users/{id}/posts:4");
}

TEST_F(RestTest, ARoundThatFailedIsFinishedByTheNextCall) {
    siblings.emplace_back("users", read_options(connector_rest.stream_fields, "{}"));
    world.http.expect("GET /v1/users").reply(500, "").reply(R"([{"id":1},{"id":2},{"id":3}])");
    world.http.expect("GET /v1/u/1").reply(R"([{"p":1}])");
    world.http.expect("GET /v1/u/2").reply(503, "").reply(429, "").reply(R"([{"p":2}])");
    world.http.expect("GET /v1/u/3").reply(R"([{"p":3}])");
    const Outcome outcome = read("{parent: users, path: '/u/{id}'}", ReadMode::full_refresh, {}, 3);
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_THAT(outcome.rows, ElementsAre(R"({"p":1})", R"({"p":2})", R"({"p":3})"));
}

TEST_F(RestTest, GrandchildrenAreChildrenOfChildren) {
    siblings.emplace_back("orgs", read_options(connector_rest.stream_fields, "{}"));
    siblings.emplace_back("teams", read_options(connector_rest.stream_fields,
                                                "{parent: orgs, path: '/orgs/{id}/teams', include: {org: id}}"));
    world.http.expect("GET /v1/orgs").reply(R"([{"id":1},{"id":2}])");
    world.http.expect("GET /v1/orgs/1/teams").reply(R"([{"t":"x"}])");
    world.http.expect("GET /v1/orgs/2/teams").reply(R"([{"t":"y"}])");
    world.http.expect("POST /v1/members").reply(R"([{"m":1}])").reply(R"([{"m":2}])");
    const Outcome outcome = read("{parent: teams, path: members, method: POST, body: {org: '{org}', team: '{t}'}}");
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_EQ(outcome.rows.size(), 2U);
    std::vector<std::string> bodies;
    for (const auto& request : world.http.requests()) {
        if (request.method == "POST") bodies.push_back(request.body);
    }
    EXPECT_THAT(bodies, UnorderedElementsAre(R"({"org":1,"team":"x"})", R"({"org":2,"team":"y"})"));
}

TEST_F(RestTest, AParentWithoutTheValueIsAnError) {
    siblings.emplace_back("users", read_options(connector_rest.stream_fields, "{}"));
    world.http.expect("GET /v1/users").reply(R"([{"key":1}])");
    const Outcome outcome = read("{parent: users, path: '/users/{id}/posts'}");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::bad_data);
    EXPECT_THAT(outcome.message(), HasSubstr(R"(parent record has no value for {id}: {"key":1})"));
}

// checkpoints

TEST_F(RestTest, IncrementalRunsBeginAtTheGreatestCursor) {
    struct Case {
        const char* incremental;
        const char* checkpoint;  // nullptr: a first run
        const char* target;
        const char* rows;
        const char* next;
    };
    const Case cases[] = {
        {"{cursor: at, param: since}", nullptr, "/v1/items",
         R"([{"at":"2026-01-01T00:00:00Z"},{"at":"2025-12-31T00:00:00Z"}])",
         R"({"cursor":"2026-01-01T00:00:00Z","v":1})"},
        {"{cursor: at, param: since, start: 2025-01-01}", nullptr, "/v1/items?since=2025-01-01", "[]", ""},
        {"{cursor: at, param: since}", R"({"v":1,"cursor":"2026-01-01T00:00:00Z"})",
         "/v1/items?since=2026-01-01T00%3A00%3A00Z", "[]", R"({"cursor":"2026-01-01T00:00:00Z","v":1})"},
        {"{cursor: at, param: since, lookback: 1h}", R"({"v":1,"cursor":"2026-01-01T00:00:00Z"})",
         "/v1/items?since=2025-12-31T23%3A00%3A00Z", R"([{"at":"2025-12-31T23:30:00Z"}])",
         R"({"cursor":"2026-01-01T00:00:00Z","v":1})"},
        {"{cursor: m.at, param: since, format: epoch_ms}", R"({"v":1,"cursor":"2026-01-01T00:00:00.5Z"})",
         "/v1/items?since=1767225600500", R"([{"m":{"at":"2026-01-02T00:00:00+01:00"}}])",
         R"({"cursor":"2026-01-02T00:00:00+01:00","v":1})"},
        {"{cursor: at, param: since, format: iso, end_param: until}", R"({"v":1,"cursor":"1767225600"})",
         "/v1/items?since=2026-01-01T00%3A00%3A00Z&until=2026-01-02T03%3A04%3A05Z",
         R"([{"at":1767225700},{"at":null},{}])", R"({"cursor":"1767225700","v":1})"},
        {"{cursor: at, param: since, format: date, lookback: 1d}", R"({"v":1,"cursor":"1767225600000"})",
         "/v1/items?since=2025-12-31", R"([{"at":1767225600001}])", R"({"cursor":"1767225600001","v":1})"},
        {"{cursor: at, param: since, lookback: 2d}", R"({"v":1,"cursor":"2026-03-01"})", "/v1/items?since=2026-02-27",
         "[]", R"({"cursor":"2026-03-01","v":1})"},
        {"{cursor: id, param: after}", R"({"v":1,"cursor":"9"})", "/v1/items?after=9", R"([{"id":10},{"id":8}])",
         R"({"cursor":"10","v":1})"},
        {"{cursor: id, param: after}", R"({"v":1,"cursor":"b"})", "/v1/items?after=b", R"([{"id":"c"},{"id":"a"}])",
         R"({"cursor":"c","v":1})"},
    };
    for (const auto& [incremental, checkpoint, target, rows, next] : cases) {
        SCOPED_TRACE(std::string(incremental) + " " + target);
        world.http.expect(std::string("GET ") + target).reply(rows);
        const Outcome outcome = read_incremental("incremental: " + std::string(incremental),
                                                 checkpoint ? std::optional<std::string>(checkpoint) : std::nullopt);
        EXPECT_FALSE(outcome.error) << outcome.message();
        EXPECT_THAT(outcome.checkpoints, ElementsAre(next));
    }
}

TEST_F(RestTest, CheckpointsWithinALoadFollowWhatTheUserKnows) {
    struct Case {
        const char* name;
        const char* stream;
        ReadMode mode;
        std::vector<std::string> checkpoints;
    };
    const std::string paging = "paginate: {type: page}";
    const std::string cursor = ", incremental: {cursor: a, param: since, start: 0}";
    const std::string by_none = "{" + paging + "}";
    const std::string by_page = "{resume: page, " + paging + "}";
    const std::string incremental = "{" + paging + cursor + "}";
    const std::string incremental_by_page = "{resume: page, " + paging + cursor + "}";
    const std::string incremental_by_cursor = "{resume: cursor, " + paging + cursor + "}";
    const Case cases[] = {
        {"full", by_none.c_str(), ReadMode::full_refresh, {"", "", ""}},
        {"full, stable pages",
         by_page.c_str(),
         ReadMode::full_refresh,
         {R"({"page":"2","v":1})", R"({"page":"3","v":1})", R"({"done":true,"v":1})"}},
        {"incremental", incremental.c_str(), ReadMode::incremental, {"", "", R"({"cursor":"2","v":1})"}},
        {"incremental, stable pages",
         incremental_by_page.c_str(),
         ReadMode::incremental,
         {R"({"cursor":"1","from":"0","page":"2","v":1})", R"({"cursor":"2","from":"0","page":"3","v":1})",
          R"({"cursor":"2","v":1})"}},
        {"incremental, sorted",
         incremental_by_cursor.c_str(),
         ReadMode::incremental,
         {R"({"cursor":"1","v":1})", R"({"cursor":"2","v":1})", R"({"cursor":"2","v":1})"}},
    };
    for (const auto& [name, stream, mode, checkpoints] : cases) {
        SCOPED_TRACE(name);
        const std::string since = std::string_view(stream).find("since") == std::string_view::npos ? "" : "since=0&";
        world.http.expect("GET /v1/items?" + since + "page=1").reply(R"([{"a":1}])");
        world.http.expect("GET /v1/items?" + since + "page=2").reply(R"([{"a":2}])");
        world.http.expect("GET /v1/items?" + since + "page=3").reply("[]");
        const Outcome outcome = read(stream, mode);
        EXPECT_FALSE(outcome.error) << outcome.message();
        EXPECT_EQ(outcome.checkpoints, checkpoints);
    }
}

TEST_F(RestTest, LoadsGoOnAtTheirCheckpoints) {
    world.http.expect("GET /v1/items?since=0&page=2").reply(R"([{"a":7}])");
    world.http.expect("GET /v1/items?since=0&page=3").reply("[]");
    Outcome outcome =
        read_incremental("{resume: page, paginate: {type: page}, incremental: {cursor: a, param: since, start: 5}}",
                         R"({"cursor":"9","from":"0","page":"2","v":1})");
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_THAT(outcome.rows, ElementsAre(R"({"a":7})"));
    EXPECT_EQ(outcome.checkpoints.back(), R"({"cursor":"9","v":1})");

    world.http.expect("GET /v1/items?c=2").reply(R"({"d":[{"a":1}]})");
    outcome = read("{resume: page, records: d, paginate: {type: next_url, cursor_path: next}}", ReadMode::full_refresh,
                   R"({"page":"http://api.test/v1/items?c=2","v":1})");
    EXPECT_THAT(outcome.rows, ElementsAre(R"({"a":1})"));

    outcome = read("{resume: page, paginate: {type: page}}", ReadMode::full_refresh, R"({"done":true,"v":1})");
    EXPECT_FALSE(outcome.error);
    EXPECT_THAT(outcome.checkpoints, IsEmpty());
}

TEST_F(RestTest, CheckpointsHoldNoKeys) {
    connection = "{base_url: 'http://api.test/v1', auth: {type: api_key, in: query, name: key, token: hidden}}";
    world.http.expect("GET /v1/items?key=hidden").reply(R"({"d":[{"a":1}],"next":"?c=2&key=hidden"})");
    world.http.expect("GET /v1/items?c=2&key=hidden").reply(R"({"d":[{"a":2}]})");
    const Outcome outcome = read("{resume: page, records: d, paginate: {type: next_url, cursor_path: next}}");
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_EQ(outcome.checkpoints.front(), R"({"page":"http://api.test/v1/items?c=2","v":1})");
}

TEST_F(RestTest, RecordsOutOfOrderAreNotTakenForSorted) {
    world.http.expect("GET /v1/items?page=1").reply(R"([{"a":5},{"a":6}])");
    world.http.expect("GET /v1/items?page=2").reply(R"([{"a":4}])");
    const Outcome outcome = read_incremental("{resume: cursor, paginate: {type: page}, incremental: {cursor: a}}");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::bad_data);
    EXPECT_THAT(outcome.message(), HasSubstr("records do not come in the rising order of the cursor: 4 after 6"));
}

TEST_F(RestTest, CheckpointsOfOthersAreRefused) {
    for (const char* checkpoint : {"", "x", "[]", R"({"v":2})", R"({"cursor":"1"})"}) {
        SCOPED_TRACE(checkpoint);
        const Outcome outcome = read("{}", ReadMode::full_refresh, checkpoint);
        ASSERT_TRUE(outcome.error);
        EXPECT_EQ(outcome.error->kind(), ErrorKind::invalid_config);
    }
}

}  // namespace
}  // namespace shaduf
