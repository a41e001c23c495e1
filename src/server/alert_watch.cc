#include "server/alert_watch.h"

#include <random>

#include "base/json_writer.h"
#include "server/flow_health.h"

namespace shaduf::server {
namespace {

// A flow that has never run is late so long behind the first moment that it was due.
constexpr std::chrono::minutes kNeverStartedGrace{5};

double random_0_to_1() {
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

AlertWatch::AlertWatch(Parts parts)
    : parts_(parts), channels_(builtin_channels()), version_(parts.room.view().version) {
    RunStore& store = parts_.platform.store();
    const auto leads = [this] { return parts_.platform.leads(); };
    observe::Alerts::Parts alerts{
        .store = store,
        .world = parts_.world,
        .leads = leads,
        .say = [this](Severity severity, const std::string& text) { parts_.log.say(severity, text); },
        .changed =
            [this] {
                parts_.live.publish({"alerts", {"alerts"}, "alerts"}, [](JsonWriter&) {});
            },
        .random = random_0_to_1,
    };
    alerts_ = std::make_unique<observe::Alerts>(std::move(alerts), read_settings());
    observe::FlowSignals::Parts signals{
        .store = store,
        .logs = &parts_.platform.logs(),
        .clock = parts_.world.clock,
        .leads = leads,
        .flows =
            [this] {
                const auto view = parts_.room.view();
                // Whoever has the project read again: a secret that was written counts as well.
                if (version_.exchange(view.version) != view.version) reload();
                return view.flows;
            },
        .spec = [this](const std::string& flow,
                       const std::string& revision) { return parts_.views.spec(flow, revision); },
        .late_since = [this](const FlowInfo& flow, Timestamp known_since,
                             Timestamp now) { return late_since(flow, known_since, now); },
        .tell = [this](observe::Signal signal) { alerts_->tell(std::move(signal)); },
        .settle = [this] { return alerts_->settle(); },
        .open_keys = [this](std::string_view prefix) { return alerts_->open_keys(prefix); },
    };
    signals_ = std::make_unique<observe::FlowSignals>(std::move(signals));
}

AlertWatch::~AlertWatch() { stop(); }

void AlertWatch::start() {
    alerts_->start();
    signals_->start();
}

void AlertWatch::stop() {
    if (is_stopped_) return;
    is_stopped_ = true;
    signals_->stop();
    (void)signals_->look();  // what it cannot keep is found again by the next process
    alerts_->stop();
}

// The project was read without an error; so were these.
std::shared_ptr<const observe::AlertSettings> AlertWatch::read_settings() const {
    auto settings = std::make_shared<observe::AlertSettings>();
    const auto project = parts_.room.view().project;
    for (const Error& error : observe::read_alerts(*project, channels_, *settings)) {
        parts_.log.say(Severity::error, error.to_string());
    }
    return settings;
}

std::map<std::string, int64_t> AlertWatch::firing() {
    std::map<std::string, int64_t> counts;
    const auto listed = alerts_->list();
    if (!listed.ok()) return counts;
    for (const auto& shown : listed.value()) {
        const Severity severity = shown.incident.severity;
        const char* name = severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "info";
        if (shown.incident.is_open()) ++counts[name];
    }
    return counts;
}

void AlertWatch::reload() { alerts_->set(read_settings()); }

std::optional<Timestamp> AlertWatch::late_since(const FlowInfo& flow, Timestamp known_since, Timestamp now) const {
    const auto recent = parts_.views.recent(flow.spec->name);
    const auto is_paused = parts_.platform.desk().is_paused(flow.spec->name);
    if (!recent.ok() || !is_paused.ok() || is_paused.value() || flow.is_endless) return std::nullopt;
    if (const auto late = lateness_of(flow, recent.value(), false, now)) return late->due;
    if (!recent.value().runs.empty()) return std::nullopt;
    const bool has_limit = flow.stale_after.count() > 0;
    const auto due =
        has_limit ? std::optional<Timestamp>(known_since + flow.stale_after) : first_due(*flow.spec, known_since);
    const auto grace = has_limit ? std::chrono::minutes(0) : kNeverStartedGrace;
    return due && now - *due > grace ? due : std::nullopt;
}

}  // namespace shaduf::server
