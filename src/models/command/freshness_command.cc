#include "models/command/freshness_command.h"

#include <array>
#include <chrono>
#include <filesystem>

#include "base/run_context.h"
#include "base/time.h"
#include "models/adapter/table.h"
#include "models/artifacts/artifact_file.h"
#include "models/command/macro_call.h"
#include "models/context/native.h"
#include "models/context/relations.h"
#include "models/context/response.h"

namespace shaduf::models {
namespace {

using jinja::Kind;
using jinja::NamedValue;
using jinja::Value;

struct Freshness {
    const SourceTable* source = nullptr;
    std::string status = "runtime error";
    std::string error;
    int64_t max_loaded_at = 0, snapshotted_at = 0;  // microseconds since 1970, UTC
    Value response = Value::none();
    WallTime started, ended;

    double age() const { return static_cast<double>(snapshotted_at - max_loaded_at) / 1e6; }
    double seconds() const { return std::chrono::duration<double>(ended - started).count(); }
};

// {count: 12, period: hour}, in seconds; nullopt: none is set.
std::optional<double> threshold(const SourceTable& source, std::string_view key) {
    if (source.freshness.kind() != Kind::dict) return std::nullopt;
    const Value* after = source.freshness.dict().find(key);
    if (after == nullptr || after->kind() != Kind::dict) return std::nullopt;
    const Value* count = after->dict().find("count");
    const Value* period = after->dict().find("period");
    if (count == nullptr || period == nullptr || !count->is_number()) return std::nullopt;
    const std::string unit = period->text();
    const double seconds = unit == "minute" ? 60 : unit == "hour" ? 3600 : 86400;
    return count->number() * seconds;
}

std::string status_of(const SourceTable& source, double age) {
    const auto error_after = threshold(source, "error_after"), warn_after = threshold(source, "warn_after");
    if (error_after && age > *error_after) return "error";
    return warn_after && age > *warn_after ? "warn" : "pass";
}

// A moment of a database, in UTC; without a zone it is taken to be UTC already.
Result<int64_t> moment_of(const Value& value, const SourceTable& source) {
    const auto parsed = parse_timestamp(value.text());
    if (parsed) return parsed->microseconds;
    if (const auto day = parse_date(value.text())) return int64_t{*day} * 86'400'000'000;
    return Error(ErrorKind::invalid_config, "Expected a timestamp value when querying field '" +
                                                source.loaded_at_field.value_or("loaded_at_query") + "' of table " +
                                                source.unique_id + " but received a value of type " +
                                                std::string(value.type_name()) + ": " + value.text());
}

class FreshnessCheck {
public:
    FreshnessCheck(const ContextServices& services, Session& session) : services_(services), session_(session) {}

    Freshness run(const SourceTable& source) {
        Freshness freshness;
        freshness.source = &source;
        freshness.started = std::chrono::system_clock::now();
        if (auto asked = ask(source, freshness); !asked.ok()) freshness.error = asked.error().to_string();
        if (session_.in_transaction()) {
            const auto done = session_.rollback();
            if (!done.ok() && freshness.error.empty()) freshness.error = done.error().to_string();
        }
        freshness.ended = std::chrono::system_clock::now();
        return freshness;
    }

private:
    Result<void> ask(const SourceTable& source, Freshness& freshness) {
        NodeRun run;
        run.session = &session_;
        const std::string label = "source " + source.source_name + "." + source.name;
        NodeScope scope(services_, Phase::run, {.source = &source, .package = source.package, .label = label});
        scope.run_with(run);
        jinja::Vm vm(vm_options(RenderMode::text), &services_.run.cancellation);
        const Value relation = TRY(source_relation(scope, source));
        std::vector<NamedValue> named = {{"source", relation}};
        std::string_view name = "collect_freshness";
        if (source.loaded_at_query) {
            const auto code = TRY(jinja::Template::compile(*source.loaded_at_query, source.place.original_path, {}));
            named.push_back({"loaded_at_query", TRY(vm.render(*code, scope))});
            name = "collect_freshness_custom_sql";
        } else if (source.loaded_at_field) {
            const Value* filter = source.freshness.dict().find("filter");
            named.push_back({"loaded_at_field", *source.loaded_at_field});
            named.push_back({"filter", filter == nullptr ? Value::none() : *filter});
        } else {
            return Error(ErrorKind::invalid_config, "Could not compute freshness for source " + source.name +
                                                        ": no 'loaded_at_field' provided; add it, or loaded_at_query")
                .at(Place::in_file(source.place.original_path, static_cast<int>(source.place.line)));
        }
        const Macro* macro = scope.find_macro(name);
        if (macro == nullptr) return Error(ErrorKind::internal, "there is no macro " + std::string(name));
        const Value result = TRY(scope.call_macro(vm, *macro, {{}, named}));
        return read(result, source, freshness);
    }

