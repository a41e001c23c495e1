#include "observe/alerts/alert_settings.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time.h"

namespace shaduf::observe {
namespace {

constexpr std::string_view kKinds[] = {"run_failed", "run_late", "waits_for_approval", "quarantined",
                                       "retried",    "drifted",  "credential_expires", "stale",
                                       "volume",     "zero_rows"};
constexpr std::string_view kSeverities[] = {"info", "warning", "error"};
constexpr std::string_view kGroups[] = {"kind", "flow", "pipeline", "table", "owner", "severity"};
constexpr std::string_view kLabelGroup = "label:";
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr double kPerMinuteMax = 6'000;
constexpr int64_t kAfterMax = 1'000;

constexpr FieldSpec kMuteFields[] = {
    {.name = "until", .help = "Nobody is told before this time.", .example = "2026-12-24T08:00:00Z"},
    {.name = "between", .help = "Nobody is told at these hours of a day.", .example = "\"22:00-07:00\""},
    {.name = "days",
     .type = FieldType::text_list,
     .help = "Days that `between` begins on, or whole ones without it: mon, tue, wed, thu, fri, sat, sun.",
     .example = "[sat, sun]"},
    {.name = "zone", .help = "The time zone of hours and days.", .default_value = "UTC", .example = "Europe/Zurich"},
};

constexpr FieldSpec kRuleFields[] = {
    {.name = "name", .help = "Of the rule; `rule 1`, `rule 2` unless given."},
    {.name = "when",
     .type = FieldType::text_list,
     .help = "Kinds of signals; all unless given.",
     .example = "[run_failed, run_late]"},
    {.name = "flows", .type = FieldType::text_list, .help = "Of these flows; * and ? stand for other characters."},
    {.name = "pipelines", .type = FieldType::text_list, .help = "Of these pipelines, in the same way."},
    {.name = "tables",
     .type = FieldType::text_list,
     .help = "Of these tables, in the same way.",
     .example = "\"marts.*\""},
    {.name = "owner", .type = FieldType::text_list, .help = "Of these owners."},
    {.name = "labels", .type = FieldType::text_map, .help = "With all of these labels.", .example = "{team: finance}"},
    {.name = "severity", .help = "At least so severe.", .default_value = "warning", .choices = kSeverities},
    {.name = "after",
     .type = FieldType::integer,
     .help = "Only when it has happened so many times in a row.",
     .default_value = "1"},
    {.name = "for", .type = FieldType::duration, .help = "Only when it has lasted so long.", .default_value = "0s"},
    {.name = "to", .type = FieldType::text_list, .help = "Channels that are told; all unless given."},
    {.name = "group_by",
     .type = FieldType::text_list,
     .help = "What signals of one message have in common: kind, flow, pipeline, table, owner, severity, label:NAME.",
     .default_value = "kind"},
    {.name = "wait",
     .type = FieldType::duration,
     .help = "How long others of the group are waited for before a message is sent.",
     .default_value = "15s"},
    {.name = "repeat",
     .type = FieldType::duration,
     .help = "A reminder each time it has lasted so long; none unless given.",
     .example = "4h"},
    {.name = "mute",
     .type = FieldType::object_list,
     .help = "When nobody is told; that it is over is told all the same.",
     .children = kMuteFields,
     .example = "{between: \"22:00-07:00\"}"},
};

constexpr FieldSpec kAlertFields[] = {
    {.name = "url",
     .help = "The address that people reach the server by; messages link to it.",
     .example = "https://data.acme.example"},
    {.name = "environments",
     .type = FieldType::text_list,
     .help = "Only in these environments anybody is told; in all unless given."},
    {.name = "channels",
     .type = FieldType::any,
     .help = "By name, ways to tell people: a type, its options, and `per_minute`, how many messages it takes."},
    {.name = "rules", .type = FieldType::object_list, .help = "Who is told of what.", .children = kRuleFields},
};

constexpr FieldSpec kChannelFields[] = {
    {.name = "type", .help = "Of the channel."},
    {.name = "per_minute", .type = FieldType::number, .help = "At most so many messages in the long run."},
};

Severity severity_of(std::string_view name) {
    return name == "info" ? Severity::info : name == "warning" ? Severity::warning : Severity::error;
}

std::vector<std::string> texts_of(std::span<const std::string_view> views) { return {views.begin(), views.end()}; }

// "22:00" as minutes of the day.
std::optional<std::chrono::minutes> minutes_of(std::string_view text) {
    const auto time = parse_time_of_day(trim(text));
    if (!time) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::minutes>(std::chrono::microseconds(*time));
}

class SettingsReader {
public:
    SettingsReader(const Project& project, const Registry<ChannelSpec>& channels, AlertSettings& out)
        : project_(project), types_(channels), out_(out) {}

