#include <filesystem>

#include "base/json_writer.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/project_reading.h"
#include "cli/frame/session.h"
#include "server/openapi.h"
#include "server/server.h"
#include "version.h"

namespace shaduf {
namespace {

using server::ServeLog;
using server::ServeLogStyle;
using server::Server;

constexpr ArgumentSpec kArguments[] = {
    {"host", ArgumentKind::option,
     "The address to listen on. Another one than this machine's own needs a user: shaduf users add.", false,
     "127.0.0.1"},
    {"port", ArgumentKind::option, "The port; 0 is a free one.", false, "8200"},
    {"tls-cert", ArgumentKind::option, "A certificate with its chain, in PEM: then it speaks TLS."},
    {"tls-key", ArgumentKind::option, "The certificate's key, in PEM."},
    {"ui-dir", ArgumentKind::option, "The built web UI from this folder instead of the program's own."},
    {"places", ArgumentKind::option,
     "How many tasks run here at the same time, where the project has a `state` that processes share; 0: all are left "
     "to workers.",
     false, "16"},
    {"drain", ArgumentKind::option, "How long tasks may go on when it is told to end.", false, "30s"},
    {"metrics-open", ArgumentKind::flag,
     "Show /metrics to everybody who reaches the server, also where there are users."},
    {"quiet", ArgumentKind::flag, "Say warnings and errors alone."},
    {"print-openapi", ArgumentKind::flag, "Print the description of the API, and end."},
    {"print-api-page", ArgumentKind::flag, "Print the calls of the API as a page of Markdown, and end."},
};
constexpr int64_t kPortMax = 65'535;
constexpr int64_t kPlacesMax = 10'000;
constexpr std::chrono::seconds kFailureSeenEvery{1};

Result<Server::Options> options_of(const Arguments& arguments) {
    Server::Options options;
    options.host = arguments.text("host");
    options.port = static_cast<int>(TRY(arguments.number("port", 0, kPortMax)));
    if (arguments.has("ui-dir")) options.ui_folder = std::filesystem::absolute(arguments.text("ui-dir")).string();
    options.places = static_cast<size_t>(TRY(arguments.number("places", 0, kPlacesMax)));
    options.tls_certificate_file = arguments.text("tls-cert");
    options.tls_key_file = arguments.text("tls-key");
    options.are_metrics_open = arguments.flag("metrics-open");
    if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
        return Error(ErrorKind::invalid_config, "--tls-cert and --tls-key: one is of no use without the other");
    }
    return options;
}

void print_start(const Session& session, Server& running, ServeLog& log) {
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("url", running.url()).field("flows", static_cast<int64_t>(running.flows()));
        return log.print(json.end_object().str());
    }
    log.print("shaduf serves this project at " + running.url() + "; end it with Ctrl-C");
    if (!running.is_open_to_machine()) return;
    log.print("whoever is on this machine may do all; to ask for sign-in: shaduf users add NAME --role admin");
}

int serve(Session& session, const Server::Options& options, std::chrono::milliseconds drain) {
    const auto types = builtin_tasks();
    const ServeLogStyle style = session.json()                      ? ServeLogStyle::json
                                : session.arguments().flag("quiet") ? ServeLogStyle::quiet
                                                                    : ServeLogStyle::plain;
    const SystemClock clock;
    ServeLog log(session.out(), style, clock);
    RunContext& world = session.world(&log);
    std::vector<Error> errors;
    const auto read = [&](const std::string& folder, Project& project, FlowSet& flows) {
        return read_project_and_flows(session, types, folder, project, flows);
    };
    const auto read_own = [&](Project& project, FlowSet& flows) { return read(".", project, flows); };
    auto running = Server::start({world, session.connectors(), log, ".", read_own, kVersion, read}, options, errors);
    if (!errors.empty()) return session.fail(errors);
    if (!running.ok()) return session.fail(running.error());
    print_start(session, *running.value(), log);
    while (world.cancellation.wait_for(kFailureSeenEvery)) {
        if (const auto failure = running.value()->failure()) {
            running.value()->stop(std::chrono::milliseconds(0));
            return session.fail(*failure);
        }
    }
    log.say(Severity::info, "ending: nothing new begins, what runs has " + format_duration(drain) +
                                "; a second signal ends it at once");
    running.value()->stop(drain);
    return kExitDone;
}

int run_serve(Session& session) {
    const Arguments& arguments = session.arguments();
    if (arguments.flag("print-openapi")) {
        session.out() << server::openapi_of(builtin_apis(), kVersion) << "\n";
        return kExitDone;
    }
    if (arguments.flag("print-api-page")) {
        session.out() << server::api_page_of(builtin_apis());
        return kExitDone;
    }
    const auto options = options_of(arguments);
    if (!options.ok()) return session.fail(options.error());
    const auto drain = parse_duration(arguments.text("drain"));
    if (!drain) return session.misuse("--drain: not a duration such as 30s: " + arguments.text("drain"));
    if (!session.enter_folder()) return kExitMisused;
    return serve(session, options.value(), *drain);
}

}  // namespace

extern const CommandSpec command_serve;
const CommandSpec command_serve{.name = "serve",
                                .summary = "Run the project by itself: schedules, API, live events and web UI.",
                                .arguments = kArguments,
                                .run = run_serve,
                                .example = "shaduf serve --port 8200"};

}  // namespace shaduf
