// The S3 store against a server written by others, when one is given: SHADUF_TEST_S3=http://127.0.0.1:5000 (moto,
// S3Proxy ...), with SHADUF_TEST_S3_KEY and _SECRET where it checks signatures, and a bucket "shaduf-test". Keys begin
// with SHADUF_TEST_S3_PREFIX.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "io/http.h"
#include "io/object_store.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;

std::string env_or(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value == nullptr ? fallback : value;
}

class S3ServerTest : public testing::Test {
protected:
    void SetUp() override {
        if (std::getenv("SHADUF_TEST_S3") == nullptr) GTEST_SKIP() << "no S3 server: SHADUF_TEST_S3 is not set";
        store = open_object_store(
                    {.url = "s3://shaduf-test/" + env_or("SHADUF_TEST_S3_PREFIX", "run ") + std::to_string(::getpid()),
                     .endpoint = env_or("SHADUF_TEST_S3", ""),
                     .access_key = env_or("SHADUF_TEST_S3_KEY", "test"),
                     .secret_key = env_or("SHADUF_TEST_S3_SECRET", "test")})
                    .release_value();
    }
    std::vector<std::string> keys(std::string_view prefix) {
        std::vector<std::string> keys;
        auto listed = store->list(run, prefix, [&](std::span<const ObjectInfo> page) -> Result<void> {
            for (const auto& object : page) keys.push_back(object.key);
            return {};
        });
        EXPECT_TRUE(listed.ok()) << listed.error().to_string();
        return keys;
    }

    World world;
    SystemClock clock;
    std::unique_ptr<HttpTransport> http = make_curl_transport();
    RunContext run{clock, world.cancellation, *http, world.run.databases, world.events, world.shared, *world.rates};
    std::unique_ptr<ObjectStore> store;
};

TEST_F(S3ServerTest, KeepsObjects) {
    const std::string key = "a b/ü+&=%25~*'();:@$,?#.txt";
    ASSERT_TRUE(store->put(run, key, "content").ok());
    EXPECT_EQ(store->get(run, key).release_value()->view(), "content");
    EXPECT_EQ(store->head(run, key).release_value()->size, 7U);
    EXPECT_EQ(store->open(run, key).release_value()->read_at(run, 3, 2).release_value()->view(), "te");
    EXPECT_THAT(keys("a b/"), ElementsAre(key));
    EXPECT_TRUE(store->remove(run, key).ok());
    EXPECT_EQ(store->get(run, key).release_value(), nullptr);
    EXPECT_EQ(store->open(run, key).release_value(), nullptr);
}

TEST_F(S3ServerTest, PutsConditionally) {
    EXPECT_TRUE(store->put_if_absent(run, "once", "1").release_value());
    EXPECT_FALSE(store->put_if_absent(run, "once", "2").release_value());
    EXPECT_EQ(store->get(run, "once").release_value()->view(), "1");
}

TEST_F(S3ServerTest, UploadsInParts) {
    std::string expected;
    auto upload = store->start_upload(run, "large").release_value();
    for (int i = 0; i < 20; ++i) {
        const std::string piece(1'000'003, static_cast<char>('a' + i));
        ASSERT_TRUE(upload->write(run, piece).ok());
        expected += piece;
    }
    EXPECT_EQ(store->get(run, "large").release_value(), nullptr);
    auto finished = upload->finish(run);
    ASSERT_TRUE(finished.ok()) << finished.error().to_string();
    EXPECT_EQ(store->get(run, "large").release_value()->view(), expected);
}

TEST_F(S3ServerTest, UploadsThatEndEarlyLeaveNothing) {
    auto upload = store->start_upload(run, "early").release_value();
    ASSERT_TRUE(upload->write(run, std::string(9 << 20, 'x')).ok());
    EXPECT_EQ(store->remove_unfinished(run, "", Timestamp{}).release_value(), 0);
    upload.reset();
    EXPECT_EQ(store->remove_unfinished(run, "", Timestamp::max()).release_value(), 0);
    EXPECT_EQ(store->get(run, "early").release_value(), nullptr);
}

TEST_F(S3ServerTest, CreatesOnlyWhatIsNotThere) {
    for (const size_t bytes : {size_t{10}, size_t{9} << 20}) {
        SCOPED_TRACE(bytes);
        const std::string key = "create" + std::to_string(bytes);
        for (const char c : {'a', 'b'}) {
            auto upload = store->start_upload(run, key, UploadMode::create).release_value();
            ASSERT_TRUE(upload->write(run, std::string(bytes, c)).ok());
            const auto finished = upload->finish(run);
            EXPECT_EQ(finished.ok(), c == 'a');
            if (finished.ok()) continue;
            EXPECT_EQ(finished.error().kind(), ErrorKind::conflict) << finished.error().to_string();
        }
        EXPECT_TRUE(store->get(run, key).release_value()->view() == std::string(bytes, 'a'));
    }
}

TEST_F(S3ServerTest, ListsManyPages) {
    for (int i = 0; i < 1005; ++i) ASSERT_TRUE(store->put(run, "many/" + std::to_string(10'000 + i), "").ok());
    const auto listed = keys("many/");
    ASSERT_EQ(listed.size(), 1005U);
    EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
}

}  // namespace
}  // namespace shaduf
