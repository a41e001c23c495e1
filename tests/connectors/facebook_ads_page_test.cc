#include "connectors/facebook_ads/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/world.h"

namespace shaduf::facebook {
namespace {

BufferPtr padded(std::string_view text) {
    BufferBuilder bytes;
    bytes.append(text);
    return bytes.finish();
}

TEST(FacebookPage, TellsWhereAListGoesOn) {
    const struct {
        const char* body;
        const char* after;
        bool has_next;
    } kCases[] = {
        {R"({"data":[{"id":"1"}],"paging":{"cursors":{"before":"a","after":"b"},"next":"https://x/?after=b"}})", "b",
         true},
        {R"({"data":[{"id":"1"}],"paging":{"cursors":{"before":"a","after":"b"}}})", "b", false},
        {R"({"data":[]})", "", false},
        {R"({"data":[],"paging":{"cursors":{"after":"\u0062=="}}})", "b==", false},
        {R"({"paging":{"next":"n","cursors":{"after":"q"}},"data":[]})", "q", true},
        {" {\"data\": [ ] , \"paging\": { \"next\": \"n\", \"cursors\": { \"after\": \"q\" } } } ", "q", true},
        {R"({"data":[],"paging":{"next":null,"cursors":{"after":"q"}}})", "q", false},
        // That of a list inside a record is not the page's.
        {R"({"data":[{"id":"1","ads":{"data":[],"paging":{"cursors":{"after":"inner"},"next":"n"}}}]})", "", false},
        {R"({"data":[{"name":"],\"paging\":{\"next\":\"n\"}}"}]})", "", false},
        {R"({"data":[],"paging":[],"summary":{"paging":{"next":"n"}}})", "", false},
        {R"({"data":[{"ads":{"data":[],"paging":{"cursors":{"after":"i"},"next":"n"}}}],)"
         R"("paging":{"cursors":{"after":"o"}}})",
         "o", false},
    };
    for (const auto& [body, after, has_next] : kCases) {
        SCOPED_TRACE(body);
        const auto paging = read_paging(padded(body)->view());
        ASSERT_TRUE(paging.ok()) << paging.error().to_string();
        EXPECT_EQ(paging.value().after, after);
        EXPECT_EQ(paging.value().has_next, has_next);
    }
}

TEST(FacebookPage, AsksAgainForWhatIsNoWholePage) {
    for (const char* body : {R"({"data":[{"id":"1"})", "", "<html>", R"({"data":[],"paging":{"cursors")", "[]",
                             R"({"data":[],"error":{"code":1,"message":"unknown"}})", R"({"data":[]}x)"}) {
        SCOPED_TRACE(body);
        const auto paging = read_paging(padded(body)->view());
        ASSERT_FALSE(paging.ok());
        EXPECT_EQ(paging.error().kind(), ErrorKind::unavailable) << paging.error().to_string();
    }
}

TEST(FacebookPage, FindsRecords) {
    const struct {
        const char* body;
        std::vector<std::string> records;
    } kCases[] = {
        {R"({"data":[{"id":"1"}, {"id":"2","x":[1,{}]} ],"paging":{}})", {R"({"id":"1"})", R"({"id":"2","x":[1,{}]})"}},
        {R"({"data":[]})", {}},
        {R"({"id":"act_1","name":"a"})", {R"({"id":"act_1","name":"a"})"}},
        {R"( {"id":"1"} )", {R"({"id":"1"})"}},
        // An object called data is a member like any.
        {R"({"data":{"id":"1"}})", {R"({"data":{"id":"1"}})"}},
    };
    for (const auto& [body, records] : kCases) {
        SCOPED_TRACE(body);
        const BufferPtr text = padded(body);
        const auto found = find_records(text->view());
        ASSERT_TRUE(found.ok()) << found.error().to_string();
        std::vector<std::string> texts;
        for (const auto& span : found.value()) texts.emplace_back(text->view().substr(span.offset, span.length));
        EXPECT_EQ(texts, records);
    }
    const struct {
        const char* body;
        ErrorKind kind;
    } kWrong[] = {{R"({"data":[1]})", ErrorKind::bad_data},
                  {R"({"data":[{"id":}]})", ErrorKind::unavailable},
                  {R"({"data":[{"id":"1"})", ErrorKind::unavailable},
                  {"", ErrorKind::bad_data},
                  {"[]", ErrorKind::bad_data},
                  {"<html></html>", ErrorKind::bad_data}};
    for (const auto& [body, kind] : kWrong) {
        SCOPED_TRACE(body);
        const auto found = find_records(padded(body)->view());
        ASSERT_FALSE(found.ok());
        EXPECT_EQ(found.error().kind(), kind) << found.error().to_string();
    }
}

