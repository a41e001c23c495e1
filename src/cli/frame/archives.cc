#include "cli/frame/archives.h"

#include <functional>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/frame/progress.h"
#include "cli/frame/table.h"
#include "pipeline/archive_replay.h"

namespace shaduf {
namespace {

constexpr int32_t kDaysToCheck = 7;
constexpr size_t kReasonsShown = 10;

struct Chosen {
    const PipelineConfig* pipeline;
    const StreamConfig* stream;
};

// The streams of "PIPELINE" or "PIPELINE.STREAM" whose source keeps an archive.
Result<std::vector<Chosen>> choose(Session& session, const Project& project, const std::string& text) {
    const Selection wanted = Selection::parse(text);
    std::vector<std::string> names;
    for (const PipelineConfig& pipeline : project.pipelines) {
        names.push_back(pipeline.name);
        if (pipeline.name != wanted.first) continue;
        const ConnectionConfig* source = project.connection(pipeline.source);
        const bool keeps = source != nullptr && session.connector_of(*source).make_replay_source != nullptr;
        std::vector<Chosen> chosen;
        for (const StreamConfig& stream : pipeline.streams) {
            if (wanted.second.empty() || stream.name == wanted.second) chosen.push_back({&pipeline, &stream});
        }
        if (chosen.empty()) return Error(ErrorKind::invalid_config, "stream not found: " + text).at(pipeline.place);
        if (keeps) return chosen;
        return Error(ErrorKind::invalid_config, "source keeps no raw answers: " + pipeline.source +
                                                    "; shaduf quarantine replay sends rejected rows again")
            .at(pipeline.place);
    }
    return Error(ErrorKind::invalid_config, "pipeline not found: " + wanted.first + did_you_mean(wanted.first, names));
}

Result<std::optional<int32_t>> day_of(const Session& session, const std::string& option) {
    if (!session.arguments().has(option)) return std::optional<int32_t>();
    const std::string text = session.arguments().text(option);
    const auto day = parse_date(text);
    if (!day) return Error(ErrorKind::invalid_config, "--" + option + ": expected a day such as 2026-11-01: " + text);
    return day;
}

void print_reasons(const StreamResult& result, std::ostream& out) {
    size_t shown = 0;
    for (const auto& [reason, rows] : result.reasons) {
        if (shown++ == kReasonsShown) break;
        out << "  " << format_count(rows) << " rows: " << reason << "\n";
    }
}

void write_result(const StreamResult& result, JsonWriter& json) {
    json.field("stream", result.progress.pipeline + "." + result.progress.stream);
    json.field("read", result.progress.rows_read).field("written", result.progress.rows_written);
    json.field("quarantined", result.progress.rows_quarantined);
    if (result.error) json.field("error", result.error->to_string());
    json.key("reasons").begin_object();
    for (const auto& [reason, rows] : result.reasons) json.field(reason, rows);
    json.end_object();
}

}  // namespace

int replay_archives(Session& session, const Project& project) {
    auto chosen = choose(session, project, session.arguments().text("select"));
    if (!chosen.ok()) return session.fail(chosen.error());
    auto first = day_of(session, "since");
    auto last = day_of(session, "until");
    if (!first.ok()) return session.fail(first.error());
    if (!last.ok()) return session.fail(last.error());
    const ReplayRange range{first.value(), last.value()};
    int status = kExitDone;
    JsonWriter json;
    json.begin_object().key("streams").begin_array();
    for (const Chosen& each : chosen.value()) {
        const auto replayed =
            replay_archive(session.world(), project, *each.pipeline, session.connectors(), each.stream->name, range);
        if (!replayed.ok()) return session.fail(replayed.error());
        const StreamResult& result = replayed.value();
        if (result.error) status = kExitFailed;
        json.begin_object();
        write_result(result, json);
        json.end_object();
        if (session.json()) continue;
        session.out() << each.pipeline->name << "." << each.stream->name << ": "
                      << format_count(result.progress.rows_read) << " rows read again, "
                      << format_count(result.progress.rows_quarantined) << " to quarantine\n";
        print_reasons(result, session.out());
        if (result.error) session.errors() << "error: " << result.error->to_string() << "\n";
    }
    if (session.json()) session.out() << json.end_array().end_object().str() << "\n";
    return status;
}

int check_archives(Session& session, const Project& project) {
    auto chosen = choose(session, project, session.arguments().text("against-archive"));
    if (!chosen.ok()) return session.fail(chosen.error());
    auto first = day_of(session, "since");
    if (!first.ok()) return session.fail(first.error());
    const auto today = std::chrono::floor<std::chrono::days>(session.world().clock.now()).time_since_epoch().count();
    const ReplayRange range{first.value().value_or(static_cast<int32_t>(today) - kDaysToCheck), std::nullopt};
    int status = kExitDone;
    JsonWriter json;
    json.begin_object().key("streams").begin_array();
    for (const Chosen& each : chosen.value()) {
        const auto checked =
            check_archive(session.world(), project, *each.pipeline, session.connectors(), each.stream->name, range);
        if (!checked.ok()) return session.fail(checked.error());
        const ArchiveCheck& check = checked.value();
        const bool is_well = !check.result.error && check.result.progress.rows_quarantined == 0;
        if (!is_well) status = kExitFailed;
        json.begin_object();
        write_result(check.result, json);
        json.key("differences").begin_array();
        for (const std::string& difference : check.differences) json.text(difference);
        json.end_array().end_object();
        if (session.json()) continue;
        session.out() << each.pipeline->name << "." << each.stream->name << ": "
                      << format_count(check.result.progress.rows_read) << " rows of the archive, "
                      << format_count(check.result.progress.rows_quarantined) << " would go to quarantine\n";
        print_reasons(check.result, session.out());
        for (const std::string& difference : check.differences) session.out() << "  table: " << difference << "\n";
        if (check.result.error) session.errors() << "error: " << check.result.error->to_string() << "\n";
    }
    if (session.json()) session.out() << json.end_array().end_object().str() << "\n";
    return status;
}

}  // namespace shaduf
