#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/registry.h"
#include "config/options.h"
#include "data/builder.h"
#include "io/http_server.h"
#include "sandbox/world/world.h"

// The contract of one platform's API. All of src/sandbox stands in namespace shaduf::sandbox.
namespace shaduf::sandbox {

class Ledgers;

// A kind of fault that a platform can play besides those that every HTTP server can (frame/faults.h). Static data.
struct FaultSpec {
    std::string_view name;
    std::string_view help;                    // one sentence
    std::span<const FieldSpec> options = {};  // what a scenario may give with it
};

// A fault of the scenario that hits a call.
struct Fault {
    std::string_view kind;
    const Options* options;  // of its FaultSpec; the scenario's, which outlives the call
};

// One request on its way. The platform reads `request`, and says what became of it for the counts.
struct Call {
    const HttpServerRequest& request;
    std::span<const Fault> faults;  // those of the platform's own kinds that hit this call
    std::string origin;             // "http://127.0.0.1:8080": what URLs in answers begin with

    std::string account;   // set by the platform: whose ledger it counts on; "" when nobody's
    std::string route;     // set by the platform: the path with names instead of ids, "/{account}/insights"
    bool refused = false;  // set by the platform: a limit said no

    // nullptr: no fault of that kind hits this call.
    const Fault* fault(std::string_view kind) const;
};

// What a scenario does to the columns of a stream from some call on. The platform applies it to the rows that it
// answers with, and to nothing else.
struct FieldChange {
    enum class Kind : uint8_t { added, removed, renamed };
    Kind kind;
    std::string field;
    std::string value;  // added: its value, as JSON; renamed: the new name
};

// What a platform is given to work with. Outlives the platform; thread-safe.
class Environment {
public:
    virtual ~Environment() = default;
    // All that is known at this moment. Hold it for the length of one call: a restatement replaces it.
    virtual std::shared_ptr<const World> world() const = 0;
    // Where the calls of accounts and tokens are counted; unlimited unless the user gave --rate.
    virtual Ledgers& ledgers() = 0;
    // Real time: for what expires, and for time stamps that clients sign.
    virtual Clock& clock() = 0;
    virtual uint64_t seed() const = 0;
    // The changes of a stream's fields up to now, oldest first.
    virtual std::vector<FieldChange> field_changes(std::string_view stream) const = 0;
    // Answers a call inside a call (of a batch): with faults and counts of its own, but no delay.
    virtual HttpServerResponse call_inside(const HttpServerRequest& request, const std::string& origin) = 0;
};

// Days `since` to `until`, both included, for streams that have days; others ignore it.
struct DayRange {
    int32_t since;
    int32_t until;
};

// A table as a loader should end up with it, told by the world alone: code of the API has no part in it.
struct TruthStream {
    std::string name;
    SchemaPtr schema;
    std::vector<std::string> key;  // names of the columns that tell rows apart
    bool has_days = false;         // each row belongs to one day: `write` may be asked for a day at a time
    std::function<void(const World&, DayRange, RecordBatchBuilder&)> write;
};

// One platform's API at work. `answer` is called by many threads at once.
class Platform {
public:
    virtual ~Platform() = default;
    virtual HttpServerResponse answer(Call& call) = 0;
    // Forgets jobs, cursors and tokens: the sandbox begins anew.
    virtual void reset() = 0;
};

// What a user needs to sign in, given to the commands that run against the sandbox.
struct Credential {
    std::string_view variable;  // of the environment: FB_TOKEN
    std::string_view value;     // one that begins with "/" is a path: the variable is the sandbox's URL with it
};

// One platform, standing at the end of src/sandbox/<name>.cc as `extern const sandbox::PlatformSpec platform_<name>`
// in namespace shaduf. Static data; the build makes the list.
struct PlatformSpec {
    std::string_view name;
    std::string_view summary;             // one sentence
    std::string_view url_variable;        // of the environment: FB_URL, which is the sandbox's URL with `base_path`
    std::string_view base_path;           // "" or "/v26.0"
    bool (*owns)(std::string_view path);  // whether a request for this path is for it; no two own the same
    MakeId make_id;
    std::span<const Credential> credentials;
    std::span<const FaultSpec> faults;
    std::vector<TruthStream> (*truth)();
    std::unique_ptr<Platform> (*make)(Environment& environment);
};

}  // namespace shaduf::sandbox

namespace shaduf {
Registry<sandbox::PlatformSpec> builtin_platforms();
}
