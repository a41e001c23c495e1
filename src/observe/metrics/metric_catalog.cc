#include <algorithm>
#include <array>

#include "observe/metrics/metric_spec.h"

namespace shaduf::observe {
namespace {

using Names = std::string_view;

constexpr Names kFlow[] = {"flow"};
constexpr Names kRun[] = {"flow", "type", "state"};
constexpr Names kState[] = {"state"};
constexpr Names kTask[] = {"type", "state"};
constexpr Names kType[] = {"type"};
constexpr Names kPool[] = {"pool"};
constexpr Names kStream[] = {"pipeline", "stream"};
constexpr Names kTable[] = {"table"};
constexpr Names kKey[] = {"key"};
constexpr Names kSeverity[] = {"severity"};
constexpr Names kKind[] = {"kind"};
constexpr Names kRequest[] = {"route", "method", "code"};
constexpr Names kRoute[] = {"route"};
constexpr Names kTarget[] = {"target"};
constexpr Names kVersion[] = {"version"};
constexpr Names kMetric[] = {"metric"};

// From a moment to a day: loads and models.
constexpr double kWork[] = {0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400};
// What the scheduler does.
constexpr double kWait[] = {0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600};
// Answers that somebody waits for.
constexpr double kAnswer[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

constexpr auto kCounter = MetricKind::counter;
constexpr auto kGauge = MetricKind::gauge;
constexpr auto kHistogram = MetricKind::histogram;
constexpr auto kLargest = MetricMerge::largest;

}  // namespace

namespace metric {

const MetricSpec runs{"shaduf_runs_total", kCounter, "Runs that have ended, by how", kRun};
const MetricSpec run_duration{"shaduf_run_duration_seconds", kHistogram,
                              "How long runs took, from the first task's begin to the end", kFlow, kWork};
const MetricSpec run_wait{
    "shaduf_run_wait_seconds", kHistogram, "How long runs waited from when they came about to their begin", {}, kWait};
const MetricSpec runs_open{"shaduf_runs_open", kGauge, "Runs that have not ended: queued or running", kState};
const MetricSpec tasks{"shaduf_tasks_total", kCounter, "Tasks that have ended, by how", kTask};
const MetricSpec task_retries{"shaduf_task_retries_total", kCounter, "Tries that failed and come again", kType};
const MetricSpec task_duration{"shaduf_task_duration_seconds", kHistogram, "How long tries of tasks took", kType,
                               kWork};
const MetricSpec task_queue{
    "shaduf_task_queue_seconds", kHistogram, "How long tasks that were ready waited for a place", {}, kWait};
const MetricSpec task_dispatch{"shaduf_task_dispatch_seconds",
                               kHistogram,
                               "From the decision to begin a try until it was known to have begun",
                               {},
                               kWait};
const MetricSpec tasks_open{"shaduf_tasks_open", kGauge,
                            "Tasks of open runs by state: queued (for a place), running, retrying, paused", kState};
const MetricSpec tries_running{"shaduf_tries_running", kGauge, "Tries that run in this process"};
const MetricSpec pool_places{"shaduf_pool_places", kGauge, "Places of a pool", kPool};
const MetricSpec pool_used{"shaduf_pool_used", kGauge, "Places of a pool that running tasks have taken", kPool};
const MetricSpec rows_read{"shaduf_rows_read_total", kCounter, "Rows read by streams of pipelines", kStream};
const MetricSpec rows_written{"shaduf_rows_written_total", kCounter, "Rows written by streams of pipelines", kStream};
const MetricSpec rows_quarantined{"shaduf_rows_quarantined_total", kCounter, "Rows that went to quarantine", kStream};
const MetricSpec bytes_read{"shaduf_bytes_read_total", kCounter, "Bytes read by streams of pipelines", kStream};
const MetricSpec stream_retries{"shaduf_stream_retries_total", kCounter, "Reads that streams tried again", kStream};
const MetricSpec lag_messages{"shaduf_stream_lag_messages", kGauge,
                              "Messages of the source that an endless stream has not read yet", kStream};
const MetricSpec lag_seconds{"shaduf_stream_lag_seconds",
                             kGauge,
                             "Age of the oldest message that was read and is not committed; 0 when all are",
                             kStream,
                             {},
                             kLargest};
const MetricSpec table_age{
    "shaduf_table_age_seconds", kGauge, "Since the last load of a table that succeeded", kTable, {}, kLargest};
const MetricSpec tables_late{"shaduf_tables_late", kGauge, "Tables that have not been loaded for longer than is usual"};
const MetricSpec flow_late{"shaduf_flow_late_seconds",
                           kGauge,
                           "Since a flow should have succeeded; 0 when it is not late",
                           kFlow,
                           {},
                           kLargest};
const MetricSpec flows{"shaduf_flows", kGauge, "Flows by state: active or paused", kState};
const MetricSpec rate_remaining{"shaduf_rate_limit_remaining_calls", kGauge,
                                "Calls that an outside system said it still answers in its window", kKey};
const MetricSpec rate_paused{"shaduf_rate_limit_paused_seconds",
                             kGauge,
                             "Until an outside system may be called again; 0 when it may",
                             kKey,
                             {},
                             kLargest};
const MetricSpec rate_in_flight{"shaduf_rate_limit_calls_in_flight", kGauge, "Calls that are on their way", kKey};
const MetricSpec alerts_firing{"shaduf_alerts_firing", kGauge, "Alerts that are not over, by severity", kSeverity};
const MetricSpec anomalies{"shaduf_anomalies", kGauge,
                           "Tables that are not as usual, by kind: freshness, volume or zero_rows", kKind};
const MetricSpec http_requests{"shaduf_http_requests_total", kCounter, "Requests that were answered", kRequest};
const MetricSpec http_duration{"shaduf_http_request_duration_seconds", kHistogram,
                               "How long answers took to make; of a stream only its begin", kRoute, kAnswer};
const MetricSpec live_streams{"shaduf_live_streams", kGauge, "Clients that follow live events"};
const MetricSpec events_sent{"shaduf_events_sent_total", kCounter,
                             "Messages to OpenLineage and OpenTelemetry that were taken", kTarget};
const MetricSpec events_dropped{"shaduf_events_dropped_total", kCounter,
                                "Messages to OpenLineage and OpenTelemetry that were given up", kTarget};
const MetricSpec events_queued{"shaduf_events_queued", kGauge, "Messages that wait to be sent", kTarget};
const MetricSpec leader{"shaduf_leader", kGauge, "1 in the process that decides what runs, else 0"};
const MetricSpec build_info{"shaduf_build_info", kGauge, "Always 1; the version is its label", kVersion};
const MetricSpec series_folded{"shaduf_metric_series_folded_total", kCounter,
                               "Values that were told under the label \"other\", since the metric has too many series",
                               kMetric};
const MetricSpec process_memory{"process_resident_memory_bytes", kGauge, "Memory of the process in RAM"};
const MetricSpec process_virtual{"process_virtual_memory_bytes", kGauge, "Addresses that the process has mapped"};
const MetricSpec process_cpu{"process_cpu_seconds_total", kCounter, "Time on all cores, user and system"};
const MetricSpec process_files{"process_open_fds", kGauge, "Open file descriptors"};
const MetricSpec process_files_max{"process_max_fds", kGauge, "File descriptors that the process may open"};
const MetricSpec process_threads{"process_threads", kGauge, "Threads of the process"};
const MetricSpec process_started{"process_start_time_seconds", kGauge, "When the process began, since 1970"};

}  // namespace metric

std::string_view to_string(MetricKind kind) {
    constexpr std::string_view kNames[] = {"counter", "gauge", "histogram"};
    return kNames[static_cast<size_t>(kind)];
}

bool is_open_label(std::string_view label) {
    constexpr auto kOpen = std::to_array<std::string_view>({"flow", "pipeline", "stream", "table", "key", "pool"});
    return std::find(kOpen.begin(), kOpen.end(), label) != kOpen.end();
}

std::span<const MetricSpec* const> all_metrics() {
    using namespace metric;
    static constexpr const MetricSpec* kAll[] = {
        &runs,           &run_duration,   &run_wait,          &runs_open,
        &tasks,          &task_retries,   &task_duration,     &task_queue,
        &task_dispatch,  &tasks_open,     &tries_running,     &pool_places,
        &pool_used,      &rows_read,      &rows_written,      &rows_quarantined,
        &bytes_read,     &stream_retries, &lag_messages,      &lag_seconds,
        &table_age,      &tables_late,    &flow_late,         &flows,
        &rate_remaining, &rate_paused,    &rate_in_flight,    &alerts_firing,
        &anomalies,      &http_requests,  &http_duration,     &live_streams,
        &events_sent,    &events_dropped, &events_queued,     &leader,
        &build_info,     &series_folded,  &process_memory,    &process_virtual,
        &process_cpu,    &process_files,  &process_files_max, &process_threads,
        &process_started};
    return kAll;
}

}  // namespace shaduf::observe
