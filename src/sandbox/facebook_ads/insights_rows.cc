#include "sandbox/facebook_ads/insights_rows.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "sandbox/facebook_ads/insights_fields.h"
#include "sandbox/facebook_ads/objects.h"

namespace shaduf::sandbox::facebook {
namespace {

// Text of a field of an object above the row.
std::string object_value(const World& world, const Entity& entity, std::string_view field) {
    if (field == "id") return entity.id;
    if (field == "name") return entity.name;
    if (field.ends_with("status")) return std::string(effective_status(world, entity));
    const auto seconds = [](Timestamp moment) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(moment.time_since_epoch()).count());
    };
    if (field == "updated_time") return seconds(entity.updated);
    if (field == "created_time") return seconds(entity.created);
    return {};
}

std::optional<Level> owner_of(std::string_view field) {
    if (field.starts_with("account.")) return Level::account;
    if (field.starts_with("campaign.")) return Level::campaign;
    if (field.starts_with("adset.")) return Level::ad_group;
    if (field.starts_with("ad.")) return Level::ad;
    return std::nullopt;
}

std::string_view without_quotes(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"') return text.substr(1, text.size() - 2);
    return text;
}

}  // namespace

std::string RowPosition::to_string() const {
    return std::to_string(period) + "." + std::to_string(entity) + "." + std::to_string(part);
}

std::optional<RowPosition> RowPosition::parse(std::string_view text) {
    RowPosition position;
    const auto parts = split(text, '.');
    uint32_t* const numbers[] = {&position.period, &position.entity, &position.part};
    if (parts.size() != std::size(numbers)) return std::nullopt;
    for (size_t i = 0; i < parts.size(); ++i) {
        const char* end = parts[i].data() + parts[i].size();
        const auto parsed = std::from_chars(parts[i].data(), end, *numbers[i]);
        if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    }
    return position;
}

std::string_view insights_stream(Level level) {
    switch (level) {
        case Level::account: return "account_insights";
        case Level::campaign: return "campaign_insights";
        case Level::ad_group: return "ad_set_insights";
        case Level::ad: break;
    }
    return "ad_insights";
}

InsightsRows::InsightsRows(const World& world, const InsightsQuery& query, std::vector<FieldChange> changes)
    : world_(world), query_(query), changes_(std::move(changes)), entities_(world.below(*query.entity, query.level)) {
    const int32_t oldest = months_before(world.details(*query.entity).today, kReachMonths);
    for (const DayRange& range : query.ranges) {
        if (!query.breakdowns.empty() && range.since < oldest) has_reach_ = false;
    }
    for (const Breakdown* breakdown : query.breakdowns) has_results_ &= !breakdown->drops_results;
    for (const std::string& name : query.fields) {
        Column column{name, insights_field(name)};
        for (const FieldChange& change : changes_) {
            if (change.field != column.name) continue;
            if (change.kind == FieldChange::Kind::removed) column.write = nullptr;
            if (change.kind == FieldChange::Kind::renamed) column.name = change.value;
        }
        if (column.write != nullptr) columns_.push_back(std::move(column));
    }
}

std::vector<InsightsRow> InsightsRows::rows_of(DayRange period, const Entity& entity) const {
    std::vector<InsightsRow> rows;
    if (query_.breakdowns.empty()) {
        rows.push_back({period, &entity, {}, world_.measure_range(entity, period.since, period.until)});
    } else {
        std::vector<const Dimension*> dimensions;
        for (const Breakdown* breakdown : query_.breakdowns) dimensions.push_back(&breakdown->dimension);
        std::map<std::vector<uint16_t>, Metrics> sums;
        const int64_t coin = world_.details(entity).coin_micros;
        for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i) {
            const Entity& ad = world_.entity(Level::ad, i);
            const int32_t until = std::min({period.until, ad.end_day - 1, world_.details(ad).today});
            for (int32_t day = std::max({period.since, ad.first_day, world_.first_day()}); day <= until; ++day) {
                const Metrics metrics = world_.measure(ad, day);
                if (!metrics.has_delivery()) continue;
                for (const Part& part : break_down(metrics, world_.key_of(ad), dimensions, coin)) {
                    sums[part.shares] += part.metrics;
                }
            }
        }
        for (const auto& [shares, metrics] : sums) rows.push_back({period, &entity, shares, metrics});
    }
    std::erase_if(rows, [&](const InsightsRow& row) { return !row.metrics.has_delivery() || !fits(row); });
    return rows;
}