    Result<void> read(const Value& result, const SourceTable& source, Freshness& freshness) const {
        // Macros of projects may give the table alone.
        const Value* stored = result.kind() == Kind::dict ? result.dict().find("table") : nullptr;
        const Table* table = (stored == nullptr ? result : *stored).object_as<Table>();
        if (table == nullptr || table->rows().size() != 1 || table->names().size() != 2) {
            return Error(ErrorKind::invalid_config,
                         "Got an invalid result from \"collect_freshness\" macro: it must give one row of "
                         "max_loaded_at and snapshotted_at");
        }
        const Table::Row& row = table->rows().front();
        // A table of no rows was loaded at the beginning of time.
        freshness.max_loaded_at =
            row[0].is_none() ? parse_timestamp("0001-01-01T00:00:00")->microseconds : TRY(moment_of(row[0], source));
        freshness.snapshotted_at = TRY(moment_of(row[1], source));
        freshness.status = status_of(source, freshness.age());
        if (const Value* response = stored == nullptr ? nullptr : result.dict().find("response")) {
            freshness.response = response_dict(*response);
        }
        return {};
    }

    const ContextServices& services_;
    Session& session_;
};

void write_thresholds(const SourceTable& source, JsonWriter& out) {
    out.key("criteria");
    out.begin_object();
    for (const std::string_view key : {"warn_after", "error_after"}) {
        const Value* after = source.freshness.dict().find(key);
        out.key(key);
        after == nullptr || after->is_none() ? out.raw(R"({"count": null, "period": null})") : out.value(*after);
    }
    const Value* filter = source.freshness.dict().find("filter");
    out.field("filter", filter == nullptr ? Value::none() : *filter);
    out.end_object();
}

void write_freshness(const Freshness& freshness, JsonWriter& out) {
    out.begin_object();
    out.field("unique_id", freshness.source->unique_id);
    if (!freshness.error.empty()) {
        out.field("error", freshness.error);
        out.field("status", "runtime error");
        return out.end_object();
    }
    const auto text = [](WallTime time) {
        return format_timestamp(std::chrono::time_point_cast<std::chrono::microseconds>(time));
    };
    out.field("max_loaded_at", format_timestamp(freshness.max_loaded_at, true));
    out.field("snapshotted_at", format_timestamp(freshness.snapshotted_at, true));
    out.real_field("max_loaded_at_time_ago_in_s", freshness.age());
    out.field("status", freshness.status);
    write_thresholds(*freshness.source, out);
    out.key("adapter_response");
    freshness.response.kind() == Kind::dict ? out.value(freshness.response) : out.raw("{}");
    out.key("timing");
    out.begin_list();
    for (const std::string_view name : {"compile", "execute"}) {
        out.begin_object();
        out.field("name", name);
        out.field("started_at", text(freshness.started));
        out.field("completed_at", text(name == "compile" ? freshness.started : freshness.ended));
        out.end_object();
    }
    out.end_list();
    out.field("thread_id", "MainThread");
    out.real_field("execution_time", freshness.seconds());
    out.end_object();
}

Result<void> write_sources(const Invocation& invocation, const std::vector<Freshness>& all, double seconds) {
    const std::string given = invocation.arguments().text("output");
    const ContextServices& services = invocation.services();
    const std::string path = given.empty()
                                 ? artifact_path(services, "sources.json")
                                 : (std::filesystem::path(services.project_root) / given).lexically_normal().string();
    return write_artifact(path, [&](JsonWriter& out) {
        out.begin_object();
        out.key("metadata");
        out.begin_object();
        write_head(artifact_head(services), "sources/v3", out);
        out.end_object();
        out.key("results");
        out.begin_list();
        for (const Freshness& freshness : all) write_freshness(freshness, out);
        out.end_list();
        out.real_field("elapsed_time", seconds);
        out.end_object();
    });
}

}  // namespace

Result<int> run_source_freshness(Invocation& invocation, const std::vector<const SourceTable*>& sources,
                                 Console& console) {
    const auto started = std::chrono::steady_clock::now();
    const auto session = TRY(invocation.adapter().connect(invocation.run(), "freshness"));
    FreshnessCheck check(invocation.services(), *session);
    std::vector<Freshness> all;
    bool is_well = true;
    if (sources.empty()) console.line("Nothing to do: no selected source has a freshness of its own.");
    for (const SourceTable* source : sources) {
        const Freshness& freshness = all.emplace_back(check.run(*source));
        const std::string place = std::to_string(all.size()) + " of " + std::to_string(sources.size());
        const std::string name = source->source_name + "." + source->name;
        is_well = is_well && freshness.error.empty() && freshness.status != "error";
        const std::string word = !freshness.error.empty()     ? "ERROR"
                                 : freshness.status == "pass" ? "PASS"
                                 : freshness.status == "warn" ? "WARN"
                                                              : "ERROR STALE";
        console.line(place + " " + word + " freshness of " + name);
        if (!freshness.error.empty()) console.error("error: " + freshness.error);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    if (invocation.arguments().is_on("write-json", true)) TRY(write_sources(invocation, all, seconds));
    console.line("Done.");
    return is_well ? 0 : 1;
}

}  // namespace shaduf::models
