#include "server/server_metrics.h"

#include <algorithm>
#include <filesystem>

#include "flow/flow_platform.h"
#include "observe/anomalies/anomaly_watch.h"
#include "observe/metrics/process_metrics.h"
#include "server/answers.h"
#include "server/flow_health.h"
#include "server/gate.h"
#include "server/live_events.h"
#include "server/run_views.h"
#include "server/serve_context.h"

namespace shaduf::server {
namespace {

namespace metric = observe::metric;

// Looking at all flows takes a moment where there are thousands: not at each question.
constexpr std::chrono::seconds kFlowsSeenEvery{5};
constexpr size_t kFlowsFromZero = 200;
constexpr int64_t kRatesMax = 1'000;

double seconds_of(std::chrono::microseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Result<void> ServerMetrics::begin(ServeContext& serve, FlowPlatform& platform) {
    serve_ = &serve;
    platform_ = &platform;
    flow_metrics_ = std::make_unique<observe::FlowMetrics>(observe::FlowMetrics::Parts{
        .metrics = metrics_,
        .clock = clock_,
        .spec = [&serve](const std::string& flow,
                         const std::string& revision) { return serve.views.spec(flow, revision); },
        .run = [&serve](const RunId& run) { return serve.views.run(run); },
        .counts = [&platform] { return platform.leads(); }});
    told_ = flow_metrics_.get();
    TRY(flow_metrics_->take_up([&platform] { return platform.store().remains(); }));
    metrics_.collect_by([this](observe::MetricPage& page) { collect(page); });
    return {};
}

void ServerMetrics::end() {
    metrics_.forget_collectors();
    told_ = nullptr;
}

void ServerMetrics::hear(const FlowChanges& changes) {
    if (observe::FlowMetrics* told = told_.load()) told->hear(changes);
}

void ServerMetrics::hear(const TaskBoard::Change& change) {
    if (observe::FlowMetrics* told = told_.load()) told->hear(change);
}

void ServerMetrics::collect(observe::MetricPage& page) {
    const auto flows = platform_->flows();
    if (flows != nullptr) flow_metrics_->collect(page, *flows);
    collect_flows(page);
    collect_tables(page);
    collect_rates(page);
    if (alerts_) {
        for (const char* severity : {"error", "warning", "info"}) page.set(metric::alerts_firing, {severity}, 0);
        for (const auto& [severity, count] : alerts_()) {
            page.set(metric::alerts_firing, {severity}, static_cast<double>(count));
        }
    }
    page.set(metric::live_streams, {}, static_cast<double>(serve_->live.streams()));
    page.set(metric::leader, {}, platform_->leads() ? 1 : 0);
    page.set(metric::tries_running, {}, static_cast<double>(platform_->tries_running()));
    page.set(metric::build_info, {serve_->version}, 1);
    observe::collect_process(page);
}

// An increase from nothing is none to Prometheus: the first failure is seen only where there was a zero before.
void ServerMetrics::begin_counting(const FlowInfo& flow) {
    const bool is_awaited = !flow.on_tables.empty() || !flow.sensors.empty();
    const RunType type = !flow.spec->schedules.empty() ? RunType::scheduled
                         : is_awaited                  ? RunType::event
                                                       : RunType::manual;
    for (const RunState state : {RunState::succeeded, RunState::failed}) {
        metrics_.add(metric::runs, {flow.spec->name, to_string(type), to_string(state)}, 0);
    }
}

void ServerMetrics::collect_flows(observe::MetricPage& page) {
    const auto steady = clock_.steady_now();
    if (flows_at_ == std::chrono::steady_clock::time_point{} || steady - flows_at_ >= kFlowsSeenEvery) {
        flows_at_ = steady;
        flows_page_ = {};
        const Timestamp now = clock_.now();
        const auto set = serve_->room.view().flows;
        flows_page_.set(metric::flows, {"active"}, 0);
        flows_page_.set(metric::flows, {"paused"}, 0);
        for (const FlowInfo& flow : set == nullptr ? std::vector<FlowInfo>() : set->flows) {
            const std::string& name = flow.spec->name;
            if (set->flows.size() <= kFlowsFromZero) begin_counting(flow);
            const auto paused = serve_->desk.is_paused(name);
            const auto recent = serve_->views.recent(name);
            if (!paused.ok() || !recent.ok()) continue;
            flows_page_.set(metric::flows, {paused.value() ? "paused" : "active"}, 1);
            const auto late = lateness_of(flow, recent.value(), paused.value(), now);
            flows_page_.set(metric::flow_late, {name}, late ? seconds_of(now - late->due) : 0);
        }
    }
    for (const observe::MetricSpec* spec : {&metric::flows, &metric::flow_late}) {
        const auto* family = flows_page_.find(*spec);
        if (family == nullptr) continue;
        for (const auto& [labels, series] : *family) page.set(*spec, {labels.front()}, series.value);
    }
}

void ServerMetrics::collect_tables(observe::MetricPage& page) {
    // Of tables that no load was seen of, since they were loaded before there was a history: when the flow succeeded.
    const Timestamp now = clock_.now();
    const auto set = serve_->room.view().flows;
    std::map<std::string, Timestamp> loaded;
    for (const FlowInfo& flow : set == nullptr ? std::vector<FlowInfo>() : set->flows) {
        if (flow.writes.empty()) continue;
        const auto recent = serve_->views.recent(flow.spec->name);
        if (!recent.ok() || !recent.value().last_success) continue;
        for (const std::string& table : flow.writes) {
            Timestamp& at = loaded[table];
            at = std::max(at, *recent.value().last_success);
        }
    }
    if (serve_->anomalies != nullptr) {
        for (size_t i = 0; i < observe::kAnomalyKinds; ++i) {
            page.set(metric::anomalies, {to_string(static_cast<observe::AnomalyKind>(i))}, 0);
        }
        double late = 0;
        const auto tables = serve_->anomalies->tables();
        for (const auto& table : tables.ok() ? tables.value() : std::vector<observe::AnomalyWatch::TableState>()) {
            if (table.last) loaded[table.table] = *table.last;
            for (const observe::Anomaly& anomaly : table.open) {
                page.set(metric::anomalies, {to_string(anomaly.kind)}, 1);
                if (anomaly.kind == observe::AnomalyKind::freshness) ++late;
            }
        }
        page.set(metric::tables_late, {}, late);
    }
    for (const auto& [table, at] : loaded) page.set(metric::table_age, {table}, std::max(seconds_of(now - at), 0.0));
}

void ServerMetrics::collect_rates(observe::MetricPage& page) {
    if (meta_ == nullptr) {
        const std::string path = serve_->folder + "/.shaduf/meta.db";
        std::error_code ignored;
        if (!std::filesystem::exists(path, ignored)) return;
        auto opened = MetaStore::open(path);
        if (!opened.ok()) return;
        meta_ = opened.release_value();
    }
    const Timestamp now = clock_.now();
    const auto states = meta_->rate_states(now, kRatesMax);
    if (!states.ok()) {
        meta_.reset();
        return;
    }
    for (const RateState& state : states.value()) {
        if (state.remaining) page.set(metric::rate_remaining, {state.key}, static_cast<double>(*state.remaining));
        page.set(metric::rate_paused, {state.key}, std::max(seconds_of(state.paused_until - now), 0.0));
        page.set(metric::rate_in_flight, {state.key}, static_cast<double>(state.in_flight));
    }
}

HttpServerResponse answer_metrics(const HttpServerRequest& request, ServeContext& serve) {
    if (request.method != "GET" && request.method != "HEAD") {
        return refuse(405, "invalid_config", "only GET is known here");
    }
    if (serve.metrics == nullptr) return refuse(404, "not_found", "this server has no metrics");
    if (!serve.are_metrics_open) {
        auto caller = check_caller(request, serve);
        if (auto* refused = std::get_if<HttpServerResponse>(&caller)) return std::move(*refused);
        if (std::get<Caller>(caller).role < Role::viewer) {
            auto refused = refuse(401, "denied",
                                  "metrics need a token of a viewer as `Authorization: Bearer`, or start the server "
                                  "with --metrics-open");
            refused.headers.emplace_back("WWW-Authenticate", "Bearer");
            return refused;
        }
    }
    const observe::MetricFormat format = observe::metric_format_of(request.header("Accept"));
    HttpServerResponse response;
    response.headers = {{"Content-Type", std::string(observe::content_type_of(format))},
                        {"Cache-Control", "no-store"},
                        {"Vary", "Accept"}};
    response.body = serve.metrics->write(format);
    return response;
}

}  // namespace shaduf::server
