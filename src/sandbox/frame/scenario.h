#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "config/node.h"
#include "sandbox/platform.h"

namespace shaduf::sandbox {

// A rule of a scenario: which calls it hits, and what happens to them. All that is given must fit.
struct FaultRule {
    std::string kind;
    std::string platform;  // "": any
    std::string method;    // "": any
    std::string path;      // a glob over the path without the query: * is anything, also slashes; "": any
    int64_t nth = 0;       // of the calls that fit so far: only this one
    int64_t from = 0;      // from this one on
    int64_t every = 0;     // each so many
    double probability = 1;
    int64_t times = 0;  // at most so often; 0: without end
    Options options;    // of the kind
    Place place;
};

// The faults that a user wants to see, as YAML:
//
//   faults:
//     - fault: status
//       platform: facebook_ads
//       path: "*/insights"
//       every: 7
//       status: 503
//
// Thread-safe; the calls that fit a rule are numbered in the order in which they come.
class Scenario {
public:
    // All errors at once, each with its line. Rules of kinds that only one platform knows need not name it.
    static std::vector<Error> parse(const Node& node, const Registry<PlatformSpec>& platforms, uint64_t seed,
                                    std::unique_ptr<Scenario>& out);
    static std::unique_ptr<Scenario> empty() { return std::make_unique<Scenario>(std::vector<FaultRule>{}, 0); }
    Scenario(std::vector<FaultRule> rules, uint64_t seed);

    // The faults that hit a call, in the order of the file. To be asked once a call.
    std::vector<Fault> hits(std::string_view platform, std::string_view method, std::string_view path);
    const std::vector<FaultRule>& rules() const { return rules_; }
    void reset();

private:
    struct Count {
        int64_t fitting = 0;
        int64_t hit = 0;
    };
    std::vector<FaultRule> rules_;
    const uint64_t seed_;
    std::mutex mutex_;
    std::vector<Count> counts_;
};

// Whether `text` fits a pattern in which * stands for anything.
bool fits_glob(std::string_view pattern, std::string_view text);

}  // namespace shaduf::sandbox
