#include "connectors/ads/window.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace shaduf::ads {
namespace {

using std::chrono::days;
using Json = nlohmann::json;

constexpr int kVersion = 1;

Json to_json(const DaySet& set) {
    Json list = Json::array();
    for (const DayRange& range : set.ranges()) list.push_back({format_day(range.first), format_day(range.last)});
    return list;
}

DaySet days_of(const Json& object, const char* key) {
    DaySet set;
    for (const Json& range : object.value(key, Json::array())) {
        const auto first = parse_day(range.at(0).get_ref<const std::string&>());
        const auto last = parse_day(range.at(1).get_ref<const std::string&>());
        if (!first || !last || *last < *first) throw Json::other_error::create(501, "no range of days", &range);
        set.add({*first, *last});
    }
    return set;
}

Position position_of(const Json& json) {
    Position position;
    if (json.at("v") != kVersion) throw Json::other_error::create(501, "another version", &json);
    if (json.contains("begun")) {
        const auto begun = parse_timestamp(json["begun"].get_ref<const std::string&>());
        if (!begun) throw Json::other_error::create(501, "no time", &json);
        position.begun = Timestamp(std::chrono::microseconds(begun->microseconds));
    }
    for (const Json& entry : json.value("accounts", Json::array())) {
        AccountPosition& account = position.accounts[{entry.at("account"), entry.value("part", "")}];
        account.settled = days_of(entry, "settled");
        account.done = days_of(entry, "done");
        account.is_done = entry.value("is_done", false);
        account.cursor = entry.value("cursor", "");
    }
    position.memory = json.value("memory", std::map<std::string, std::string>());
    return position;
}

days lookback_of(const SourceSettings& settings) { return std::chrono::ceil<days>(settings.lookback); }

// The last day of an account whose numbers no longer change at the time of the load.
Day last_settled(Day today, const SourceSettings& settings) { return today - lookback_of(settings) - days(1); }

Result<Day> first_day(const SourceSettings& settings, const StreamPlan& plan, Day today) {
    Day first = today;
    if (const auto day = parse_day(settings.since)) {
        first = *day;
    } else if (const auto ago = parse_duration(settings.since)) {
        first = today - std::chrono::ceil<days>(*ago);
    } else {
        return Error(ErrorKind::invalid_config, "since: no day and no duration: " + settings.since);
    }
    if (plan.retention_days) first = std::max(first, today - days(*plan.retention_days));
    return first;
}

// Cuts days into slices, the newest first.
void cut(DayRange range, int64_t most, const Slice& like, std::vector<Slice>& slices) {
    for (Day last = range.last; last >= range.first;) {
        const Day first = std::max(range.first, last - days(most - 1));
        slices.push_back(like);
        slices.back().days = DayRange{first, last};
        last = first - days(1);
    }
}

Result<void> plan_days(const StreamPlan& plan, const SourceSettings& settings, const AccountPosition& position,
                       Timestamp begun, const Slice& like, std::vector<Slice>& slices) {
    const Day today = TRY(Zone::find(like.account.time_zone)).day_of(begun);
    const Day first = TRY(first_day(settings, plan, today));
    const Day old = last_settled(today, settings);
    const int64_t recent_days = settings.slice_days > 0 ? settings.slice_days : plan.slice_days;
    const int64_t history_days = settings.slice_days > 0 ? settings.slice_days : plan.history_days;
    DaySet have = position.settled;
    for (const DayRange& range : position.done.ranges()) have.add(range);
    if (first > today) return {};
    const auto missing = have.missing({first, today});
    for (auto range = missing.rbegin(); range != missing.rend(); ++range) {
        if (range->last > old) cut({std::max(range->first, old + days(1)), range->last}, recent_days, like, slices);
        if (range->first <= old) cut({range->first, std::min(range->last, old)}, history_days, like, slices);
    }
    return {};
}

}  // namespace

