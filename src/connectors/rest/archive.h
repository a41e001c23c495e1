#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/rest/settings.h"
#include "io/http.h"
#include "io/object_store.h"

namespace shaduf::rest {

// Keeps answers as they came, each an object "<stream>/<day>/<time>-<number>.json.zst". A skippable frame before the
// body's (zstd leaves it out when it unpacks) holds the request's line and the status as JSON. Thread-safe.
class Archive {
public:
    // nullptr when the connection keeps none.
    static Result<std::unique_ptr<Archive>> create(const ArchiveSettings& settings);

    Result<void> keep(RunContext& run, const std::string& stream, const HttpRequest& request,
                      const HttpResponse& response);
    // Removes what of `stream` is older than the retention.
    Result<void> remove_old(RunContext& run, const std::string& stream);

private:
    Archive(std::unique_ptr<ObjectStore> store, std::chrono::milliseconds retention)
        : store_(std::move(store)), retention_(retention) {}

    const std::unique_ptr<ObjectStore> store_;
    const std::chrono::milliseconds retention_;
    std::atomic<uint64_t> count_{0};
};

}  // namespace shaduf::rest
