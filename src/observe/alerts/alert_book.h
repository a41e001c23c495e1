#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/alerts/alert_settings.h"
#include "observe/alerts/incident.h"

namespace shaduf::observe {

// What is wrong, who is to be told, and how far that has come: alerts without clocks, threads, disk and network. Each
// call takes the time and what has happened; what it has changed is to be kept, by `take_changes`, before any message
// is begun. What is kept is enough to go on from. The states of incidents and of their routes stand in incident.h.
//
// Bounded: kOpenMax incidents that are open, kMattersMax matters each, kResolvedMax that are over, for kResolvedAge.
// One thread at a time. Time must not go back.
class AlertBook {
public:
    static constexpr size_t kOpenMax = 20'000;
    static constexpr size_t kMattersMax = 2'000;
    static constexpr size_t kResolvedMax = 500;
    static constexpr std::chrono::hours kResolvedAge{24 * 30};
    static constexpr std::chrono::hours kGiveUpAfter{24 * 3};  // what cannot be delivered for so long is given up

    struct Sources {
        std::function<std::string(Timestamp)> make_id;
        std::function<double()> random;  // of [0, 1)
    };
    AlertBook(Sources sources, std::shared_ptr<const AlertSettings> settings);

    // Other rules and channels from now on; what they no longer have goes to its end, or is given up.
    void set(std::shared_ptr<const AlertSettings> settings, Timestamp now);
    // As `take_changes` gave them. What cannot be read is left out, and told.
    std::vector<Error> load(const std::map<std::string, std::string>& kept);

    // Of one key what is older, by Signal::at, than what was told of it changes nothing: so all may be told again.
    void tell(const Signal& signal, Timestamp now);
    // What is due by now; to be called at `wakes_at`, any other time is fine, too.
    void tick(Timestamp now);
    std::optional<Timestamp> wakes_at() const;
    // conflict: no such incident, or it is over. Without a time: no longer mute.
    Result<void> mute(const std::string& id, std::optional<Timestamp> until, Timestamp now);

    // What is to be kept: by id the text, or nothing when it is forgotten. Those that could not be kept are given back
    // by `not_kept`; nothing of them is sent as long as they are not.
    using Changes = std::map<std::string, std::optional<std::string>>;
    Changes take_changes();
    void not_kept(const std::string& id);

    // A message that is to be sent now through a channel; nullopt: none.
    struct Due {
        std::string incident;
        AlertMessage message;
    };
    std::optional<Due> next_due(const std::string& channel, Timestamp now);
    // When there may be one; nullopt: not before something changes.
    std::optional<Timestamp> due_at(const std::string& channel, Timestamp now) const;
    // A try is about to be made: to be kept first; only then it may be. Then how it has ended; an Error's delay holds
    // for the whole channel.
    void begin_try(const std::string& id, const std::string& channel, Timestamp now);
    void end_try(const std::string& id, const std::string& channel, const SendOutcome& outcome, Timestamp now);
    // The try was not made after all.
    void drop_try(const std::string& id, const std::string& channel);

    const std::map<std::string, Incident>& incidents() const { return incidents_; }
    // Keys of what is not over; of kinds that begin so.
    std::vector<std::string> open_keys(std::string_view prefix) const;
    bool is_mute(const Incident& incident, Timestamp now) const;
    size_t refused() const { return refused_; }  // signals, since too much was open

private:
    struct Pace {
        double tokens = 0;
        Timestamp at{};
        Timestamp resumes{};
    };

    Incident* find(const std::string& id);
    void change(const Incident& incident) { changed_.insert(incident.id); }
    void forget(const std::string& id);
    void index(const Incident& incident);
    void tell_rule(const AlertRule& rule, const Signal& signal, Timestamp now);
    void tell_again(Incident& incident, const Signal& signal, Timestamp now);
    void tell_over(const Signal& signal, Timestamp now);
    void gather(const AlertRule& rule, const Matter& matter, Timestamp now);
    Incident& open(const AlertRule& rule, const Matter& matter, IncidentState state, Timestamp now);
    // A pending one whose matter counts by now goes on in an incident of its group; it is gone then.
    void promote(const std::string& id, Timestamp now);
    void fire(Incident& incident, Timestamp now);
    void settle(Incident& incident, Timestamp now);
    void resolve(Incident& incident, Timestamp now);
    void remind(Incident& incident, Timestamp now);
    void trim(Timestamp now);
    std::optional<Timestamp> wakes_at(const Incident& incident) const;
    void owe(Route& route, Route::Owes what, Timestamp now);
    void end_delivered(Incident& incident, Route& route, const SendOutcome& outcome, Timestamp now);
    void end_failed(Incident& incident, Route& route, const SendOutcome& outcome, bool was_told_before, Timestamp now);
    // What is left of a firing that is over before it was told.
    void end_untold(Route& route, Timestamp now);
    bool is_withheld(const Incident& incident, const Route& route, Timestamp now) const;
    AlertMessage message_of(const Incident& incident, const Route& route, Timestamp now) const;
    Pace pace_of(const std::string& channel, Timestamp now) const;

    const Sources sources_;
    std::shared_ptr<const AlertSettings> settings_;
    std::map<std::string, Incident> incidents_;
    std::unordered_map<std::string, std::set<std::string>> open_by_key_;  // of signals: incidents
    struct Ended {
        Timestamp over_at{};  // by the signal: what is older is not told any more
        Timestamp at{};
        int flaps = 0;
        bool was_told = false;
    };
    std::map<std::pair<std::string, std::string>, Ended> ended_;  // by rule and key
    struct Opened {
        Timestamp at;
        std::chrono::milliseconds waits;
        std::string gathering;  // "": it has fired
    };
    std::map<std::pair<std::string, std::string>, Opened> groups_;  // by rule and group, the last one
    std::map<std::string, Pace> paces_;
    std::set<std::string> changed_;
    std::set<std::string> forgotten_;
    // By incident and channel: whether it may have been told before this try.
    std::map<std::pair<std::string, std::string>, bool> in_flight_;
    size_t open_ = 0;
    Timestamp trimmed_at_{};
    size_t refused_ = 0;
};

}  // namespace shaduf::observe
