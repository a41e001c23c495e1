#include "connectors/ads/settings.h"

#include "base/time.h"
#include "config/node.h"

namespace shaduf::ads {
namespace {

constexpr std::chrono::milliseconds kRetention = std::chrono::days(90);
constexpr int64_t kSlicesAtOnceMax = 64;

Result<ArchiveSettings> read_archive(const Options& connection) {
    const Node& node = connection.node("archive");
    ArchiveSettings archive;
    archive.store.url = ".shaduf/archive";
    archive.retention = kRetention;
    if (node.is_scalar()) {
        const auto retention = parse_duration(node.text());
        if (!retention || retention->count() <= 0)
            return connection.error("archive", "archive: expected a duration such as 90d, or a map: " + node.text());
        archive.retention = *retention;
        return archive;
    }
    Options options;
    const auto errors = Options::create(kArchiveFields, node, {}, options);
    if (!errors.empty()) return errors.front();
    if (options.has("path")) archive.store.url = options.text("path");
    archive.retention = options.duration("retention");
    archive.store.endpoint = options.text("endpoint");
    archive.store.region = options.text("region");
    archive.store.access_key = options.text("access_key");
    archive.store.secret_key = options.text("secret_key");
    archive.store.session_token = options.text("session_token");
    return archive;
}

}  // namespace

Result<SourceSettings> read_settings(const Options& connection, const StreamRequest& request, bool has_days) {
    SourceSettings settings;
    settings.connection = request.connection;
    settings.stream = request.stream;
    settings.mode = request.mode;
    if (request.mode != ReadMode::full_refresh && request.mode != ReadMode::incremental)
        return Error(ErrorKind::invalid_config,
                     "streams of advertising APIs are read by mode incremental or full_refresh only");
    if (connection.has("archive")) settings.archive = TRY(read_archive(connection));
    settings.slices_at_once = connection.integer("concurrency");
    if (settings.slices_at_once < 1 || settings.slices_at_once > kSlicesAtOnceMax)
        return connection.error("concurrency", "expected 1 to " + std::to_string(kSlicesAtOnceMax));
    if (!has_days) return settings;
    const Options& stream = request.options;
    settings.since = stream.text("since");
    if (!parse_day(settings.since) && !parse_duration(settings.since))
        return stream.error("since",
                            "since: expected a day such as 2025-01-01, or a duration such as 365d: " + settings.since);
    settings.lookback = stream.duration("lookback");
    settings.slice_days = stream.integer("slice_days");
    if (stream.has("slice_days") && settings.slice_days < 1) return stream.error("slice_days", "expected at least 1");
    return settings;
}

void set_timeouts(const Options& connection, HttpRequest& request) {
    request.connect_timeout = connection.duration("connect_timeout");
    request.idle_timeout = connection.duration("idle_timeout");
}

}  // namespace shaduf::ads
