#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/crypto.h"
#include "io/object_store.h"
#include "io/xml_text.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string s3_error(const std::string& code) {
    return "<?xml version=\"1.0\"?>\n<Error><Code>" + code + "</Code><Message>said so</Message></Error>";
}

const Error kReset(ErrorKind::unavailable, "connection reset");

class S3ObjectStoreTest : public testing::Test {
protected:
    static ObjectStoreSettings settings() {
        return {.url = "s3://lake/raw", .endpoint = "http://s3.test:9000", .access_key = "A", .secret_key = "S"};
    }
    ~S3ObjectStoreTest() override { EXPECT_THAT(world.http.unused(), IsEmpty()); }

    World world;
    std::unique_ptr<ObjectStore> store = open_object_store(settings()).release_value();
};

TEST(S3Addressing, FollowsTheSettings) {
    using Addressing = ObjectStoreSettings::Addressing;
    struct Case {
        ObjectStoreSettings settings;
        const char* url;
    };
    const Case cases[] = {
        {{.url = "s3://lake/raw/"}, "https://lake.s3.us-east-1.amazonaws.com/raw/k%20%2B/%C3%BC"},
        {{.url = "s3://lake", .region = "eu-central-1"}, "https://lake.s3.eu-central-1.amazonaws.com/k%20%2B/%C3%BC"},
        {{.url = "s3://my.lake"}, "https://s3.us-east-1.amazonaws.com/my.lake/k%20%2B/%C3%BC"},
        {{.url = "s3://lake", .addressing = Addressing::path},
         "https://s3.us-east-1.amazonaws.com/lake/k%20%2B/%C3%BC"},
        {{.url = "s3://lake", .endpoint = "http://h:9/s3/"}, "http://h:9/s3/lake/k%20%2B/%C3%BC"},
        {{.url = "s3://lake", .endpoint = "http://h:9", .addressing = Addressing::virtual_host},
         "http://lake.h:9/k%20%2B/%C3%BC"},
    };
    for (const auto& [settings, url] : cases) {
        SCOPED_TRACE(url);
        World world;
        world.http.expect(std::string("GET ") + url).reply("x");
        const auto store = open_object_store(settings).release_value();
        const auto got = store->get(world.run, "k +/ü");
        EXPECT_TRUE(got.ok()) << got.error().to_string();
        EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "Authorization"), "");
    }
}

TEST_F(S3ObjectStoreTest, PutsGetsHeadsAndRemoves) {
    world.http.expect("PUT /lake/raw/k").reply(200, "");
    world.http.expect("GET /lake/raw/k").reply("bytes").reply(404, s3_error("NoSuchKey"));
    world.http.expect("HEAD /lake/raw/k")
        .reply(200, {{"Content-Length", "5"}, {"ETag", "\"e\""}, {"Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT"}},
               "")
        .reply(404, "");
    world.http.expect("DELETE /lake/raw/k").reply(204, "");
    ASSERT_TRUE(store->put(world.run, "k", "bytes").ok());
    EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "bytes");
    EXPECT_EQ(store->get(world.run, "k").release_value(), nullptr);
    const auto info = store->head(world.run, "k").release_value();
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->size, 5U);
    EXPECT_EQ(info->etag, "e");
    EXPECT_EQ(info->modified, world.clock.now());
    EXPECT_FALSE(store->head(world.run, "k").release_value().has_value());
    EXPECT_TRUE(store->remove(world.run, "k").ok());
    const auto put = world.http.requests()[0];
    EXPECT_EQ(FakeHttp::header(put, "X-Amz-Content-Sha256"), to_hex(sha256("bytes")));
    EXPECT_THAT(std::string(FakeHttp::header(put, "Authorization")),
                StartsWith("AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/s3/aws4_request, "
                           "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="));
}