bool InsightsRows::fits(const InsightsRow& row) const {
    for (const Filter& filter : query_.filters) {
        const auto owner = owner_of(filter.field);
        const std::string_view field = std::string_view(filter.field).substr(owner ? filter.field.find('.') + 1 : 0);
        if (field == "action_type" || field == "delivery_info") continue;  // which choose no rows
        std::string value;
        if (owner && *owner <= row.entity->level) {
            value = object_value(world_, world_.above(*row.entity, *owner), field);
        }
        if (const WriteField write = value.empty() ? insights_field(field) : nullptr) {
            JsonText json;
            write({world_, query_, row, true, true, "v"}, json);
            value = without_quotes(std::string_view(json.str()).substr(std::min<size_t>(4, json.size())));
        }
        if (!filter.fits(value)) return false;
    }
    return true;
}

void InsightsRows::write_row(const InsightsRow& row, JsonText& out) const {
    out.open('{');
    for (const Column& column : columns_) {
        column.write({world_, query_, row, has_reach_, has_results_, column.name}, out);
    }
    out.field("date_start", format_date(row.period.since)).field("date_stop", format_date(row.period.until));
    for (size_t i = 0; i < row.shares.size(); ++i) {
        const Breakdown& breakdown = *query_.breakdowns[i];
        const std::string_view value = breakdown.dimension.shares[row.shares[i]].value;
        out.key(breakdown.name);
        if (breakdown.is_asset) {
            out.open('{').field("id", value).close('}');
        } else {
            out.text(value);
        }
    }
    for (const FieldChange& change : changes_) {
        if (change.kind == FieldChange::Kind::added) out.key(change.field).raw(change.value);
    }
    out.close('}');
}

std::optional<RowPosition> InsightsRows::write_page(RowPosition from, size_t limit, JsonText& out) {
    if (!query_.sort_field.empty()) return write_sorted(from, limit, out);
    const uint32_t count = entities_.second - entities_.first;
    size_t written = 0;
    RowPosition at = from;
    for (; at.period < query_.periods.size(); ++at.period, at.entity = 0) {
        for (; at.entity < count; ++at.entity, at.part = 0) {
            const Entity& entity = world_.entity(query_.level, entities_.first + at.entity);
            const auto rows = rows_of(query_.periods[at.period], entity);
            for (; at.part < rows.size(); ++at.part) {
                // Only here is it known that there is one more.
                if (written == limit) return at;
                write_row(rows[at.part], out);
                ++written;
            }
        }
    }
    return std::nullopt;
}

std::optional<RowPosition> InsightsRows::write_sorted(RowPosition from, size_t limit, JsonText& out) {
    struct Keyed {
        double key;
        InsightsRow row;
    };
    std::vector<Keyed> all;
    const WriteField write_key = insights_field(query_.sort_field);
    for (const DayRange& period : query_.periods) {
        for (uint32_t i = entities_.first; i < entities_.second; ++i) {
            for (InsightsRow& row : rows_of(period, world_.entity(query_.level, i))) {
                JsonText json;
                if (write_key != nullptr) write_key({world_, query_, row, true, true, "v"}, json);
                const auto text = without_quotes(std::string_view(json.str()).substr(std::min<size_t>(4, json.size())));
                double key = 0;
                std::from_chars(text.data(), text.data() + text.size(), key);
                all.push_back({query_.sort_descending ? -key : key, std::move(row)});
            }
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    const size_t end = std::min(all.size(), from.part + limit);
    for (size_t i = from.part; i < end; ++i) write_row(all[i].row, out);
    if (end >= all.size()) return std::nullopt;
    return RowPosition{0, 0, static_cast<uint32_t>(end)};
}

int64_t InsightsRows::estimate() const {
    int64_t parts = 1;
    for (const Breakdown* breakdown : query_.breakdowns) {
        parts *= static_cast<int64_t>(breakdown->dimension.shares.size());
    }
    int64_t rows = 0;
    for (uint32_t i = entities_.first; i < entities_.second; ++i) {
        const Entity& entity = world_.entity(query_.level, i);
        for (const DayRange& period : query_.periods) {
            const bool is_out =
                entity.level != Level::account && (period.until < entity.first_day || period.since >= entity.end_day);
            rows += is_out ? 0 : parts;
        }
    }
    return rows;
}

void InsightsRows::write_summary(JsonText& out) const {
    InsightsRow row{{query_.ranges.front().since, query_.ranges.back().until}, query_.entity, {}, {}};
    for (const DayRange& range : query_.ranges) {
        row.metrics += world_.measure_range(*query_.entity, range.since, range.until);
    }
    out.open('{');
    for (const std::string& name : query_.summary) {
        if (const WriteField write = insights_field(name)) write({world_, query_, row, has_reach_, true, name}, out);
    }
    out.field("date_start", format_date(row.period.since)).field("date_stop", format_date(row.period.until)).close('}');
}

std::string format_micros(int64_t micros) {
    std::string text = std::to_string(micros / 1'000'000);
    std::string digits = std::to_string(1'000'000 + micros % 1'000'000).substr(1);
    digits.resize(digits.find_last_not_of('0') + 1);
    return digits.empty() ? text : text + "." + digits;
}

}  // namespace shaduf::sandbox::facebook
