#include "models/parse/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace shaduf::models {
namespace {

constexpr size_t kThreadsMax = 8;
constexpr size_t kWorthAThread = 8;

}  // namespace

size_t parse_threads() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax); }

void in_parallel(size_t count, size_t threads, const std::function<void(size_t)>& work) {
    std::atomic<size_t> next = 0;
    const auto run = [&] {
        for (size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(threads, count / kWorthAThread + 1); ++i) others.emplace_back(run);
    run();
    for (std::thread& other : others) other.join();
}

}  // namespace shaduf::models
