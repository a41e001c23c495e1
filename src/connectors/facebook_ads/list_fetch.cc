#include "connectors/facebook_ads/list_fetch.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "connectors/facebook_ads/page.h"
#include "data/batch.h"

namespace shaduf::facebook {
namespace {

// More at once is refused for some statuses.
constexpr size_t kStatusesAtOnce = 3;

// What each call asks for, so that all together have every object once; an empty one is a call without a filter.
std::vector<std::vector<std::string>> status_groups(const ListSettings& list) {
    if (list.traits->prefix.empty()) return {{}};
    // A call without a filter gets all that are neither.
    if (list.statuses.empty()) return {{}, {"DELETED", "ARCHIVED"}};
    std::vector<std::vector<std::string>> groups;
    for (size_t i = 0; i < list.statuses.size(); ++i) {
        if (i % kStatusesAtOnce == 0) groups.emplace_back();
        groups.back().push_back(list.statuses[i]);
    }
    return groups;
}

std::string filtering(const ListSettings& list, const std::vector<std::string>& statuses, int64_t changed_after) {
    const std::string prefix(list.traits->prefix);
    std::string json;
    if (changed_after > 0)
        json = R"({"field":")" + prefix + R"(.updated_time","operator":"GREATER_THAN","value":)" +
               std::to_string(changed_after) + "}";
    if (!statuses.empty()) {
        if (!json.empty()) json += ',';
        json += R"({"field":")" + prefix + R"(.effective_status","operator":"IN","value":[)";
        for (size_t i = 0; i < statuses.size(); ++i) {
            if (i > 0) json += ',';
            append_json_string(statuses[i], json);
        }
        json += "]}";
    }
    return json.empty() ? "" : "[" + json + "]";
}

// The latest change on a page, in seconds since 1970; at least `latest`.
Result<int64_t> latest_change(const BufferPtr& body, int64_t latest) {
    for (const RawRows::Span& record : TRY(find_records(body->view()))) {
        const auto time = parse_timestamp(find_text(body->view().substr(record.offset, record.length), "updated_time"));
        if (time) latest = std::max(latest, time->microseconds / 1'000'000);
    }
    return latest;
}

int64_t seconds(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count(); }

Result<QueryParams> day_params(const ads::Slice& slice) {
    const ads::Zone zone = TRY(ads::Zone::find(slice.account.time_zone));
    return QueryParams{{"since", std::to_string(seconds(zone.start_of(slice.days->first)))},
                       {"until", std::to_string(seconds(zone.start_of(slice.days->last + std::chrono::days(1))))}};
}

}  // namespace

Result<void> fetch_list(RunContext& run, const Api& api, const StreamSettings& stream, bool only_changes,
                        const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) {
    const ListSettings& list = *stream.list;
    const std::string fields = join(list.fields, ",");
    const std::string node = "/act_" + slice.account.id;
    if (list.traits->kind == ListKind::accounts) {
        const HttpResponse response = TRY(api.get_one(run, slice.account.id, node, {{"fields", fields}}));
        return out.give(run, ads::Page{response.body, ""});
    }
    const std::string memory_key = "limit:" + slice.account.id + ":" + stream.name;
    PageLimit limit{list.limit};
    const std::string remembered = memory.get(memory_key);
    std::from_chars(remembered.data(), remembered.data() + remembered.size(), limit.now);
    limit.now = std::clamp(limit.now, std::min(PageLimit::kMin, list.limit), list.limit);

    int64_t cursor = 0;
    if (only_changes) std::from_chars(slice.cursor.data(), slice.cursor.data() + slice.cursor.size(), cursor);
    int64_t latest = cursor;
    const int64_t limit_before = limit.now;
    for (const auto& statuses : status_groups(list)) {
        QueryParams params{{"fields", fields}};
        const std::string filter = filtering(list, statuses, cursor - 1);
        if (!filter.empty()) params.emplace_back("filtering", filter);
        if (list.traits->kind == ListKind::activities) {
            for (auto& param : TRY(day_params(slice))) params.push_back(std::move(param));
        }
        TRY(read_pages(run, api, slice.account.id, node + "/" + std::string(list.traits->edge), params,
                       OnTooLarge::shrink_pages, limit, [&](const BufferPtr& body) -> Result<void> {
                           if (only_changes) latest = TRY(latest_change(body, latest));
                           return out.give(run, ads::Page{body, ""});
                       }));
    }
    if (limit.now != limit_before) memory.set(memory_key, std::to_string(limit.now));
    if (only_changes && latest > 0) out.set_cursor(std::to_string(latest));
    return {};
}

}  // namespace shaduf::facebook
