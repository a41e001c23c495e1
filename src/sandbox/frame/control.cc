#include "sandbox/frame/control.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/text.h"
#include "base/time.h"
#include "data/csv_writer.h"

namespace shaduf::sandbox {
namespace {

using Json = nlohmann::ordered_json;

HttpServerResponse json_answer(int status, const Json& body) {
    return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump() + "\n"};
}
HttpServerResponse refusal(int status, const std::string& message) { return json_answer(status, {{"error", message}}); }
HttpServerResponse outcome(const Result<void>& result) {
    return result.ok() ? json_answer(200, {{"ok", true}}) : refusal(500, result.error().to_string());
}

Json calls_of(const Controlled& controlled) {
    Json calls = Json::array();
    int64_t total = 0;
    for (const auto& [key, count] : controlled.counts.calls()) {
        total += count.calls;
        calls.push_back({{"platform", key.platform},
                         {"method", key.method},
                         {"route", key.route},
                         {"status", key.status},
                         {"calls", count.calls},
                         {"refused", count.refused}});
    }
    Json ledgers = Json::array();
    for (const auto& host : controlled.hosts) {
        for (const LedgerState& state : host->ledgers().states()) {
            ledgers.push_back({{"platform", host->spec().name},
                               {"key", state.key},
                               {"allowed", state.allowed},
                               {"refused", state.refused},
                               {"allowance", state.allowance == 0 ? Json(nullptr) : Json(state.allowance)}});
        }
    }
    Json faults = Json::object();
    for (const auto& [kind, count] : controlled.counts.faults()) faults[kind] = count;
    return {{"total", total}, {"calls", calls}, {"ledgers", ledgers}, {"faults", faults}};
}

Json described(const PlatformHost& host) {
    Json streams = Json::array();
    for (const TruthStream& stream : host.spec().truth()) {
        Json columns = Json::array();
        for (const Field& field : stream.schema->fields()) {
            columns.push_back({{"name", field.name}, {"type", field.type.to_string()}});
        }
        streams.push_back({{"name", stream.name}, {"key", stream.key}, {"columns", columns}});
    }
    return {{"platform", host.spec().name}, {"streams", streams}};
}

// The rows of a stream, a day at a time where it has days, so that years of them need no memory.
HttpServerResponse truth_rows(const TruthStream& stream, std::shared_ptr<const World> world, DayRange range) {
    HttpServerResponse response{.headers = {{"Content-Type", "text/csv; charset=utf-8"}}};
    response.next_chunk = [stream, world = std::move(world), range, next = range.since,
                           is_begun = false](std::string& out) mutable {
        if (!std::exchange(is_begun, true)) append_csv_header(*stream.schema, out);
        const DayRange part = stream.has_days ? DayRange{next, next} : range;
        if (!stream.has_days || next <= range.until) {
            RecordBatchBuilder rows(stream.schema);
            stream.write(*world, part, rows);
            const RecordBatch batch = rows.finish();
            std::vector<uint32_t> all(batch.rows());
            std::iota(all.begin(), all.end(), 0U);
            append_csv_rows(batch, all, out);
        }
        return stream.has_days && ++next <= range.until;
    };
    return response;
}

Result<int32_t> day_param(const HttpServerRequest& request, std::string_view name, int32_t fallback) {
    if (!request.has_query(name)) return fallback;
    const auto day = parse_date(request.query_value(name));
    if (day) return *day;
    return Error(ErrorKind::invalid_config,
                 std::string(name) + " is not a date: " + std::string(request.query_value(name)) + "; give YYYY-MM-DD");
}

// truth, truth/<platform>, truth/<platform>/<stream>.csv
HttpServerResponse truth(const Controlled& controlled, const HttpServerRequest& request,
                         const std::vector<std::string_view>& parts) {
    if (parts.size() == 1) {
        Json all = Json::array();
        for (const auto& host : controlled.hosts) all.push_back(described(*host));
        return json_answer(200, all);
    }
    for (const auto& host : controlled.hosts) {
        if (host->spec().name != parts[1]) continue;
        if (parts.size() == 2) return json_answer(200, described(*host));
        for (const TruthStream& stream : host->spec().truth()) {
            if (stream.name + ".csv" != parts[2]) continue;
            auto world = host->world();
            const auto since = day_param(request, "since", world->first_day());
            const auto until = day_param(request, "until", world->settings().today + 1);
            for (const auto* day : {&since, &until}) {
                if (!day->ok()) return refusal(400, day->error().message());
            }
            return truth_rows(stream, std::move(world), {since.value(), until.value()});
        }
        return refusal(404,
                       "stream not found: " + std::string(parts[2]) + "; see /_sandbox/truth/" + std::string(parts[1]));
    }
    return refusal(404, "platform not found: " + std::string(parts[1]) + "; see /_sandbox/truth");
}

// Does `change` on one platform when the query names it, else on all.
HttpServerResponse change_hosts(const Controlled& controlled, const HttpServerRequest& request,
                                const std::function<Result<void>(PlatformHost&)>& change) {
    const std::string_view wanted = request.query_value("platform");
    for (const auto& host : controlled.hosts) {
        if (!wanted.empty() && host->spec().name != wanted) continue;
        const auto changed = change(*host);
        if (!changed.ok()) return outcome(changed);
    }
    return outcome({});
}

HttpServerResponse shift_day(const Controlled& controlled, const HttpServerRequest& request) {
    constexpr int32_t kDaysMax = 3650;
    int32_t days = 1;
    const std::string_view text = request.query_value("days");
    if (!text.empty()) {
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), days);
        if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || days < 1 || days > kDaysMax) {
            return refusal(400, "days is not a number from 1 to 3650: " + std::string(text));
        }
    }
    return change_hosts(controlled, request, [days](PlatformHost& host) { return host.shift_days(days); });
}

}  // namespace

HttpServerResponse answer_control(const Controlled& controlled, const HttpServerRequest& request) {
    const auto parts = split(std::string_view(request.path).substr(kControlPrefix.size()), '/');
    const std::string what = request.method + " " + std::string(parts.front());
    if (what == "GET calls") return json_answer(200, calls_of(controlled));
    if (what == "GET truth") return truth(controlled, request, parts);
    if (what == "POST restate") {
        return change_hosts(controlled, request, [](PlatformHost& host) { return host.restate(); });
    }
    if (what == "POST shift-day") return shift_day(controlled, request);
    if (what == "POST reset") {
        controlled.counts.reset();
        controlled.scenario.reset();
        return change_hosts(controlled, request, [](PlatformHost& host) { return host.reset(); });
    }
    return refusal(404,
                   "not found: " + what + "; there are GET calls, GET truth, POST restate, POST shift-day, POST reset");
}

}  // namespace shaduf::sandbox
