// The half of AlertBook that is about messages: what each channel is owed, and how tries to send it end.
#include <algorithm>

#include "base/retry.h"
#include "observe/alerts/alert_book.h"

namespace shaduf::observe {
namespace {

constexpr RetryPolicy kRetries{.tries_max = 0,
                               .delay_first = std::chrono::seconds(4),
                               .delay_max = std::chrono::minutes(15),
                               .server_delay_max = std::chrono::hours(1)};
constexpr int kBackoffStepsMax = 16;
constexpr double kBurst = 5;  // messages that may go out at once
constexpr std::chrono::minutes kMuteSeenEvery{1};
constexpr std::chrono::seconds kKeptSeenEvery{5};  // a store that could not be written

MessageKind kind_of(Route::Owes owes) {
    if (owes == Route::Owes::reminder) return MessageKind::reminder;
    return owes == Route::Owes::resolved ? MessageKind::resolved : MessageKind::fired;
}

void note(Route& route, Attempt attempt) {
    route.attempts.push_back(std::move(attempt));
    if (route.attempts.size() > Route::kAttemptsMax) route.attempts.erase(route.attempts.begin());
}

}  // namespace

void AlertBook::owe(Route& route, Route::Owes what, Timestamp now) {
    route.owes = what;
    route.tries = 0;
    route.owed_since = now;
    route.next_try = now;
}

void AlertBook::end_untold(Route& route, Timestamp now) {
    if (route.may_be_told) return owe(route, Route::Owes::resolved, now);
    route.owes = Route::Owes::nothing;
    note(route, {MessageKind::fired, now, false, "it was over before it could be told"});
}

bool AlertBook::is_mute(const Incident& incident, Timestamp now) const {
    if (incident.muted_until && now < *incident.muted_until) return true;
    const AlertRule* rule = settings_->rule(incident.rule);
    return rule != nullptr && rule->is_mute(now);
}

bool AlertBook::is_withheld(const Incident& incident, const Route& route, Timestamp now) const {
    return route.owes != Route::Owes::resolved && is_mute(incident, now);
}

AlertBook::Pace AlertBook::pace_of(const std::string& channel, Timestamp now) const {
    const AlertChannel* settings = settings_->channel(channel);
    const double per_minute = settings == nullptr ? 1 : settings->per_minute;
    const auto found = paces_.find(channel);
    if (found == paces_.end()) return {std::min(kBurst, std::max(1.0, per_minute)), now, {}};
    Pace pace = found->second;
    const double minutes = std::chrono::duration<double, std::ratio<60>>(now - pace.at).count();
    const double most = std::min(kBurst, std::max(1.0, per_minute));
    pace.tokens = std::min(most, pace.tokens + std::max(0.0, minutes) * per_minute);
    pace.at = now;
    return pace;
}

std::optional<AlertBook::Due> AlertBook::next_due(const std::string& channel, Timestamp now) {
    if (settings_->channel(channel) == nullptr) return std::nullopt;
    const Pace pace = pace_of(channel, now);
    if (pace.tokens < 1 || now < pace.resumes) return std::nullopt;
    const Incident* first = nullptr;
    const Route* owed = nullptr;
    for (const auto& [id, incident] : incidents_) {
        for (const Route& route : incident.routes) {
            if (route.channel != channel || route.owes == Route::Owes::nothing || now < route.next_try) continue;
            if (changed_.contains(id) || in_flight_.contains(std::pair(id, channel))) continue;
            if (is_withheld(incident, route, now) || (owed != nullptr && owed->owed_since <= route.owed_since))
                continue;
            first = &incident;
            owed = &route;
        }
    }
    if (owed == nullptr) return std::nullopt;
    return Due{first->id, message_of(*first, *owed, now)};
}

std::optional<Timestamp> AlertBook::due_at(const std::string& channel, Timestamp now) const {
    if (settings_->channel(channel) == nullptr) return std::nullopt;
    std::optional<Timestamp> first;
    for (const auto& [id, incident] : incidents_) {
        for (const Route& route : incident.routes) {
            if (route.channel != channel || route.owes == Route::Owes::nothing) continue;
            if (in_flight_.contains(std::pair(id, channel))) continue;
            Timestamp at = route.next_try;
            if (is_withheld(incident, route, now)) at = std::max(at, now + kMuteSeenEvery);
            if (changed_.contains(id)) at = std::max(at, now + kKeptSeenEvery);
            if (!first || at < *first) first = at;
        }
    }
    if (!first) return std::nullopt;
    const Pace pace = pace_of(channel, now);
    Timestamp at = std::max(*first, pace.resumes);
    if (pace.tokens < 1) {
        const double minutes = (1 - pace.tokens) / settings_->channel(channel)->per_minute;
        const std::chrono::duration<double, std::ratio<60>> wait(minutes);
        at = std::max(at, now + std::chrono::ceil<std::chrono::milliseconds>(wait));
    }
    return at;
}

void AlertBook::begin_try(const std::string& id, const std::string& channel, Timestamp now) {
    Incident* incident = find(id);
    Route* route = incident == nullptr ? nullptr : incident->route(channel);
    if (route == nullptr) return;
    Pace pace = pace_of(channel, now);
    pace.tokens -= 1;
    paces_[channel] = pace;
    in_flight_[std::pair(id, channel)] = route->may_be_told;
    ++route->tries;
    if (route->owes == Route::Owes::fired) route->may_be_told = true;
    change(*incident);
}

void AlertBook::drop_try(const std::string& id, const std::string& channel) {
    const auto flight = in_flight_.find(std::pair(id, channel));
    if (flight == in_flight_.end()) return;
    const bool was_told_before = flight->second;
    in_flight_.erase(flight);
    Incident* incident = find(id);
    Route* route = incident == nullptr ? nullptr : incident->route(channel);
    if (route == nullptr) return;
    --route->tries;
    route->may_be_told = was_told_before;
    change(*incident);
}

void AlertBook::end_try(const std::string& id, const std::string& channel, const SendOutcome& outcome, Timestamp now) {
    const auto flight = in_flight_.find(std::pair(id, channel));
    if (flight == in_flight_.end()) return;
    const bool was_told_before = flight->second;
    in_flight_.erase(flight);
    Incident* incident = find(id);
    Route* route = incident == nullptr ? nullptr : incident->route(channel);
    if (route == nullptr) return;
    if (outcome.is_delivered) {
        end_delivered(*incident, *route, outcome, now);
    } else {
        end_failed(*incident, *route, outcome, was_told_before, now);
    }
    change(*incident);
}

void AlertBook::end_delivered(Incident& incident, Route& route, const SendOutcome& outcome, Timestamp now) {
    note(route, {kind_of(route.owes), now, true, outcome.note});
    ++route.sent;
    if (route.reference.empty()) route.reference = outcome.reference;
    const bool was_last = route.owes == Route::Owes::resolved;
    route.is_told = true;
    route.told_at = now;
    route.owes = Route::Owes::nothing;
    if (incident.resolved && !was_last) owe(route, Route::Owes::resolved, now);
}

void AlertBook::end_failed(Incident& incident, Route& route, const SendOutcome& outcome, bool was_told_before,
                           Timestamp now) {
    const Error error = outcome.error.value_or(Error(ErrorKind::internal, "the channel does not say why"));
    const bool is_stopped = error.kind() == ErrorKind::canceled;
    if (!outcome.may_be_delivered) route.may_be_told = was_told_before;
    const bool is_late = now - route.owed_since >= kGiveUpAfter;
    const bool comes_again = is_stopped || (error.may_retry() && !is_late);
    std::string text = error.to_string();
    if (!comes_again) text = (is_late ? "given up: " : "refused for good: ") + text;
    note(route, {kind_of(route.owes), now, false, text});
    if (!comes_again) {
        route.owes = Route::Owes::nothing;
        return;
    }
    const auto asked = error.retry_delay();
    const auto grown = backoff_delay(kRetries, std::min(std::max(1, route.tries), kBackoffStepsMax), 1.0);
    // Half of it is chance, so that many of them do not come back together.
    auto delay = std::chrono::milliseconds(
        static_cast<int64_t>(static_cast<double>(grown.count()) * (0.5 + 0.5 * sources_.random())));
    if (asked) delay = std::min(*asked, kRetries.server_delay_max);
    if (is_stopped) delay = std::chrono::milliseconds(0);
    route.next_try = now + delay;
    if (asked) {
        Pace pace = pace_of(route.channel, now);
        pace.resumes = now + delay;
        paces_[route.channel] = pace;
    }
    // Over in the meantime: the firing is told no more, unless it is known that it may have been.
    if (!incident.resolved || incident.is_told_anyway) return;
    const Timestamp next = route.next_try;
    if (route.owes == Route::Owes::fired) end_untold(route, now);
    if (route.owes == Route::Owes::reminder) owe(route, Route::Owes::resolved, now);
    route.next_try = next;
}

AlertMessage AlertBook::message_of(const Incident& incident, const Route& route, Timestamp now) const {
    AlertMessage message;
    message.kind = kind_of(route.owes);
    message.incident = incident.id;
    // A resolution is never taken for the firing, also where nobody knows whether that one was told.
    message.number = route.owes == Route::Owes::resolved ? std::max(1, route.sent) + 1 : route.sent + 1;
    message.project = settings_->project;
    message.environment = settings_->environment;
    message.rule = incident.rule;
    message.severity = incident.severity;
    message.title = incident.title();
    message.count = static_cast<int64_t>(incident.matters.size());
    message.began = incident.opened;
    message.at = now;
    message.reference = route.reference;
    const auto link_of = [&](const std::string& path) { return settings_->url.empty() ? "" : settings_->url + path; };
    message.link = link_of("/alerts?id=" + incident.id);
    for (const Matter& matter : incident.matters) {
        if (message.lines.size() == AlertMessage::kLinesMax) break;
        const Signal& signal = matter.signal;
        const std::string link = signal.path.empty() ? "" : link_of(signal.path);
        message.lines.push_back({signal.title, signal.text, signal.cause, signal.advice, link, matter.is_over});
    }
    return message;
}

}  // namespace shaduf::observe
