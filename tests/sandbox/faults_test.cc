#include "sandbox/frame/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/compression.h"
#include "sandbox/frame/scenario.h"
#include "tests/world.h"

namespace shaduf::sandbox {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;
using FaultKind = HttpServerFault::Kind;

// What becomes of an answer under the faults of a scenario.
class FaultsTest : public testing::Test {
protected:
    HttpServerResponse answer(const std::string& rule) {
        const auto node = Node::parse_yaml("faults:\n- {" + rule + "}\n", "s.yml");
        const auto errors = Scenario::parse(node.value(), Registry<PlatformSpec>({}), 1, scenario_);
        if (!errors.empty()) ADD_FAILURE() << errors.front().to_string();
        const auto faults = scenario_->hits("any", "GET", "/");
        return answer_with_faults(faults, request_, clock_, cancellation_, [this] {
            ++answered_;
            return HttpServerResponse{.headers = {{"Content-Type", "application/json"}}, .body = body_};
        });
    }
    std::string chunks_of(HttpServerResponse& response, size_t& count) {
        std::string all;
        for (bool more = true; more; ++count) more = response.next_chunk(all);
        return all;
    }

    std::unique_ptr<Scenario> scenario_;
    FakeClock clock_;
    Cancellation cancellation_;
    HttpServerRequest request_{.method = "GET", .path = "/"};
    const std::string body_ = "{\"rows\":" + std::string(1000, '1') + "}";
    int answered_ = 0;
};

TEST_F(FaultsTest, StandInForThePlatform) {
    auto response = answer("fault: status, status: 429, retry_after: 1500ms, body: busy, headers: {X-A: b}");
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.body, "busy");
    EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "2")));
    EXPECT_THAT(response.headers, Contains(Pair("X-A", "b")));
    response = answer("fault: status, status: 503, retry_after: 60s, retry_after_as: date");
    EXPECT_THAT(response.headers, Contains(Pair("Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT")));
    response = answer("fault: html");
    EXPECT_EQ(response.status, 502);
    EXPECT_THAT(response.body, HasSubstr("<html>"));
    response = answer("fault: redirect, to: 'http://other.example/'");
    EXPECT_THAT(response.headers, Contains(Pair("Location", "http://other.example/")));
    EXPECT_EQ(answer("fault: reset").fault.kind, FaultKind::reset_before_headers);
    EXPECT_EQ(answer("fault: not_http").fault.kind, FaultKind::raw);
    EXPECT_EQ(answered_, 0);
}

TEST_F(FaultsTest, BreakWhatThePlatformHasAnswered) {
    auto response = answer("fault: lost_answer");
    EXPECT_EQ(response.fault.kind, FaultKind::reset_before_headers);
    EXPECT_EQ(answered_, 1) << "the work was done";
    response = answer("fault: reset, at: in_body, bytes: 17");
    EXPECT_EQ(response.fault.kind, FaultKind::reset_in_body);
    EXPECT_EQ(response.fault.body_bytes, 17U);
    EXPECT_EQ(answer("fault: reset, at: after_headers").fault.body_bytes, 0U);
    response = answer("fault: cut_chunks, bytes: 5");
    size_t count = 0;
    EXPECT_EQ(chunks_of(response, count), body_);
    EXPECT_EQ(response.fault.body_bytes, 5U);
    response = answer("fault: content_type, value: text/plain");
    EXPECT_EQ(response.headers.size(), 1U);
    EXPECT_THAT(response.headers, Contains(Pair("Content-Type", "text/plain")));
}

TEST_F(FaultsTest, TakeTheirTime) {
    EXPECT_EQ(answer("fault: delay, for: 3s").body, body_);
    EXPECT_THAT(clock_.slept(), testing::ElementsAre(std::chrono::seconds(3)));
    auto response = answer("fault: slow_body, for: 10s");
    size_t count = 0;
    EXPECT_EQ(chunks_of(response, count), body_);
    EXPECT_EQ(clock_.slept().size(), count) << "one wait between two pieces, and the delay before";
}

TEST_F(FaultsTest, CompressForWhoTakesThat) {
    EXPECT_EQ(answer("fault: gzip").body, body_);
    request_.headers.emplace_back("Accept-Encoding", "br, gzip");
    const auto packed = answer("fault: gzip");
    EXPECT_THAT(packed.headers, Contains(Pair("Content-Encoding", "gzip")));
    BufferBuilder unpacked;
    const auto decompressor = Decompressor::create(Compression::gzip);
    ASSERT_TRUE(decompressor->feed(packed.body, unpacked).ok());
    ASSERT_TRUE(decompressor->finish().ok());
    EXPECT_EQ(unpacked.finish()->view(), body_);
}

}  // namespace
}  // namespace shaduf::sandbox