TEST_F(S3ObjectStoreTest, ErrorsSayWhoMustActAndWhetherToRetry) {
    struct Case {
        int status;
        HttpHeaders headers;
        std::string body;
        ErrorKind kind;
        int tries;
        const char* message;
    };
    const Case cases[] = {
        {403, {}, s3_error("AccessDenied"), ErrorKind::auth, 1, "AccessDenied: said so"},
        {403, {}, s3_error("SignatureDoesNotMatch"), ErrorKind::auth, 1, "SignatureDoesNotMatch"},
        {404, {}, s3_error("NoSuchBucket"), ErrorKind::invalid_config, 1, "bucket not found: lake"},
        {301,
         {{"x-amz-bucket-region", "eu-west-1"}},
         s3_error("PermanentRedirect"),
         ErrorKind::invalid_config,
         1,
         "lake is in eu-west-1, not in us-east-1; set region: eu-west-1"},
        {400,
         {},
         "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-2</Region></Error>",
         ErrorKind::invalid_config,
         1,
         "set region: eu-west-2"},
        {400, {}, s3_error("RequestTimeout"), ErrorKind::unavailable, 6, "RequestTimeout"},
        {503, {}, s3_error("SlowDown"), ErrorKind::rate_limited, 6, "SlowDown"},
        {500, {}, s3_error("InternalError"), ErrorKind::unavailable, 6, "InternalError"},
        {502, {}, "<html>bad gateway", ErrorKind::unavailable, 6, "HTTP status 502"},
        {507, {}, s3_error("XMinioStorageFull"), ErrorKind::exhausted, 1, "XMinioStorageFull"},
        {501, {}, s3_error("NotImplemented"), ErrorKind::unavailable, 1, "NotImplemented"},
        {400, {}, s3_error("InvalidArgument"), ErrorKind::invalid_config, 1, "InvalidArgument"},
    };
    for (const auto& [status, headers, body, kind, tries, message] : cases) {
        SCOPED_TRACE(message);
        World own;
        own.http.expect("GET /lake/raw/k").reply(status, headers, body).repeat();
        auto got = store->get(own.run, "k");
        ASSERT_FALSE(got.ok());
        EXPECT_EQ(got.error().kind(), kind);
        EXPECT_EQ(own.http.requests().size(), static_cast<size_t>(tries));
        EXPECT_THAT(got.error().message(), HasSubstr(message));
    }
}

TEST_F(S3ObjectStoreTest, AWrongClockIsCorrectedOnce) {
    world.http.expect("GET /lake/raw/k")
        .reply(403, {{"Date", "Fri, 02 Jan 2026 09:00:00 GMT"}}, s3_error("RequestTimeTooSkewed"))
        .reply("x")
        .reply(403, {{"Date", "Fri, 02 Jan 2026 09:00:00 GMT"}}, s3_error("RequestTimeTooSkewed"));
    EXPECT_TRUE(store->get(world.run, "k").ok());
    EXPECT_EQ(FakeHttp::header(world.http.requests()[1], "X-Amz-Date"), "20260102T090000Z");
    auto again = store->get(world.run, "k");
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind(), ErrorKind::auth);
}

TEST_F(S3ObjectStoreTest, PutIfAbsentKnowsItsOwnWriteAgain) {
    struct Case {
        const char* name;
        std::function<void(FakeHttp&)> script;
        std::optional<bool> created;
    };
    const Case cases[] = {
        {"new", [](FakeHttp& http) { http.expect("PUT /lake/raw/k").reply(200, ""); }, true},
        {"there",
         [](FakeHttp& http) {
             http.expect("PUT /lake/raw/k").reply(412, s3_error("PreconditionFailed"));
             http.expect("GET /lake/raw/k").reply("theirs");
         },
         false},
        {"sent twice by the library, ours",
         [](FakeHttp& http) {
             http.expect("PUT /lake/raw/k").reply(412, s3_error("PreconditionFailed"));
             http.expect("GET /lake/raw/k").reply("mine");
         },
         true},
        {"lost answer, ours",
         [](FakeHttp& http) {
             http.expect("PUT /lake/raw/k").fail(kReset).reply(412, s3_error("PreconditionFailed"));
             http.expect("GET /lake/raw/k").reply("mine");
         },
         true},
        {"lost answer, of another",
         [](FakeHttp& http) {
             http.expect("PUT /lake/raw/k").fail(kReset).reply(412, s3_error("PreconditionFailed"));
             http.expect("GET /lake/raw/k").reply("theirs");
         },
         false},
        {"race",
         [](FakeHttp& http) {
             http.expect("PUT /lake/raw/k").reply(409, s3_error("ConditionalRequestConflict")).reply(200, "");
         },
         true},
        {"not honoured",
         [](FakeHttp& http) { http.expect("PUT /lake/raw/k").reply(501, s3_error("NotImplemented")); },
         {}},
    };
    for (const auto& [name, script, created] : cases) {
        SCOPED_TRACE(name);
        World own;
        script(own.http);
        auto put = store->put_if_absent(own.run, "k", "mine");
        ASSERT_EQ(put.ok(), created.has_value());
        if (put.ok()) {
            EXPECT_EQ(put.value(), *created);
        }
        EXPECT_EQ(FakeHttp::header(own.http.requests()[0], "If-None-Match"), "*");
        EXPECT_THAT(own.http.unused(), IsEmpty());
    }
}