    std::vector<Error> read() {
        out_.project = project_.name;
        out_.environment = project_.environment;
        Options options;
        // What other environments have may need secrets that this one has not.
        Node own = project_.alerts;
        if (!is_for_environment(own)) own = Node();
        if (!own.is_null()) {
            add(Options::create(kAlertFields, own, project_.resolve, options));
            out_.url = options.text("url");
            while (out_.url.ends_with('/')) out_.url.pop_back();
            read_channels(own["channels"]);
            if (errors_.empty()) {
                for (const Options& rule : options.object_list("rules")) read_rule(rule);
            }
        }
        if (out_.rules.empty()) add_default_rule();
        return std::move(errors_);
    }

private:
    void add(std::vector<Error> errors) {
        for (Error& error : errors) errors_.push_back(std::move(error));
    }
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }

    bool is_for_environment(const Node& alerts) const {
        const Node& list = alerts["environments"];
        if (list.is_null()) return true;
        if (list.is_scalar()) return list.text() == project_.environment;
        return std::any_of(list.items().begin(), list.items().end(),
                           [&](const Node& item) { return item.text() == project_.environment; });
    }

    void read_channels(const Node& channels) {
        if (!channels.is_null() && !channels.is_map()) {
            return fail(channels.place(), "channels: expected a map of names to channels");
        }
        for (const auto& entry : channels.entries()) read_channel(entry);
    }

    void read_channel(const Node::Entry& entry) {
        std::vector<Node::Entry> frame, own;
        for (const auto& field : entry.value.entries()) {
            (field.key == "type" || field.key == "per_minute" ? frame : own).push_back(field);
        }
        Options options;
        add(Options::create(kChannelFields, Node::map(std::move(frame), entry.value.place()), project_.resolve,
                            options));
        const std::string type = options.has("type") ? options.text("type") : entry.key;
        const ChannelSpec* spec = types_.find(type);
        if (spec == nullptr) {
            const auto names = types_.names();
            return fail(options.has("type") ? options.place_of("type") : entry.key_place,
                        "unknown type of channel: " + type + did_you_mean(type, names));
        }
        AlertChannel channel{entry.key, spec, {}, spec->per_minute};
        const size_t errors = errors_.size();
        add(Options::create(spec->fields, Node::map(std::move(own), entry.value.place()), project_.resolve,
                            channel.options));
        if (options.has("per_minute")) channel.per_minute = options.number("per_minute");
        if (channel.per_minute <= 0 || channel.per_minute > kPerMinuteMax) {
            errors_.push_back(options.error("per_minute", "expected a number above 0, at most 6000"));
        }
        if (errors_.size() != errors) return;
        const auto made = spec->make(channel.options);
        if (!made.ok()) {
            errors_.push_back(made.error().place().empty() ? made.error().at(entry.key_place) : made.error());
        }
        out_.channels.push_back(std::move(channel));
    }

    void check_known(const Options& options, std::string_view field, const std::vector<std::string>& given,
                     const std::vector<std::string>& known, const char* what) {
        for (const std::string& name : given) {
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            errors_.push_back(options.error(field, std::string(what) + ": " + name + did_you_mean(name, known)));
        }
    }

    void read_rule(const Options& options) {
        AlertRule rule;
        rule.name = options.text("name");
        if (rule.name.empty()) rule.name = "rule " + std::to_string(out_.rules.size() + 1);
        if (out_.rule(rule.name) != nullptr) {
            errors_.push_back(options.error("name", "two rules have the name " + rule.name + "; give each its own"));
        }
        rule.kinds = options.text_list("when");
        check_known(options, "when", rule.kinds, texts_of(kKinds), "unknown kind of signal");
        rule.flows = options.text_list("flows");
        rule.pipelines = options.text_list("pipelines");
        rule.tables = options.text_list("tables");
        rule.owners = options.text_list("owner");
        for (const auto& [name, value] : options.text_map("labels")) rule.labels[name] = value;
        rule.least = severity_of(options.text("severity"));
        rule.after = options.integer("after");
        if (rule.after < 1 || rule.after > kAfterMax) {
            errors_.push_back(options.error("after", "expected a number from 1 to 1000"));
        }
        rule.lasts = options.duration("for");
        rule.wait = options.duration("wait");
        rule.repeat = options.duration("repeat");
        read_targets(options, rule);
        for (const Options& mute : options.object_list("mute")) read_mute(mute, rule);
        out_.rules.push_back(std::move(rule));
    }

    void read_targets(const Options& options, AlertRule& rule) {
        std::vector<std::string> known;
        for (const AlertChannel& channel : out_.channels) known.push_back(channel.name);
        rule.to = options.has("to") ? options.text_list("to") : known;
        check_known(options, "to", rule.to, known, "channel not found");
        rule.group_by = options.text_list("group_by");
        std::vector<std::string> named;
        for (const std::string& group : rule.group_by) {
            if (!group.starts_with(kLabelGroup)) named.push_back(group);
        }
        check_known(options, "group_by", named, texts_of(kGroups), "nothing to group by");
    }

