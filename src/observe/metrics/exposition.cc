#include <charconv>
#include <cmath>

#include "base/text.h"
#include "observe/metrics/metrics.h"

// The text formats: Prometheus' "Exposition formats", version 0.0.4, and OpenMetrics 1.0.0, which differs in the names
// of counters' families, in its end, and in what numbers of buckets look like.
namespace shaduf::observe {
namespace {

constexpr std::string_view kTotal = "_total";

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char text[32];
    const auto written = std::to_chars(text, text + sizeof(text), value);
    return {text, written.ptr};
}

// Bounds of buckets are floats also where they are whole: 1.0.
std::string bound(double value) {
    std::string text = number(value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string escape(std::string_view value, bool is_label) {
    std::string out;
    for (const char c : make_valid_utf8(value)) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && is_label) {
            out += "\\\"";
        } else {
            out += c;
        }
    }
    return out;
}

class Writer {
public:
    explicit Writer(MetricFormat format) : format_(format) {}

    void family(const MetricSpec& spec, const MetricPage::Family& family) {
        std::string_view name = spec.name;
        if (format_ == MetricFormat::openmetrics && spec.kind == MetricKind::counter && name.ends_with(kTotal)) {
            name.remove_suffix(kTotal.size());
        }
        out_ += "# HELP " + std::string(name) + " " + escape(spec.help, format_ == MetricFormat::openmetrics) + "\n";
        out_ += "# TYPE " + std::string(name) + " " + std::string(to_string(spec.kind)) + "\n";
        for (const auto& [key, series] : family) {
            spec.kind == MetricKind::histogram ? histogram(spec, series)
                                               : line(spec, series, "", "", number(series.value));
        }
    }
    std::string finish() {
        if (format_ == MetricFormat::openmetrics) out_ += "# EOF\n";
        return std::move(out_);
    }

private:
    void line(const MetricSpec& spec, const MetricSeries& series, std::string_view suffix, const std::string& le,
              const std::string& value) {
        out_ += spec.name;
        out_ += suffix;
        std::string labels;
        const auto label = [&](std::string_view name, const std::string& text) {
            labels += (labels.empty() ? "" : ",") + std::string(name) + "=\"" + text + "\"";
        };
        for (size_t i = 0; i < series.labels.size(); ++i) label(spec.labels[i], escape(series.labels[i], true));
        if (!le.empty()) label("le", le);
        if (!labels.empty()) out_ += "{" + labels + "}";
        out_ += " " + value + "\n";
    }
    void histogram(const MetricSpec& spec, const MetricSeries& series) {
        uint64_t so_far = 0;
        for (size_t i = 0; i < spec.buckets.size(); ++i) {
            so_far += series.buckets[i];
            line(spec, series, "_bucket", bound(spec.buckets[i]), std::to_string(so_far));
        }
        line(spec, series, "_bucket", "+Inf", std::to_string(series.count));
        line(spec, series, "_sum", "", number(series.value));
        line(spec, series, "_count", "", std::to_string(series.count));
    }

    const MetricFormat format_;
    std::string out_;
};

// The weight that a client gives a kind of text: "text/plain;version=0.0.4;q=0.3".
double weight_of(std::string_view range) {
    for (const std::string_view part : split(range, ';')) {
        const std::string_view parameter = trim(part);
        if (!parameter.starts_with("q=")) continue;
        double weight = 0;
        const char* const end = parameter.data() + parameter.size();
        return std::from_chars(parameter.data() + 2, end, weight).ec == std::errc{} ? weight : 0;
    }
    return 1;
}

}  // namespace

MetricFormat metric_format_of(std::string_view accept) {
    double openmetrics = 0, plain = 0;
    for (const std::string_view range : split(accept, ',')) {
        const std::string type = to_lower(trim(range.substr(0, range.find(';'))));
        const double weight = weight_of(range);
        if (type == "application/openmetrics-text") openmetrics = std::max(openmetrics, weight);
        if (type == "text/plain") plain = std::max(plain, weight);
    }
    return openmetrics > 0 && openmetrics >= plain ? MetricFormat::openmetrics : MetricFormat::prometheus;
}

std::string_view content_type_of(MetricFormat format) {
    return format == MetricFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string write_metrics(const MetricPage& page, MetricFormat format) {
    Writer writer(format);
    for (const MetricSpec* spec : all_metrics()) {
        const MetricPage::Family* family = page.find(*spec);
        if (family != nullptr) {
            writer.family(*spec, *family);
        } else if (spec->labels.empty() && spec->kind != MetricKind::gauge) {
            MetricSeries zero;
            zero.buckets.resize(spec->buckets.size());
            writer.family(*spec, {{{}, zero}});
        }
    }
    return writer.finish();
}

}  // namespace shaduf::observe
