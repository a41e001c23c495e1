#include "server/server.h"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "base/json_writer.h"
#include "base/thread_name.h"
#include "models/watch/folder_watch.h"
#include "server/gate.h"

namespace shaduf::server {
namespace {

constexpr size_t kConnectionsMax = 1'024;
constexpr std::chrono::seconds kIdleTimeout{75};
constexpr const char* kState = "/.shaduf";

std::string worker_name() {
    std::array<char, 256> name{};
    const bool has_name = ::gethostname(name.data(), name.size() - 1) == 0;
    return std::string(has_name ? name.data() : "serve") + ":" + std::to_string(::getpid());
}

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
      audit_(parts_.folder + kState + "/audit.log", parts_.world.clock) {}

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
    users_ = TRY(Users::open(parts_.folder + kState + "/users.db", parts_.world.clock));
    if (!is_loopback_name(options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]") &&
        !TRY(users_->has_any())) {
        return not_alone_error(options.host);
    }
    errors = room_.reload();
    if (!errors.empty()) return errors.front();
    TRY(begin_platform());
    TRY(listen(options));
    watcher_ = std::thread([this] { watch_files(); });
    return {};
}

Result<void> Server::begin_platform() {
    const auto name_of = [this](const RunRow& run, TaskIndex task) -> std::string {
        RunViews* const views = told_views_.load();
        const FlowPtr flow = views == nullptr ? nullptr : views->spec(run.flow, run.revision);
        return flow == nullptr || task >= flow->graph.size() ? "" : flow->graph[task].name;
    };
    FlowPlatform::Parts parts{
        .world = parts_.world,
        .connectors = parts_.connectors,
        .types = task_types_,
        .folder = parts_.folder + kState,
        .worker = worker_name(),
        .project = [this]() -> Result<std::shared_ptr<const Project>> { return room_.view().project; },
        .watcher =
            [this, name_of](const FlowChanges& changes) {
                feed_.hear(changes);
                parts_.log.hear(changes, name_of);
            },
        .board_watcher = [this](const TaskBoard::Change& change) { feed_.hear(change); },
    };
    platform_ = TRY(FlowPlatform::start(std::move(parts), room_.view().flows));
    views_ = std::make_unique<RunViews>(platform_->store(), [this] { return room_.view().flows; });
    told_views_ = views_.get();
    feed_.begin(*views_);
    return {};
}

Result<void> Server::listen(const Options& options) {
    const std::string host = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
    serve_ = std::make_unique<ServeContext>(ServeContext{
        room_, parts_.connectors, task_types_, parts_.world, platform_->desk(), platform_->store(), platform_->board(),
        platform_->logs(), *views_, live_, *users_, audit_, parts_.version, parts_.world.clock.now()});
    serve_->is_loopback = is_loopback_name(host);
    serve_->is_tls = !options.tls_certificate_file.empty();
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
    const auto done = platform_->reload(view.flows);
    if (!done.ok()) return parts_.log.say(Severity::error, "cannot take up the flows: " + done.error().to_string());
    parts_.log.say(Severity::info, "the project's files have changed; they count from now on");
}

void Server::watch_files() {
    name_thread("watch files");
    auto watch = models::FolderWatch::create();
    const auto set = [&]() -> Result<void> {
        std::set<std::string> trees;
        for (const char* tree : {"pipelines", "flows", "models", "seeds", "snapshots", "macros", "tests", "analyses",
                                 "metrics", "dashboards", "reports"}) {
            trees.insert(parts_.folder + "/" + tree);
        }
        return watch.value()->set_folders({parts_.folder}, trees);
    };
    Result<void> ready = watch.ok() ? set() : Result<void>(watch.error());
    while (ready.ok()) {
        const auto saved = watch.value()->wait(watching_);
        if (watching_.canceled()) return;
        if (!saved.ok()) {
            ready = saved.error();
            break;
        }
        reload();
    }
    parts_.log.say(Severity::warning,
                   "changes of files are not seen; start the server again behind one: " + ready.error().to_string());
}

void Server::stop(std::chrono::milliseconds within) {
    if (is_stopped_) return;
    is_stopped_ = true;
    is_draining_ = true;
    watching_.cancel();
    if (watcher_.joinable()) watcher_.join();
    if (platform_ != nullptr) platform_->drain(within);
    live_.stop();
    if (http_ != nullptr) http_->stop();
}

}  // namespace shaduf::server
