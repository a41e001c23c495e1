#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/frame/kafka_connect.h"
#include "cli/frame/progress.h"
#include "cli/frame/session.h"
#include "io/http_server.h"
#include "server/connect_api.h"
#include "server/pipeline_host.h"

namespace shaduf {
namespace {

using server::ConnectApi;
using server::ConnectorConfig;
using server::ConnectorProblem;
using server::PipelineHost;

constexpr ArgumentSpec kArguments[] = {
    {"host", ArgumentKind::option,
     "The address to listen on. Whoever reaches it may change the project: there is no "
     "sign-in.",
     false, "127.0.0.1"},
    {"port", ArgumentKind::option, "The port; 0 is a free one.", false, "8083"},
    {"quiet", ArgumentKind::flag, "Show no progress."},
};
constexpr int64_t kPortMax = 65'535;

Result<PipelineHost::Translated> translate(const std::string& name, const ConnectorConfig& config) {
    const ConnectPipeline made =
        TRY(read_kafka_connect(nlohmann::json{{"name", name}, {"config", config}}.dump(), "warehouse"));
    PipelineHost::Translated translated;
    translated.pipeline = made.yaml;
    for (const std::string& note : made.notes) {
        const auto colon = note.find(": ");
        const bool has_property = colon != std::string::npos;
        translated.problems.push_back(
            {has_property ? note.substr(0, colon) : "connector.class", has_property ? note.substr(colon + 2) : note});
    }
    return translated;
}

std::string worker_id() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "shaduf";
    return name.data();
}

void print_start(Session& session, const HttpServer& running, const PipelineHost& host) {
    if (session.json()) {
        session.out() << JsonWriter().begin_object().field("url", running.url()).end_object().str() << "\n"
                      << std::flush;
        return;
    }
    session.out() << "the REST calls of Kafka Connect are answered at " << running.url() << "; end it with Ctrl-C\n";
    const auto names = host.names();
    for (const std::string& name : names) session.out() << "  " << name << "\n";
    if (names.empty()) session.out() << "  no pipeline has a stream with mode: stream yet\n";
    session.out() << std::flush;
}

int run_connect(Session& session) {
    const auto port = session.arguments().number("port", 0, kPortMax);
    if (!port.ok()) return session.fail(port.error());
    const Project* project = session.open_project();
    if (project == nullptr) return kExitMisused;
    const bool quiet = session.json() || session.arguments().flag("quiet");
    LoadProgress progress(session.errors(), quiet ? ProgressStyle::quiet : ProgressStyle::plain);
    RunContext& world = session.world(&progress);
    const auto host = PipelineHost::start({.world = world,
                                           .connectors = session.connectors(),
                                           .folder = project->folder,
                                           .read_project =
                                               [&](ProjectRequest request) {
                                                   request.environment = session.arguments().text("env");
                                                   return session.read_project(request);
                                               },
                                           .translate = translate,
                                           .classes = {"io.confluent.connect.s3.S3SinkConnector",
                                                       "com.wepay.kafka.connect.bigquery.BigQuerySinkConnector"}});
    if (!host.ok()) return session.fail(host.error());
    HttpServerOptions options;
    options.host = session.arguments().text("host");
    options.port = port.value();
    const ConnectApi api(*host.value(), worker_id() + ":" + std::to_string(options.port));
    const auto running =
        HttpServer::start(options, [&](const HttpServerRequest& request) { return api.handle(request); });
    if (!running.ok()) return session.fail(running.error());
    print_start(session, *running.value(), *host.value());
    while (world.cancellation.wait_for(std::chrono::hours(1))) {
    }
    running.value()->stop();
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_connect{
    .name = "connect",
    .summary = "Run the pipelines that never end, and answer the REST calls of Kafka Connect about them.",
    .arguments = kArguments,
    .run = run_connect,
    .example = "shaduf connect --port 8083"};

}  // namespace shaduf
