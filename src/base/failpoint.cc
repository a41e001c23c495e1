#include "base/failpoint.h"

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace shaduf {
namespace {

struct Trigger {
    std::string action;
    int reached_before = 0;
    int fires_at = 1;
};

class Failpoints {
public:
    Failpoints() {
        const char* text = std::getenv("SHADUF_FAILPOINT");
        std::string_view rest = text == nullptr ? "" : text;
        while (!rest.empty()) {
            const auto comma = rest.find(',');
            parse(rest.substr(0, comma));
            rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
        }
    }
    bool any() const { return !triggers_.empty(); }

    Result<void> reach(std::string_view name) {
        std::lock_guard lock(mutex_);
        const auto found = triggers_.find(std::string(name));
        if (found == triggers_.end()) return {};
        Trigger& trigger = found->second;
        if (++trigger.reached_before != trigger.fires_at) return {};
        if (trigger.action == "kill") ::raise(SIGKILL);
        const auto kind = trigger.action == "full" ? ErrorKind::exhausted : ErrorKind::unavailable;
        return Error(kind, "failpoint reached: " + std::string(name));
    }

private:
    void parse(std::string_view entry) {
        const auto equals = entry.find('=');
        if (equals == std::string_view::npos) return;
        const auto at = entry.find('@', equals);
        Trigger trigger;
        trigger.action = entry.substr(equals + 1, at == std::string_view::npos ? at : at - equals - 1);
        if (at != std::string_view::npos) trigger.fires_at = std::atoi(std::string(entry.substr(at + 1)).c_str());
        triggers_[std::string(entry.substr(0, equals))] = trigger;
    }

    std::mutex mutex_;
    std::map<std::string, Trigger> triggers_;
};

}  // namespace

Result<void> failpoint(std::string_view name) {
    static Failpoints points;
    if (!points.any()) [[likely]]
        return {};
    return points.reach(name);
}

}  // namespace shaduf
