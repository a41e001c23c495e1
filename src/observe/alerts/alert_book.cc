#include "observe/alerts/alert_book.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::observe {
namespace {

// An incident of a group within this time of the one before waits longer than that one did.
constexpr std::chrono::minutes kStormWindow{10};
constexpr std::chrono::milliseconds kWaitMax{std::chrono::minutes(10)};
// What comes back within this time of its end flaps.
constexpr std::chrono::hours kFlapWindow{1};
constexpr std::chrono::milliseconds kHoldFirst{std::chrono::minutes(1)};
constexpr std::chrono::milliseconds kHoldMax{std::chrono::minutes(30)};
constexpr int kFlapsMax = 16;
constexpr std::chrono::minutes kTrimEvery{10};

bool counts(const AlertRule& rule, const Matter& matter, Timestamp now) {
    return matter.times >= rule.after && now - matter.since >= rule.lasts;
}

std::chrono::milliseconds hold_of(int flaps) {
    if (flaps == 0) return std::chrono::milliseconds(0);
    return std::min(kHoldMax, kHoldFirst * (int64_t{1} << std::min(flaps - 1, kFlapsMax)));
}

Signal clean(const Signal& signal) {
    Signal out = signal;
    for (std::string* text : {&out.title, &out.text, &out.cause, &out.advice}) {
        if (!is_valid_utf8(*text)) *text = make_valid_utf8(*text);
    }
    return out;
}

}  // namespace

AlertBook::AlertBook(Sources sources, std::shared_ptr<const AlertSettings> settings)
    : sources_(std::move(sources)), settings_(std::move(settings)) {}

Incident* AlertBook::find(const std::string& id) {
    const auto found = incidents_.find(id);
    return found == incidents_.end() ? nullptr : &found->second;
}

void AlertBook::index(const Incident& incident) {
    for (const Matter& matter : incident.matters) open_by_key_[matter.signal.key].insert(incident.id);
}

void AlertBook::forget(const std::string& id) {
    const auto found = incidents_.find(id);
    if (found == incidents_.end()) return;
    const Incident& incident = found->second;
    if (incident.is_open()) {
        --open_;
        for (const Matter& matter : incident.matters) {
            const auto at = open_by_key_.find(matter.signal.key);
            if (at == open_by_key_.end()) continue;
            at->second.erase(id);
            if (at->second.empty()) open_by_key_.erase(at);
        }
    }
    changed_.erase(id);
    forgotten_.insert(id);
    incidents_.erase(found);
}

std::vector<Error> AlertBook::load(const std::map<std::string, std::string>& kept) {
    std::vector<Error> errors;
    for (const auto& [id, text] : kept) {
        auto incident = incident_from_text(text);
        if (!incident.ok()) {
            errors.push_back(incident.release_error());
            continue;
        }
        incidents_[id] = incident.release_value();
    }
    std::vector<std::string> doubled;
    for (const auto& [id, incident] : incidents_) {
        for (const Matter& matter : incident.matters) {
            const auto ended = std::pair(incident.rule, matter.signal.key);
            if (!incident.resolved) continue;
            Ended& last = ended_[ended];
            if (last.at < *incident.resolved) last = {matter.signal.at, *incident.resolved, incident.flaps, true};
        }
        if (!incident.is_open()) continue;
        ++open_;
        index(incident);
        if (incident.state == IncidentState::pending) continue;
        Opened& group = groups_[std::pair(incident.rule, incident.group)];
        if (incident.opened < group.at) continue;
        group = {incident.opened, incident.waits, incident.state == IncidentState::gathering ? id : ""};
    }
    // The end of the process between the two halves of a promotion leaves both.
    for (const auto& [id, incident] : incidents_) {
        if (incident.state != IncidentState::pending) continue;
        for (const std::string& other : open_by_key_[incident.matters.front().signal.key]) {
            if (other != id && incidents_[other].rule == incident.rule) doubled.push_back(id);
        }
    }
    for (const std::string& id : doubled) forget(id);
    return errors;
}

