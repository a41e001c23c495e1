#include "server/server.h"

#include <filesystem>

#include "base/json_writer.h"
#include "io/process_name.h"
#include "server/gate.h"

namespace shaduf::server {
namespace {

constexpr size_t kConnectionsMax = 1'024;
constexpr std::chrono::seconds kIdleTimeout{75};
constexpr std::chrono::seconds kEventsSentWithin{3};  // at the end
constexpr const char* kState = "/.shaduf";

Error not_alone_error(const std::string& host) {
    return Error(ErrorKind::invalid_config,
                 "--host " + host +
                     ": other machines would reach this server, and there is no user yet; add one first: "
                     "shaduf users add NAME --role admin");
}

}  // namespace

Server::Server(Parts parts)
    : parts_(std::move(parts)),
      task_types_(builtin_tasks()),
      apis_(builtin_apis()),
      room_(parts_.read),
      audit_(parts_.folder + kState + "/audit.log", parts_.world.clock),
      metrics_(parts_.world.clock) {}

Server::~Server() {
    stop(std::chrono::milliseconds(0));
    platform_.reset();  // whose scheduler tells the views
}

bool Server::is_open(ServeContext& serve) { return server::is_open(serve); }

Result<std::unique_ptr<Server>> Server::start(Parts parts, const Options& options, std::vector<Error>& errors) {
    std::unique_ptr<Server> server(new Server(std::move(parts)));
    TRY(server->begin(options, errors));
    return server;
}

Result<void> Server::begin(const Options& options, std::vector<Error>& errors) {
    std::error_code failed;
    std::filesystem::create_directories(parts_.folder + kState, failed);
    if (failed) {
        return Error(ErrorKind::invalid_config,
                     "cannot make the folder " + parts_.folder + kState + ": " + failed.message());
    }
    errors = room_.reload();
    if (!errors.empty()) return errors.front();
    users_ = std::make_unique<Users>(TRY(open_user_database(parts_.folder, room_.view().project->state)),
                                     parts_.world.clock);
    if (!is_loopback_name(options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]") &&
        !TRY(users_->has_any())) {
        return not_alone_error(options.host);
    }
    TRY(begin_platform(options));
    TRY(listen(options));
    watch_ = std::make_unique<ProjectWatch>(parts_.folder, parts_.log, [this] { reload(); });
    return {};
}

Result<void> Server::begin_platform(const Options& options) {
    const auto title_of = [this](const TaskRow& task) {
        RunViews* const views = told_views_.load();
        return views == nullptr ? TaskTitle{} : views->title_of(task);
    };
    FlowPlatform::Parts parts{
        .world = parts_.world,
        .connectors = parts_.connectors,
        .types = task_types_,
        .folder = parts_.folder + kState,
        .worker = process_name(),
        .project = [this]() -> Result<std::shared_ptr<const Project>> { return room_.view().project; },
        .watcher =
            [this, title_of](const FlowChanges& changes) {
                feed_.hear(changes);
                metrics_.hear(changes);
                if (auto* told = told_anomalies_.load()) told->hear(changes);
                if (auto* told = told_events_.load()) told->hear(changes);
                if (AlertWatch* const watch = told_watch_.load()) watch->hear(changes);
                parts_.log.hear(changes, title_of);
            },
        .board_watcher =
            [this](const TaskBoard::Change& change) {
                feed_.hear(change);
                metrics_.hear(change);
            },
        .state = room_.view().project->state,
        .takes_tasks = options.places > 0,
        .places = options.places,
        .version = parts_.version,
    };
    platform_ = TRY(FlowPlatform::start(std::move(parts), room_.view().flows));
    views_ = std::make_unique<RunViews>(platform_->store(), [this] { return room_.view().flows; });
    told_views_ = views_.get();
    feed_.begin(*views_);
    alert_watch_ =
        std::make_unique<AlertWatch>(AlertWatch::Parts{parts_.world, *platform_, room_, *views_, live_, parts_.log});
    told_watch_ = alert_watch_.get();
    alert_watch_->start();
    watch_tables();
    return {};
}

void Server::watch_tables() {
    signals_ = [this](const observe::Signal& signal) {
        const Severity severity = signal.is_over ? Severity::info : Severity::warning;
        parts_.log.say(severity, signal.title + (signal.is_over ? "" : ": " + signal.text));
        alert_watch_->alerts().tell(signal);
    };
    const auto rests = [this](const std::string& name) {
        const auto flows = room_.view().flows;
        const FlowInfo* flow = flows == nullptr ? nullptr : flows->find(name);
        if (flow == nullptr || flow->is_endless) return true;
        const bool begins = !flow->spec->schedules.empty() || !flow->on_tables.empty() || !flow->sensors.empty();
        const auto paused = platform_->desk().is_paused(name);
        return !begins || (paused.ok() && paused.value());
    };
    anomalies_ = std::make_unique<observe::AnomalyWatch>(observe::AnomalyWatch::Parts{
        .store = platform_->store(),
        .clock = parts_.world.clock,
        .leads = [this] { return platform_->leads(); },
        .rests = rests,
        .flow_of =
            [this](const RunId& id) {
                const auto run = views_->run(id);
                return run ? run->flow : std::string();
            },
        .sink = signals_,
        .warn =
            [this](const Error& error) {
                parts_.log.say(Severity::warning, "tables cannot be watched at the moment: " + error.to_string());
            }});
    told_anomalies_ = anomalies_.get();
    anomalies_->start();
}

Result<void> Server::listen(const Options& options) {
    const std::string host = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
    serve_ = std::make_unique<ServeContext>(ServeContext{
        room_, parts_.connectors, task_types_, parts_.world, platform_->desk(), platform_->store(), platform_->board(),
        platform_->logs(), *views_, live_, *users_, audit_, parts_.version, parts_.world.clock.now()});
    serve_->is_loopback = is_loopback_name(host);
    serve_->is_tls = !options.tls_certificate_file.empty();
    serve_->alerts = &alert_watch_->alerts();
    serve_->metrics = &metrics_.metrics();
    serve_->are_metrics_open = options.are_metrics_open;
    serve_->anomalies = anomalies_.get();
    metrics_.count_alerts_by([this] { return alert_watch_->firing(); });
    TRY(metrics_.begin(*serve_, *platform_));
    events_ = std::make_unique<EventExport>(
        EventExport::Parts{*serve_, [this] { return platform_->leads(); },
                           [this](const std::string& text) { parts_.log.say(Severity::warning, text); }},
        TRY(read_observe_config(*room_.view().project)));
    metrics_.metrics().collect_by([this](observe::MetricPage& page) { events_->collect(page); });
    told_events_ = events_.get();
    serve_->is_draining = [this] { return is_draining_.load(); };
    serve_->folder = parts_.folder;
    serve_->read_folder = parts_.read_folder;
    router_ = std::make_unique<Router>(apis_, *serve_);
    site_ = std::make_unique<Site>(*router_, *serve_, options.ui_folder);
    HttpServerOptions http;
    http.host = options.host;
    http.port = options.port;
    http.connections_max = kConnectionsMax;
    http.idle_timeout = kIdleTimeout;
    http.request_body_bytes_max = router_->body_bytes_max();
    http.tls_certificate_file = options.tls_certificate_file;
    http.tls_key_file = options.tls_key_file;
    http_ = TRY(HttpServer::start(http, [this](const HttpServerRequest& request) { return site_->handle(request); }));
    if (!serve_->is_loopback && !serve_->is_tls) {
        parts_.log.say(Severity::warning,
                       "passwords come in the clear unless something before this server speaks TLS; give --tls-cert "
                       "and --tls-key");
    }
    return {};
}

void Server::reload() {
    const auto errors = room_.reload();
    const auto view = room_.view();
    live_.publish({"project", {"project", "flows"}, "project"},
                  [&](JsonWriter& json) { json.field("version", static_cast<int64_t>(view.version)); });
    for (const Error& error : errors) {
        parts_.log.say(Severity::error, "the project goes on as it was: " + error.to_string());
    }
    if (!errors.empty()) return;
    alert_watch_->reload();
    const auto done = platform_->reload(view.flows);
    if (!done.ok()) return parts_.log.say(Severity::error, "cannot take up the flows: " + done.error().to_string());
    parts_.log.say(Severity::info, "the project's files have changed; they count from now on");
}

void Server::stop(std::chrono::milliseconds within) {
    if (is_stopped_) return;
    is_stopped_ = true;
    is_draining_ = true;
    watch_.reset();
    if (platform_ != nullptr) platform_->drain(within);
    told_anomalies_ = nullptr;
    told_events_ = nullptr;
    if (events_ != nullptr) events_->stop(kEventsSentWithin);
    if (anomalies_ != nullptr) anomalies_->stop();
    if (alert_watch_ != nullptr) alert_watch_->stop();
    live_.stop();
    if (http_ != nullptr) http_->stop();
    metrics_.end();
}

}  // namespace shaduf::server
