#include "sandbox/frame/sandbox.h"

#include <algorithm>
#include <filesystem>

#include "data/hash.h"
#include "sandbox/frame/call_counts.h"
#include "sandbox/frame/control.h"
#include "sandbox/frame/faults.h"
#include "sandbox/frame/platform_host.h"
#include "sandbox/world/dice.h"
#include "sandbox/world/user_data.h"

namespace shaduf::sandbox {
namespace {

// Each platform rolls its own dice.
uint64_t seed_of(uint64_t seed, std::string_view platform) {
    for (const char letter : platform) seed = dice(seed, static_cast<unsigned char>(letter));
    return seed;
}

class RunningSandbox final : public Sandbox {
public:
    RunningSandbox(const SandboxOptions& options, std::unique_ptr<Scenario> scenario, Clock& clock)
        : options_(options), scenario_(std::move(scenario)), clock_(clock) {}
    ~RunningSandbox() override { stop(); }
    RunningSandbox(const RunningSandbox&) = delete;
    RunningSandbox& operator=(const RunningSandbox&) = delete;

    Result<void> start(const Registry<PlatformSpec>& platforms) {
        for (const PlatformSpec* platform : platforms.all()) TRY(add_host(*platform));
        const bool has_data = std::any_of(hosts_.begin(), hosts_.end(),
                                          [](const auto& host) { return host->world()->settings().data != nullptr; });
        if (!options_.data_folder.empty() && !has_data) {
            return Error(ErrorKind::invalid_config, "no insights found: " + options_.data_folder +
                                                        "; put a PLATFORM/insights.csv there, such as " +
                                                        "facebook_ads/insights.csv");
        }
        server_ = TRY(HttpServer::start({.host = options_.host, .port = options_.port},
                                        [this](const HttpServerRequest& request) { return answer(request); }));
        return {};
    }

    std::string url() const override { return server_->url(); }

    std::vector<std::pair<std::string, std::string>> environment() const override {
        std::vector<std::pair<std::string, std::string>> variables{{"SANDBOX_URL", url()}};
        for (const auto& host : hosts_) {
            const PlatformSpec& spec = host->spec();
            variables.emplace_back(spec.url_variable, url() + std::string(spec.base_path));
            for (const Credential& credential : spec.credentials) {
                const bool is_path = credential.value.starts_with('/');
                variables.emplace_back(credential.variable, (is_path ? url() : "") + std::string(credential.value));
            }
        }
        return variables;
    }

    HttpServerResponse answer(const HttpServerRequest& request) override {
        if (request.path.starts_with(kControlPrefix)) {
            return answer_control({hosts_, counts_, *scenario_}, request);
        }
        if (options_.delay.count() > 0) clock_.sleep(options_.delay, stopping_);
        const std::string_view host = request.header("Host");
        return answer_call(request, "http://" + (host.empty() ? options_.host : std::string(host)));
    }

    void stop() override {
        stopping_.cancel();
        if (server_ != nullptr) server_->stop();
    }

private:
    Result<void> add_host(const PlatformSpec& platform) {
        WorldSettings settings{.seed = seed_of(options_.seed, platform.name),
                               .accounts = options_.accounts,
                               .ads = options_.ads,
                               .days = options_.days,
                               .first_today = options_.today,
                               .today = options_.today};
        if (!options_.data_folder.empty()) {
            const auto folder = std::filesystem::path(options_.data_folder) / platform.name;
            settings.data = TRY(UserData::load(folder.string()));
            if (settings.data != nullptr) {
                settings.days = std::max(settings.days, settings.today - settings.data->first_day + 1);
            }
        }
        hosts_.push_back(TRY(PlatformHost::create(platform, std::move(settings), clock_, options_.rate,
                                                  [this](const HttpServerRequest& request, const std::string& origin) {
                                                      return answer_call(request, origin);
                                                  })));
        return {};
    }

    PlatformHost* owner_of(std::string_view path) {
        for (const auto& host : hosts_) {
            if (host->spec().owns(path)) return host.get();
        }
        return nullptr;
    }

    HttpServerResponse answer_call(const HttpServerRequest& request, const std::string& origin) {
        PlatformHost* host = owner_of(request.path);
        if (host == nullptr) {
            counts_.add({"", request.method, route_of(request.path), 404}, false);
            return {.status = 404,
                    .headers = {{"Content-Type", "application/json"}},
                    .body = "{\"error\":\"no platform of the sandbox has this path\"}\n"};
        }
        const auto faults = scenario_->hits(host->spec().name, request.method, request.path);
        std::vector<Fault> of_platform;
        for (const Fault& fault : faults) {
            counts_.add_fault(fault.kind);
            if (changes_world(fault.kind)) change_world(*host, fault);
            const bool is_own = std::any_of(host->spec().faults.begin(), host->spec().faults.end(),
                                            [&](const FaultSpec& spec) { return spec.name == fault.kind; });
            if (is_own) of_platform.push_back(fault);
        }
        Call call{.request = request, .faults = of_platform, .origin = origin};
        HttpServerResponse response =
            answer_with_faults(faults, request, clock_, stopping_, [&] { return host->platform().answer(call); });
        const bool is_broken = response.fault.kind != HttpServerFault::Kind::none;
        counts_.add({std::string(host->spec().name), request.method,
                     call.route.empty() ? route_of(request.path) : call.route, is_broken ? 0 : response.status},
                    call.refused);
        return response;
    }

    // A world that cannot be made anew stays as it is: it was made of the same parts before.
    static void change_world(PlatformHost& host, const Fault& fault) {
        const Options& options = *fault.options;
        if (fault.kind == "restate") {
            (void)host.restate();
        } else if (fault.kind == "shift_day") {
            (void)host.shift_days(static_cast<int32_t>(options.integer("days")));
        } else if (fault.kind == "add_field") {
            host.change_field(options.text("stream"),
                              {FieldChange::Kind::added, options.text("field"), options.text("value")});
        } else if (fault.kind == "remove_field") {
            host.change_field(options.text("stream"), {FieldChange::Kind::removed, options.text("field"), {}});
        } else if (fault.kind == "rename_field") {
            host.change_field(options.text("stream"),
                              {FieldChange::Kind::renamed, options.text("field"), options.text("to")});
        }
    }

    const SandboxOptions options_;
    const std::unique_ptr<Scenario> scenario_;
    Clock& clock_;
    Cancellation stopping_;
    CallCounts counts_;
    std::vector<std::unique_ptr<PlatformHost>> hosts_;
    std::unique_ptr<HttpServer> server_;
};

}  // namespace

const Fault* Call::fault(std::string_view kind) const {
    for (const Fault& hit : faults) {
        if (hit.kind == kind) return &hit;
    }
    return nullptr;
}

Result<std::unique_ptr<Sandbox>> Sandbox::start(const SandboxOptions& options, const Registry<PlatformSpec>& platforms,
                                                std::unique_ptr<Scenario> scenario, Clock& clock) {
    auto sandbox = std::make_unique<RunningSandbox>(options, std::move(scenario), clock);
    TRY(sandbox->start(platforms));
    return std::unique_ptr<Sandbox>(std::move(sandbox));
}

}  // namespace shaduf::sandbox