void AlertBook::set(std::shared_ptr<const AlertSettings> settings, Timestamp now) {
    settings_ = std::move(settings);
    std::vector<std::string> gone;
    for (auto& [id, incident] : incidents_) {
        if (incident.state == IncidentState::pending && settings_->rule(incident.rule) == nullptr) gone.push_back(id);
        for (Route& route : incident.routes) {
            if (route.owes == Route::Owes::nothing || settings_->channel(route.channel) != nullptr) continue;
            route.owes = Route::Owes::nothing;
            route.attempts.push_back({MessageKind::fired, now, false, "the channel is not in shaduf.yml any more"});
            change(incident);
        }
    }
    for (const std::string& id : gone) forget(id);
    std::erase_if(paces_, [&](const auto& pace) { return settings_->channel(pace.first) == nullptr; });
}

void AlertBook::tell(const Signal& signal, Timestamp now) {
    Signal cleaned = clean(signal);
    if (cleaned.at == Timestamp{}) cleaned.at = now;
    if (signal.is_over) return tell_over(cleaned, now);
    for (const AlertRule& rule : settings_->rules) {
        if (rule.takes(cleaned)) tell_rule(rule, cleaned, now);
    }
}

void AlertBook::tell_rule(const AlertRule& rule, const Signal& signal, Timestamp now) {
    if (const auto found = open_by_key_.find(signal.key); found != open_by_key_.end()) {
        for (const std::string& id : found->second) {
            Incident& incident = incidents_.at(id);
            if (incident.rule == rule.name) return tell_again(incident, signal, now);
        }
    }
    const auto ended = ended_.find(std::pair(rule.name, signal.key));
    if (ended != ended_.end() && signal.at <= ended->second.over_at) return;  // what is over since
    if (open_ >= kOpenMax) {
        ++refused_;
        return;
    }
    const Matter matter{signal, std::min(signal.at, now), 1, false};
    if (counts(rule, matter, now)) return gather(rule, matter, now);
    open(rule, matter, IncidentState::pending, now);
}

void AlertBook::tell_again(Incident& incident, const Signal& signal, Timestamp now) {
    Matter& matter = *incident.find(signal.key);
    if (signal.at < matter.signal.at) return;  // told again, behind a restart
    const bool is_same = signal.occurrence == matter.signal.occurrence && !matter.is_over;
    if (is_same && signal.title == matter.signal.title && signal.severity == matter.signal.severity) return;
    if (signal.occurrence != matter.signal.occurrence) ++matter.times;
    matter.signal = signal;
    matter.is_over = false;
    incident.severity = std::max(incident.severity, signal.severity);
    change(incident);
    if (incident.state == IncidentState::settling) {
        incident.state = IncidentState::firing;
        ++incident.flaps;
    }
    if (incident.state == IncidentState::pending) promote(std::string(incident.id), now);
}

void AlertBook::tell_over(const Signal& signal, Timestamp now) {
    const auto found = open_by_key_.find(signal.key);
    if (found == open_by_key_.end()) return;
    for (const std::string& id : std::set<std::string>(found->second)) {
        Incident& incident = incidents_.at(id);
        Matter& matter = *incident.find(signal.key);
        if (signal.at < matter.signal.at) continue;
        if (incident.state == IncidentState::pending) {
            ended_[std::pair(incident.rule, signal.key)] = {signal.at, now, 0, false};
            forget(id);
            continue;
        }
        if (matter.is_over) continue;
        matter.is_over = true;
        matter.signal.at = signal.at;
        change(incident);
        if (incident.state == IncidentState::firing && incident.is_all_over()) settle(incident, now);
    }
}

Incident& AlertBook::open(const AlertRule& rule, const Matter& matter, IncidentState state, Timestamp now) {
    const std::string id = sources_.make_id(now);
    Incident& incident = incidents_[id];
    incident.id = id;
    incident.rule = rule.name;
    incident.group = rule.group_of(matter.signal);
    incident.state = state;
    incident.severity = matter.signal.severity;
    incident.opened = now;
    incident.matters.push_back(matter);
    ++open_;
    index(incident);
    change(incident);
    return incident;
}

