#include <algorithm>

#include "base/json_writer.h"
#include "base/time.h"
#include "server/answers.h"
#include "server/audit_log.h"
#include "server/endpoint.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

constexpr int64_t kPageMax = 1'000;

constexpr ShapeField kEntryFields[] = {
    {"number", &kInteger, "From 1, without a gap."},
    {"at", &kTime},
    {"actor", &kText},
    {"action", &kText},
    {"target", &kText},
    {"detail", &kText},
    {"address", &kText, "Of the client; empty for the command line."},
    {"hash", &kText},
};
constexpr Shape kEntry{.kind = ShapeKind::object, .name = "AuditEntry", .fields = kEntryFields};

constexpr ShapeField kVerdictFields[] = {
    {"ok", &kBoolean},
    {"lines", &kInteger, "How many lines hold."},
    {"broken_at", &kInteger, "The first line that does not.", true},
    {"what", &kText, "What is wrong with it.", true},
};
constexpr Shape kVerdict{.kind = ShapeKind::object, .name = "AuditVerdict", .fields = kVerdictFields};

constexpr QueryParamSpec kListQuery[] = {
    {"actor", &kText, "Only this actor's."},
    {"action", &kText, "Only actions that begin so."},
    {"since", &kTime, "Only from then on."},
    {"limit", &kInteger, "At most so many; at most 1000.", "100"},
    {"after", &kText, "The cursor of the page before."},
};

Result<ApiAnswer> list(ApiCall& call) {
    AuditFilter filter;
    filter.actor = call.query("actor");
    filter.action = call.query("action");
    if (const auto since = parse_timestamp(call.query("since"))) {
        filter.since = Timestamp(std::chrono::microseconds(since->microseconds));
    }
    filter.limit = static_cast<size_t>(std::clamp<int64_t>(call.query_integer("limit"), 1, kPageMax));
    filter.before = call.query_integer("after");
    const auto entries = TRY(call.serve.audit.list(filter));
    JsonWriter json;
    json.begin_object().key("items").begin_array();
    for (const AuditEntry& entry : entries) {
        json.begin_object().field("number", entry.number).field("at", format_timestamp(entry.at));
        json.field("actor", entry.actor).field("action", entry.action).field("target", entry.target);
        json.field("detail", entry.detail).field("address", entry.address).field("hash", entry.hash).end_object();
    }
    json.end_array();
    const bool has_more = entries.size() == filter.limit && entries.back().number > 1;
    write_text_or_null(json, "next", has_more ? std::to_string(entries.back().number) : "");
    return ApiAnswer{.body = json.end_object().str()};
}

Result<ApiAnswer> verify(ApiCall& call) {
    const auto verdict = TRY(call.serve.audit.verify());
    JsonWriter json;
    json.begin_object();
    write_flag(json, "ok", !verdict.broken_at);
    json.field("lines", verdict.lines).key("broken_at");
    if (verdict.broken_at) {
        json.integer(*verdict.broken_at);
    } else {
        json.null();
    }
    write_text_or_null(json, "what", verdict.what);
    return ApiAnswer{.body = json.end_object().str()};
}

constexpr EndpointSpec kEndpoints[] = {
    {.method = "GET",
     .path = "/api/v1/audit",
     .id = "listAudit",
     .summary = "Who changed what and who signed in, newest first.",
     .role = Role::admin,
     .query = kListQuery,
     .response = &kPageOf<kEntry>,
     .handle = list},
    {.method = "GET",
     .path = "/api/v1/audit/verify",
     .id = "verifyAudit",
     .summary = "Whether the chain of hashes holds.",
     .role = Role::admin,
     .response = &kVerdict,
     .handle = verify},
};

}  // namespace
}  // namespace shaduf::server

namespace shaduf {

extern const server::ApiSpec api_audit;
const server::ApiSpec api_audit{.name = "audit", .summary = "Who changed what.", .endpoints = server::kEndpoints};

}  // namespace shaduf
