#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/connectors/rest_world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;

struct Exchange {
    std::string request;  // "GET /v1/items?page=1", or with a body behind a blank
    std::string body;
    HttpHeaders headers = {};
};

TEST_F(RestTest, EveryStyleOfPagingReachesTheEnd) {
    struct Case {
        const char* name;
        const char* stream;
        std::vector<Exchange> exchanges;
        size_t rows;
    };
    const std::string two = R"([{"a":1},{"a":2}])";
    const std::string one = R"([{"a":3}])";
    const Case cases[] = {
        {"none", "{}", {{"GET /v1/items", two}}, 2},
        {"page",
         "paginate: {type: page}",
         {{"GET /v1/items?page=1", two}, {"GET /v1/items?page=2", one}, {"GET /v1/items?page=3", "[]"}},
         3},
        {"page from 0, with a size, stopping at a short one",
         "paginate: {type: page, param: p, start: 0, size_param: n, size: 2, stop: short_page}",
         {{"GET /v1/items?n=2&p=0", two}, {"GET /v1/items?n=2&p=1", one}},
         3},
        {"page, number of pages",
         "{records: d, paginate: {type: page, pages_path: pages}}",
         {{"GET /v1/items?page=1", R"({"pages":2,"d":[{"a":1}]})"},
          {"GET /v1/items?page=2", R"({"pages":2,"d":[{"a":2}]})"}},
         2},
        {"page, total",
         "{records: d, paginate: {type: page, size: 2, total_path: total}}",
         {{"GET /v1/items?page=1", R"({"total":3,"d":[{"a":1},{"a":2}]})"},
          {"GET /v1/items?page=2", R"({"total":3,"d":[{"a":3}]})"}},
         3},
        {"offset",
         "paginate: {type: offset, size_param: limit, size: 2}",
         {{"GET /v1/items?limit=2&offset=0", two},
          {"GET /v1/items?limit=2&offset=2", one},
          {"GET /v1/items?limit=2&offset=3", "[]"}},
         3},
        {"offset, total as text",
         "{records: d, paginate: {type: offset, total_path: total}}",
         {{"GET /v1/items?offset=0", R"({"total":"2","d":[{"a":1},{"a":2}]})"}},
         2},
        {"offset, a flag",
         "{records: d, paginate: {type: offset, more_path: more}}",
         {{"GET /v1/items?offset=0", R"({"more":true,"d":[{"a":1}]})"},
          {"GET /v1/items?offset=1", R"({"more":false,"d":[{"a":2}]})"}},
         2},
        {"cursor",
         "{records: d, paginate: {type: cursor, param: after, cursor_path: meta.next}}",
         {{"GET /v1/items", R"({"d":[{"a":1}],"meta":{"next":"x/y="}})"},
          {"GET /v1/items?after=x%2Fy%3D", R"({"d":[],"meta":{"next":"z"}})"},
          {"GET /v1/items?after=z", R"({"d":[{"a":2}],"meta":{"next":null}})"}},
         2},
        {"cursor in a body",
         "{method: POST, body: {q: all}, records: d, paginate: {type: cursor, in: body, param: page.after, "
         "cursor_path: next, size_param: page.size, size: 9}}",
         {{R"(POST /v1/items {"page":{"size":9},"q":"all"})", R"({"d":[{"a":1}],"next":"c"})"},
          {R"(POST /v1/items {"page":{"after":"c","size":9},"q":"all"})", R"({"d":[{"a":2}]})"}},
         2},
        {"last record's id",
         "paginate: {type: cursor, param: after, record_path: a}",
         {{"GET /v1/items", two}, {"GET /v1/items?after=2", one}, {"GET /v1/items?after=3", "[]"}},
         3},
        {"header cursor",
         "paginate: {type: header_cursor, header: X-Next}",
         {{"GET /v1/items", two, {{"x-next", "n1"}}}, {"GET /v1/items?cursor=n1", one}},
         3},
        {"link header",
         "paginate: {type: link_header}",
         {{"GET /v1/items",
           two,
           {{"Link", R"(<http://api.test/v1/items?p=1>; rel="first", <items?p=2,5>; title="a, b"; rel="last next")"}}},
          {"GET /v1/items?p=2,5", one, {{"Link", R"(<http://api.test/v1/items?p=1>; rel=prev)"}}}},
         3},
        {"next URL",
         "{records: d, paginate: {type: next_url, cursor_path: next}}",
         {{"GET /v1/items", R"({"d":[{"a":1}],"next":"/v1/items?c=2"})"},
          {"GET /v1/items?c=2", R"({"d":[{"a":2}],"next":"http://api.test/v1/items?c=3#x"})"},
          {"GET /v1/items?c=3", R"({"d":[{"a":3}],"next":""})"}},
         3},
    };
    for (const auto& [name, stream, exchanges, rows] : cases) {
        SCOPED_TRACE(name);
        World own;
        std::vector<std::string> expected;
        for (const auto& [request, body, headers] : exchanges) {
            expected.push_back(request);
            const auto blank = request.find(' ', request.find(' ') + 1);
            own.http.expect(request.substr(0, blank)).reply(200, headers, body);
        }
        auto source = make(stream).release_value();
        ASSERT_TRUE(source->open(own.run, {}).ok());
        size_t read = 0;
        for (;;) {
            auto batch = source->read(own.run);
            ASSERT_TRUE(batch.ok()) << batch.error().to_string();
            if (!batch.value()) break;
            read += std::get<RawRows>(batch.value()->rows).rows.size();
        }
        EXPECT_EQ(read, rows);
        std::vector<std::string> sent;
        const auto requests = own.http.requests();
        const auto targets = own.http.targets();
        for (size_t i = 0; i < requests.size(); ++i)
            sent.push_back(targets[i] + (requests[i].body.empty() ? "" : " " + requests[i].body));
        EXPECT_EQ(sent, expected);
    }
}

TEST_F(RestTest, ListsWithoutEndAreErrors) {
    struct Case {
        const char* name;
        const char* stream;
        const char* body;
        HttpHeaders headers;
        const char* message;
        size_t requests_max;
    };
    const Case cases[] = {
        {"the page parameter is ignored",
         "paginate: {type: page}",
         R"([{"a":1},{"a":2}])",
         {},
         "page repeats an earlier one",
         2},
        {"so is the offset", "paginate: {type: offset}", R"([{"a":1}])", {}, "page repeats an earlier one", 2},
        {"and an envelope changes", "{records: d, paginate: {type: offset}}", "", {}, "page repeats an earlier one", 2},
        {"the cursor comes again",
         "{records: d, paginate: {type: cursor, cursor_path: next}}",
         R"({"d":[],"next":"x"})",
         {},
         "cursor comes again",
         2},
        {"the next URL is the current one",
         "{records: d, paginate: {type: next_url, cursor_path: next}}",
         R"({"d":[],"next":"http://api.test/v1/items"})",
         {},
         "next URL comes again",
         1},
        {"the Link is the current one",
         "paginate: {type: link_header}",
         "[]",
         {{"Link", "<>; rel=next"}},
         "next URL comes again",
         1},
        {"too many", "paginate: {type: cursor, record_path: a, max_pages: 3}", "", {}, "more pages than max_pages", 3},
    };
    for (const auto& [name, stream, body, headers, message, requests_max] : cases) {
        SCOPED_TRACE(name);
        World own;
        int count = 0;
        own.http.expect("GET /v1/items")
            .answer([&, text = std::string(body), fields = headers](const HttpRequest&) {
                ++count;
                const bool is_list = std::string_view(stream).find("records") == std::string_view::npos;
                const std::string made = is_list
                                             ? "[{\"a\":" + std::to_string(count) + "}]"
                                             : "{\"time\":" + std::to_string(count) + ",\"d\":[{\"a\":1},{\"a\":2}]}";
                return FakeHttp::make_response(200, fields, text.empty() ? made : text);
            })
            .repeat();
        auto source = make(stream).release_value();
        ASSERT_TRUE(source->open(own.run, {}).ok());
        std::optional<Error> error;
        for (int i = 0; i < 20 && !error; ++i) {
            auto batch = source->read(own.run);
            if (!batch.ok()) error = batch.error();
        }
        ASSERT_TRUE(error);
        EXPECT_EQ(error->kind(), ErrorKind::bad_data);
        EXPECT_FALSE(error->may_retry());
        EXPECT_THAT(error->to_string(), HasSubstr(message));
        EXPECT_THAT(error->to_string(), HasSubstr("http://api.test/v1/items"));
        EXPECT_LE(own.http.requests().size(), requests_max);
    }
}

TEST_F(RestTest, OtherHostsDoNotGetTheCredentials) {
    const std::string stream = "{records: d, paginate: {type: next_url, cursor_path: next}}";
    world.http.expect("GET http://api.test/v1/items").reply(R"({"d":[],"next":"http://evil.test/steal"})").repeat();
    Outcome outcome = read(stream);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::invalid_config);
    EXPECT_THAT(outcome.message(), HasSubstr("add evil.test to trusted_hosts"));
    EXPECT_EQ(world.http.requests().size(), 1U);

    connection = "{base_url: 'http://api.test/v1', trusted_hosts: [evil.test]}";
    world.http.expect("GET http://evil.test/steal").reply(R"({"d":[{"a":1}]})");
    outcome = read(stream);
    EXPECT_FALSE(outcome.error) << outcome.message();
    EXPECT_EQ(outcome.rows.size(), 1U);

    outcome = read("{path: 'http://other.test/x'}");
    EXPECT_THAT(outcome.message(), HasSubstr("add other.test to trusted_hosts"));
    outcome = read("{resume: page, records: d, paginate: {type: next_url, cursor_path: next}}", ReadMode::full_refresh,
                   R"({"v":1,"page":"http://planted.test/x"})");
    EXPECT_THAT(outcome.message(), HasSubstr("add planted.test to trusted_hosts"));
}

}  // namespace
}  // namespace shaduf