TEST_F(S3ObjectStoreTest, ListsPageByPage) {
    const auto first =
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>t&amp;1=</NextContinuationToken>"
        "<Contents><Key>raw/a+b%2B%C3%BC</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e1&quot;"
        "</ETag><Size>12</Size></Contents><Contents><Key>raw/a/</Key><Size>0</Size></Contents></ListBucketResult>";
    const auto second =
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>raw/az</Key><Size>1</Size></Contents>"
        "</ListBucketResult>";
    world.http.expect("GET /lake/?encoding-type=url&list-type=2&max-keys=1000&prefix=raw%2Fa").reply(first);
    world.http
        .expect("GET /lake/?continuation-token=t%261%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=raw%2Fa")
        .reply(second);
    std::vector<ObjectInfo> objects;
    auto listed = store->list(world.run, "a", [&](std::span<const ObjectInfo> page) -> Result<void> {
        objects.insert(objects.end(), page.begin(), page.end());
        return {};
    });
    ASSERT_TRUE(listed.ok()) << listed.error().to_string();
    ASSERT_EQ(objects.size(), 2U);
    EXPECT_EQ(objects[0].key, "a b+ü");
    EXPECT_EQ(objects[0].size, 12U);
    EXPECT_EQ(objects[0].etag, "e1");
    EXPECT_EQ(objects[0].modified, world.clock.now());
    EXPECT_EQ(objects[1].key, "az");
}

TEST_F(S3ObjectStoreTest, ListsThatDoNotGoOnAreErrors) {
    const std::string repeated =
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></"
        "ListBucketResult>";
    for (const std::string& body :
         {repeated, std::string("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
          std::string("<html>hello</html>")}) {
        SCOPED_TRACE(body);
        World own;
        own.http.expect("GET /lake/").reply(body).repeat();
        auto listed = store->list(own.run, "", [](std::span<const ObjectInfo>) -> Result<void> { return {}; });
        ASSERT_FALSE(listed.ok());
        EXPECT_EQ(listed.error().kind(), ErrorKind::bad_data);
        EXPECT_LE(own.http.requests().size(), 2U);
    }
}

TEST_F(S3ObjectStoreTest, ReadsRangesOfTheSameObjectOnly) {
    world.http.expect("HEAD /lake/raw/k").reply(200, {{"Content-Length", "10"}, {"ETag", "\"e\""}}, "");
    world.http.expect("GET /lake/raw/k")
        .fail(kReset)
        .reply(206, "234")
        .reply(206, "89")
        .reply(412, s3_error("PreconditionFailed"))
        .reply(404, s3_error("NoSuchKey"))
        .reply(200, "0123456789");
    const auto reader = store->open(world.run, "k").release_value();
    EXPECT_EQ(reader->read_at(world.run, 2, 3).release_value()->view(), "234");
    EXPECT_EQ(reader->read_at(world.run, 8, 100).release_value()->view(), "89");
    EXPECT_EQ(reader->read_at(world.run, 10, 1).release_value()->view(), "");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[1], "Range"), "bytes=2-4");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[1], "If-Match"), "\"e\"");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[3], "Range"), "bytes=8-9");
    for (const char* message : {"changed while it was read", "is gone", "range of another length"}) {
        auto read = reader->read_at(world.run, 0, 2);
        ASSERT_FALSE(read.ok());
        EXPECT_THAT(read.error().message(), HasSubstr(message));
    }
}

class S3UploadTest : public S3ObjectStoreTest {
protected:
    static constexpr size_t kPart = 8 << 20;

