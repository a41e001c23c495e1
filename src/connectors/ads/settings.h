#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "base/retry.h"
#include "config/options.h"
#include "connectors/ads/slice.h"
#include "connectors/connector.h"
#include "io/http.h"
#include "io/object_store.h"

// The options that all advertising sources share.
namespace shaduf::ads {

inline constexpr FieldSpec kArchiveFields[] = {
    {.name = "path",
     .help = "A folder, or s3://bucket/prefix; without one, .shaduf/archive of the project.",
     .example = "s3://acme-archive/ads"},
    {.name = "retention", .type = FieldType::duration, .help = "How long answers are kept.", .default_value = "90d"},
    {.name = "endpoint", .help = "Of an S3 server that is not AWS."},
    {.name = "region", .help = "Of the bucket.", .default_value = "us-east-1"},
    {.name = "access_key", .help = "For S3."},
    {.name = "secret_key", .help = "For S3.", .secret = true},
    {.name = "session_token", .help = "For S3, with temporary keys.", .secret = true},
};

// Of a connection.
inline constexpr std::array<FieldSpec, 4> kConnectionFields{{
    {.name = "archive",
     .type = FieldType::json,
     .help = "How long answers are kept compressed, from which `shaduf replay` loads again without a call: a duration "
             "(90d), or a map of path, retention and the S3 fields; without it, none are kept.",
     .example = "90d"},
    {.name = "concurrency",
     .type = FieldType::integer,
     .help = "Slices of one stream that are fetched at the same time.",
     .default_value = "4"},
    {.name = "connect_timeout",
     .type = FieldType::duration,
     .help = "For a connection to be made.",
     .default_value = "10s"},
    {.name = "idle_timeout",
     .type = FieldType::duration,
     .help = "Without a byte arriving, before a request is given up and tried again.",
     .default_value = "5m"},
}};

// Of a stream that has days.
inline constexpr std::array<FieldSpec, 3> kReportFields{{
    {.name = "since",
     .help = "The first day that is loaded, or how long ago it was: 2025-01-01, 365d. History comes newest days first.",
     .default_value = "90d",
     .example = "2025-01-01"},
    {.name = "lookback",
     .type = FieldType::duration,
     .help = "Days younger than this are fetched again in every load, and replaced as a whole.",
     .default_value = "28d"},
    {.name = "slice_days",
     .type = FieldType::integer,
     .help = "The most days that are asked for at once; without it, the source decides."},
}};

struct ArchiveSettings {
    ObjectStoreSettings store;
    std::chrono::milliseconds retention{0};
};

struct SourceSettings {
    std::string connection;
    std::string stream;
    ReadMode mode = ReadMode::incremental;
    std::optional<ArchiveSettings> archive;  // nullopt: answers are not kept
    int64_t slices_at_once = 4;
    std::string since;  // a day, or a duration; of streams that have days
    std::chrono::milliseconds lookback{0};
    int64_t slice_days = 0;               // 0: the source decides
    uint64_t memory_bytes = 16ULL << 20;  // of pages that wait to be loaded, packed or not
};

// Reads kConnectionFields, and kReportFields where the stream has days.
Result<SourceSettings> read_settings(const Options& connection, const StreamRequest& request, bool has_days);
void set_timeouts(const Options& connection, HttpRequest& request);

}  // namespace shaduf::ads
