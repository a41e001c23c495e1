#include "models/run/batches.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "models/python/moment.h"

namespace shaduf::models {
namespace {

constexpr int64_t kMicrosPerHour = 3600 * kMicrosPerSecond;
constexpr std::array<std::pair<std::string_view, BatchSize>, 4> kSizes = {{
    {"hour", BatchSize::hour},
    {"day", BatchSize::day},
    {"month", BatchSize::month},
    {"year", BatchSize::year},
}};

int64_t floor_to(int64_t moment, int64_t unit) {
    const int64_t rest = moment % unit;
    return moment - (rest < 0 ? rest + unit : rest);
}

int64_t month_start(int64_t months_since_0) {
    const int64_t year = floor_to(months_since_0, 12) / 12;
    return days_from_civil(static_cast<int>(year), static_cast<unsigned>(months_since_0 - year * 12 + 1), 1) *
           kMicrosPerDay;
}

int64_t months_since_0(int64_t moment) {
    const Civil civil = civil_of(moment);
    return static_cast<int64_t>(civil.year) * 12 + civil.month - 1;
}

std::string batch_name(int64_t start, BatchSize size) {
    const Civil civil = civil_of(start);
    std::array<char, 48> text{};
    switch (size) {
        case BatchSize::year: std::snprintf(text.data(), text.size(), "%04d", civil.year); break;
        case BatchSize::month: std::snprintf(text.data(), text.size(), "%04d-%02d", civil.year, civil.month); break;
        case BatchSize::day:
            std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", civil.year, civil.month, civil.day);
            break;
        case BatchSize::hour:
            std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d", civil.year, civil.month, civil.day,
                          civil.hour);
            break;
    }
    return text.data();
}

Batch make_batch(int64_t start, int64_t end, BatchSize size) {
    Batch batch{.time = {start, end}, .name = batch_name(start, size), .id = {}};
    for (const char c : batch.name) {
        if (c != '-') batch.id += c;
    }
    return batch;
}

int64_t start_of(const BatchPlan& plan, int64_t end) {
    if (plan.given) return batch_floor(plan.given->start, plan.size);
    if (!plan.is_incremental) return batch_floor(plan.begin.value_or(end), plan.size);
    // An end between two batches is that of the one before it.
    const bool is_between = end == batch_floor(end, plan.size);
    return batch_offset(end, plan.size, -(plan.lookback + (is_between ? 1 : 0)));
}

// A text, or a datetime or date that a template gave.
std::optional<int64_t> moment_of(const jinja::Value& value) {
    if (const auto* moment = value.object_as<Moment>()) return moment->utc_micros();
    const std::string text(trim(value.text()));
    if (const auto time = parse_timestamp(text)) return time->microseconds;
    if (const auto day = parse_date(text)) return static_cast<int64_t>(*day) * kMicrosPerDay;
    return std::nullopt;
}

Error bad_config(const Node& node, const std::string& message) {
    return Error(ErrorKind::invalid_config, "Microbatch model '" + node.name + "' " + message)
        .at(Place::in_file(node.place.original_path, static_cast<int>(node.place.line)));
}

}  // namespace

std::optional<BatchSize> batch_size_of(std::string_view name) {
    for (const auto& [known, size] : kSizes) {
        if (known == name) return size;
    }
    return std::nullopt;
}

int64_t batch_floor(int64_t moment, BatchSize size) {
    switch (size) {
        case BatchSize::hour: return floor_to(moment, kMicrosPerHour);
        case BatchSize::day: return floor_to(moment, kMicrosPerDay);
        case BatchSize::month: return month_start(months_since_0(moment));
        case BatchSize::year: return month_start(floor_to(months_since_0(moment), 12));
    }
    return moment;
}

int64_t batch_ceiling(int64_t moment, BatchSize size) {
    const int64_t floor = batch_floor(moment, size);
    return floor == moment ? moment : batch_offset(floor, size, 1);
}

int64_t batch_offset(int64_t moment, BatchSize size, int64_t count) {
    const int64_t floor = batch_floor(moment, size);
    switch (size) {
        case BatchSize::hour: return floor + count * kMicrosPerHour;
        case BatchSize::day: return floor + count * kMicrosPerDay;
        case BatchSize::month: return month_start(months_since_0(floor) + count);
        case BatchSize::year: return month_start(months_since_0(floor) + 12 * count);
    }
    return floor;
}

std::vector<Batch> batches_of(const BatchPlan& plan) {
    const int64_t end = batch_ceiling(plan.given ? plan.given->end : plan.now, plan.size);
    std::vector<Batch> batches;
    int64_t start = start_of(plan, end);
    for (int64_t next = batch_offset(start, plan.size, 1); next < end; next = batch_offset(start, plan.size, 1)) {
        batches.push_back(make_batch(start, next, plan.size));
        start = next;
    }
    batches.push_back(make_batch(start, end, plan.size));
    return batches;
}

Batch batch_of(const TimeSpan& time, BatchSize size) { return make_batch(time.start, time.end, size); }

bool runs_batches_at_once(const Node& node) {
    const jinja::Value asked = node.config.get("concurrent_batches");
    if (asked.kind() == jinja::Kind::boolean) return asked.boolean();
    const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
    constexpr std::string_view kThis = "this";
    const std::string& code = node.raw_code;
    for (size_t at = code.find(kThis); at != std::string::npos; at = code.find(kThis, at + 1)) {
        const size_t end = at + kThis.size();
        if ((at == 0 || !is_word(code[at - 1])) && (end == code.size() || !is_word(code[end]))) return false;
    }
    return true;
}

bool runs_in_batches(const Node& node, const MacroIndex& macros, const std::vector<std::string>& packages,
                     bool batches_custom_strategies) {
    const bool is_microbatch = node.type == ResourceType::model && node.config.text("materialized") == "incremental" &&
                               node.config.text("incremental_strategy") == "microbatch";
    if (!is_microbatch || batches_custom_strategies) return is_microbatch;
    return std::none_of(packages.begin(), packages.end(), [&](const std::string& package) {
        return macros.in_package(package, "get_incremental_microbatch_sql") != nullptr;
    });
}

Result<BatchPlan> read_batch_plan(const Node& node) {
    BatchPlan plan;
    const std::string size = node.config.text("batch_size");
    const auto known = batch_size_of(size);
    if (!known) {
        std::vector<std::string> names;
        for (const auto& [name, value] : kSizes) names.emplace_back(name);
        const std::string found = size.empty() ? "has no config batch_size" : "has an unknown batch_size: " + size;
        return bad_config(node, found + "; it is one of hour, day, month, year" + did_you_mean(size, names));
    }
    plan.size = *known;
    const jinja::Value begin = node.config.get("begin");
    if (!begin.is_none() && !begin.is_undefined()) {
        plan.begin = moment_of(begin);
        if (!plan.begin) {
            return bad_config(node, "has a `begin` that is no date and no time: " + begin.text() +
                                        "; write it as 2024-01-31 or 2024-01-31T12:00:00");
        }
    }
    const jinja::Value lookback = node.config.get("lookback");
    if (lookback.kind() == jinja::Kind::integer) plan.lookback = lookback.integer();
    return plan;
}

}  // namespace shaduf::models
