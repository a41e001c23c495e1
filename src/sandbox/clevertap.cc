#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/cancellation.h"
#include "base/text.h"
#include "sandbox/clevertap/exports.h"
#include "sandbox/clevertap/reports.h"
#include "sandbox/clevertap/truth.h"
#include "sandbox/frame/ledger.h"
#include "sandbox/platform.h"

namespace shaduf {
namespace sandbox {
namespace {

using namespace clevertap;  // NOLINT: this file is its front

constexpr std::string_view kProject = "SBX-000-0001";
constexpr std::string_view kPasscode = "SBX-PASS-CODE";
constexpr int kCallsAtOnce = 3;
constexpr int kUploadsAtOnce = 15;
constexpr std::string_view kPaths[] = {"/1/", "/getSchema"};

constexpr FieldSpec kSlowFields[] = {
    {.name = "for", .type = FieldType::duration, .help = "How long.", .default_value = "500ms"}};
constexpr FaultSpec kFaults[] = {
    {"clevertap_in_progress", "The export is still in progress."},
    {"clevertap_slow", "The call takes its time, in which it counts as one of three.", kSlowFields},
    {"clevertap_empty_page", "A page without records, whose next_cursor goes on."},
    {"clevertap_same_cursor", "A page whose next_cursor is that of the page."},
    {"clevertap_lost_cursor", "The cursor is not known any more."},
    {"clevertap_not_exported", "Events of the name are not exported."},
    {"clevertap_partial", "A count is partial, and told later."},
    {"clevertap_no_result", "A campaign has no result as of yet."},
};

constexpr Credential kCredentials[] = {
    {"CLEVERTAP_ACCOUNT_ID", kProject}, {"CLEVERTAP_PASSCODE", kPasscode}, {"CLEVERTAP_TIME_ZONE", "Europe/Berlin"}};

bool owns(std::string_view path) {
    return std::any_of(std::begin(kPaths), std::end(kPaths),
                       [&](std::string_view own) { return path.starts_with(own); });
}

// Projects as CleverTap writes them; all else has a number.
std::string make_project_id(Level level, uint32_t index, uint64_t) {
    if (level != Level::account) {
        constexpr uint64_t kFirst = 1'457'432'766;
        constexpr uint64_t kLevels = 4;
        return std::to_string(kFirst + uint64_t{index} * kLevels + static_cast<uint64_t>(level));
    }
    std::string number = std::to_string(index + 1);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
    return "SBX-000-" + number;
}

// Calls of each API of each project at this moment.
class Turnstile {
public:
    // False: there are too many already.
    bool enter(const std::string& key, int most) {
        const std::lock_guard lock(mutex_);
        if (inside_[key] >= most) return false;
        ++inside_[key];
        return true;
    }
    void leave(const std::string& key) {
        const std::lock_guard lock(mutex_);
        --inside_[key];
    }

private:
    std::mutex mutex_;
    std::map<std::string, int> inside_;
};

class CleverTapApi final : public Platform {
public:
    explicit CleverTapApi(Environment& environment) : environment_(environment) {}
    void reset() override {}

    HttpServerResponse answer(Call& call) override {
        const HttpServerRequest& request = call.request;
        const auto world = environment_.world();
        call.route = request.path;
        const Entity* project = world->find(Level::account, request.header("X-CleverTap-Account-Id"));
        if (project == nullptr || request.header("X-CleverTap-Passcode") != kPasscode)
            return fail(401, "Invalid Credentials", 401);
        call.account = project->id;
        const std::string key = project->id + ":" + api_of(request.path);
        const int most = request.path == "/1/upload" ? kUploadsAtOnce : kCallsAtOnce;
        environment_.ledgers().take(key);
        if (!turnstile_.enter(key, most)) {
            call.refused = true;
            return fail(429, "Too many concurrent requests", 429);
        }
        if (const Fault* slow = call.fault("clevertap_slow")) {
            const Cancellation never;
            environment_.clock().sleep(slow->options->duration("for"), never);
        }
        HttpServerResponse response = dispatch(call, *world, *project);
        turnstile_.leave(key);
        return response;
    }

private:
    // "/1/counts/events.json" is of the API counts.
    static std::string api_of(std::string_view path) {
        if (!path.starts_with("/1/")) return "schema";
        path.remove_prefix(3);
        return std::string(path.substr(0, path.find_first_of("/.")));
    }

    HttpServerResponse dispatch(const Call& call, const World& world, const Entity& project) const {
        const HttpServerRequest& request = call.request;
        const std::string& path = request.path;
        if (path == "/1/events.json") return export_records(call, world, project, Exported::events);
        if (path == "/1/profiles.json") return export_records(call, world, project, Exported::profiles);
        if (path == "/1/profile.json") return answer_profile(request, project);
        if (path == "/1/counts/events.json")
            return answer_counts(request, world, project, call.fault("clevertap_partial") != nullptr);
        if (path == "/getSchema") return answer_schema(request);
        if (request.method != "POST") return fail(404, "Not found", 404);
        if (path == "/1/targets/list.json") return answer_targets(request, world, project);
        if (path == "/1/targets/result.json")
            return call.fault("clevertap_no_result") != nullptr ? fail(500, "This target has no result as of yet", 500)
                                                                : answer_result(request, world, project);
        if (path == "/1/message/report.json") return answer_messages(request, world, project);
        if (path == "/1/upload") return answer_upload(request);
        return fail(404, "Not found", 404);
    }

    HttpServerResponse export_records(const Call& call, const World& world, const Entity& project,
                                      Exported what) const {
        if (call.fault("clevertap_not_exported") != nullptr) return fail(400, "Export not allowed for this event", 400);
        if (call.fault("clevertap_in_progress") != nullptr)
            return fail(200, "Request still in progress, please retry later.", 2);
        if (!call.request.has_query("cursor")) return begin_export(call.request);
        if (call.fault("clevertap_lost_cursor") != nullptr) return fail(400, "Invalid cursor", 400);
        return answer_page(call.request, environment_, world, project, what,
                           {.empty = call.fault("clevertap_empty_page") != nullptr,
                            .repeat = call.fault("clevertap_same_cursor") != nullptr});
    }

    Environment& environment_;
    Turnstile turnstile_;
};

std::unique_ptr<Platform> make_clevertap(Environment& environment) {
    return std::make_unique<CleverTapApi>(environment);
}

}  // namespace
}  // namespace sandbox

extern const sandbox::PlatformSpec platform_clevertap;
const sandbox::PlatformSpec platform_clevertap{.name = "clevertap",
                                               .summary = "CleverTap's API of events, profiles and campaigns.",
                                               .url_variable = "CLEVERTAP_URL",
                                               .base_path = "",
                                               .owns = sandbox::owns,
                                               .make_id = sandbox::make_project_id,
                                               .credentials = sandbox::kCredentials,
                                               .faults = sandbox::kFaults,
                                               .truth = sandbox::clevertap::truth_streams,
                                               .make = sandbox::make_clevertap};

}  // namespace shaduf
