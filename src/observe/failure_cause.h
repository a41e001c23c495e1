#pragma once

#include <string>
#include <string_view>

namespace shaduf::observe {

// Why something may have failed, and who can do what about it; full sentences.
struct FailureCause {
    std::string cause;
    std::string advice;
};
// By the kind of its error, as to_string(ErrorKind) names it; "": it is not known.
FailureCause cause_of(std::string_view error_kind, bool has_timed_out);

// What a text that says what happened, then what to do, says is to be done: what is behind its last semicolon.
std::string advice_in(std::string_view text);

}  // namespace shaduf::observe
