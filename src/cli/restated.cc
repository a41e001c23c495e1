#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/rows.h"
#include "cli/frame/session.h"
#include "config/stream_defaults.h"
#include "io/duckdb.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kArguments[] = {
    {"select", ArgumentKind::positional, "PIPELINE or PIPELINE.STREAM.", true},
    {"day", ArgumentKind::option, "The day that the numbers are about, YYYY-MM-DD.", true},
    {"by", ArgumentKind::option, "A column to part the numbers by, such as campaign_id."},
};

// Ratios, which a sum makes no sense of, come with all the digits that a division gives.
constexpr int kRatioDigits = 9;

bool can_be_summed(const DataType& type) {
    if (type.kind() == TypeKind::decimal) return type.scale() < kRatioDigits;
    return type.kind() == TypeKind::int64 || type.kind() == TypeKind::float64;
}

struct Report {
    const PipelineConfig* pipeline;
    const StreamConfig* stream;
    std::string day_column;
};

// The streams selected whose source says which day a row is about.
Result<std::vector<Report>> find_reports(Session& session, const Project& project) {
    const Selection wanted = Selection::parse(session.arguments().text("select"));
    std::vector<Report> reports;
    std::vector<std::string> names;
    for (const PipelineConfig& pipeline : project.pipelines) {
        names.push_back(pipeline.name);
        if (pipeline.name != wanted.first) continue;
        const ConnectionConfig* source = project.connection(pipeline.source);
        if (source == nullptr || session.connector_of(*source).stream_defaults == nullptr) continue;
        for (const StreamConfig& stream : pipeline.streams) {
            if (!wanted.second.empty() && stream.name != wanted.second) continue;
            const auto defaults = session.connector_of(*source).stream_defaults(stream.name, stream.source_options);
            if (stream.write == WriteMode::slices && !defaults.day_column.empty())
                reports.push_back({&pipeline, &stream, defaults.day_column});
        }
    }
    if (!reports.empty()) return reports;
    return Error(ErrorKind::invalid_config,
                 "no report of days that are loaded again: " + session.arguments().text("select") +
                     did_you_mean(wanted.first, names) + "; only streams written by slices keep what they said before");
}

// The totals of the day as each load left them: rows that are valid from the load that brought them to the load that
// found them otherwise. Run ids sort by time.
std::string totals_sql(const Report& report, const Schema& columns, const std::string& day, const std::string& by) {
    const std::string& schema = report.pipeline->schema;
    const auto quoted = [&](const std::string& name) {
        return schema.empty() ? quote_identifier(name) : quote_table(schema, name);
    };
    const std::string parted = by.empty() ? "" : quote_identifier(by) + ", ";
    std::string kept = parted;
    std::string totals;
    for (const Field& field : columns.fields()) {
        if (!can_be_summed(field.type) || field.name == by) continue;
        const std::string name = quote_identifier(field.name);
        kept += name + ", ";
        totals += ", sum(v." + name + ") AS " + name;
    }
    const std::string where = " WHERE " + quote_identifier(report.day_column) + " = CAST('" + day + "' AS DATE)";
    const std::string versions =
        "SELECT " + kept +
        "_shaduf_run_id AS began, CAST(NULL AS varchar) AS ended, _shaduf_loaded_at AS learned FROM " +
        quoted(report.stream->table) + where + " UNION ALL SELECT " + kept +
        "_shaduf_run_id, _shaduf_restated_by, _shaduf_loaded_at FROM " +
        quoted(report.stream->table + "__restatements") + where;
    const std::string moments =
        "SELECT run, min(learned) AS learned_at FROM (SELECT began AS run, learned FROM v UNION ALL SELECT "
        "_shaduf_restated_by, "
        "_shaduf_restated_at FROM " +
        quoted(report.stream->table + "__restatements") + where + ") AS m GROUP BY run";
    return "WITH v AS (" + versions + "), moments AS (" + moments + ") SELECT m.learned_at, " +
           (by.empty() ? "" : "v." + quote_identifier(by) + ", ") + "count(*) AS row_count" + totals +
           " FROM moments AS m JOIN v ON v.began <= m.run AND (v.ended IS NULL OR v.ended > m.run) GROUP BY m.run, "
           "m.learned_at" +
           (by.empty() ? "" : ", v." + quote_identifier(by)) + " ORDER BY " +
           (by.empty() ? "" : "v." + quote_identifier(by) + ", ") + "m.learned_at";
}

Result<std::vector<RecordBatch>> read_report(Session& session, const Project& project, const Report& report,
                                             const std::string& day) {
    const ConnectionConfig* sink = project.connection(report.pipeline->sink);
    const ConnectorSpec& spec = session.connector_of(*sink);
    const Error no_queries(ErrorKind::invalid_config, "cannot be queried: " + sink->name);
    if (spec.make_store == nullptr) return no_queries;
    const auto store = TRY(spec.make_store(sink->options, sink->name));
    TableReader* reader = store->reader();
    if (reader == nullptr) return no_queries;
    const std::string& schema = report.pipeline->schema;
    const std::string& name = report.stream->table;
    const std::string table = schema.empty() ? quote_identifier(name) : quote_table(schema, name);
    const auto sample = TRY(reader->query(session.world(), "SELECT * FROM " + table + " LIMIT 1"));
    if (sample.empty()) return std::vector<RecordBatch>();
    const std::string by = session.arguments().text("by");
    if (!by.empty() && !sample.front().schema()->index_of(by))
        return Error(ErrorKind::invalid_config, "--by: column not found in " + name + ": " + by);
    return reader->query(session.world(), totals_sql(report, *sample.front().schema(), day, by));
}

int run_restated(Session& session) {
    const Project* project = session.open_project();
    if (project == nullptr) return kExitMisused;
    const std::string day = session.arguments().text("day");
    if (!parse_date(day)) return session.misuse("--day: expected a day such as 2026-11-01: " + day);
    const auto reports = find_reports(session, *project);
    if (!reports.ok()) return session.fail(reports.error());
    for (const Report& report : reports.value()) {
        const auto rows = read_report(session, *project, report, day);
        if (!rows.ok()) return session.fail(rows.error());
        if (!session.json())
            session.out() << report.pipeline->name << "." << report.stream->name << " of " << day
                          << ", as each load learned it:\n";
        print_rows(rows.value(), session.json() ? RowFormat::json : RowFormat::table, session.out());
        if (!session.json()) session.out() << "\n";
    }
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_restated{
    .name = "restated",
    .summary = "Show what a day's numbers were, and when they were learned: why yesterday's report has changed.",
    .arguments = kArguments,
    .run = run_restated,
    .example = "shaduf restated facebook_ads --day 2026-11-01"};

}  // namespace shaduf
