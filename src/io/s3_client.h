#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/retry.h"
#include "base/run_context.h"
#include "io/http.h"
#include "io/object_store.h"
#include "io/sigv4.h"
#include "io/url.h"

namespace shaduf {

// One request of the S3 API; the bucket and the key's prefix are the client's.
struct S3Request {
    std::string method = "GET";
    std::string key;    // the whole key; "" is the bucket itself
    QueryParams query;  // not encoded
    HttpHeaders headers;
    std::string_view body;
    uint64_t response_bytes_max = 64ULL << 20;
};

// Signs requests for one bucket, sends them, and tells S3's errors apart. Thread-safe.
//
// Google Cloud Storage answers the same requests (its XML API), but takes conditions only in headers of its own, which
// it refuses beside Amazon's; so there requests are signed by its own version of the same signature. It heeds no
// condition on the end of an upload in parts.
class S3Client {
public:
    static Result<std::unique_ptr<S3Client>> create(const ObjectStoreSettings& settings);

    const std::string& bucket() const { return bucket_; }
    std::string_view scheme() const { return is_google_ ? "gs://" : "s3://"; }
    // The header of a request that must not replace an object.
    std::pair<std::string, std::string> create_only() const;
    bool creates_in_parts() const { return !is_google_; }
    // Whether an object's ETag is made of those of its parts.
    bool tells_parts_by_etag() const { return !is_google_; }
    const std::string& prefix() const { return prefix_; }  // "" or ending in "/"

    // One exchange. Statuses that the caller has a meaning for (2xx, and 404, 412 unless it is NoSuchBucket) are
    // responses; all others are errors.
    Result<HttpResponse> send(RunContext& run, const S3Request& request);
    // The same until it succeeds. The server may have done it before, at a try that gave no answer.
    Result<HttpResponse> send_with_retries(RunContext& run, const S3Request& request);
    // What an answer that is no success means. Thread-safe.
    Error error_of(const RunContext& run, const HttpRequest& request, const HttpResponse& response) const;
    // What an error element says, whatever the status it came with.
    Error error_of_code(const RunContext& run, const std::string& code, const std::string& text,
                        const HttpRequest& request, const HttpResponse& response) const;

    HttpRequest make_request(const S3Request& request) const;
    const RetryPolicy& retry_policy() const { return retry_policy_; }

private:
    S3Client() = default;
    Timestamp signing_time(const RunContext& run) const;
    bool correct_clock(const RunContext& run, const HttpResponse& response);

    bool is_google_ = false;
    std::string bucket_;
    std::string prefix_;
    std::string region_;
    std::string base_url_;  // up to and with the bucket, without a slash at the end
    AwsCredentials credentials_;
    RetryPolicy retry_policy_;
    std::atomic<int64_t> clock_ahead_seconds_{0};  // how far the server's clock is before ours
};

}  // namespace shaduf
