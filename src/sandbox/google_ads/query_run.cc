#include "sandbox/google_ads/query_run.h"

#include <algorithm>
#include <charconv>
#include <regex>

#include "base/text.h"
#include "base/time.h"

namespace shaduf::sandbox::google_ads {
namespace {

constexpr std::string_view kDate = "segments.date";

// The first and the last day of a range that has a name.
std::optional<std::pair<int32_t, int32_t>> named_days(std::string_view name, int32_t today) {
    const int32_t weekday = (today + 3) % 7;  // Monday is 0
    const std::string month = format_date(today).substr(0, 8);
    const int32_t month_start = *parse_date(month + "01");
    const int32_t before = *parse_date(format_date(month_start - 1).substr(0, 8) + "01");
    if (name == "TODAY") return std::pair(today, today);
    if (name == "YESTERDAY") return std::pair(today - 1, today - 1);
    if (name == "LAST_7_DAYS") return std::pair(today - 7, today - 1);
    if (name == "LAST_14_DAYS") return std::pair(today - 14, today - 1);
    if (name == "LAST_30_DAYS") return std::pair(today - 30, today - 1);
    if (name == "THIS_WEEK_MON_TODAY") return std::pair(today - weekday, today);
    if (name == "LAST_WEEK_MON_SUN") return std::pair(today - weekday - 7, today - weekday - 1);
    if (name == "THIS_MONTH") return std::pair(month_start, today);
    if (name == "LAST_MONTH") return std::pair(before, month_start - 1);
    return std::nullopt;
}

std::optional<double> number_of(std::string_view text) {
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string text_of(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
    if (const auto* real = std::get_if<double>(&value)) return std::to_string(*real);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    return "";
}

// Below 0, 0, above 0. Numbers by their value, all else by its letters.
int compare(const Value& value, const std::string& other) {
    const bool is_number = std::holds_alternative<int64_t>(value) || std::holds_alternative<double>(value);
    const std::string text = text_of(value);
    if (is_number) {
        const double a = std::holds_alternative<int64_t>(value) ? static_cast<double>(std::get<int64_t>(value))
                                                                : std::get<double>(value);
        const auto b = number_of(other);
        if (b) return a < *b ? -1 : a > *b ? 1 : 0;
    }
    if (std::holds_alternative<bool>(value)) return equals_ignoring_case(text, other) ? 0 : 1;
    return text.compare(other);
}

// % is anything, _ one letter.
bool is_like(std::string_view text, std::string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == '%') {
        for (size_t i = 0; i <= text.size(); ++i) {
            if (is_like(text.substr(i), pattern.substr(1))) return true;
        }
        return false;
    }
    if (text.empty()) return false;
    const bool fits = pattern.front() == '_' || std::tolower(pattern.front()) == std::tolower(text.front());
    return fits && is_like(text.substr(1), pattern.substr(1));
}

bool matches(const std::string& text, const std::string& pattern) {
    try {
        return std::regex_match(text, std::regex(pattern));
    } catch (const std::regex_error&) {
        return false;
    }
}

bool is_among(const Value& value, const std::vector<std::string>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& one) { return compare(value, one) == 0; });
}

size_t count_contained(const Value& value, const std::vector<std::string>& wanted) {
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return is_among(value, wanted) ? 1 : 0;
    return static_cast<size_t>(std::count_if(wanted.begin(), wanted.end(), [&](const std::string& one) {
        return std::find(list->begin(), list->end(), one) != list->end();
    }));
}

Value value_of(const std::string& name, const Row& row) {
    const Field* field = find_field(name);
    if (field != nullptr) return field->get(row);
    return resource_name(name.substr(0, name.find('.')), row);
}

// How the numbers of an ad's day are parted, and where each part stands in `Row`.
struct Parting {
    std::vector<const Dimension*> dimensions;
    std::vector<int Row::*> places;
    void add(const Dimension& dimension, int Row::*place) {
        dimensions.push_back(&dimension);
        places.push_back(place);
    }
    size_t cells() const {
        size_t cells = 1;
        for (const Dimension* dimension : dimensions) cells *= dimension->shares.size();
        return cells;
    }
};

