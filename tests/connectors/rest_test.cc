#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <thread>

#include "io/crypto.h"
#include "io/object_store.h"
#include "tests/connectors/rest_world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(RestTest, FindsRecords) {
    struct Case {
        const char* name;
        const char* stream;
        const char* body;
        std::vector<std::string> rows;
        const char* error;
    };
    const Case cases[] = {
        {"a list", "{}", R"([{"a":1}, {"a" : [1, {}]} ,{}])", {R"({"a":1})", R"({"a" : [1, {}]})", "{}"}, ""},
        {"one object", "{}", R"( {"a":1} )", {R"({"a":1})"}, ""},
        {"a path",
         "records: data.items",
         R"({"n":1,"data":{"x":[],"items":[{"a":1},{"a":2}]}})",
         {R"({"a":1})", R"({"a":2})"},
         ""},
        {"a wildcard",
         "records: 'groups[*].rows'",
         R"({"groups":[{"rows":[{"a":1}]},{"rows":[]},{"x":1},{"rows":[{"a":2}]}]})",
         {R"({"a":1})", R"({"a":2})"},
         ""},
        {"a wildcard with more behind it",
         "records: groups.*.rows",
         R"({"groups":[{"rows":[{"a":1}],"z":{"rows":[9]}},{"b":[1],"rows":[{"a":2}],"rows":[{"a":3}]}],"z":[]})",
         {R"({"a":1})", R"({"a":2})"},
         ""},
        {"values of an object",
         "records: by_id.*",
         R"({"by_id":{"x":{"a":1},"y":{"a":2}}})",
         {R"({"a":1})", R"({"a":2})"},
         ""},
        {"an index", "records: '1'", R"([{"total":2},[{"a":1},{"a":2}]])", {R"({"a":1})", R"({"a":2})"}, ""},
        {"null", "records: data", R"({"data":null})", {}, ""},
        {"an empty body", "{}", "", {}, ""},
        {"records that are no objects",
         "{}",
         R"([1, "two", null, [3], {"a":1}])",
         {"1", "\"two\"", "null", "[3]", R"({"a":1})"},
         ""},
        {"a broken record", "{}", R"([{"a":1},{"a":tru}])", {R"({"a":1})", R"({"a":tru})"}, ""},
        {"a byte order mark", "{}", "\xEF\xBB\xBF[{\"a\":1}]", {R"({"a":1})"}, ""},
        {"large numbers as they are",
         "{}",
         R"([{"a":123456789012345678901234567890.10}])",
         {R"({"a":123456789012345678901234567890.10})"},
         ""},
        {"lines", "format: ndjson", "{\"a\":1}\r\n\n{\"a\":2}", {R"({"a":1})", R"({"a":2})"}, ""},
        {"missing",
         "records: data",
         R"({"datum":[]})",
         {},
         R"(no records in the answer at "data": GET http://api.test/v1/items)"},
        {"missing allowed", "{records: data, records_missing: empty}", R"({"datum":[]})", {}, ""},
        {"truncated", "{}", R"([{"a":1},{"a":)", {}, "text ends before its JSON does, at byte 14"},
        {"truncated in a text", "{}", R"([{"a":"x)", {}, "text ends before its JSON does"},
        {"no JSON", "{}", "<html>hello</html>", {}, "GET http://api.test/v1/items"},
        {"a scalar", "{}", "42", {}, "answer is no JSON object or list"},
        {"a missing comma", "{}", R"([{"a":1}{"a":2}])", {}, "text is not valid JSON at byte"},
        {"more behind it", "{}", R"([{"a":1}] [{"a":2}])", {}, "text goes on after its JSON, at byte 9"},
        {"invalid UTF-8", "{}", "[{\"a\":\"\xC3\xBC\xff\"}]", {}, "text is not valid UTF-8 at byte 9"},
    };
    for (const auto& [name, stream, body, rows, error] : cases) {
        SCOPED_TRACE(name);
        world.http.expect("GET /v1/items").reply(200, {{"Content-Type", "application/json"}}, body);
        const Outcome outcome = read(stream);
        EXPECT_EQ(outcome.rows, rows);
        EXPECT_EQ(outcome.error.has_value(), *error != '\0') << outcome.message();
        EXPECT_THAT(outcome.message(), HasSubstr(error));
        if (outcome.error) {
            EXPECT_EQ(outcome.error->may_retry(), std::string_view(name).starts_with("truncated"));
        }
    }
}

