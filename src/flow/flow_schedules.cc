#include "flow/flow_schedules.h"

#include "base/text.h"
#include "base/time.h"
#include "config/options.h"

namespace shaduf {
namespace {

constexpr FieldSpec kScheduleFields[] = {
    {.name = "cron", .help = "Five or six cron fields, or a preset such as @daily.", .example = "0 6 * * *"},
    {.name = "every", .type = FieldType::duration, .help = "A run in each such time.", .example = "15m"},
    {.name = "at", .type = FieldType::any, .help = "A moment, or a list of moments."},
    {.name = "zone", .help = "The time zone by whose clocks it goes.", .example = "Europe/Zurich"},
};
constexpr std::chrono::milliseconds kEveryMin{1000};

class Reader {
public:
    Reader(std::vector<Error>& errors, WrittenSchedules& out) : errors_(errors), out_(out) {}

    void read(const Node& node, const Zone& zone) {
        if (node.is_list()) {
            for (const Node& item : node.items()) read(item, zone);
        } else if (node.is_map()) {
            read_map(node, zone);
        } else if (node.is_scalar()) {
            const std::string text(trim(node.text()));
            if (text.starts_with("every ")) {
                add_every(node, text.substr(6));
            } else {
                add_cron(node, zone);
            }
        } else {
            fail(node.place(), "schedule: expected cron fields, a preset, a map or a list");
        }
    }

private:
    void fail(const Place& place, std::string message) {
        errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
    }

    void add_cron(const Node& node, const Zone& zone) {
        auto cron = Cron::parse(node.text());
        if (!cron.ok()) {
            errors_.push_back(cron.error().at(node.place()));
            return;
        }
        out_.schedules.emplace_back(cron.release_value(), zone);
        out_.as_written.push_back(node.text());
    }

    void add_every(const Node& node, const std::string& text) {
        const auto period = parse_duration(trim(text));
        if (!period || *period < kEveryMin) {
            return fail(node.place(), "every: expected a duration of at least 1s, such as 15m, found " + text);
        }
        out_.schedules.emplace_back(std::chrono::microseconds(*period), Timestamp());
        out_.as_written.push_back("every " + std::string(trim(text)));
    }

    void read_map(const Node& node, const Zone& outer) {
        Options options;
        auto wrong = Options::create(kScheduleFields, node, {}, options);
        if (!wrong.empty()) {
            std::move(wrong.begin(), wrong.end(), std::back_inserter(errors_));
            return;
        }
        Zone zone = outer;
        if (options.has("zone")) {
            auto found = Zone::find(options.text("zone"));
            if (!found.ok()) return fail(options.place_of("zone"), found.error().message());
            zone = found.release_value();
        }
        if (int{options.has("cron")} + int{options.has("every")} + int{options.has("at")} != 1) {
            return fail(node.place(), "schedule: give one of cron, every and at");
        }
        if (options.has("cron")) return add_cron(node["cron"], zone);
        if (options.has("every")) return add_every(node["every"], node["every"].text());
        std::vector<Timestamp> moments;
        const Node& at = node["at"];
        for (const Node& item : at.is_list() ? at.items() : std::vector<Node>{at}) {
            const auto moment = read_moment(item, zone);
            if (moment.ok()) {
                moments.push_back(moment.value());
            } else {
                errors_.push_back(moment.error());
            }
            out_.as_written.push_back("at " + item.text());
        }
        out_.schedules.emplace_back(std::move(moments));
    }

    std::vector<Error>& errors_;
    WrittenSchedules& out_;
};

}  // namespace

WrittenSchedules read_schedules(const Node& node, const Zone& zone, std::vector<Error>& errors) {
    WrittenSchedules out;
    Reader(errors, out).read(node, zone);
    return out;
}

Result<Timestamp> read_moment(const Node& node, const Zone& zone) {
    const std::string text(trim(node.text()));
    if (const auto date = parse_date(text)) {
        return zone.first_moment_of(WallTime(std::chrono::days(*date)));
    }
    const auto time = parse_timestamp(text);
    if (!time) {
        return Error(ErrorKind::invalid_config,
                     "expected a date or a time such as 2026-01-02T06:00, found " + (text.empty() ? "nothing" : text))
            .at(node.place());
    }
    const std::chrono::microseconds count(time->microseconds);
    return time->has_zone ? Timestamp(count) : zone.first_moment_of(WallTime(count));
}

}  // namespace shaduf
