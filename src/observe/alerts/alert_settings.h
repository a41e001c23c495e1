#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/zone.h"
#include "config/project.h"
#include "observe/channel.h"
#include "observe/signal.h"

namespace shaduf::observe {

// A channel as the project has it.
struct AlertChannel {
    std::string name;
    const ChannelSpec* spec = nullptr;
    Options options;
    double per_minute = 60;
};

// When a rule tells nobody: until a time, or at hours of days, such as nights and week-ends.
struct MuteWindow {
    std::optional<Timestamp> until;
    std::chrono::minutes begin{0};  // of the day; behind `end`: over midnight
    std::chrono::minutes end{0};    // alike: the whole day
    std::set<unsigned> days;        // 0 is Sunday; of the window's begin; empty: each
    bool has_hours = false;         // hours or days were given
    Zone zone = Zone::utc();

    bool holds(Timestamp now) const;
};

// Which signals, and who is told of them. Lists that are empty take in all.
struct AlertRule {
    std::string name;
    std::vector<std::string> kinds;
    std::vector<std::string> flows;  // patterns with * and ?
    std::vector<std::string> pipelines;
    std::vector<std::string> tables;
    std::vector<std::string> owners;
    std::map<std::string, std::string> labels;
    Severity least = Severity::warning;
    int64_t after = 1;                       // times in a row,
    std::chrono::milliseconds lasts{0};      // and for so long: then it counts
    std::vector<std::string> to;             // channels
    std::vector<std::string> group_by;       // kind, flow, pipeline, table, owner, severity, label:NAME
    std::chrono::milliseconds wait{15'000};  // for others of the group, before it is told
    std::chrono::milliseconds repeat{0};     // a reminder as long as it lasts; 0: none
    std::vector<MuteWindow> mutes;

    bool takes(const Signal& signal) const;
    bool is_mute(Timestamp now) const;
    // What signals of one incident have in common.
    std::string group_of(const Signal& signal) const;
};

// `alerts` of a project. Immutable once read.
struct AlertSettings {
    std::string project;
    std::string environment;
    std::string url;  // that people reach the server by, without a slash at its end; "": messages have no links
    std::vector<AlertChannel> channels;
    std::vector<AlertRule> rules;

    const AlertChannel* channel(std::string_view name) const;
    const AlertRule* rule(std::string_view name) const;
};

// What may be waited for: Signal::kind.
std::span<const std::string_view> signal_kinds();

// All errors at once, each with file and line; then `out` is not to be used. Without rules there is one, which tells
// every channel of warnings and errors; without channels incidents are kept for people to look at, and nobody is told.
std::vector<Error> read_alerts(const Project& project, const Registry<ChannelSpec>& channels, AlertSettings& out);

// The keys of `alerts`; for the docs.
std::span<const FieldSpec> alert_fields();

// Whether `text` is what the pattern says: * is any characters, ? is one.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace shaduf::observe
