#include "server/project/stream_history.h"

#include <filesystem>

namespace shaduf::server {
namespace {

Result<std::unique_ptr<MetaStore>> open(const ServeContext& serve) {
    const std::string path = serve.folder + "/.shaduf/meta.db";
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return std::unique_ptr<MetaStore>();
    return MetaStore::open(path);
}

}  // namespace

Result<std::vector<StreamRecord>> latest_of_streams(const ServeContext& serve) {
    const auto store = TRY(open(serve));
    if (store == nullptr) return std::vector<StreamRecord>();
    return store->latest_of_each_stream();
}

Result<std::vector<StreamRecord>> recent_of_streams(const ServeContext& serve, int64_t limit) {
    const auto store = TRY(open(serve));
    if (store == nullptr) return std::vector<StreamRecord>();
    return store->recent(limit);
}

}  // namespace shaduf::server
