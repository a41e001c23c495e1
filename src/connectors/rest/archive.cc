#include "connectors/rest/archive.h"

#include <zstd.h>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "io/url.h"

namespace shaduf::rest {
namespace {

constexpr uint32_t kSkippableFrame = 0x184D2A50;  // the format's first magic number of its kind
constexpr int kLevel = 3;

void append_little_endian(std::string& bytes, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
}

// A stream's name as one part of a key.
std::string folder_of(const std::string& stream) {
    std::string name = percent_encode(stream);
    return name.starts_with('.') ? "_" + name : name;
}

}  // namespace

Result<std::unique_ptr<Archive>> Archive::create(const ArchiveSettings& settings) {
    if (!settings.store) return std::unique_ptr<Archive>();
    auto store = TRY(open_object_store(*settings.store));
    return std::unique_ptr<Archive>(new Archive(std::move(store), settings.retention));
}

Result<void> Archive::keep(RunContext& run, const std::string& stream, const HttpRequest& request,
                           const HttpResponse& response) {
    const nlohmann::json head = {{"request", request.method + " " + printable_url(request.url, request.secret_params)},
                                 {"status", response.status}};
    const std::string head_text = head.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string object;
    append_little_endian(object, kSkippableFrame);
    append_little_endian(object, static_cast<uint32_t>(head_text.size()));
    object += head_text;
    const size_t head_bytes = object.size();
    object.resize(head_bytes + ZSTD_compressBound(response.body->size()));
    const size_t packed = ZSTD_compress(object.data() + head_bytes, object.size() - head_bytes, response.body->data(),
                                        response.body->size(), kLevel);
    if (ZSTD_isError(packed))
        return Error(ErrorKind::internal, "zstd failed: " + std::string(ZSTD_getErrorName(packed)));
    object.resize(head_bytes + packed);

    const std::string time = format_timestamp(run.clock.now());  // 2026-01-02T03:04:05.000006Z
    const std::string key = folder_of(stream) + "/" + time.substr(0, 10) + "/" + percent_encode(time.substr(11)) + "-" +
                            std::to_string(count_.fetch_add(1)) + ".json.zst";
    return store_->put(run, key, object);
}

Result<void> Archive::remove_old(RunContext& run, const std::string& stream) {
    if (retention_.count() == 0) return {};
    const Timestamp oldest = run.clock.now() - retention_;
    std::vector<std::string> old;
    TRY(store_->list(run, folder_of(stream) + "/", [&](std::span<const ObjectInfo> objects) -> Result<void> {
        old.clear();
        for (const auto& object : objects) {
            if (object.modified < oldest) old.push_back(object.key);
        }
        for (const auto& key : old) TRY(store_->remove(run, key));
        return {};
    }));
    return {};
}

}  // namespace shaduf::rest
