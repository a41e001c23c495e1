#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "observe/metrics/metric_spec.h"

namespace shaduf::observe {

// One line of labels of a metric, with its value.
struct MetricSeries {
    std::vector<std::string> labels;  // values, as the spec names them
    double value = 0;                 // counter, gauge; histogram: the sum
    uint64_t count = 0;               // histogram
    std::vector<uint64_t> buckets;    // histogram: how many were at most so much, not added up
};

// Series of metrics. Bounded: a metric that has as many series as it may takes values of others under open labels
// (see is_open_label) as "other". One thread at a time.
class MetricPage {
public:
    static constexpr size_t kSeriesMax = 1'000;
    static constexpr size_t kHistogramSeriesMax = 200;  // each is a dozen lines

    using Labels = std::initializer_list<std::string_view>;  // as many as the spec has
    void add(const MetricSpec& spec, Labels labels, double by);
    // Of a gauge; a second value of the same series is merged as the spec says.
    void set(const MetricSpec& spec, Labels labels, double value);
    void observe(const MetricSpec& spec, Labels labels, double value);

    using Family = std::map<std::vector<std::string>, MetricSeries>;
    const Family* find(const MetricSpec& spec) const;           // nullptr: it has no series
    double value(const MetricSpec& spec, Labels labels) const;  // 0: there is none

private:
    MetricSeries& series(const MetricSpec& spec, Labels labels, bool& is_new);

    std::map<const MetricSpec*, Family> families_;
};

// 0.0.4 of Prometheus, which all can read, or OpenMetrics 1.0.
enum class MetricFormat : uint8_t { prometheus, openmetrics };
// What a client takes, by its header Accept.
MetricFormat metric_format_of(std::string_view accept);
std::string_view content_type_of(MetricFormat format);
// Metrics without series are left out, but for counters and histograms without labels: those are 0.
std::string write_metrics(const MetricPage& page, MetricFormat format);

// Counts for as long as the process lives, and asks collectors for the rest when somebody looks. Thread-safe.
class Metrics {
public:
    using Labels = MetricPage::Labels;
    void add(const MetricSpec& spec, Labels labels, double by = 1);
    void observe(const MetricSpec& spec, Labels labels, double value);
    double value(const MetricSpec& spec, Labels labels) const;

    // What stands at the moment; called by whoever looks, one at a time. It outlives the metrics, or is taken off.
    using Collector = std::function<void(MetricPage& page)>;
    void collect_by(Collector collector);
    void forget_collectors();

    std::string write(MetricFormat format);

private:
    mutable std::mutex mutex_;
    MetricPage counted_;
    std::mutex collecting_;  // guards collectors_
    std::vector<Collector> collectors_;
};

}  // namespace shaduf::observe