Parting parting_of(const Gaql& gaql) {
    Parting parting;
    if (gaql.resource == "keyword_view" || gaql.resource == "search_term_view") parting.add(kKeywords, &Row::keyword);
    if (gaql.resource == "search_term_view") parting.add(kTerms, &Row::term);
    if (gaql.resource == "geographic_view") parting.add(kPlaces, &Row::place);
    if (gaql.selects("segments.device")) parting.add(kDevices, &Row::device);
    if (gaql.selects("segments.ad_network_type")) parting.add(kNetworks, &Row::network);
    return parting;
}

Level level_of(std::string_view resource) {
    if (resource == "customer") return Level::account;
    if (resource == "campaign" || resource == "campaign_budget" || resource == "geographic_view")
        return Level::campaign;
    return resource == "ad_group_ad" || resource == "click_view" ? Level::ad : Level::ad_group;
}

Row row_of(const World& world, const Entity& entity) {
    Row row;
    row.world = &world;
    row.account = &world.above(entity, Level::account);
    if (entity.level >= Level::campaign) row.campaign = &world.above(entity, Level::campaign);
    if (entity.level >= Level::ad_group) row.ad_group = &world.above(entity, Level::ad_group);
    if (entity.level == Level::ad) row.ad = &entity;
    return row;
}

// Whether days_of has seen to a condition of segments.date.
bool narrows_days(Operator op) {
    switch (op) {
        case Operator::equal:
        case Operator::greater:
        case Operator::greater_equal:
        case Operator::less:
        case Operator::less_equal:
        case Operator::between:
        case Operator::during: return true;
        default: return false;
    }
}

bool selects_any(const Gaql& gaql, std::string_view prefix) {
    return std::any_of(gaql.fields.begin(), gaql.fields.end(),
                       [&](const std::string& field) { return field.starts_with(prefix); });
}

}  // namespace

bool meets(const Condition& condition, const Value& value) {
    const bool is_null = std::holds_alternative<std::monostate>(value);
    const auto& wanted = condition.values;
    switch (condition.op) {
        case Operator::is_null: return is_null;
        case Operator::is_not_null: return !is_null;
        case Operator::not_equal: return is_null || compare(value, wanted.front()) != 0;
        case Operator::not_in: return is_null || !is_among(value, wanted);
        case Operator::contains_none: return count_contained(value, wanted) == 0;
        case Operator::not_like: return !is_like(text_of(value), wanted.front());
        case Operator::not_regexp_match: return !matches(text_of(value), wanted.front());
        default: break;
    }
    if (is_null) return false;
    switch (condition.op) {
        case Operator::equal: return compare(value, wanted.front()) == 0;
        case Operator::greater: return compare(value, wanted.front()) > 0;
        case Operator::greater_equal: return compare(value, wanted.front()) >= 0;
        case Operator::less: return compare(value, wanted.front()) < 0;
        case Operator::less_equal: return compare(value, wanted.front()) <= 0;
        case Operator::in: return is_among(value, wanted);
        case Operator::like: return is_like(text_of(value), wanted.front());
        case Operator::contains_any: return count_contained(value, wanted) > 0;
        case Operator::contains_all: return count_contained(value, wanted) == wanted.size();
        case Operator::between: return compare(value, wanted[0]) >= 0 && compare(value, wanted[1]) <= 0;
        case Operator::regexp_match: return matches(text_of(value), wanted.front());
        default: return true;  // DURING, which days_of sees to
    }
}

std::pair<int32_t, int32_t> days_of(const Gaql& gaql, int32_t today, int32_t first, int32_t last) {
    const auto narrow = [&](int32_t from, int32_t to) {
        first = std::max(first, from);
        last = std::min(last, to);
    };
    for (const Condition& condition : gaql.conditions) {
        if (condition.field != kDate || condition.values.empty()) continue;
        if (condition.op == Operator::during) {
            if (const auto days = named_days(condition.values.front(), today)) narrow(days->first, days->second);
            continue;
        }
        const int32_t day = parse_date(condition.values.front()).value_or(first);
        if (condition.op == Operator::equal) narrow(day, day);
        if (condition.op == Operator::greater) narrow(day + 1, last);
        if (condition.op == Operator::greater_equal) narrow(day, last);
        if (condition.op == Operator::less) narrow(first, day - 1);
        if (condition.op == Operator::less_equal) narrow(first, day);
        if (condition.op == Operator::between) narrow(day, parse_date(condition.values.back()).value_or(last));
    }
    return {first, last};
}

