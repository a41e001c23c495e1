#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/run_context.h"
#include "data/buffer.h"

namespace shaduf {

struct ObjectInfo {
    std::string key;
    uint64_t size = 0;
    std::string etag;  // changes whenever the content does; opaque
    Timestamp modified{};
};

// One object as it was when it was opened. Thread-safe.
class ObjectReader {
public:
    virtual ~ObjectReader() = default;
    const ObjectInfo& info() const { return info_; }
    // The bytes from `offset` on; fewer than `length` only at the end of the object. An unavailable error that is
    // permanent when the object has been replaced since it was opened.
    virtual Result<BufferPtr> read_at(RunContext& run, uint64_t offset, uint64_t length) = 0;

protected:
    explicit ObjectReader(ObjectInfo info) : info_(std::move(info)) {}
    ObjectInfo info_;
};

enum class UploadMode : uint8_t {
    replace,
    // `finish` is a conflict when there is an object of that name by then, which stays. Where the server cannot tell
    // (an object in parts, of Google Cloud Storage), `finish` is invalid_config.
    create,
};

// A new object that comes in pieces. Nobody sees it, nor is an older one of its name touched, before `finish` has
// succeeded; then it is durable. Going away without `finish` throws it away. One thread at a time.
class ObjectUpload {
public:
    virtual ~ObjectUpload() = default;
    virtual Result<void> write(RunContext& run, std::string_view bytes) = 0;
    // The last call. After an error it is unknown whether the object is there.
    virtual Result<void> finish(RunContext& run) = 0;
    // Memory of bytes that were written and wait to be sent.
    virtual size_t held_bytes() const { return 0; }
};

// Files of a folder or objects of a bucket, by keys relative to the place that was opened ("a/b.parquet": no leading
// "/", no ".." part). Requests that are safe to repeat are retried inside. Thread-safe. Errors: invalid_config for a
// place or key that cannot be, auth for missing rights, exhausted for a full disk or quota, unavailable for the rest.
class ObjectStore {
public:
    virtual ~ObjectStore() = default;

    // How messages and manifests call an object: "s3://bucket/prefix/key" or a path.
    virtual std::string name_of(std::string_view key) const = 0;
    // The file that a library may open itself; "" when it is none.
    virtual std::string local_path(std::string_view key) const = 0;

    // nullopt when there is none.
    virtual Result<std::optional<ObjectInfo>> head(RunContext& run, std::string_view key) = 0;
    // The whole object, below 4 GiB; nullptr when there is none.
    virtual Result<BufferPtr> get(RunContext& run, std::string_view key) = 0;
    // nullptr when there is none.
    virtual Result<std::unique_ptr<ObjectReader>> open(RunContext& run, std::string_view key) = 0;
    // Calls `each` with at most 1000 objects at once, in byte order of their keys, whose keys begin with `prefix`.
    using ListPage = std::function<Result<void>(std::span<const ObjectInfo> objects)>;
    virtual Result<void> list(RunContext& run, std::string_view prefix, const ListPage& each) = 0;

    // Creates or replaces, at once and durably.
    virtual Result<void> put(RunContext& run, std::string_view key, std::string_view bytes) = 0;
    // Creates; false when there is one already, whose content stays. Of two writers at once exactly one gets true. When
    // an answer was lost, an object of the very same bytes counts as created.
    virtual Result<bool> put_if_absent(RunContext& run, std::string_view key, std::string_view bytes) = 0;
    // `run` outlives the upload.
    virtual Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext& run, std::string_view key,
                                                               UploadMode mode) = 0;
    Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext& run, std::string_view key) {
        return start_upload(run, key, UploadMode::replace);
    }
    // That there was none is no error.
    virtual Result<void> remove(RunContext& run, std::string_view key) = 0;
    // Throws away what uploads under `prefix`, begun before `begun_before`, have left behind when their process died.
    // Returns how many it was; where each takes a request, they are a thousand at most.
    virtual Result<int64_t> remove_unfinished(RunContext& run, std::string_view prefix, Timestamp begun_before) = 0;
};

struct ObjectStoreSettings {
    enum class Addressing : uint8_t { automatic, path, virtual_host };  // of a bucket: /bucket/key or bucket.host/key

    // "s3://bucket/prefix", "gs://bucket/prefix", or the path of a folder (created when something is put)
    std::string url;
    std::string endpoint;    // of a server that is not AWS's or Google's: "http://127.0.0.1:9000"
    std::string region;      // "" is us-east-1; of gs:// auto
    std::string access_key;  // "" sends unsigned requests
    std::string secret_key;
    std::string session_token;
    Addressing addressing = Addressing::automatic;  // by path for a custom endpoint or a bucket with dots
    std::string encryption;  // "" (the bucket's default), "AES256", "aws:kms" or "aws:kms:<key id>"
};

// invalid_config for a URL that is neither; nothing is asked of the server.
Result<std::unique_ptr<ObjectStore>> open_object_store(const ObjectStoreSettings& settings);

// The implementations, for open_object_store and tests.
std::unique_ptr<ObjectStore> make_local_object_store(std::string folder);
Result<std::unique_ptr<ObjectStore>> make_s3_object_store(const ObjectStoreSettings& settings);

// invalid_config when a key is empty, begins with "/" or has a part "", "." or "..".
Result<void> check_object_key(std::string_view key);

}  // namespace shaduf