TEST_F(RestTest, RowsSayWhereTheyCameFrom) {
    connection = "{base_url: 'http://api.test/v1/', auth: {type: api_key, in: query, name: k, token: hidden}}";
    world.http.expect("GET /v1/things?limit=5&k=hidden").reply(R"([{"a":1},{"a":2}])");
    const Outcome outcome = read("{path: things, params: {limit: 5}}");
    EXPECT_THAT(outcome.positions,
                ElementsAre("GET http://api.test/v1/things?limit=5:1", "GET http://api.test/v1/things?limit=5:2"));
}

TEST_F(RestTest, StatusesBecomeErrors) {
    struct Case {
        int status;
        HttpHeaders headers;
        const char* connection_more;
        const char* stream;
        std::optional<ErrorKind> kind;
        bool may_retry;
    };
    const Case cases[] = {
        {401, {}, "", "{}", ErrorKind::auth, false},
        {403, {}, "", "{}", ErrorKind::auth, false},
        {403, {}, ", retry_on: [403]", "{}", ErrorKind::unavailable, true},
        {404, {}, "", "{}", ErrorKind::invalid_config, false},
        {404, {}, "", "empty_on: [404]", std::nullopt, false},
        {429, {{"Retry-After", "30"}}, "", "{}", ErrorKind::rate_limited, true},
        {500, {}, "", "{}", ErrorKind::unavailable, true},
        {500, {}, ", give_up_on: [500]", "{}", ErrorKind::unavailable, false},
        {304, {}, "", "{}", ErrorKind::bad_data, false},
    };
    for (const auto& [status, headers, more, stream, kind, may_retry] : cases) {
        SCOPED_TRACE(std::to_string(status) + more + stream);
        World own;
        connection = "{base_url: 'http://api.test/v1'" + std::string(more) + "}";
        own.http.expect("GET /v1/items").reply(status, headers, R"({"why":"so"})");
        auto source = make(stream).release_value();
        ASSERT_TRUE(source->open(own.run, {}).ok());
        auto batch = source->read(own.run);
        ASSERT_EQ(batch.ok(), !kind.has_value());
        if (batch.ok()) continue;
        EXPECT_EQ(batch.error().kind(), *kind);
        EXPECT_EQ(batch.error().may_retry(), may_retry);
        EXPECT_THAT(batch.error().to_string(), HasSubstr("api.items: HTTP status " + std::to_string(status)));
    }
}

TEST_F(RestTest, AFailedReadGoesOnWhereItWas) {
    world.http.expect("GET /v1/items?page=1").reply(500, "").reply(R"([{"a":1}])");
    world.http.expect("GET /v1/items?page=2")
        .fail(Error(ErrorKind::unavailable, "reset"))
        .reply(R"([{"a":2},{"a")")
        .reply(429, "")
        .reply(R"([{"a":2}])");
    world.http.expect("GET /v1/items?page=3").reply("[]");
    const Outcome outcome = read("paginate: {type: page}", ReadMode::full_refresh, {}, 4);
    EXPECT_THAT(outcome.rows, ElementsAre(R"({"a":1})", R"({"a":2})"));
    EXPECT_FALSE(outcome.error) << outcome.message();
}

TEST_F(RestTest, CredentialsAreSent) {
    struct Case {
        const char* auth;
        const char* target;
        const char* header;
        const char* value;
    };
    const Case cases[] = {
        {"{type: none}", "/v1/items", "Authorization", ""},
        {"{type: basic, username: u, password: 'p:w'}", "/v1/items", "Authorization", "Basic dTpwOnc="},
        {"{type: bearer, token: t}", "/v1/items", "Authorization", "Bearer t"},
        {"{type: bearer, token: t, prefix: Token}", "/v1/items", "Authorization", "Token t"},
        {"{type: api_key, token: k}", "/v1/items", "X-API-Key", "k"},
        {"{type: api_key, token: k, name: X-Mine}", "/v1/items", "X-Mine", "k"},
        {"{type: api_key, token: 'k&1', in: query, name: key}", "/v1/items?key=k%261", "X-API-Key", ""},
    };
    for (const auto& [auth, target, header, value] : cases) {
        SCOPED_TRACE(auth);
        World own;
        connection = "{base_url: 'http://api.test/v1', headers: {X-Team: data}, auth: " + std::string(auth) + "}";
        own.http.expect(std::string("GET ") + target).reply("[]");
        auto source = make("headers: {X-Stream: '1'}").release_value();
        ASSERT_TRUE(source->open(own.run, {}).ok());
        auto batch = source->read(own.run);
        ASSERT_TRUE(batch.ok()) << batch.error().to_string();
        const auto request = own.http.requests().at(0);
        EXPECT_EQ(FakeHttp::header(request, header), value);
        EXPECT_EQ(FakeHttp::header(request, "X-Team"), "data");
        EXPECT_EQ(FakeHttp::header(request, "X-Stream"), "1");
    }
}

