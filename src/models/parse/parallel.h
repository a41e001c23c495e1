#pragma once

#include <cstddef>
#include <functional>

namespace shaduf::models {

// As many as the machine has cores, within reason.
size_t parse_threads();
// work(0) .. work(count - 1), by so many threads; back when all are done.
void in_parallel(size_t count, size_t threads, const std::function<void(size_t)>& work);

}  // namespace shaduf::models
