
#include "sandbox/frame/sandbox.h"
#include "base/json_writer.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/foreground.h"
#include "cli/frame/session.h"
#include "config/node.h"

namespace shaduf {
namespace {

using sandbox::Sandbox;
using sandbox::SandboxOptions;
using sandbox::Scenario;

constexpr ArgumentSpec kArguments[] = {
    {"command", ArgumentKind::positional_list,
     "Behind --: a command to run against the sandbox, which ends with it. It finds URLs and credentials in its "
     "environment."},
    {"port", ArgumentKind::option, "The port; 0 is a free one.", false, "0"},
    {"seed", ArgumentKind::option, "What the data is made from; the same seed, the same data.", false, "1"},
    {"accounts", ArgumentKind::option, "Accounts of each platform.", false, "3"},
    {"ads", ArgumentKind::option, "Ads of each platform, all accounts together.", false, "60"},
    {"days", ArgumentKind::option, "Days of history.", false, "400"},
    {"today", ArgumentKind::option, "What day it is there, YYYY-MM-DD; the present one, unless given."},
    {"data", ArgumentKind::option, "A folder with PLATFORM/insights.csv (or .parquet) to serve instead."},
    {"scenario", ArgumentKind::option, "A YAML file of faults to play; see docs/sandbox.md."},
    {"delay", ArgumentKind::option, "How long each answer takes, such as 200ms."},
    {"rate", ArgumentKind::option, "Calls that each account is allowed, such as 600/1h; unlimited unless given."},
};

constexpr int64_t kAccountsMax = 1000;
constexpr int64_t kAdsMax = 1'000'000;
constexpr int64_t kDaysMax = 20 * 366;
constexpr int64_t kPortMax = 65'535;

Result<SandboxOptions> options_of(const Arguments& arguments, Timestamp now) {
    SandboxOptions options;
    options.port = static_cast<int>(TRY(arguments.number("port", 0, kPortMax)));
    options.seed = static_cast<uint64_t>(TRY(arguments.number("seed", 0, INT64_MAX)));
    options.accounts = static_cast<uint32_t>(TRY(arguments.number("accounts", 1, kAccountsMax)));
    options.ads = static_cast<uint32_t>(TRY(arguments.number("ads", 1, kAdsMax)));
    options.days = static_cast<int32_t>(TRY(arguments.number("days", 1, kDaysMax)));
    options.today = static_cast<int32_t>(std::chrono::floor<std::chrono::days>(now).time_since_epoch().count());
    if (arguments.has("today")) {
        const auto today = parse_date(arguments.text("today"));
        if (!today) {
            return Error(ErrorKind::invalid_config,
                         "--today: not a date: " + arguments.text("today") + "; give YYYY-MM-DD");
        }
        options.today = *today;
    }
    options.data_folder = arguments.text("data");
    if (arguments.has("delay")) {
        const auto delay = parse_duration(arguments.text("delay"));
        if (!delay) {
            return Error(ErrorKind::invalid_config,
                         "--delay: not a duration: " + arguments.text("delay") + "; give one such as 200ms");
        }
        options.delay = *delay;
    }
    if (arguments.has("rate")) options.rate = TRY(sandbox::Rate::parse(arguments.text("rate")));
    return options;
}

// Prints what is wrong, and gives nullptr.
std::unique_ptr<Scenario> scenario_of(Session& session, const Registry<sandbox::PlatformSpec>& platforms,
                                      uint64_t seed) {
    const std::string path = session.arguments().text("scenario");
    if (path.empty()) return Scenario::empty();
    const auto node = Node::load_yaml(path);
    std::unique_ptr<Scenario> scenario;
    if (!node.ok()) {
        session.fail(node.error());
        return nullptr;
    }
    const auto errors = Scenario::parse(node.value(), platforms, seed, scenario);
    if (!errors.empty()) session.fail(errors);
    return scenario;
}

void print_start(Session& session, const Sandbox& running, const SandboxOptions& options) {
    std::ostream& out = session.out();
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("url", running.url()).field("today", format_date(options.today));
        json.key("environment").begin_object();
        for (const auto& [name, value] : running.environment()) json.field(name, value);
        out << json.end_object().end_object().str() << "\n" << std::flush;
        return;
    }
    out << "sandbox at " << running.url() << ", today is " << format_date(options.today) << "; end it with Ctrl-C\n\n";
    for (const auto& [name, value] : running.environment()) out << name << "=" << value << "\n";
    out << std::flush;
}

int run_sandbox(Session& session) {
    RunContext& world = session.world();
    const auto options = options_of(session.arguments(), world.clock.now());
    if (!options.ok()) return session.fail(options.error());
    if (!session.enter_folder()) return kExitMisused;
    const auto platforms = builtin_platforms();
    auto scenario = scenario_of(session, platforms, options.value().seed);
    if (scenario == nullptr) return kExitMisused;
    const auto running = Sandbox::start(options.value(), platforms, std::move(scenario), world.clock);
    if (!running.ok()) return session.fail(running.error());
    const std::vector<std::string> command = session.arguments().texts("command");
    if (!command.empty()) {
        const auto status = run_in_foreground(command, running.value()->environment(), world.cancellation);
        return status.ok() ? status.value() : session.fail(status.error());
    }
    print_start(session, *running.value(), options.value());
    while (world.cancellation.wait_for(std::chrono::hours(1))) {
    }
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_sandbox{.name = "sandbox",
                                         .summary = "Stand in for the APIs of ads platforms, with made-up data.",
                                         .arguments = kArguments,
                                         .run = run_sandbox,
                                         .example = "shaduf sandbox --ads 200 -- shaduf run"};

}  // namespace shaduf