void AlertBook::gather(const AlertRule& rule, const Matter& matter, Timestamp now) {
    Opened& group = groups_[std::pair(rule.name, rule.group_of(matter.signal))];
    const auto ended = ended_.find(std::pair(rule.name, matter.signal.key));
    const bool comes_back = ended != ended_.end() && ended->second.was_told && now - ended->second.at < kFlapWindow;
    const int flaps = comes_back ? ended->second.flaps + 1 : 0;
    Incident* gathering = group.gathering.empty() ? nullptr : find(group.gathering);
    if (gathering != nullptr && gathering->matters.size() < kMattersMax) {
        gathering->matters.push_back(matter);
        gathering->severity = std::max(gathering->severity, matter.signal.severity);
        gathering->flaps = std::max(gathering->flaps, flaps);
        open_by_key_[matter.signal.key].insert(gathering->id);
        return change(*gathering);
    }
    const bool is_storm = group.at != Timestamp{} && now - group.at < kStormWindow;
    Incident& incident = open(rule, matter, IncidentState::gathering, now);
    incident.flaps = flaps;
    incident.waits = is_storm ? std::max(rule.wait, std::min(kWaitMax, 2 * group.waits)) : rule.wait;
    incident.fires_at = now + incident.waits;
    group = {now, incident.waits, incident.id};
    if (incident.waits.count() <= 0) fire(incident, now);
}

void AlertBook::promote(const std::string& id, Timestamp now) {
    const Incident& pending = incidents_.at(id);
    const AlertRule* rule = settings_->rule(pending.rule);
    if (rule == nullptr) return forget(id);
    const Matter matter = pending.matters.front();
    if (!counts(*rule, matter, now)) return;
    forget(id);
    gather(*rule, matter, now);
}

void AlertBook::fire(Incident& incident, Timestamp now) {
    incident.state = IncidentState::firing;
    incident.fired = now;
    groups_[std::pair(incident.rule, incident.group)].gathering.clear();
    const AlertRule* rule = settings_->rule(incident.rule);
    for (size_t i = 0; rule != nullptr && i < rule->to.size(); ++i) {
        Route route;
        route.channel = rule->to[i];
        owe(route, Route::Owes::fired, now);
        incident.routes.push_back(std::move(route));
    }
    change(incident);
    if (!incident.is_all_over()) return;
    incident.is_told_anyway = true;
    settle(incident, now);
}

void AlertBook::settle(Incident& incident, Timestamp now) {
    const auto hold = hold_of(incident.flaps);
    incident.state = IncidentState::settling;
    incident.settles_at = now + hold;
    change(incident);
    if (hold.count() == 0) resolve(incident, now);
}

void AlertBook::resolve(Incident& incident, Timestamp now) {
    incident.state = IncidentState::resolved;
    incident.resolved = now;
    --open_;
    for (const Matter& matter : incident.matters) {
        ended_[std::pair(incident.rule, matter.signal.key)] = {matter.signal.at, now, incident.flaps, true};
        const auto at = open_by_key_.find(matter.signal.key);
        if (at == open_by_key_.end()) continue;
        at->second.erase(incident.id);
        if (at->second.empty()) open_by_key_.erase(at);
    }
    for (Route& route : incident.routes) {
        if (in_flight_.contains(std::pair(incident.id, route.channel))) continue;  // its end decides
        if (route.owes == Route::Owes::fired && !route.is_told) {
            if (!incident.is_told_anyway) end_untold(route, now);
        } else if (route.is_told) {
            owe(route, Route::Owes::resolved, now);
        }
    }
    change(incident);
}

void AlertBook::remind(Incident& incident, Timestamp now) {
    const AlertRule* rule = settings_->rule(incident.rule);
    if (rule == nullptr || rule->repeat.count() <= 0) return;
    for (Route& route : incident.routes) {
        if (route.owes != Route::Owes::nothing || !route.is_told || now - route.told_at < rule->repeat) continue;
        owe(route, Route::Owes::reminder, now);
        change(incident);
    }
}

