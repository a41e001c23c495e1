#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/crypto.h"
#include "io/object_store.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class GcsObjectStoreTest : public testing::Test {
protected:
    ~GcsObjectStoreTest() override { EXPECT_THAT(world.http.unused(), IsEmpty()); }

    World world;
    std::unique_ptr<ObjectStore> store =
        open_object_store({.url = "gs://lake/raw", .access_key = "GOOG1E", .secret_key = "S"}).release_value();
};

TEST_F(GcsObjectStoreTest, RequestsAreInGooglesOwnWords) {
    world.http.expect("GET https://storage.googleapis.com/lake/raw/k").reply("bytes");
    EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "bytes");
    EXPECT_EQ(store->name_of("k"), "gs://lake/raw/k");
    const auto request = world.http.requests()[0];
    EXPECT_THAT(std::string(FakeHttp::header(request, "Authorization")),
                StartsWith("GOOG4-HMAC-SHA256 Credential=GOOG1E/20260102/auto/storage/goog4_request, "
                           "SignedHeaders=host;x-goog-content-sha256;x-goog-date, Signature="));
    EXPECT_EQ(FakeHttp::header(request, "X-Goog-Content-Sha256"), to_hex(sha256("")));
    // The server refuses a request that has headers of both kinds.
    for (const auto& [name, value] : request.headers) EXPECT_NE(name.substr(0, 5), "X-Amz") << name;
}

TEST_F(GcsObjectStoreTest, ConditionsAreOnTheGeneration) {
    world.http.expect("PUT /lake/raw/k").reply(200, "").reply(412, "<Error><Code>PreconditionFailed</Code></Error>");
    world.http.expect("GET /lake/raw/k").reply("one");
    EXPECT_TRUE(store->put_if_absent(world.run, "k", "one").release_value());
    EXPECT_FALSE(store->put_if_absent(world.run, "k", "two").release_value());
    const auto request = world.http.requests()[0];
    EXPECT_EQ(FakeHttp::header(request, "X-Goog-If-Generation-Match"), "0");
    EXPECT_EQ(FakeHttp::header(request, "If-None-Match"), "");
    EXPECT_THAT(std::string(FakeHttp::header(request, "Authorization")), HasSubstr(";x-goog-if-generation-match,"));
}

TEST_F(GcsObjectStoreTest, PartsAreNotCreatedOnCondition) {
    world.http.expect("PUT /lake/raw/k").reply(200, "").reply(412, "");
    world.http.expect("GET /lake/raw/k").reply("another's");
    const auto upload = [&](size_t bytes) -> Result<void> {
        auto created = TRY(store->start_upload(world.run, "k", UploadMode::create));
        TRY(created->write(world.run, std::string(bytes, 'x')));
        return created->finish(world.run);
    };
    EXPECT_TRUE(upload(10).ok());
    const auto taken = upload(10);
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().kind(), ErrorKind::conflict);
    const auto in_parts = upload(9 << 20);
    ASSERT_FALSE(in_parts.ok());
    EXPECT_EQ(in_parts.error().kind(), ErrorKind::invalid_config);
}

// Lists and uploads in parts are S3's.
TEST_F(GcsObjectStoreTest, ListsAndUploadsInParts) {
    world.http.expect("GET /lake/?encoding-type=url&list-type=2&max-keys=1000&prefix=raw%2F")
        .reply("<ListBucketResult><Contents><Key>raw/a</Key><Size>3</Size></Contents></ListBucketResult>");
    std::vector<std::string> keys;
    ASSERT_TRUE(store
                    ->list(world.run, "",
                           [&](std::span<const ObjectInfo> page) -> Result<void> {
                               for (const auto& object : page) keys.push_back(object.key);
                               return {};
                           })
                    .ok());
    EXPECT_THAT(keys, testing::ElementsAre("a"));
    world.http.expect("POST /lake/raw/k?uploads=")
        .reply("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    world.http.expect("PUT /lake/raw/k?partNumber=1&uploadId=u").reply(200, {{"ETag", "\"a\""}}, "");
    world.http.expect("PUT /lake/raw/k?partNumber=2&uploadId=u").reply(200, {{"ETag", "\"b\""}}, "");
    world.http.expect("POST /lake/raw/k?uploadId=u")
        .reply("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
    auto upload = store->start_upload(world.run, "k").release_value();
    ASSERT_TRUE(upload->write(world.run, std::string(9 << 20, 'x')).ok());
    EXPECT_TRUE(upload->finish(world.run).ok());
}

TEST(GcsObjectStore, WhatIsOfS3AloneIsRefused) {
    const ObjectStoreSettings cases[] = {
        {.url = "gs://lake", .encryption = "AES256"},
        {.url = "gs://lake", .access_key = "a", .secret_key = "b", .session_token = "c"},
        {.url = "gs://"}};
    for (const auto& settings : cases) {
        const auto opened = open_object_store(settings);
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().kind(), ErrorKind::invalid_config);
    }
}

}  // namespace
}  // namespace shaduf