TEST(FacebookPage, ReadsMembersAsTheyAreWritten) {
    const BufferPtr body = padded(R"({"report_run_id":6023920149050,"s":"a\"bä","n":null,"t":true,"o":{"id":"1"}})");
    EXPECT_EQ(find_text(body->view(), "report_run_id"), "6023920149050");
    EXPECT_EQ(find_text(body->view(), "s"), "a\"b\xC3\xA4");
    EXPECT_EQ(find_text(body->view(), "n"), "");
    EXPECT_EQ(find_text(body->view(), "none"), "");
    EXPECT_EQ(find_text(body->view(), "t"), "true");
    EXPECT_EQ(find_member(body->view(), "o"), R"({"id":"1"})");
    EXPECT_EQ(find_member(padded("[1]")->view(), "o"), std::nullopt);
    EXPECT_EQ(find_member(padded(R"({"o":1)")->view(), "o"), std::nullopt);
}

TEST(FacebookPage, ReadsTheAnswersOfABatch) {
    const auto answers = read_batch(
        padded(R"([{"code":200,"headers":[{"name":"X-App-Usage","value":"{}"},{"name":"a"}],"body":"{\"id\":\"1\"}"},)"
               R"(null,{"code":400,"body":null}])")
            ->view());
    ASSERT_TRUE(answers.ok()) << answers.error().to_string();
    ASSERT_EQ(answers.value().size(), 3U);
    EXPECT_EQ(answers.value()[0]->status, 200);
    EXPECT_EQ(answers.value()[0]->body->view(), R"({"id":"1"})");
    EXPECT_EQ(answers.value()[0]->headers[0].first, "X-App-Usage");
    EXPECT_FALSE(answers.value()[1].has_value());
    EXPECT_EQ(answers.value()[2]->status, 400);
    EXPECT_EQ(answers.value()[2]->body, nullptr);
    EXPECT_TRUE(read_batch(padded("[]")->view()).ok());
    for (const char* wrong : {"", "{}", "[{\"code\":200", "[] []"}) {
        EXPECT_FALSE(read_batch(padded(wrong)->view()).ok()) << wrong;
    }
}

TEST(FacebookPage, KeepsNoTokens) {
    BufferBuilder text;
    text.append(R"({"data":[{"id":"1"}],"paging":{"next":"https:\/\/x\/?access_token=EAAB1|x.y-z&after=b","previous":)"
                R"("https://x/?after=c\u0026appsecret_proof=0a1b&access_token=EAAB1"}})");
    const BufferPtr body = text.finish();
    const BufferPtr kept = facebook::without_tokens(body);
    EXPECT_EQ(kept->view(),
              R"({"data":[{"id":"1"}],"paging":{"next":"https:\/\/x\/?access_token=***********&after=b","previous":)"
              R"("https://x/?after=c\u0026appsecret_proof=****&access_token=*****"}})");
    BufferBuilder other;
    other.append(R"({"data":[]})");
    const BufferPtr plain = other.finish();
    EXPECT_EQ(facebook::without_tokens(plain), plain);
}

}  // namespace
}  // namespace shaduf::facebook