void AlertBook::tick(Timestamp now) {
    std::vector<std::string> due;
    for (const auto& [id, incident] : incidents_) {
        const auto at = wakes_at(incident);
        if (at && *at <= now) due.push_back(id);
    }
    for (const std::string& id : due) {
        Incident* incident = find(id);
        if (incident == nullptr) continue;
        switch (incident->state) {
            case IncidentState::pending: promote(id, now); break;
            case IncidentState::gathering: fire(*incident, now); break;
            case IncidentState::firing: remind(*incident, now); break;
            case IncidentState::settling: resolve(*incident, now); break;
            case IncidentState::resolved: break;
        }
    }
    trim(now);
}

std::optional<Timestamp> AlertBook::wakes_at(const Incident& incident) const {
    const AlertRule* rule = settings_->rule(incident.rule);
    switch (incident.state) {
        case IncidentState::pending: {
            const Matter& matter = incident.matters.front();
            if (rule == nullptr || matter.times < rule->after) return std::nullopt;
            return matter.since + rule->lasts;
        }
        case IncidentState::gathering: return incident.fires_at;
        case IncidentState::settling: return incident.settles_at;
        case IncidentState::resolved: return std::nullopt;
        case IncidentState::firing: break;
    }
    std::optional<Timestamp> first;
    for (const Route& route : incident.routes) {
        if (rule == nullptr || rule->repeat.count() <= 0) break;
        if (route.owes != Route::Owes::nothing || !route.is_told) continue;
        if (const Timestamp at = route.told_at + rule->repeat; !first || at < *first) first = at;
    }
    return first;
}

std::optional<Timestamp> AlertBook::wakes_at() const {
    std::optional<Timestamp> first;
    for (const auto& [id, incident] : incidents_) {
        const auto at = wakes_at(incident);
        if (at && (!first || *at < *first)) first = at;
    }
    return first;
}

void AlertBook::trim(Timestamp now) {
    if (incidents_.size() - open_ <= kResolvedMax && now - trimmed_at_ < kTrimEvery) return;
    trimmed_at_ = now;
    std::vector<std::pair<Timestamp, std::string>> over;
    for (const auto& [id, incident] : incidents_) {
        const bool owes = std::any_of(incident.routes.begin(), incident.routes.end(),
                                      [](const Route& route) { return route.owes != Route::Owes::nothing; });
        if (incident.resolved && !owes) over.emplace_back(*incident.resolved, id);
    }
    std::sort(over.begin(), over.end());
    const size_t too_many = over.size() > kResolvedMax ? over.size() - kResolvedMax : 0;
    for (size_t i = 0; i < over.size(); ++i) {
        if (i < too_many || now - over[i].first >= kResolvedAge) forget(over[i].second);
    }
    std::erase_if(ended_, [&](const auto& one) { return now - one.second.at >= kResolvedAge; });
    std::erase_if(groups_,
                  [&](const auto& one) { return one.second.gathering.empty() && now - one.second.at >= kStormWindow; });
}

Result<void> AlertBook::mute(const std::string& id, std::optional<Timestamp> until, Timestamp now) {
    Incident* incident = find(id);
    if (incident == nullptr || incident->state == IncidentState::pending) {
        return Error(ErrorKind::conflict, "no such alert: " + id + "; shaduf alerts ls shows those there are");
    }
    if (!incident->is_open()) return Error(ErrorKind::conflict, "the alert is over: " + id + "; nobody is told of it");
    incident->muted_until = until && *until > now ? until : std::nullopt;
    change(*incident);
    return {};
}

AlertBook::Changes AlertBook::take_changes() {
    Changes changes;
    for (const std::string& id : changed_) changes[id] = incident_to_text(incidents_.at(id));
    for (const std::string& id : forgotten_) changes[id] = std::nullopt;
    changed_.clear();
    forgotten_.clear();
    return changes;
}

void AlertBook::not_kept(const std::string& id) {
    if (incidents_.contains(id)) {
        changed_.insert(id);
    } else {
        forgotten_.insert(id);
    }
}

std::vector<std::string> AlertBook::open_keys(std::string_view prefix) const {
    std::vector<std::string> keys;
    for (const auto& [key, ids] : open_by_key_) {
        if (key.starts_with(prefix)) keys.push_back(key);
    }
    return keys;
}

}  // namespace shaduf::observe