TEST_F(RestTest, TokensAreFetchedKeptAndRenewed) {
    connection =
        "{base_url: 'http://api.test', auth: {type: oauth2, token_url: 'http://auth.test/token', client_id: id, "
        "client_secret: 'se cret', scope: 'a b', token_params: {audience: api}}}";
    world.http.expect("POST /token")
        .reply(R"({"access_token":"t1","expires_in":600})")
        .reply(R"({"access_token":"t2","expires_in":"600"})")
        .reply(R"({"access_token":"t3"})");
    world.http.expect("GET /items?page=1").reply(R"([{"a":1}])");
    world.http.expect("GET /items?page=2").answer([&](const HttpRequest&) {
        world.clock.advance(std::chrono::seconds(541));  // a minute before it expires
        return FakeHttp::make_response(200, {}, R"([{"a":2}])");
    });
    world.http.expect("GET /items?page=3").reply(401, "").reply(R"([{"a":3}])");  // ended early, by the server
    world.http.expect("GET /items?page=4").reply("[]");
    const Outcome outcome = read("paginate: {type: page}");
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_EQ(outcome.rows.size(), 3U);
    std::vector<std::string> sent;
    for (const auto& request : world.http.requests()) sent.emplace_back(FakeHttp::header(request, "Authorization"));
    EXPECT_THAT(sent, ElementsAre("", "Bearer t1", "Bearer t1", "", "Bearer t2", "", "Bearer t3", "Bearer t3"));
    EXPECT_EQ(world.http.requests()[0].body,
              "grant_type=client_credentials&scope=a%20b&client_id=id&client_secret=se%20cret&audience=api");
}

TEST_F(RestTest, RefreshTokensMayChange) {
    connection =
        "{base_url: 'http://api.test', auth: {type: oauth2, token_url: 'http://auth.test/token', client_id: id, "
        "client_secret: s, refresh_token: r1, client_auth: basic}}";
    world.http.expect("POST /token")
        .reply(R"({"access_token":"t1","refresh_token":"r2"})")
        .reply(R"({"access_token":"t2"})");
    world.http.expect("GET /items").reply(401, "").reply(401, R"({"error":"no"})");
    const Outcome outcome = read("{}");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::auth);
    EXPECT_EQ(world.http.requests()[0].body, "grant_type=refresh_token&refresh_token=r1");
    EXPECT_EQ(world.http.requests()[2].body, "grant_type=refresh_token&refresh_token=r2");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "Authorization"), "Basic " + to_base64("id:s"));
}

TEST_F(RestTest, RefusedTokensSayWhoMustAct) {
    struct Case {
        int status;
        const char* body;
        ErrorKind kind;
        const char* message;
    };
    const Case cases[] = {
        {400, R"({"error":"invalid_grant"})", ErrorKind::auth, "token refused"},
        {401, R"({"error":"invalid_client"})", ErrorKind::auth, "invalid_client"},
        {503, "", ErrorKind::unavailable, "HTTP status 503"},
        {200, R"({"token":"x"})", ErrorKind::auth, "no access_token"},
        {200, "<html>", ErrorKind::bad_data, "POST http://auth.test/token"},
    };
    connection =
        "{base_url: 'http://api.test', auth: {type: oauth2, token_url: 'http://auth.test/token', client_id: id}}";
    for (const auto& [status, body, kind, message] : cases) {
        SCOPED_TRACE(body);
        world.http.expect("POST /token").reply(status, body);
        const Outcome outcome = read("{}");
        ASSERT_TRUE(outcome.error);
        EXPECT_EQ(outcome.error->kind(), kind) << outcome.message();
        EXPECT_THAT(outcome.message(), HasSubstr(message));
    }
}

