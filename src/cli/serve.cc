#include <charconv>

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
    {"drain", ArgumentKind::option, "How long tasks may go on when it is told to end.", false, "30s"},
    {"quiet", ArgumentKind::flag, "Say warnings and errors alone."},
    {"print-openapi", ArgumentKind::flag, "Print the description of the API, and end."},
    {"print-api-page", ArgumentKind::flag, "Print the calls of the API as a page of Markdown, and end."},
};
constexpr int kPortMax = 65'535;
constexpr std::chrono::seconds kFailureSeenEvery{1};

Result<int> port_of(const Arguments& arguments) {
    const std::string text = arguments.text("port");
    int port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_number = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
    if (is_number && port >= 0 && port <= kPortMax) return port;
    return Error(ErrorKind::invalid_config, "--port: not a number from 0 to 65535: " + text);
}

Result<Server::Options> options_of(const Arguments& arguments) {
    Server::Options options;
    options.host = arguments.text("host");
    options.port = TRY(port_of(arguments));
    options.ui_folder = arguments.text("ui-dir");
    options.tls_certificate_file = arguments.text("tls-cert");
    options.tls_key_file = arguments.text("tls-key");
    if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
        return Error(ErrorKind::invalid_config, "--tls-cert and --tls-key: one is of no use without the other");
    }
    return options;
}

// The same reading for the start, for each change of a file, and for what files would be.
std::vector<Error> read_project(Session& session, const Registry<TaskTypeSpec>& types, const std::string& folder,
                                Project& project, FlowSet& flows) {
    ProjectRequest request;
    request.folder = folder;
    request.environment = session.arguments().text("env");
    auto errors = read_whole_project(session, request, project);
    if (errors.empty()) errors = read_flows(project, types, flows);
    return errors;
}

void print_start(Session& session, Server& running) {
    if (session.json()) {
        JsonWriter json;
        json.begin_object().field("url", running.url()).field("flows", static_cast<int64_t>(running.flows()));
        session.out() << json.end_object().str() << "\n" << std::flush;
        return;
    }
    session.out() << "shaduf serves this project at " << running.url() << "; end it with Ctrl-C\n";
    if (running.is_open_to_machine()) {
        session.out() << "whoever is on this machine may do all; to ask for sign-in: shaduf users add NAME --role "
                         "admin\n";
    }
    session.out() << std::flush;
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
        return read_project(session, types, folder, project, flows);
    };
    const auto read_own = [&](Project& project, FlowSet& flows) { return read(".", project, flows); };
    auto running = Server::start({world, session.connectors(), log, ".", read_own, kVersion, read}, options, errors);
    if (!errors.empty()) return session.fail(errors);
    if (!running.ok()) return session.fail(running.error());
    print_start(session, *running.value());
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
