#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace shaduf::observe {

enum class MetricKind : uint8_t { counter, gauge, histogram };
std::string_view to_string(MetricKind kind);

// What values become when those of several series are told as one: of an age the largest counts.
enum class MetricMerge : uint8_t { sum, largest };

// One metric: what /metrics has, and the docs. Static data.
struct MetricSpec {
    std::string_view name;  // of a counter with _total at its end
    MetricKind kind = MetricKind::gauge;
    std::string_view help = {};  // one sentence, without the full stop
    std::span<const std::string_view> labels = {};
    std::span<const double> buckets = {};  // histogram: upper bounds, ascending, without infinity
    MetricMerge merge = MetricMerge::sum;
};

// Labels that take what users name, so that there is no end of values: past the limit of series they are "other".
bool is_open_label(std::string_view label);

// All of them, in the order that /metrics has.
std::span<const MetricSpec* const> all_metrics();

namespace metric {

extern const MetricSpec runs, run_duration, run_wait, runs_open;
extern const MetricSpec tasks, task_retries, task_duration, task_queue, task_dispatch, tasks_open, tries_running;
extern const MetricSpec pool_places, pool_used;
extern const MetricSpec rows_read, rows_written, rows_quarantined, bytes_read, stream_retries;
extern const MetricSpec lag_messages, lag_seconds;
extern const MetricSpec table_age, tables_late, flow_late, flows;
extern const MetricSpec rate_remaining, rate_paused, rate_in_flight;
extern const MetricSpec alerts_firing, anomalies;
extern const MetricSpec http_requests, http_duration, live_streams;
extern const MetricSpec events_sent, events_dropped, events_queued;
extern const MetricSpec leader, build_info, series_folded;
extern const MetricSpec process_memory, process_virtual, process_cpu, process_files, process_files_max, process_threads,
    process_started;

}  // namespace metric

}  // namespace shaduf::observe
