#include "observe/failure_cause.h"

namespace shaduf::observe {
namespace {

struct Known {
    std::string_view kind;
    std::string_view cause;
    std::string_view advice;
};
constexpr Known kKnown[] = {
    {"invalid_config", "The project's files say something that cannot be done.", "Change the project."},
    {"auth", "A credential is refused: it has expired, was withdrawn, or may not do this.",
     "Renew the credential of the connection, or give it the right."},
    {"unavailable", "The other side does not answer, or breaks off; trying again did not help.",
     "Look whether that system is up and can be reached, then run it again."},
    {"rate_limited", "The other side refuses more calls for now.",
     "Run it again later, less often, or for less at once."},
    {"bad_data", "The data is not what it is expected to be.", "Ask the owner of the data, or change the contract."},
    {"too_large", "The other side was asked for too much at once.", "Ask for smaller pieces."},
    {"conflict", "Another run has the same thing.", "Wait for that run, or stop it."},
    {"exhausted", "Disk, memory or a quota is used up.", "Make room, or give it more."},
    {"internal", "This is a mistake of the program.", "Report it with the log of the task."},
};

}  // namespace

FailureCause cause_of(std::string_view error_kind, bool has_timed_out) {
    if (has_timed_out)
        return {"It took longer than its time limit.", "See in the log what took long; or raise the limit."};
    for (const Known& known : kKnown) {
        if (known.kind == error_kind) return {std::string(known.cause), std::string(known.advice)};
    }
    return {"", "Look at the log of the task."};
}

std::string advice_in(std::string_view text) {
    const size_t at = text.rfind("; ");
    return at == std::string_view::npos ? "" : std::string(text.substr(at + 2));
}

}  // namespace shaduf::observe
