#include "sandbox/google_ads/truth.h"

#include <algorithm>
#include <map>

#include "base/time.h"
#include "sandbox/google_ads/model.h"

namespace shaduf::sandbox::google_ads {
namespace {

using Shares = std::vector<uint16_t>;

const DataType kMoney = DataType::decimal(18, 6);

// Fills one row, column by column.
class Line {
public:
    Line(RecordBatchBuilder& rows, const World& world, const Entity& entity) : rows_(rows) {
        const Entity& account = world.above(entity, Level::account);
        text(account.id);
        text(world.details(entity).currency);
        text(world.details(entity).time_zone);
    }
    void text(std::string_view value) { rows_.column(at_++).append_text(value); }
    void whole(int64_t value) { rows_.column(at_++).append_int64(value); }
    void real(double value) { rows_.column(at_++).append_float64(value); }
    void money(int64_t micros) { rows_.column(at_++).append_decimal(micros); }
    void flag(bool value) { rows_.column(at_++).append_boolean(value); }
    void date(int32_t day) { rows_.column(at_++).append_date(day); }
    void end() { rows_.end_row(); }

private:
    RecordBatchBuilder& rows_;
    size_t at_ = 0;
};

SchemaPtr schema_of(std::vector<Field> fields) {
    std::vector<Field> all = {{"customer_id", TypeKind::string},
                              {"customer_currency_code", TypeKind::string},
                              {"customer_time_zone", TypeKind::string}};
    all.insert(all.end(), std::make_move_iterator(fields.begin()), std::make_move_iterator(fields.end()));
    return std::make_shared<const Schema>(std::move(all));
}

void add_texts(std::vector<Field>& fields, std::initializer_list<const char*> names) {
    for (const char* name : names) fields.push_back({name, TypeKind::string});
}

std::string_view value_of(const Dimension& dimension, uint16_t share) { return dimension.shares[share].value; }

// A list: `each` writes what an entity of `level` has.
template <typename Each>
TruthStream list_of(std::string name, std::vector<std::string> key, std::vector<Field> fields, Level level, Each each) {
    TruthStream stream{std::move(name), schema_of(std::move(fields)), std::move(key), false, {}};
    stream.write = [level, each](const World& world, DayRange, RecordBatchBuilder& rows) {
        for (const Entity& entity : world.entities(level)) each(world, entity, rows);
    };
    return stream;
}

std::vector<TruthStream> upper_lists() {
    std::vector<TruthStream> streams;
    streams.push_back(list_of("accounts", {"customer_id"}, {{"customer_descriptive_name", TypeKind::string}},
                              Level::account, [](const World& world, const Entity& account, RecordBatchBuilder& rows) {
                                  Line line(rows, world, account);
                                  line.text(account.name);
                                  line.end();
                              }));
    std::vector<Field> fields;
    add_texts(fields, {"campaign_id", "campaign_name", "campaign_status", "campaign_advertising_channel_type"});
    fields.push_back({"_deleted", TypeKind::boolean});
    streams.push_back(list_of("campaigns", {"customer_id", "campaign_id"}, fields, Level::campaign,
                              [](const World& world, const Entity& campaign, RecordBatchBuilder& rows) {
                                  Line line(rows, world, campaign);
                                  line.text(campaign.id);
                                  line.text(campaign.name);
                                  line.text(status_name(campaign.status));
                                  line.text(channel_of(campaign));
                                  line.flag(campaign.status == Status::removed);
                                  line.end();
                              }));
    streams.push_back(list_of("campaign_budgets", {"customer_id", "campaign_budget_id"},
                              {{"campaign_budget_id", TypeKind::string}, {"campaign_budget_amount", kMoney}},
                              Level::campaign,
                              [](const World& world, const Entity& campaign, RecordBatchBuilder& rows) {
                                  Line line(rows, world, campaign);
                                  line.text("7" + campaign.id);
                                  line.money(campaign.daily_budget_micros);
                                  line.end();
                              }));
    fields.clear();
    add_texts(fields, {"campaign_id", "ad_group_id", "ad_group_name", "ad_group_status"});
    fields.push_back({"_deleted", TypeKind::boolean});
    streams.push_back(list_of("ad_groups", {"customer_id", "ad_group_id"}, fields, Level::ad_group,
                              [](const World& world, const Entity& ad_group, RecordBatchBuilder& rows) {
                                  Line line(rows, world, ad_group);
                                  line.text(world.above(ad_group, Level::campaign).id);
                                  line.text(ad_group.id);
                                  line.text(ad_group.name);
                                  line.text(status_name(ad_group.status));
                                  line.flag(ad_group.status == Status::removed);
                                  line.end();
                              }));
    return streams;
}

std::vector<TruthStream> lower_lists() {
    std::vector<TruthStream> streams;
    std::vector<Field> fields;
    add_texts(fields, {"campaign_id", "ad_group_id", "ad_group_ad_ad_id", "ad_group_ad_ad_name", "ad_group_ad_ad_type",
                       "ad_group_ad_status"});
    fields.push_back({"_deleted", TypeKind::boolean});
    streams.push_back(list_of("ads", {"customer_id", "ad_group_id", "ad_group_ad_ad_id"}, fields, Level::ad,
                              [](const World& world, const Entity& ad, RecordBatchBuilder& rows) {
                                  Line line(rows, world, ad);
                                  line.text(world.above(ad, Level::campaign).id);
                                  line.text(world.above(ad, Level::ad_group).id);
                                  line.text(ad.id);
                                  line.text(ad.name);
                                  line.text(ad_type_of(ad));
                                  line.text(status_name(ad.status));
                                  line.flag(ad.status == Status::removed);
                                  line.end();
                              }));
    fields.clear();
    add_texts(fields, {"campaign_id", "ad_group_id", "ad_group_criterion_criterion_id",
                       "ad_group_criterion_keyword_text", "ad_group_criterion_keyword_match_type"});
    streams.push_back(list_of("keywords", {"customer_id", "ad_group_id", "ad_group_criterion_criterion_id"}, fields,
                              Level::ad_group,
                              [](const World& world, const Entity& ad_group, RecordBatchBuilder& rows) {
                                  for (int keyword = 0; keyword < kKeywordsOfGroup; ++keyword) {
                                      Line line(rows, world, ad_group);
                                      line.text(world.above(ad_group, Level::campaign).id);
                                      line.text(ad_group.id);
                                      line.text(keyword_id(ad_group, keyword));
                                      line.text(keyword_text(ad_group, keyword));
                                      line.text(keyword_match_type(keyword));
                                      line.end();
                                  }
                              }));
    return streams;
}

// A report: numbers of the entities of a level, by day and by the parts of `dimensions`.
struct Report {
    std::string name;
    Level level;
    std::vector<const Dimension*> dimensions;
    std::vector<const char*> texts;     // columns before the day
    std::vector<const char*> segments;  // and behind it
    std::vector<std::string> key;
    void (*write_texts)(Line& line, const World& world, const Entity& entity, const Shares& shares);
    void (*write_segments)(Line& line, const Entity& entity, const Shares& shares);
    bool has_interactions = true;
    bool has_view_through = true;
};

void write_numbers(const Report& report, Line& line, const Metrics& numbers) {
    line.whole(numbers.impressions);
    line.whole(numbers.clicks);
    line.whole(numbers.engagements);
    line.money(numbers.spend_micros);
    line.real(conversions_of(numbers, kNone));
    line.real(conversions_value_of(numbers, kNone));
    line.real(all_conversions_of(numbers, kNone));
    line.real(conversions_value_of(numbers, kNone));
    if (report.has_view_through) line.whole(view_through_of(numbers));
}

void add_number_columns(std::vector<Field>& fields, bool has_view_through) {
    fields.push_back({"metrics_impressions", TypeKind::int64});
    fields.push_back({"metrics_clicks", TypeKind::int64});
    fields.push_back({"metrics_interactions", TypeKind::int64});
    fields.push_back({"metrics_cost", kMoney});
    for (const char* name : {"metrics_conversions", "metrics_conversions_value", "metrics_all_conversions",
                             "metrics_all_conversions_value"})
        fields.push_back({name, TypeKind::float64});
    if (has_view_through) fields.push_back({"metrics_view_through_conversions", TypeKind::int64});
}

std::map<Shares, Metrics> sum_day(const World& world, const Entity& entity, int32_t day,
                                  const std::vector<const Dimension*>& dimensions) {
    std::map<Shares, Metrics> sums;
    for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i) {
        const Entity& ad = world.entity(Level::ad, i);
        const Metrics numbers = world.measure(ad, day);
        if (!numbers.has_delivery()) continue;
        if (dimensions.empty()) {
            sums[{}] += numbers;
            continue;
        }
        for (const Part& part : break_down(numbers, world.key_of(ad), dimensions, world.details(ad).coin_micros))
            sums[part.shares] += part.metrics;
    }
    return sums;
}

TruthStream report_of(const Report& report) {
    std::vector<Field> fields;
    for (const char* name : report.texts) fields.push_back({name, TypeKind::string});
    fields.push_back({"segments_date", TypeKind::date});
    for (const char* name : report.segments) fields.push_back({name, TypeKind::string});
    add_number_columns(fields, report.has_view_through);
    TruthStream stream{report.name, schema_of(std::move(fields)), report.key, true, {}};
    stream.write = [report](const World& world, DayRange range, RecordBatchBuilder& rows) {
        for (int32_t day = range.since; day <= range.until; ++day) {
            for (const Entity& entity : world.entities(report.level)) {
                for (const auto& [shares, numbers] : sum_day(world, entity, day, report.dimensions)) {
                    if (!numbers.has_delivery()) continue;
                    Line line(rows, world, entity);
                    report.write_texts(line, world, entity, shares);
                    line.date(day);
                    report.write_segments(line, entity, shares);
                    write_numbers(report, line, numbers);
                    line.end();
                }
            }
        }
    };
    return stream;
}

// The last two of the shares.
void write_device_and_network(Line& line, const Entity&, const Shares& shares) {
    line.text(value_of(kDevices, shares[shares.size() - 2]));
    line.text(value_of(kNetworks, shares.back()));
}

void write_campaign(Line& line, const World& world, const Entity& entity) {
    const Entity& campaign = world.above(entity, Level::campaign);
    line.text(campaign.id);
    line.text(campaign.name);
}

void write_ad_group(Line& line, const World& world, const Entity& entity) {
    write_campaign(line, world, entity);
    const Entity& ad_group = world.above(entity, Level::ad_group);
    line.text(ad_group.id);
    line.text(ad_group.name);
}

// The columns that tell rows by device and network apart.
std::vector<std::string> key(std::vector<std::string> columns) {
    columns.insert(columns.begin(), "customer_id");
    for (const char* name : {"segments_date", "segments_device", "segments_ad_network_type"})
        columns.emplace_back(name);
    return columns;
}

std::vector<TruthStream> reports_of_levels() {
    const std::vector<const Dimension*> both = {&kDevices, &kNetworks};
    const std::vector<const char*> by_both = {"segments_device", "segments_ad_network_type"};
    std::vector<TruthStream> streams;
    streams.push_back(report_of({"account_report",
                                 Level::account,
                                 both,
                                 {},
                                 by_both,
                                 key({}),
                                 [](Line&, const World&, const Entity&, const Shares&) {},
                                 write_device_and_network}));
    streams.push_back(report_of({"campaign_report",
                                 Level::campaign,
                                 both,
                                 {"campaign_id", "campaign_name"},
                                 by_both,
                                 key({"campaign_id"}),
                                 [](Line& line, const World& world, const Entity& entity, const Shares&) {
                                     write_campaign(line, world, entity);
                                 },
                                 write_device_and_network}));
    streams.push_back(report_of({"ad_group_report",
                                 Level::ad_group,
                                 both,
                                 {"campaign_id", "campaign_name", "ad_group_id", "ad_group_name"},
                                 by_both,
                                 key({"ad_group_id"}),
                                 [](Line& line, const World& world, const Entity& entity, const Shares&) {
                                     write_ad_group(line, world, entity);
                                 },
                                 write_device_and_network}));
    streams.push_back(report_of(
        {"ad_report",
         Level::ad,
         both,
         {"campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_group_ad_ad_id", "ad_group_ad_ad_name"},
         by_both,
         key({"ad_group_id", "ad_group_ad_ad_id"}),
         [](Line& line, const World& world, const Entity& ad, const Shares&) {
             write_ad_group(line, world, ad);
             line.text(ad.id);
             line.text(ad.name);
         },
         write_device_and_network}));
    return streams;
}

std::vector<TruthStream> reports_of_parts() {
    const std::vector<const char*> by_both = {"segments_device", "segments_ad_network_type"};
    std::vector<TruthStream> streams;
    streams.push_back(report_of({"keyword_report",
                                 Level::ad_group,
                                 {&kKeywords, &kDevices, &kNetworks},
                                 {"campaign_id", "campaign_name", "ad_group_id", "ad_group_name",
                                  "ad_group_criterion_criterion_id", "ad_group_criterion_keyword_text"},
                                 by_both,
                                 key({"ad_group_id", "ad_group_criterion_criterion_id"}),
                                 [](Line& line, const World& world, const Entity& ad_group, const Shares& shares) {
                                     write_ad_group(line, world, ad_group);
                                     line.text(keyword_id(ad_group, shares.front()));
                                     line.text(keyword_text(ad_group, shares.front()));
                                 },
                                 write_device_and_network}));
    streams.push_back(
        report_of({"search_term_report",
                   Level::ad_group,
                   {&kKeywords, &kTerms, &kDevices},
                   {"campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "search_term_view_search_term"},
                   {"segments_device", "segments_search_term_match_type"},
                   {"customer_id", "ad_group_id", "search_term_view_search_term", "segments_date", "segments_device",
                    "segments_search_term_match_type"},
                   [](Line& line, const World& world, const Entity& ad_group, const Shares& shares) {
                       write_ad_group(line, world, ad_group);
                       line.text(search_term(ad_group, shares[0], shares[1]));
                   },
                   [](Line& line, const Entity&, const Shares& shares) {
                       line.text(value_of(kDevices, shares[2]));
                       line.text(shares[1] == 0 ? keyword_match_type(shares[0]) : "BROAD");
                   },
                   true,
                   false}));
    streams.push_back(
        report_of({"geo_report",
                   Level::campaign,
                   {&kPlaces},
                   {"campaign_id", "campaign_name", "geographic_view_country_criterion_id"},
                   {},
                   {"customer_id", "campaign_id", "geographic_view_country_criterion_id", "segments_date"},
                   [](Line& line, const World& world, const Entity& campaign, const Shares& shares) {
                       write_campaign(line, world, campaign);
                       line.text(value_of(kPlaces, shares.front()));
                   },
                   [](Line&, const Entity&, const Shares&) {}}));
    return streams;
}

TruthStream clicks() {
    std::vector<Field> fields;
    add_texts(fields, {"click_view_gclid", "campaign_id", "ad_group_id"});
    fields.push_back({"segments_date", TypeKind::date});
    add_texts(fields, {"segments_device"});
    fields.push_back({"metrics_clicks", TypeKind::int64});
    TruthStream stream{
        "click_report", schema_of(fields), {"customer_id", "click_view_gclid", "segments_date"}, true, {}};
    stream.write = [](const World& world, DayRange range, RecordBatchBuilder& rows) {
        constexpr int32_t kKeptDays = 90;
        for (int32_t day = std::max(range.since, world.settings().today - kKeptDays); day <= range.until; ++day) {
            for (const Entity& ad : world.entities(Level::ad)) {
                const int64_t clicks = world.measure(ad, day).clicks;
                for (int64_t number = 0; number < clicks; ++number) {
                    const Click click = click_of(world, ad, day, number);
                    Line line(rows, world, ad);
                    line.text(click.gclid);
                    line.text(world.above(ad, Level::campaign).id);
                    line.text(world.above(ad, Level::ad_group).id);
                    line.date(day);
                    line.text(value_of(kDevices, static_cast<uint16_t>(click.device)));
                    line.whole(1);
                    line.end();
                }
            }
        }
    };
    return stream;
}

TruthStream conversions() {
    std::vector<Field> fields;
    add_texts(fields, {"campaign_id", "campaign_name"});
    fields.push_back({"segments_date", TypeKind::date});
    add_texts(fields, {"segments_conversion_action", "segments_conversion_action_name"});
    fields.push_back({"metrics_conversions", TypeKind::float64});
    fields.push_back({"metrics_conversions_value", TypeKind::float64});
    TruthStream stream{"conversion_report",
                       schema_of(fields),
                       {"customer_id", "campaign_id", "segments_date", "segments_conversion_action"},
                       true,
                       {}};
    stream.write = [](const World& world, DayRange range, RecordBatchBuilder& rows) {
        for (int32_t day = range.since; day <= range.until; ++day) {
            for (const Entity& campaign : world.entities(Level::campaign)) {
                const Metrics numbers = world.measure_range(campaign, day, day);
                for (int action = 0; action < 2; ++action) {
                    if (all_conversions_of(numbers, action) <= 0) continue;
                    const auto& kind = kActions[action];
                    Line line(rows, world, campaign);
                    write_campaign(line, world, campaign);
                    line.date(day);
                    line.text("customers/" + world.above(campaign, Level::account).id + "/conversionActions/" +
                              std::string(kind.id));
                    line.text(kind.name);
                    line.real(conversions_of(numbers, action));
                    line.real(conversions_value_of(numbers, action));
                    line.end();
                }
            }
        }
    };
    return stream;
}

}  // namespace

std::vector<TruthStream> truth_streams() {
    std::vector<TruthStream> streams;
    for (const auto make : {upper_lists, lower_lists, reports_of_levels, reports_of_parts}) {
        for (TruthStream& stream : make()) streams.push_back(std::move(stream));
    }
    streams.push_back(clicks());
    streams.push_back(conversions());
    return streams;
}

}  // namespace shaduf::sandbox::google_ads