    void read_mute(const Options& options, AlertRule& rule) {
        MuteWindow window;
        if (options.has("until")) {
            const auto until = parse_timestamp(options.text("until"));
            if (!until) {
                errors_.push_back(
                    options.error("until", "not a time such as 2026-12-24T08:00:00Z: " + options.text("until")));
            } else {
                window.until = Timestamp(std::chrono::microseconds(until->microseconds));
            }
        }
        if (options.has("between")) {
            const std::string text = options.text("between");
            const size_t dash = text.find('-');
            const auto begin = minutes_of(std::string_view(text).substr(0, dash));
            const auto end =
                dash == std::string::npos ? std::nullopt : minutes_of(std::string_view(text).substr(dash + 1));
            if (!begin || !end) {
                errors_.push_back(options.error("between", "not hours such as 22:00-07:00: " + text));
            }
            window.begin = begin.value_or(std::chrono::minutes(0));
            window.end = end.value_or(std::chrono::minutes(0));
        }
        for (const std::string& day : options.text_list("days")) {
            const auto found = std::find(kDays.begin(), kDays.end(), day);
            if (found == kDays.end()) {
                errors_.push_back(options.error("days", "not a day: " + day + did_you_mean(day, texts_of(kDays))));
            }
            window.days.insert(static_cast<unsigned>(found - kDays.begin()));
        }
        window.has_hours = options.has("between") || options.has("days");
        auto zone = Zone::find(options.text("zone"));
        if (!zone.ok()) {
            errors_.push_back(options.error("zone", zone.error().message()));
        } else {
            window.zone = zone.release_value();
        }
        rule.mutes.push_back(std::move(window));
    }

    void add_default_rule() {
        AlertRule rule;
        rule.name = "default";
        rule.group_by = {"kind"};
        for (const AlertChannel& channel : out_.channels) rule.to.push_back(channel.name);
        out_.rules.push_back(std::move(rule));
    }

    const Project& project_;
    const Registry<ChannelSpec>& types_;
    AlertSettings& out_;
    std::vector<Error> errors_;
};

bool matches_any(const std::vector<std::string>& patterns, const std::string& text) {
    return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                           [&](const std::string& pattern) { return matches_pattern(pattern, text); });
}

bool is_among(const std::vector<std::string>& list, const std::string& text) {
    return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

std::string part_of(const Signal& signal, const std::string& group) {
    if (group == "kind") return signal.kind;
    if (group == "flow") return signal.flow;
    if (group == "pipeline") return signal.pipeline;
    if (group == "table") return signal.table;
    if (group == "owner") return signal.owner;
    if (group == "severity") return std::string(kSeverities[static_cast<size_t>(signal.severity)]);
    const auto label = signal.labels.find(group.substr(kLabelGroup.size()));
    return label == signal.labels.end() ? "" : label->second;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
            ++p, ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool MuteWindow::holds(Timestamp now) const {
    if (until && now >= *until) return false;
    if (!has_hours) return until.has_value();
    const auto wall = zone.stretch_at(now).wall(now);
    const auto midnight = std::chrono::floor<std::chrono::days>(wall);
    const auto minute = std::chrono::duration_cast<std::chrono::minutes>(wall - midnight);
    // The day that the window has begun on: behind midnight, the one before.
    const bool is_over_midnight = end < begin;
    const bool is_second_part = is_over_midnight && minute < end;
    const bool is_within = begin == end       ? true
                           : is_over_midnight ? minute >= begin || minute < end
                                              : minute >= begin && minute < end;
    if (!is_within) return false;
    const auto begun = std::chrono::local_days(midnight) - std::chrono::days(is_second_part ? 1 : 0);
    return days.empty() || days.contains(std::chrono::weekday(begun).c_encoding());
}

bool AlertRule::takes(const Signal& signal) const {
    if (signal.severity < least || !is_among(kinds, signal.kind) || !is_among(owners, signal.owner)) return false;
    if (!matches_any(flows, signal.flow) || !matches_any(pipelines, signal.pipeline)) return false;
    if (!matches_any(tables, signal.table)) return false;
    return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
        const auto found = signal.labels.find(label.first);
        return found != signal.labels.end() && found->second == label.second;
    });
}

bool AlertRule::is_mute(Timestamp now) const {
    return std::any_of(mutes.begin(), mutes.end(), [&](const MuteWindow& window) { return window.holds(now); });
}

std::string AlertRule::group_of(const Signal& signal) const {
    std::string text;
    for (const std::string& group : group_by) {
        const std::string part = part_of(signal, group);
        if (part.empty()) continue;
        if (!text.empty()) text += ", ";
        text += group + " " + part;
    }
    return text;
}

const AlertChannel* AlertSettings::channel(std::string_view name) const {
    const auto found =
        std::find_if(channels.begin(), channels.end(), [&](const AlertChannel& one) { return one.name == name; });
    return found == channels.end() ? nullptr : &*found;
}

const AlertRule* AlertSettings::rule(std::string_view name) const {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const AlertRule& one) { return one.name == name; });
    return found == rules.end() ? nullptr : &*found;
}

std::span<const std::string_view> signal_kinds() { return kKinds; }

std::vector<Error> read_alerts(const Project& project, const Registry<ChannelSpec>& channels, AlertSettings& out) {
    out = AlertSettings();
    return SettingsReader(project, channels, out).read();
}

std::span<const FieldSpec> alert_fields() { return kAlertFields; }

}  // namespace shaduf::observe