    // An upload of two parts up to its end.
    std::unique_ptr<ObjectUpload> upload_two_parts(World& own) {
        own.http.expect("POST /lake/raw/k?uploads=")
            .reply("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
        own.http.expect("PUT /lake/raw/k?partNumber=1&uploadId=u")
            .reply(200, {{"ETag", "\"" + to_hex(md5("1")) + "\""}}, "");
        own.http.expect("PUT /lake/raw/k?partNumber=2&uploadId=u")
            .reply(200, {{"ETag", "\"" + to_hex(md5("2")) + "\""}}, "");
        auto upload = store->start_upload(own.run, "k").release_value();
        EXPECT_TRUE(upload->write(own.run, std::string(kPart - 1, 'a')).ok());
        EXPECT_TRUE(upload->write(own.run, "bcd").ok());
        return upload;
    }
};

TEST_F(S3UploadTest, SmallObjectsArePutWhole) {
    world.http.expect("PUT /lake/raw/k").reply(200, "");
    auto upload = store->start_upload(world.run, "k").release_value();
    EXPECT_LT(upload->held_bytes(), 100U);
    ASSERT_TRUE(upload->write(world.run, std::string(kPart, 'a')).ok());
    EXPECT_GE(upload->held_bytes(), kPart);
    ASSERT_TRUE(upload->finish(world.run).ok());
    upload.reset();
    EXPECT_EQ(world.http.requests()[0].body.size(), kPart);
}

TEST_F(S3UploadTest, LargeObjectsGoUpInParts) {
    auto upload = upload_two_parts(world);
    EXPECT_LE(upload->held_bytes(), kPart);
    world.http.expect("POST /lake/raw/k?uploadId=u")
        .reply("\n  <CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
    ASSERT_TRUE(upload->finish(world.run).ok());
    upload.reset();
    const auto requests = world.http.requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[1].body.size(), kPart);
    EXPECT_EQ(requests[2].body, "cd");
    EXPECT_THAT(requests[3].body,
                HasSubstr("<Part><PartNumber>2</PartNumber><ETag>&quot;" + to_hex(md5("2")) + "&quot;</ETag></Part>"));
}

TEST_F(S3UploadTest, TheEndOfAnUploadSurvivesItsFaults) {
    const std::string done = "<CompleteMultipartUploadResult/>";
    const std::string etag = "\"" + to_hex(md5(md5("1") + md5("2"))) + "-2\"";
    const HttpHeaders ours = {{"Content-Length", std::to_string(kPart + 2)}, {"ETag", etag}};
    struct Case {
        const char* name;
        std::function<void(FakeHttp&)> script;
        bool ok;
    };
    const Case cases[] = {
        {"200 with an error, then done",
         [&](FakeHttp& http) {
             http.expect("POST /lake/raw/k?uploadId=u").reply("  " + s3_error("InternalError")).reply(done);
         },
         true},
        {"cut short, then done",
         [&](FakeHttp& http) { http.expect("POST /lake/raw/k?uploadId=u").reply("   ").reply(done); }, true},
        {"lost answer, and it was done",
         [&](FakeHttp& http) {
             http.expect("POST /lake/raw/k?uploadId=u").fail(kReset).reply(404, s3_error("NoSuchUpload"));
             http.expect("HEAD /lake/raw/k").reply(200, ours, "");
         },
         true},
        {"lost answer, and another object is there",
         [&](FakeHttp& http) {
             http.expect("POST /lake/raw/k?uploadId=u").fail(kReset).reply(404, s3_error("NoSuchUpload"));
             http.expect("HEAD /lake/raw/k").reply(200, {{"Content-Length", "2"}, {"ETag", "\"x\""}}, "");
             http.expect("DELETE /lake/raw/k?uploadId=u").reply(204, "");
         },
         false},
        {"never begun",
         [&](FakeHttp& http) {
             http.expect("POST /lake/raw/k?uploadId=u").reply(404, s3_error("NoSuchUpload"));
             http.expect("DELETE /lake/raw/k?uploadId=u").reply(204, "");
         },
         false},
        {"denied",
         [&](FakeHttp& http) {
             http.expect("POST /lake/raw/k?uploadId=u").reply(s3_error("AccessDenied"));
             http.expect("DELETE /lake/raw/k?uploadId=u").reply(204, "");
         },
         false},
    };
    for (const auto& [name, script, ok] : cases) {
        SCOPED_TRACE(name);
        World own;
        auto upload = upload_two_parts(own);
        script(own.http);
        auto finished = upload->finish(own.run);
        EXPECT_EQ(finished.ok(), ok) << (ok ? finished.error().to_string() : "");
        upload.reset();
        EXPECT_THAT(own.http.unused(), IsEmpty());
    }
}

TEST_F(S3UploadTest, GoingAwayAbortsEvenWhenCanceled) {
    World own;
    auto upload = upload_two_parts(own);
    own.http.expect("DELETE /lake/raw/k?uploadId=u").reply(204, "");
    own.cancellation.cancel();
    auto finished = upload->finish(own.run);
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().kind(), ErrorKind::canceled);
    upload.reset();
    EXPECT_EQ(own.http.targets().back(), "DELETE /lake/raw/k?uploadId=u");
}

