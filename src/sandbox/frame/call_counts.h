#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace shaduf::sandbox {

// How often each kind of call was made, and what came of it. Thread-safe.
class CallCounts {
public:
    struct Key {
        std::string platform;
        std::string method;
        std::string route;
        int status = 0;  // 0: the connection was broken off on purpose
        bool operator<(const Key& other) const {
            return std::tie(platform, method, route, status) <
                   std::tie(other.platform, other.method, other.route, other.status);
        }
    };
    struct Count {
        int64_t calls = 0;
        int64_t refused = 0;  // of those: by a limit
    };

    void add(Key key, bool refused);
    void add_fault(std::string_view kind);
    std::vector<std::pair<Key, Count>> calls() const;
    std::vector<std::pair<std::string, int64_t>> faults() const;
    void reset();

private:
    mutable std::mutex mutex_;
    std::map<Key, Count> calls_;
    std::map<std::string, int64_t, std::less<>> faults_;
};

// A path with {id} instead of what looks like one, for platforms that do not say better.
std::string route_of(std::string_view path);

}  // namespace shaduf::sandbox
