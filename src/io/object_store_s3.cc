// Objects of an S3 bucket. What needs care is told where it is dealt with: a 200 that carries an error, an answer that
// was lost after the server had done its work, conditional puts, and uploads whose process died.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/cancellation.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"
#include "io/object_store.h"
#include "io/s3_client.h"
#include "io/xml_text.h"

namespace shaduf {
namespace {

constexpr uint64_t kPartBytes = 8 << 20;
constexpr size_t kPartsMax = 10'000;
constexpr int64_t kAbortsMax = 1'000;         // a call; the rest is for the next one
constexpr size_t kPartsBeforeLarger = 2'000;  // parts double each time: 496 GiB in 10,000 of them

Timestamp parse_time(const std::string& text) {
    const auto parsed = parse_timestamp(text);
    return Timestamp(std::chrono::microseconds(parsed ? parsed->microseconds : 0));
}

std::string without_quotes(std::string_view etag) {
    std::string text(etag);
    std::erase(text, '"');
    return text;
}

// A key in a list of encoding-type=url.
std::string decode_key(std::string text) {
    std::replace(text.begin(), text.end(), '+', ' ');
    return percent_decode(text);
}

// Last-Modified is an HTTP date; only its order matters to callers, so seconds will do.
Timestamp parse_last_modified(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    if (::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S", &parts) == nullptr) return {};
    return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

Error missing_error(const std::string& name) {
    return Error(ErrorKind::unavailable, "object is gone: " + name + "; run again").permanent();
}

class S3Reader final : public ObjectReader {
public:
    S3Reader(S3Client& client, ObjectInfo info, std::string key, std::string name)
        : ObjectReader(std::move(info)), client_(client), key_(std::move(key)), name_(std::move(name)) {}

    Result<BufferPtr> read_at(RunContext& run, uint64_t offset, uint64_t length) override {
        const uint64_t wanted = std::min(length, offset < info_.size ? info_.size - offset : 0);
        if (wanted == 0) return BufferBuilder().finish();
        S3Request request{.key = key_, .response_bytes_max = wanted + (64 << 10)};
        request.headers = {{"Range", "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + wanted - 1)}};
        if (!info_.etag.empty()) request.headers.emplace_back("If-Match", "\"" + info_.etag + "\"");
        auto response = TRY(client_.send_with_retries(run, request));
        if (response.status == 412)
            return Error(ErrorKind::unavailable, "object changed while it was read: " + name_ + "; run again")
                .permanent();
        if (response.status == 404) return missing_error(name_);
        if (response.body->size() != wanted)
            return Error(ErrorKind::unavailable,
                         "range of another length came: " + std::to_string(response.body->size()) +
                             " bytes instead of " + std::to_string(wanted) + " of " + name_);
        return response.body;
    }

private:
    S3Client& client_;
    const std::string key_;
    const std::string name_;
};

// Parts go up as they fill. An object of less than one part is put whole, in one request.
class S3Upload final : public ObjectUpload {
public:
    S3Upload(RunContext& run, S3Client& client, std::string key, std::string name, std::string encryption,
             UploadMode mode)
        : run_(run),
          client_(client),
          key_(std::move(key)),
          name_(std::move(name)),
          encryption_(std::move(encryption)),
          mode_(mode) {}
    ~S3Upload() override {
        if (!upload_id_.empty()) abort();
    }

    Result<void> write(RunContext& run, std::string_view bytes) override {
        TRY(failpoint("object_store.write"));
        while (!bytes.empty()) {
            const uint64_t part_bytes = kPartBytes << (parts_.size() / kPartsBeforeLarger);
            const size_t taken = std::min<size_t>(bytes.size(), part_bytes - part_.size());
            if (part_.size() + taken > part_bytes / 2) part_.reserve(part_bytes);
            part_.append(bytes.substr(0, taken));
            bytes.remove_prefix(taken);
            // A full part waits for more to come: what fits into one is put whole.
            if (part_.size() >= part_bytes && !bytes.empty()) TRY(send_part(run));
        }
        return {};
    }

    Result<void> finish(RunContext& run) override {
        TRY(failpoint("object_store.upload.finish.before"));
        if (upload_id_.empty()) {
            TRY(put_whole(run));
        } else {
            if (!part_.empty()) TRY(send_part(run));
            TRY(complete(run));
            upload_id_.clear();
        }
        return failpoint("object_store.upload.finish.after");
    }

    size_t held_bytes() const override { return part_.capacity(); }

private:
    struct Part {
        std::string etag;  // as it came, with quotes
    };

    Result<void> put_whole(RunContext& run);
    Result<void> begin(RunContext& run);
    Result<void> send_part(RunContext& run);
    Result<void> complete(RunContext& run);
    Result<void> complete_once(RunContext& run, const S3Request& request, bool& failed_before);
    Result<bool> is_complete(RunContext& run);
    std::string expected_etag() const;
    Error exists_already() const {
        return Error(ErrorKind::conflict, "there is an object of that name already: " + name_);
    }
    void abort();

    RunContext& run_;
    S3Client& client_;
    const std::string key_;
    const std::string name_;
    const std::string encryption_;
    const UploadMode mode_;
    std::string part_;
    std::string upload_id_;
    std::vector<Part> parts_;
    uint64_t size_ = 0;
};

HttpHeaders encryption_headers(const std::string& encryption) {
    if (encryption.empty()) return {};
    constexpr std::string_view kWithKey = "aws:kms:";
    if (!encryption.starts_with(kWithKey)) return {{"x-amz-server-side-encryption", encryption}};
    return {{"x-amz-server-side-encryption", "aws:kms"},
            {"x-amz-server-side-encryption-aws-kms-key-id", encryption.substr(kWithKey.size())}};
}

Result<void> S3Upload::put_whole(RunContext& run) {
    S3Request request{.method = "PUT", .key = key_, .headers = encryption_headers(encryption_), .body = part_};
    if (mode_ == UploadMode::create) request.headers.push_back(client_.create_only());
    const auto response = TRY(client_.send_with_retries(run, request));
    if (response.status == 412 && mode_ == UploadMode::create) {
        const auto there = TRY(client_.send_with_retries(run, {.key = key_, .response_bytes_max = UINT32_MAX}));
        if (there.status < 300 && there.text() == part_) return {};  // it was this one's
        return exists_already();
    }
    if (response.status >= 300) return client_.error_of(run, client_.make_request(request), response);
    return {};
}

Result<void> S3Upload::begin(RunContext& run) {
    if (mode_ == UploadMode::create && !client_.creates_in_parts()) {
        return Error(ErrorKind::invalid_config,
                     "object cannot be created only if there is none, in parts: " + name_ + "; write smaller files");
    }
    S3Request request{.method = "POST", .key = key_, .query = {{"uploads", ""}}};
    request.headers = encryption_headers(encryption_);
    const auto response = TRY(client_.send_with_retries(run, request));
    if (response.status >= 300) return client_.error_of(run, client_.make_request(request), response);
    upload_id_ = xml_text(response.text(), "UploadId");
    if (upload_id_.empty()) return Error(ErrorKind::bad_data, "S3 gave no upload id for " + name_);
    return {};
}

Result<void> S3Upload::send_part(RunContext& run) {
    if (upload_id_.empty()) TRY(begin(run));
    if (parts_.size() >= kPartsMax)
        return Error(ErrorKind::exhausted, "object has more than 10000 parts: " + name_ + "; write smaller files");
    S3Request request{.method = "PUT", .key = key_, .body = part_};
    request.query = {{"partNumber", std::to_string(parts_.size() + 1)}, {"uploadId", upload_id_}};
    const auto response = TRY(client_.send_with_retries(run, request));
    if (response.status >= 300) return client_.error_of(run, client_.make_request(request), response);
    const auto etag = response.header("ETag");
    if (etag.empty()) return Error(ErrorKind::bad_data, "S3 gave no ETag for a part of " + name_);
    parts_.push_back({std::string(etag)});
    size_ += part_.size();
    part_.clear();
    return {};
}

Result<void> S3Upload::complete(RunContext& run) {
    // Servers that heed no condition on the end of an upload are many: this tells what was there a moment ago.
    if (mode_ == UploadMode::create) {
        const auto there = TRY(client_.send_with_retries(run, {.method = "HEAD", .key = key_}));
        if (there.status < 300) return exists_already();
    }
    std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (size_t i = 0; i < parts_.size(); ++i) {
        body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + xml_escape(parts_[i].etag) +
                "</ETag></Part>";
    }
    body += "</CompleteMultipartUpload>";
    S3Request request{.method = "POST", .key = key_, .query = {{"uploadId", upload_id_}}, .body = body};
    request.headers = {{"Content-Type", "application/xml"}};
    if (mode_ == UploadMode::create) request.headers.push_back(client_.create_only());
    bool failed_before = false;
    return with_retries(run, client_.retry_policy(), [&] { return complete_once(run, request, failed_before); });
}

Result<void> S3Upload::complete_once(RunContext& run, const S3Request& request, bool& failed_before) {
    auto answer = client_.send(run, request);
    if (!answer.ok()) {
        failed_before = true;
        return answer.release_error();
    }
    const HttpResponse& response = answer.value();
    // S3 sends 200 at once, spaces while it works, and what came of it, maybe an error, at the end.
    const auto root = xml_root(response.text());
    if (response.status < 300 && root == "CompleteMultipartUploadResult") return {};
    const std::string code = xml_text(response.text(), "Code");
    const bool is_taken = mode_ == UploadMode::create && (response.status == 412 || code == "PreconditionFailed");
    if ((is_taken || code == "NoSuchUpload") && failed_before && TRY(is_complete(run))) return {};
    if (is_taken) return exists_already();
    if (root != "Error") {
        failed_before = true;
        return Error(ErrorKind::unavailable, "answer to the end of an upload was cut short: " + name_);
    }
    if (response.status < 300) failed_before = true;
    return client_.error_of_code(run, code, xml_text(response.text(), "Message"), client_.make_request(request),
                                 response);
}

// Whether the object is the one of these parts: S3 names it by the MD5 of the parts' MD5s.
Result<bool> S3Upload::is_complete(RunContext& run) {
    const auto response = TRY(client_.send_with_retries(run, {.method = "HEAD", .key = key_}));
    if (response.status >= 300) return false;
    const std::string etag = without_quotes(response.header("ETag"));
    const auto size = std::strtoull(std::string(response.header("Content-Length")).c_str(), nullptr, 10);
    return size == size_ && (etag == expected_etag() || !client_.tells_parts_by_etag());
}

std::string S3Upload::expected_etag() const {
    std::string digests;
    for (const Part& part : parts_) digests += from_hex(without_quotes(part.etag)).value_or("");
    return to_hex(md5(digests)) + "-" + std::to_string(parts_.size());
}

// One try, even when the run was canceled: what stays behind is found by remove_unfinished.
void S3Upload::abort() {
    const Cancellation not_canceled;
    RunContext run{run_.clock, not_canceled, run_.http, run_.databases, run_.events, run_.shared, run_.rates};
    auto request = S3Request{.method = "DELETE", .key = key_, .query = {{"uploadId", upload_id_}}};
    static_cast<void>(client_.send(run, request));
}

class S3ObjectStore final : public ObjectStore {
public:
    S3ObjectStore(std::unique_ptr<S3Client> client, std::string encryption)
        : client_(std::move(client)), encryption_(std::move(encryption)) {}

    std::string name_of(std::string_view key) const override {
        return std::string(client_->scheme()) + client_->bucket() + "/" + client_->prefix() + std::string(key);
    }
    std::string local_path(std::string_view) const override { return {}; }

    Result<std::optional<ObjectInfo>> head(RunContext& run, std::string_view key) override {
        TRY(check_object_key(key));
        const auto response = TRY(client_->send_with_retries(run, {.method = "HEAD", .key = whole_key(key)}));
        if (response.status == 404) return std::nullopt;
        ObjectInfo info;
        info.key = key;
        info.size = std::strtoull(std::string(response.header("Content-Length")).c_str(), nullptr, 10);
        info.etag = without_quotes(response.header("ETag"));
        info.modified = parse_last_modified(response.header("Last-Modified"));
        return info;
    }

    Result<BufferPtr> get(RunContext& run, std::string_view key) override {
        TRY(check_object_key(key));
        const auto response =
            TRY(client_->send_with_retries(run, {.key = whole_key(key), .response_bytes_max = UINT32_MAX}));
        return response.status == 404 ? BufferPtr() : response.body;
    }

    Result<std::unique_ptr<ObjectReader>> open(RunContext& run, std::string_view key) override {
        auto info = TRY(head(run, key));
        if (!info) return std::unique_ptr<ObjectReader>();
        return std::make_unique<S3Reader>(*client_, std::move(*info), whole_key(key), name_of(key));
    }

    Result<void> list(RunContext& run, std::string_view prefix, const ListPage& each) override;
    Result<void> put(RunContext& run, std::string_view key, std::string_view bytes) override;
    Result<bool> put_if_absent(RunContext& run, std::string_view key, std::string_view bytes) override;

    using ObjectStore::start_upload;
    Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext& run, std::string_view key,
                                                       UploadMode mode) override {
        TRY(check_object_key(key));
        return std::make_unique<S3Upload>(run, *client_, whole_key(key), name_of(key), encryption_, mode);
    }

    Result<void> remove(RunContext& run, std::string_view key) override {
        TRY(check_object_key(key));
        TRY(client_->send_with_retries(run, {.method = "DELETE", .key = whole_key(key)}));
        return {};
    }

    Result<int64_t> remove_unfinished(RunContext& run, std::string_view prefix, Timestamp begun_before) override;

private:
    std::string whole_key(std::string_view key) const { return client_->prefix() + std::string(key); }
    ObjectInfo info_of(std::string_view contents) const;
    Result<bool> holds(RunContext& run, std::string_view key, std::string_view bytes);

    const std::unique_ptr<S3Client> client_;
    const std::string encryption_;
};

ObjectInfo S3ObjectStore::info_of(std::string_view contents) const {
    ObjectInfo info;
    info.key = decode_key(xml_text(contents, "Key")).substr(client_->prefix().size());
    info.size = std::strtoull(xml_text(contents, "Size").c_str(), nullptr, 10);
    info.etag = without_quotes(xml_text(contents, "ETag"));
    info.modified = parse_time(xml_text(contents, "LastModified"));
    return info;
}

Result<void> S3ObjectStore::list(RunContext& run, std::string_view prefix, const ListPage& each) {
    S3Request request;
    std::string token;
    for (;;) {
        request.query = {
            {"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", "1000"}, {"prefix", whole_key(prefix)}};
        if (!token.empty()) request.query.emplace_back("continuation-token", token);
        const auto response = TRY(client_->send_with_retries(run, request));
        const auto xml = response.text();
        if (xml_root(xml) != "ListBucketResult")
            return Error(ErrorKind::bad_data, "S3 list is not a list: " + name_of(prefix) + "; check the endpoint");
        std::vector<ObjectInfo> page;
        for (const auto contents : xml_elements(xml, "Contents")) {
            page.push_back(info_of(contents));
            if (page.back().key.empty() || page.back().key.ends_with('/')) page.pop_back();  // a console's "folder"
        }
        if (!page.empty()) TRY(each(page));
        if (xml_text(xml, "IsTruncated") != "true") return {};
        std::string next = xml_text(xml, "NextContinuationToken");
        if (next.empty() || next == token)
            return Error(ErrorKind::bad_data, "S3 list does not go on: " + name_of(prefix) +
                                                  "; it says there is more, but gives no new token");
        token = std::move(next);
    }
}

Result<void> S3ObjectStore::put(RunContext& run, std::string_view key, std::string_view bytes) {
    TRY(check_object_key(key));
    TRY(failpoint("object_store.put.before"));
    const S3Request request{
        .method = "PUT", .key = whole_key(key), .headers = encryption_headers(encryption_), .body = bytes};
    const auto response = TRY(client_->send_with_retries(run, request));
    if (response.status >= 300) return client_->error_of(run, client_->make_request(request), response);
    return failpoint("object_store.put.after");
}

Result<bool> S3ObjectStore::put_if_absent(RunContext& run, std::string_view key, std::string_view bytes) {
    TRY(check_object_key(key));
    TRY(failpoint("object_store.put.before"));
    S3Request request{
        .method = "PUT", .key = whole_key(key), .headers = encryption_headers(encryption_), .body = bytes};
    request.headers.push_back(client_->create_only());
    const auto response = TRY(client_->send_with_retries(run, request));
    if (response.status == 404) return client_->error_of(run, client_->make_request(request), response);
    // Maybe by this request itself: libcurl sends again, and does not tell, what got no answer on a connection that it
    // had used before.
    if (response.status == 412) return holds(run, key, bytes);
    TRY(failpoint("object_store.put.after"));
    return true;
}

Result<bool> S3ObjectStore::holds(RunContext& run, std::string_view key, std::string_view bytes) {
    const BufferPtr there = TRY(get(run, key));
    return there != nullptr && there->view() == bytes;
}

Result<int64_t> S3ObjectStore::remove_unfinished(RunContext& run, std::string_view prefix, Timestamp begun_before) {
    int64_t count = 0;
    QueryParams marker;
    for (;;) {
        S3Request request{.query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", whole_key(prefix)}}};
        request.query.insert(request.query.end(), marker.begin(), marker.end());
        const auto response = TRY(client_->send_with_retries(run, request));
        const auto xml = response.text();
        for (const auto upload : xml_elements(xml, "Upload")) {
            if (parse_time(xml_text(upload, "Initiated")) >= begun_before) continue;
            const S3Request abort{.method = "DELETE",
                                  .key = decode_key(xml_text(upload, "Key")),
                                  .query = {{"uploadId", xml_text(upload, "UploadId")}}};
            TRY(client_->send_with_retries(run, abort));
            if (++count >= kAbortsMax) return count;
        }
        if (xml_text(xml, "IsTruncated") != "true") return count;
        QueryParams next = {{"key-marker", decode_key(xml_text(xml, "NextKeyMarker"))},
                            {"upload-id-marker", xml_text(xml, "NextUploadIdMarker")}};
        if (next == marker) return count;
        marker = std::move(next);
    }
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> make_s3_object_store(const ObjectStoreSettings& settings) {
    auto client = TRY(S3Client::create(settings));
    return std::unique_ptr<ObjectStore>(std::make_unique<S3ObjectStore>(std::move(client), settings.encryption));
}

}  // namespace shaduf