TEST_F(S3ObjectStoreTest, UploadsOfTheDeadAreAborted) {
    world.http.expect("GET /lake/?encoding-type=url&prefix=raw%2F&uploads=")
        .reply(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>raw%2Fb</NextKeyMarker>"
            "<NextUploadIdMarker>u1</NextUploadIdMarker>"
            "<Upload><Key>raw/a</Key><UploadId>u0</UploadId><Initiated>2026-01-01T00:00:00.000Z</Initiated></Upload>"
            "<Upload><Key>raw/b</Key><UploadId>u1</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"
            "</ListMultipartUploadsResult>");
    world.http.expect("GET /lake/?encoding-type=url&key-marker=raw%2Fb&prefix=raw%2F&upload-id-marker=u1&uploads=")
        .reply("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    world.http.expect("DELETE /lake/raw/a?uploadId=u0").reply(204, "");
    EXPECT_EQ(store->remove_unfinished(world.run, "", world.clock.now()).release_value(), 1);
}

TEST_F(S3ObjectStoreTest, ACallAbortsABoundedNumberOfUploads) {
    std::string xml = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>";
    for (int i = 0; i < 1001; ++i) {
        xml += "<Upload><Key>raw/a</Key><UploadId>u</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload>";
    }
    world.http.expect("GET /lake/").reply(xml + "</ListMultipartUploadsResult>");
    world.http.expect("DELETE /lake/raw/a").reply(204, "").repeat();
    EXPECT_EQ(store->remove_unfinished(world.run, "", world.clock.now()).release_value(), 1000);
    EXPECT_EQ(world.http.requests().size(), 1001U);
}

TEST(S3Encryption, IsAskedForInPutsAndUploads) {
    World world;
    auto store =
        open_object_store({.url = "s3://lake", .endpoint = "http://h", .encryption = "aws:kms:key-1"}).release_value();
    world.http.expect("PUT /lake/k").reply(200, "");
    ASSERT_TRUE(store->put(world.run, "k", "x").ok());
    EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "x-amz-server-side-encryption-aws-kms-key-id"), "key-1");
}

TEST(XmlText, ReadsElements) {
    const std::string xml = "<?xml?><R a=\"1\"><K>a&amp;&lt;&#65;&#xfc;&bad;</K><Kk>no</Kk><E/><K t=\"x\">2</K></R>";
    EXPECT_EQ(xml_root(xml), "R");
    EXPECT_EQ(xml_text(xml, "K"), "a&<Aü&bad;");
    EXPECT_THAT(xml_elements(xml, "K"), ElementsAre("a&amp;&lt;&#65;&#xfc;&bad;", "2"));
    EXPECT_THAT(xml_elements(xml, "E"), ElementsAre(""));
    EXPECT_EQ(xml_text(xml, "None"), "");
    EXPECT_EQ(xml_text("<K>cut", "K"), "");
    EXPECT_EQ(xml_escape("a<\"&\">"), "a&lt;&quot;&amp;&quot;&gt;");
}

TEST_F(S3ObjectStoreTest, UploadsThatCreateReplaceNothing) {
    const std::string taken = s3_error("PreconditionFailed");
    const auto upload = [&](const std::string& bytes) -> Result<void> {
        auto created = TRY(store->start_upload(world.run, "k", UploadMode::create));
        TRY(created->write(world.run, bytes));
        return created->finish(world.run);
    };
    // Whole: created; taken; an answer that was lost, and the object is its own, or another's.
    world.http.expect("PUT /lake/raw/k")
        .reply(200, "")
        .reply(412, taken)
        .fail(kReset)
        .reply(412, taken)
        .fail(kReset)
        .reply(412, taken);
    world.http.expect("GET /lake/raw/k").reply("another's").reply("own").reply("another's");
    EXPECT_TRUE(upload("own").ok());
    const auto refused = upload("own");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
    EXPECT_TRUE(upload("own").ok());
    EXPECT_FALSE(upload("own").ok());
    EXPECT_EQ(FakeHttp::header(world.http.requests()[0], "If-None-Match"), "*");
    // In parts: the condition is on the end.
    world.http.expect("POST /lake/raw/k?uploads=")
        .reply("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    world.http.expect("PUT /lake/raw/k?partNumber=1&uploadId=u").reply(200, {{"ETag", "\"a\""}}, "");
    world.http.expect("PUT /lake/raw/k?partNumber=2&uploadId=u").reply(200, {{"ETag", "\"b\""}}, "");
    world.http.expect("HEAD /lake/raw/k").reply(404, "");
    world.http.expect("POST /lake/raw/k?uploadId=u").reply(412, taken);
    world.http.expect("DELETE /lake/raw/k?uploadId=u").reply(204, "");
    const auto in_parts = upload(std::string(9 << 20, 'x'));
    ASSERT_FALSE(in_parts.ok());
    EXPECT_EQ(in_parts.error().kind(), ErrorKind::conflict);
    const auto requests = world.http.requests();
    EXPECT_EQ(FakeHttp::header(requests[requests.size() - 2], "If-None-Match"), "*");
}

}  // namespace
}  // namespace shaduf