TEST_F(RestTest, TheRateIsKeptOverAllStreamsOfTheConnection) {
    connection = "{base_url: 'http://api.test/v1', rate_limit: 120/m, burst: 2}";
    world.http.expect("GET /v1/items").reply("[]").repeat();
    auto first = make("{}").release_value();
    ASSERT_TRUE(first->open(world.run, {}).ok());
    auto second = make("{}").release_value();
    ASSERT_TRUE(second->open(world.run, {}).ok());
    EXPECT_TRUE(first->read(world.run).ok());
    EXPECT_TRUE(second->read(world.run).ok());
    EXPECT_THAT(world.clock.slept(), IsEmpty());  // the burst
    ASSERT_TRUE(first->open(world.run, {}).ok());
    EXPECT_TRUE(first->read(world.run).ok());
    ASSERT_TRUE(second->open(world.run, {}).ok());
    EXPECT_TRUE(second->read(world.run).ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(std::chrono::milliseconds(500), std::chrono::milliseconds(500)));
}

TEST_F(RestTest, ARefusalForTooManyHoldsForAllStreams) {
    world.http.expect("GET /v1/items").reply(429, {{"Retry-After", "7"}}, "").reply("[]").reply("[]");
    auto first = make("{}").release_value();
    auto second = make("{}").release_value();
    ASSERT_TRUE(first->open(world.run, {}).ok());
    ASSERT_TRUE(second->open(world.run, {}).ok());
    EXPECT_FALSE(first->read(world.run).ok());
    EXPECT_TRUE(second->read(world.run).ok());
    EXPECT_THAT(world.clock.slept(), ElementsAre(std::chrono::milliseconds(7000)));
    EXPECT_TRUE(first->read(world.run).ok());
}

TEST_F(RestTest, RequestsInFlightAreLimited) {
    connection = "{base_url: 'http://api.test/v1', concurrency: 3}";
    siblings.emplace_back("users", read_options(connector_rest.stream_fields, "{}"));
    std::string users = "[";
    for (int i = 0; i < 20; ++i) users += (i == 0 ? "" : ",") + ("{\"id\":" + std::to_string(i) + "}");
    world.http.expect("GET /v1/users").reply(users + "]");
    std::atomic<int> in_flight{0};
    std::atomic<int> most{0};
    for (int i = 0; i < 20; ++i) {
        world.http.expect("GET /v1/u/" + std::to_string(i)).answer([&](const HttpRequest&) {
            const int now = ++in_flight;
            for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
            }
            std::this_thread::yield();
            --in_flight;
            return FakeHttp::make_response(200, {}, R"([{"p":1}])");
        });
    }
    const Outcome outcome = read("{parent: users, path: '/u/{id}'}");
    EXPECT_EQ(outcome.rows.size(), 20U);
    EXPECT_LE(most, 3);
}

TEST_F(RestTest, CancellationEndsAllWaits) {
    connection = "{base_url: 'http://api.test/v1', rate_limit: 1/h}";
    world.http.expect("GET /v1/items").answer([&](const HttpRequest&) {
        world.cancellation.cancel();
        return FakeHttp::make_response(200, {}, R"([{"a":1}])");
    });
    const Outcome outcome = read("paginate: {type: page}");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::canceled);
    EXPECT_EQ(outcome.rows.size(), 1U);
}