QueryRun::QueryRun(std::shared_ptr<const World> world, Gaql gaql, std::string customer)
    : world_(std::move(world)), gaql_(std::move(gaql)), customer_(std::move(customer)) {
    account_ = world_->find(Level::account, customer_);
    has_numbers_ = selects_any(gaql_, "metrics.") || selects_any(gaql_, "segments.");
    by_day_ = gaql_.selects(kDate) || gaql_.resource == "click_view";
    const auto& sortings = gaql_.sortings;
    in_order_ = sortings.empty() || (sortings.size() == 1 && sortings[0].field == kDate && !sortings[0].descending);
    const int32_t today = account_ == nullptr ? world_->settings().today : world_->details(*account_).today;
    std::tie(day_, last_day_) = days_of(gaql_, today, world_->first_day(), today);
}

bool QueryRun::next(std::vector<Row>& out) {
    const size_t before = out.size();
    while (!is_over_ && out.size() == before) {
        std::vector<Row> rows;
        if (!has_numbers_) {
            enumerate(day_, last_day_, rows);
            is_over_ = true;
        }
        // All that is to be sorted at once; else a day, a week, a month, or all, as rows are told apart.
        while (!is_over_) {
            int32_t end = by_day_ ? day_ : last_day_;
            if (!by_day_ && gaql_.selects("segments.week")) end = std::min(last_day_, day_ - (day_ + 3) % 7 + 6);
            if (!by_day_ && gaql_.selects("segments.month")) {
                const std::string month = format_date(day_).substr(0, 8);
                end = day_;
                while (end < last_day_ && format_date(end + 1).substr(0, 8) == month) ++end;
            }
            if (day_ <= last_day_) enumerate(day_, end, rows);
            day_ = end + 1;
            is_over_ = day_ > last_day_;
            if (in_order_) break;
        }
        std::erase_if(rows, [&](const Row& row) {
            return std::any_of(gaql_.conditions.begin(), gaql_.conditions.end(), [&](const Condition& condition) {
                if (condition.field == kDate && (!by_day_ || narrows_days(condition.op))) return false;
                return !meets(condition, value_of(condition.field, row));
            });
        });
        if (!in_order_) sort(rows);
        for (Row& row : rows) {
            if (gaql_.limit && given_ >= *gaql_.limit) break;
            ++given_;
            out.push_back(row);
        }
        if (gaql_.limit && given_ >= *gaql_.limit) is_over_ = true;
    }
    return out.size() > before;
}

void QueryRun::sort(std::vector<Row>& rows) const {
    for (auto sorting = gaql_.sortings.rbegin(); sorting != gaql_.sortings.rend(); ++sorting) {
        std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
            const int order = compare(value_of(sorting->field, a), text_of(value_of(sorting->field, b)));
            return sorting->descending ? order > 0 : order < 0;
        });
    }
}

void QueryRun::enumerate(int32_t first, int32_t last, std::vector<Row>& out) {
    if (gaql_.resource == "customer_client") return add_clients(out);
    if (gaql_.resource == "change_status") return add_changes(out);
    if (account_ == nullptr) {
        if (gaql_.resource != "customer" || has_numbers_) return;
        Row manager;
        manager.world = world_.get();
        out.push_back(manager);
        return;
    }
    if (gaql_.resource == "click_view") return add_clicks(first, out);
    if (!has_numbers_) return add_entities(out);
    const Level level = level_of(gaql_.resource);
    for (const Entity& entity : world_->entities(level)) {
        if (entity.account == account_->index) add_numbers(entity, first, last, out);
    }
}

void QueryRun::add_entities(std::vector<Row>& out) const {
    for (const Entity& entity : world_->entities(level_of(gaql_.resource))) {
        if (entity.account != account_->index) continue;
        Row row = row_of(*world_, entity);
        const bool is_criterion = gaql_.resource == "ad_group_criterion";
        const bool has_keywords =
            is_criterion || gaql_.resource == "keyword_view" || gaql_.resource == "search_term_view";
        if (gaql_.resource == "geographic_view") continue;  // has rows where there are numbers only
        if (!has_keywords) {
            out.push_back(row);
            continue;
        }
        // The last of the criteria is an audience.
        for (row.keyword = 0; row.keyword < kKeywordsOfGroup + (is_criterion ? 1 : 0); ++row.keyword) {
            row.term = gaql_.resource == "search_term_view" ? 0 : kNone;
            out.push_back(row);
        }
    }
}

