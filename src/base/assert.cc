#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace shaduf {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: this is a bug in shaduf: assertion failed: %s\n", file, line, condition);
    std::abort();
}

}  // namespace shaduf