TEST_F(RestTest, AnswersAreKeptAndOldOnesRemoved) {
    TempFolder folder;
    connection = "{base_url: 'http://api.test/v1', archive: {path: '" + folder.path().string() + "', retention: 30d}}";
    auto store = make_local_object_store(folder.path().string());
    ASSERT_TRUE(store->put(world.run, "items/2020-01-01/x.json.zst", "old").ok());
    ASSERT_TRUE(store->put(world.run, "other/2020-01-01/x.json.zst", "old").ok());
    std::filesystem::last_write_time(folder / "items/2020-01-01/x.json.zst", std::filesystem::file_time_type::min());
    world.http.expect("GET /v1/items?token=t").reply(R"([{"a":1}])");
    EXPECT_EQ(read("params: {token: t}").rows.size(), 1U);
    std::vector<std::string> keys;
    ASSERT_TRUE(store
                    ->list(world.run, "",
                           [&](std::span<const ObjectInfo> page) -> Result<void> {
                               for (const auto& object : page) keys.push_back(object.key);
                               return {};
                           })
                    .ok());
    ASSERT_THAT(keys, ElementsAre("items/2026-01-02/03%3A04%3A05Z-0.json.zst", "other/2020-01-01/x.json.zst"));
    const BufferPtr packed = store->get(world.run, keys[0]).release_value();
    EXPECT_THAT(std::string(packed->view()),
                HasSubstr(R"({"request":"GET http://api.test/v1/items?token=***","status":200})"));
    std::string body(100, '\0');
    const size_t size = ZSTD_decompress(body.data(), body.size(), packed->data(), packed->size());
    ASSERT_FALSE(ZSTD_isError(size));
    EXPECT_EQ(body.substr(0, size), R"([{"a":1}])");
}

// check

TEST_F(RestTest, WrongOptionsAreErrorsOfTheirLine) {
    struct Case {
        const char* connection;
        const char* stream;
        const char* message;
    };
    const char* plain = "base_url: http://api.test";
    const Case cases[] = {
        {"base_url: api.test", "{}", "not a URL: api.test"},
        {"base_url: 'ftp://api.test'", "{}", "not an http or https URL"},
        {"base_url: 'http://api.test?x=1'", "{}", "base URL has a query"},
        {"{base_url: 'http://api.test', rate_limit: fast}", "{}", "not a rate: fast"},
        {"{base_url: 'http://api.test', rate_limit: 10/d}", "{}", "not a rate: 10/d"},
        {"{base_url: 'http://api.test', concurrency: 0}", "{}", "concurrency is too small: 0"},
        {"{base_url: 'http://api.test', retry_on: [4xx]}", "{}", "not an HTTP status: 4xx"},
        {"{base_url: 'http://api.test', auth: {type: bearer}}", "{}", "auth of type bearer needs token"},
        {"{base_url: 'http://api.test', auth: {type: oauth2, token_url: x}}", "{}",
         "auth of type oauth2 needs client_id"},
        {plain, "path: '/u/{id}'", "path has placeholders, but the stream has no parent"},
        {plain, "include: {a: b}", "include needs a parent"},
        {plain, "parent: users", "parent stream not found: users"},
        {plain, "parent: items", "parents go in a circle: items"},
        {plain, "resume: cursor", "resume: cursor needs the incremental cursor"},
        {plain, "method: DELETE", "read by GET, POST or PUT"},
        {plain, "paginate: {type: cursor}", "paginate type cursor needs cursor_path"},
        {plain, "paginate: {type: next_url}", "paginate type next_url needs cursor_path"},
        {plain, "paginate: {type: header_cursor}", "paginate type header_cursor needs header"},
        {plain, "paginate: {type: page, stop: short_page}", "short_page needs size"},
        {plain, "paginate: {type: page, max_pages: 0}", "max_pages is too small"},
    };
    for (const auto& [given, stream, message] : cases) {
        SCOPED_TRACE(message);
        connection = given;
        const Outcome outcome = read(stream);
        ASSERT_TRUE(outcome.error);
        EXPECT_EQ(outcome.error->kind(), ErrorKind::invalid_config);
        EXPECT_THAT(outcome.message(), HasSubstr(message));
        EXPECT_THAT(outcome.message(), testing::StartsWith("test.yml:1: "));
    }
    connection = plain;
    EXPECT_THAT(read_incremental("{}").message(), HasSubstr("mode incremental needs to know the cursor"));
    EXPECT_THAT(read("{}", ReadMode::cdc).message(), HasSubstr("full_refresh or incremental only"));
}

TEST_F(RestTest, CheckAsksOnce) {
    struct Case {
        const char* connection;
        const char* target;
        int status;
        bool ok;
    };
    const Case cases[] = {
        {"base_url: http://api.test/v1", "/v1", 200, true},
        {"base_url: http://api.test/v1", "/v1", 404, true},
        {"base_url: http://api.test/v1", "/v1", 401, false},
        {"base_url: http://api.test/v1", "/v1", 500, false},
        {"{base_url: 'http://api.test/v1', check_path: /me}", "/v1/me", 200, true},
        {"{base_url: 'http://api.test/v1', check_path: /me}", "/v1/me", 404, false},
    };
    for (const auto& [given, target, status, ok] : cases) {
        SCOPED_TRACE(std::string(target) + " " + std::to_string(status));
        const Options options = read_options(connector_rest.fields, given);
        world.http.expect(std::string("GET ") + target).reply(status, "");
        EXPECT_EQ(connector_rest.check(world.run, "api", options).ok(), ok);
        EXPECT_THAT(connector_rest.discover(world.run, "api", options).release_value(), IsEmpty());
    }
}

}  // namespace
}  // namespace shaduf