void QueryRun::add_clients(std::vector<Row>& out) const {
    const auto add = [&](const Entity* account, std::string_view id) {
        Row row;
        row.world = world_.get();
        row.account = account;
        row.client = id;
        out.push_back(row);
    };
    if (customer_ != kManagerId) {
        if (account_ != nullptr) add(account_, account_->id);
        return;
    }
    add(nullptr, kManagerId);
    for (const Entity& account : world_->entities(Level::account)) add(&account, account.id);
    add(nullptr, kClosedId);
}

void QueryRun::add_changes(std::vector<Row>& out) {
    const auto add = [&](std::string_view type, const Entity& entity, int keyword) {
        const std::string time = time_text(entity.updated, *account_, *world_);
        changes_.push_back(std::make_unique<const Change>(Change{type, &entity, keyword, time}));
        Row row = row_of(*world_, entity);
        row.change = changes_.back().get();
        row.keyword = keyword;
        out.push_back(row);
    };
    if (account_ == nullptr) return;
    for (const Level level : {Level::campaign, Level::ad_group, Level::ad}) {
        for (const Entity& entity : world_->entities(level)) {
            if (entity.account != account_->index) continue;
            if (level == Level::ad) add("AD_GROUP_AD", entity, kNone);
            if (level == Level::ad_group) add("AD_GROUP", entity, kNone);
            for (int keyword = 0; level == Level::ad_group && keyword <= kKeywordsOfGroup; ++keyword)
                add("AD_GROUP_CRITERION", entity, keyword);
            if (level != Level::campaign) continue;
            add("CAMPAIGN", entity, kNone);
            add("CAMPAIGN_BUDGET", entity, kNone);
        }
    }
}

// With segments, what has not been delivered has no row.
void QueryRun::add_numbers(const Entity& entity, int32_t first, int32_t last, std::vector<Row>& out) const {
    const Parting parting = parting_of(gaql_);
    std::vector<Metrics> cells(parting.cells());
    const auto& ads = world_->entities(Level::ad);
    for (uint32_t i = entity.first_ad; i < entity.end_ad; ++i) {
        for (int32_t day = std::max(first, ads[i].first_day); day <= std::min(last, ads[i].end_day - 1); ++day) {
            const Metrics metrics = world_->measure(ads[i], day);
            if (!metrics.has_delivery()) continue;
            if (parting.dimensions.empty()) {
                cells[0] += metrics;
                continue;
            }
            const int64_t coin = world_->details(entity).coin_micros;
            for (const Part& part : break_down(metrics, world_->key_of(ads[i]), parting.dimensions, coin)) {
                size_t cell = 0;
                for (size_t d = 0; d < part.shares.size(); ++d)
                    cell = cell * parting.dimensions[d]->shares.size() + part.shares[d];
                cells[cell] += part.metrics;
            }
        }
    }
    const bool has_segments = selects_any(gaql_, "segments.") || !parting.dimensions.empty();
    const bool by_action = selects_any(gaql_, "segments.conversion_action");
    for (size_t cell = 0; cell < cells.size(); ++cell) {
        if (has_segments && !cells[cell].has_delivery()) continue;
        Row row = row_of(*world_, entity);
        row.day = first;
        row.numbers = cells[cell];
        size_t rest = cell;
        for (size_t d = parting.places.size(); d-- > 0;) {
            row.*parting.places[d] = static_cast<int>(rest % parting.dimensions[d]->shares.size());
            rest /= parting.dimensions[d]->shares.size();
        }
        if (!by_action) {
            out.push_back(row);
            continue;
        }
        for (row.action = 0; row.action < 2; ++row.action) {
            if (all_conversions_of(row.numbers, row.action) > 0) out.push_back(row);
        }
    }
}

void QueryRun::add_clicks(int32_t day, std::vector<Row>& out) const {
    const auto& ads = world_->entities(Level::ad);
    for (uint32_t i = account_->first_ad; i < account_->end_ad; ++i) {
        const Metrics metrics = world_->measure(ads[i], day);
        for (int64_t number = 0; number < metrics.clicks; ++number) {
            const Click click = click_of(*world_, ads[i], day, number);
            Row row = row_of(*world_, ads[i]);
            row.day = day;
            row.click = number;
            row.device = click.device;
            row.network = click.network;
            row.keyword = click.keyword;
            row.place = click.place;
            row.numbers.clicks = 1;
            row.numbers.impressions = 1;
            out.push_back(row);
        }
    }
}

}  // namespace shaduf::sandbox::google_ads