void DaySet::add(DayRange range) {
    std::vector<DayRange> ranges;
    for (const DayRange& have : ranges_) {
        if (have.last + days(1) < range.first || range.last + days(1) < have.first) {
            ranges.push_back(have);
        } else {
            range = {std::min(range.first, have.first), std::max(range.last, have.last)};
        }
    }
    const auto behind =
        std::find_if(ranges.begin(), ranges.end(), [&](const DayRange& have) { return have.first > range.first; });
    ranges.insert(behind, range);
    ranges_ = std::move(ranges);
}

std::vector<DayRange> DaySet::missing(DayRange within) const {
    std::vector<DayRange> missing;
    Day next = within.first;
    for (const DayRange& have : ranges_) {
        if (have.last < next) continue;
        if (have.first > within.last) break;
        if (have.first > next) missing.push_back({next, have.first - days(1)});
        next = have.last + days(1);
    }
    if (next <= within.last) missing.push_back({next, within.last});
    return missing;
}

Result<Position> parse_position(const Checkpoint& checkpoint) {
    try {
        return position_of(Json::parse(checkpoint.value()));
    } catch (const Json::exception&) {
        return Error(ErrorKind::invalid_config, "checkpoint is none of version " + std::to_string(kVersion) +
                                                    " of an advertising stream: " + checkpoint.value().substr(0, 100) +
                                                    "; reset the stream's state to read it anew");
    }
}

Checkpoint to_checkpoint(const Position& position) {
    Json json = {{"v", kVersion}};
    if (position.begun) json["begun"] = format_timestamp(*position.begun);
    Json accounts = Json::array();
    for (const auto& [key, account] : position.accounts) {
        Json entry = {{"account", key.first}};
        if (!key.second.empty()) entry["part"] = key.second;
        if (!account.settled.ranges().empty()) entry["settled"] = to_json(account.settled);
        if (!account.done.ranges().empty()) entry["done"] = to_json(account.done);
        if (account.is_done) entry["is_done"] = true;
        if (!account.cursor.empty()) entry["cursor"] = account.cursor;
        accounts.push_back(std::move(entry));
    }
    json["accounts"] = std::move(accounts);
    if (!position.memory.empty()) json["memory"] = position.memory;
    return Checkpoint(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<std::vector<Slice>> plan_slices(SliceKind kind, const StreamPlan& plan, const SourceSettings& settings,
                                       const Position& position) {
    std::vector<Slice> slices;
    for (const Account& account : plan.accounts) {
        for (const std::string& part : plan.parts) {
            const auto found = position.accounts.find({account.id, part});
            const AccountPosition at = found == position.accounts.end() ? AccountPosition() : found->second;
            const Slice like{account, part, std::nullopt, at.cursor};
            if (kind == SliceKind::by_day) {
                TRY(plan_days(plan, settings, at, *position.begun, like, slices));
            } else if (!at.is_done) {
                slices.push_back(like);
            }
        }
    }
    std::stable_sort(slices.begin(), slices.end(),
                     [](const Slice& a, const Slice& b) { return a.days && b.days && a.days->last > b.days->last; });
    return slices;
}

Result<void> finish_slice(SliceKind kind, const SourceSettings& settings, const Slice& slice, Position& position) {
    AccountPosition& account = position.accounts[{slice.account.id, slice.part}];
    if (kind != SliceKind::by_day) {
        account.is_done = true;
        account.cursor = slice.cursor;
        return {};
    }
    account.done.add(*slice.days);
    const Day today = TRY(Zone::find(slice.account.time_zone)).day_of(*position.begun);
    const Day old = last_settled(today, settings);
    if (slice.days->first <= old) account.settled.add({slice.days->first, std::min(slice.days->last, old)});
    return {};
}

void finish_load(Position& position) {
    position.begun.reset();
    for (auto& [key, account] : position.accounts) {
        account.done = {};
        account.is_done = false;
    }
}

}  // namespace shaduf::ads
