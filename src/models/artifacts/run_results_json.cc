#include "base/time.h"
#include "models/artifacts/artifact_file.h"
#include "models/artifacts/manifest_json.h"
#include "models/context/secrets.h"
#include "models/context/services.h"

namespace shaduf::models {
namespace {

using jinja::Value;

std::string time_text(WallTime time) {
    return format_timestamp(std::chrono::time_point_cast<std::chrono::microseconds>(time));
}

// What has no text to be compiled.
bool is_text_free(const std::string& id) {
    return id.starts_with("seed.") || id.starts_with("exposure.") || id.starts_with("saved_query.");
}

// Seeds are not compiled; all else is, or failed before it was.
void write_compiled(const NodeResult& result, bool has_no_text, JsonWriter& out) {
    if (has_no_text) {
        for (const std::string_view key : {"compiled", "compiled_code", "relation_name"}) out.none_field(key);
        return;
    }
    out.flag_field("compiled", result.compiled_code.has_value());
    out.field("compiled_code", result.compiled_code);
    out.field("relation_name", result.relation_name);
}

void write_spans(std::string_view name, const std::vector<TimeSpan>& spans, JsonWriter& out) {
    out.key(name);
    out.begin_list();
    for (const TimeSpan& span : spans) {
        out.begin_list();
        for (const int64_t moment : {span.start, span.end}) out.text(format_timestamp(moment, false) + "+00:00");
        out.end_list();
    }
    out.end_list();
}

void write_batches(const NodeResult::BatchResults& batches, JsonWriter& out) {
    out.key("batch_results");
    out.begin_object();
    write_spans("successful", batches.successful, out);
    write_spans("failed", batches.failed, out);
    out.end_object();
}

void write_result(const NodeResult& result, const Secrets* secrets, JsonWriter& out) {
    out.begin_object();
    out.field("status", to_string(result.status));
    out.key("timing");
    out.begin_list();
    for (const NodeResult::Timing& timing : result.timing) {
        out.begin_object();
        out.field("name", timing.name);
        out.field("started_at", time_text(timing.started_at));
        out.field("completed_at", time_text(timing.completed_at));
        out.end_object();
    }
    out.end_list();
    out.field("thread_id", result.thread_id);
    out.real_field("execution_time", result.execution_seconds);
    out.key("adapter_response");
    result.adapter_response.kind() == jinja::Kind::dict ? out.value(result.adapter_response) : out.raw("{}");
    const std::string message = secrets == nullptr ? result.message : secrets->scrub(result.message);
    message.empty() ? out.none_field("message") : out.field("message", message);
    result.failures ? out.integer_field("failures", *result.failures) : out.none_field("failures");
    out.field("unique_id", result.unique_id);
    write_compiled(result, is_text_free(result.unique_id), out);
    result.batches ? write_batches(*result.batches, out) : out.none_field("batch_results");
    out.end_object();
}

}  // namespace

Result<void> write_run_results(const ContextServices& services, const std::vector<NodeResult>& results,
                               double elapsed_seconds) {
    return write_artifact(artifact_path(services, "run_results.json"), [&](JsonWriter& out) {
        out.begin_object();
        out.key("metadata");
        out.begin_object();
        write_head(artifact_head(services), "run-results/v6", out);
        out.end_object();
        out.key("results");
        out.begin_list();
        for (const NodeResult& result : results) write_result(result, services.secrets.get(), out);
        out.end_list();
        out.real_field("elapsed_time", elapsed_seconds);
        out.key("args");
        const Value args =
            services.invocation_args ? Value(services.invocation_args) : Value(jinja::make<jinja::Dict>());
        out.value(services.secrets == nullptr ? args : services.secrets->scrub_texts(args));
        out.end_object();
    });
}

}  // namespace shaduf::models
