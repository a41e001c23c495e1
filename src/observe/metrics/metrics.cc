#include "observe/metrics/metrics.h"

#include <algorithm>

#include "base/assert.h"

namespace shaduf::observe {

MetricSeries& MetricPage::series(const MetricSpec& spec, Labels labels, bool& is_new) {
    SHADUF_ASSERT(labels.size() == spec.labels.size());
    Family& family = families_[&spec];
    std::vector<std::string> key(labels.begin(), labels.end());
    auto found = family.find(key);
    const size_t most = spec.kind == MetricKind::histogram ? kHistogramSeriesMax : kSeriesMax;
    if (found == family.end() && family.size() >= most) {
        for (size_t i = 0; i < key.size(); ++i) {
            if (is_open_label(spec.labels[i])) key[i] = "other";
        }
        add(metric::series_folded, {spec.name}, 1);
        found = family.find(key);
    }
    is_new = found == family.end();
    if (!is_new) return found->second;
    MetricSeries& made = family[key];
    made.labels = std::move(key);
    made.buckets.resize(spec.buckets.size());
    return made;
}

void MetricPage::add(const MetricSpec& spec, Labels labels, double by) {
    bool is_new = false;
    series(spec, labels, is_new).value += by;
}

void MetricPage::set(const MetricSpec& spec, Labels labels, double value) {
    bool is_new = false;
    MetricSeries& at = series(spec, labels, is_new);
    if (is_new) {
        at.value = value;
    } else {
        at.value = spec.merge == MetricMerge::sum ? at.value + value : std::max(at.value, value);
    }
}

void MetricPage::observe(const MetricSpec& spec, Labels labels, double value) {
    bool is_new = false;
    MetricSeries& at = series(spec, labels, is_new);
    at.value += value;
    ++at.count;
    const auto bound = std::lower_bound(spec.buckets.begin(), spec.buckets.end(), value);
    if (bound != spec.buckets.end()) ++at.buckets[static_cast<size_t>(bound - spec.buckets.begin())];
}

const MetricPage::Family* MetricPage::find(const MetricSpec& spec) const {
    const auto found = families_.find(&spec);
    return found == families_.end() ? nullptr : &found->second;
}

double MetricPage::value(const MetricSpec& spec, Labels labels) const {
    const Family* family = find(spec);
    if (family == nullptr) return 0;
    const auto found = family->find(std::vector<std::string>(labels.begin(), labels.end()));
    return found == family->end() ? 0 : found->second.value;
}

void Metrics::add(const MetricSpec& spec, Labels labels, double by) {
    const std::lock_guard lock(mutex_);
    counted_.add(spec, labels, by);
}

void Metrics::observe(const MetricSpec& spec, Labels labels, double value) {
    const std::lock_guard lock(mutex_);
    counted_.observe(spec, labels, value);
}

double Metrics::value(const MetricSpec& spec, Labels labels) const {
    const std::lock_guard lock(mutex_);
    return counted_.value(spec, labels);
}

void Metrics::collect_by(Collector collector) {
    const std::lock_guard lock(collecting_);
    collectors_.push_back(std::move(collector));
}

void Metrics::forget_collectors() {
    const std::lock_guard lock(collecting_);
    collectors_.clear();
}

std::string Metrics::write(MetricFormat format) {
    MetricPage page;
    {
        const std::lock_guard lock(mutex_);
        page = counted_;
    }
    {
        const std::lock_guard lock(collecting_);
        for (const Collector& collector : collectors_) collector(page);
    }
    return write_metrics(page, format);
}

}  // namespace shaduf::observe
