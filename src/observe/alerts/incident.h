#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "observe/channel.h"
#include "observe/signal.h"

namespace shaduf::observe {

// Where an incident stands.
//
//   (a signal that a rule takes) ─▶ pending ─▶ gathering ─▶ firing ◀─▶ settling ─▶ resolved ─▶ (forgotten)
//                                      └─▶ (forgotten)
//
//   pending    one matter that the rule does not count yet: not so often (`after`), not so long (`for`). Over before
//              that, it is forgotten, and nobody was told.
//   gathering  waits for others of its group (`wait`), so that a storm is one message.
//   firing     told, or about to be. It takes no new matters in: those open an incident of their own, which gathers
//              twice as long as the one before it when that was a short time ago.
//   settling   all of its matters are over, but they were over before and came back: it waits whether they do again,
//              twice as long each time. The first time it does not wait.
//   resolved   over; kept for people to look at.
enum class IncidentState : uint8_t { pending, gathering, firing, settling, resolved };
std::string_view to_string(IncidentState state);

// One of the things that an incident is about.
struct Matter {
    Signal signal;      // as it was told last
    Timestamp since{};  // when it was told first
    int64_t times = 1;  // occurrences
    bool is_over = false;
};

// What was tried, for people.
struct Attempt {
    MessageKind kind = MessageKind::fired;
    Timestamp at{};
    bool is_ok = false;
    std::string error;  // or what there is to say though it went well
};

// How far one channel has been told of an incident.
//
//   owed fired ──delivered──▶ told ──(repeat)──▶ owed reminder ──▶ told ──(resolved)──▶ owed resolved ──▶ done
//       │                                            └──(resolved)──▶ owed resolved
//       ├──refused for good, or given up──▶ done
//       └──(resolved before any try may have told it)──▶ done
//
// A try is noted before it is made, so that behind a crash it is known that the firing may have been told: then it is
// told again, or its resolution is. So a message may repeat, under the same id, but none is lost; and a resolution is
// owed only where the firing was told, or may have been.
struct Route {
    static constexpr size_t kAttemptsMax = 10;

    enum class Owes : uint8_t { nothing, fired, reminder, resolved };
    std::string channel;
    Owes owes = Owes::nothing;
    bool is_told = false;
    bool may_be_told = false;  // a try has begun whose end nobody knows
    int tries = 0;             // of what is owed
    Timestamp owed_since{};
    Timestamp next_try{};
    int sent = 0;           // messages delivered
    std::string reference;  // of the first of them
    Timestamp told_at{};
    std::vector<Attempt> attempts;  // the last ones
};

struct Incident {
    std::string id;
    std::string rule;
    std::string group;  // what its matters have in common, for people: "kind run_failed"
    IncidentState state = IncidentState::pending;
    Severity severity = Severity::error;  // the worst of its matters
    Timestamp opened{};
    std::chrono::milliseconds waits{0};  // gathers so long,
    Timestamp fires_at{};                // up to here
    std::optional<Timestamp> fired;
    Timestamp settles_at{};
    std::optional<Timestamp> resolved;
    int flaps = 0;                // how often it has come back
    bool is_told_anyway = false;  // its matters were over when it fired: both is told
    std::optional<Timestamp> muted_until;
    std::vector<Matter> matters;
    std::vector<Route> routes;

    bool is_open() const { return state != IncidentState::resolved; }
    bool is_all_over() const;
    int64_t open_matters() const;
    Matter* find(const std::string& key);
    Route* route(const std::string& channel);
    std::string title() const;
};

std::string incident_to_text(const Incident& incident);
// bad_data: no incident as this version writes it.
Result<Incident> incident_from_text(const std::string& text);

}  // namespace shaduf::observe
