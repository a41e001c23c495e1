#pragma once

#include "server/endpoint.h"

// What the calls about flows and runs answer in common.
namespace shaduf::server {

inline constexpr ShapeField kIntervalFields[] = {{"begin", &kTime}, {"end", &kTime}};
inline constexpr Shape kInterval{.kind = ShapeKind::object, .name = "Interval", .fields = kIntervalFields};

inline constexpr ShapeField kTaskCountFields[] = {
    {"total", &kInteger},   {"succeeded", &kInteger},
    {"warned", &kInteger},  {"failed", &kInteger, "Or stopped, or never begun since one before it failed."},
    {"running", &kInteger}, {"waiting", &kInteger},
    {"skipped", &kInteger},
};
inline constexpr Shape kTaskCounts{.kind = ShapeKind::object, .name = "TaskCounts", .fields = kTaskCountFields};

inline constexpr ShapeField kRunFields[] = {
    {"id", &kText},
    {"flow", &kText},
    {"type", &kText, "scheduled, manual, backfill or event."},
    {"due", &kTime},
    {"about", &kInterval, "The data that it is about."},
    {"state", &kText, "queued, running, succeeded, warned, failed, killed or skipped."},
    {"why", &kText},
    {"actor", &kText, "Who asked for it; empty: the schedule."},
    {"created", &kTime},
    {"began", &kTime, "", true},
    {"ended", &kTime, "", true},
    {"revision", &kText, "Of the flow, that it keeps to."},
    {"tasks", &kTaskCounts},
    {"rows", &kInteger},
    {"bytes", &kInteger},
    {"quarantined", &kInteger},
};
inline constexpr Shape kRun{.kind = ShapeKind::object, .name = "RunSummary", .fields = kRunFields};

inline constexpr ShapeField kStepFields[] = {
    {"name", &kText},
    {"kind", &kText},
    {"state", &kText},
    {"began", &kTime, "", true},
    {"ended", &kTime, "", true},
    {"table", &kText},
    {"rows_read", &kInteger},
    {"rows_written", &kInteger},
    {"rows_quarantined", &kInteger},
    {"bytes", &kInteger},
    {"retries", &kInteger},
    {"message", &kText},
};
inline constexpr Shape kStep{.kind = ShapeKind::object, .name = "Step", .fields = kStepFields};

inline constexpr ShapeField kAttemptFields[] = {{"attempt", &kInteger},
                                                {"began", &kTime, "", true},
                                                {"ended", &kTime, "", true},
                                                {"state", &kText},
                                                {"why", &kText}};
inline constexpr Shape kAttempt{.kind = ShapeKind::object, .name = "Attempt", .fields = kAttemptFields};

inline constexpr ShapeField kTaskFields[] = {
    {"name", &kText},
    {"type", &kText},
    {"state", &kText,
     "waiting, paused, queued, running, retrying, succeeded, warned, failed, timed_out, killed, upstream_failed or "
     "skipped."},
    {"attempt", &kInteger, "Of the run's tries, from 1; 0: none has begun."},
    {"tries", &kInteger, "Since it was last run again by somebody."},
    {"after", &kTextList},
    {"since", &kTime, "When it was queued.", true},
    {"began", &kTime, "", true},
    {"ended", &kTime, "", true},
    {"comes_again", &kTime, "", true},
    {"worker", &kText},
    {"why", &kText},
    {"rows", &kInteger},
    {"bytes", &kInteger},
    {"quarantined", &kInteger},
    {"tables", &kTextList, "That it has written to.", true},
    {"values", &kAny, "What later tasks see of it.", true},
    {"steps", &kListOf<kStep>, "", true},
    {"attempts", &kListOf<kAttempt>, "", true},
};
inline constexpr Shape kTask{.kind = ShapeKind::object, .name = "TaskInfo", .fields = kTaskFields};

inline constexpr ShapeField kRunAskedFields[] = {
    {"run", &kText}, {"is_new", &kBoolean, "False: the same Idempotency-Key had asked for it before."}};
inline constexpr Shape kRunAsked{.kind = ShapeKind::object, .name = "RunAsked", .fields = kRunAskedFields};

}  // namespace shaduf::server
