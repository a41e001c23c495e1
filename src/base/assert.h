#pragma once

namespace shaduf {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace shaduf

// For our own mistakes, never reachable by user input. Kept in release builds.
#define SHADUF_ASSERT(condition)                                \
    (__builtin_expect(static_cast<bool>(condition), 1) ? void() \
                                                       : ::shaduf::assertion_failed(#condition, __FILE__, __LINE__))
