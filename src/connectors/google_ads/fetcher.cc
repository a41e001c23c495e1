#include "connectors/google_ads/fetcher.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/run_events.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/google_ads/accounts.h"
#include "connectors/google_ads/changes.h"
#include "connectors/google_ads/failure.h"
#include "connectors/google_ads/reading.h"

namespace shaduf::google_ads {
namespace {

constexpr size_t kNamesAtOnce = 1000;  // of an IN
constexpr int kSlicesAtOnce = 8;
constexpr std::string_view kDate = "segments.date";
const char* const kDaysMemory = "days";  // that were not too many at once

int remembered_days(const ads::Memory& memory, int otherwise) {
    const std::string text = memory.get(kDaysMemory);
    int days = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), days);
    return read.ec == std::errc{} && days > 0 ? std::min(days, otherwise) : otherwise;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

Error unknown_field(RunContext& run, const Api& api, const std::string& field) {
    std::string hint;
    if (const auto known = api.fields_below(run, field.substr(0, field.rfind('.')));
        known.ok() && !known.value().empty())
        hint = did_you_mean(field, known.value());
    return Error(ErrorKind::invalid_config, "field not known to version " + api.settings().version + ": " + field +
                                                hint + "; fields change their names between versions");
}

// A query that the user wrote asks for what it says; of a stream that is built in, fields that the version does not
// have are left out.
Result<std::vector<FieldInfo>> known_fields(RunContext& run, const Api& api, const StreamShape& shape) {
    const auto infos = TRY(api.fields(run, shape.query.fields));
    std::vector<FieldInfo> known;
    for (const std::string& field : shape.query.fields) {
        const auto info = std::find_if(infos.begin(), infos.end(), [&](const FieldInfo& i) { return i.name == field; });
        if (info != infos.end())
            known.push_back(*info);
        else if (!contains(shape.optional, field))
            return unknown_field(run, api, field);
    }
    return known;
}

std::string query_of_names(Query query, std::span<const std::string> names) {
    std::string list;
    for (const std::string& name : names.first(std::min(names.size(), kNamesAtOnce)))
        list += (list.empty() ? "'" : ", '") + name + "'";
    query.add_condition(query.resource + ".resource_name IN (" + list + ")");
    return query.to_string();
}

std::string date_condition(const ads::DayRange& days) {
    return std::string(kDate) + " BETWEEN '" + ads::format_day(days.first) + "' AND '" + ads::format_day(days.last) +
           "'";
}

}  // namespace

Result<ResolvedStream> resolve(RunContext& run, const Api& api, const StreamShape& shape, const std::string& stream) {
    auto fields = known_fields(run, api, shape);
    if (!fields.ok()) return fields.error().at(Place::in_stream(api.settings().connection, stream));
    ResolvedStream resolved{shape.query, {}};
    resolved.query.fields.clear();
    for (const FieldInfo& field : fields.value()) resolved.query.add_field(field.name);
    resolved.rows.columns = plan_columns(fields.value());
    if (shape.keeps_resource_names) add_resource_names(resolved.rows.columns);
    resolved.rows.marks_deleted = shape.entity.has_value();
    return resolved;
}

ads::SliceColumns Fetcher::columns() const {
    return {std::string(kAccountColumn), shape_.kind == ads::SliceKind::by_day ? std::string(kDayColumn) : "", ""};
}

Result<ads::StreamPlan> Fetcher::plan(RunContext& run, ads::Memory& memory) {
    api_ = std::make_unique<const Api>(run, settings_);
    ResolvedStream resolved = TRY(resolve(run, *api_, shape_, stream_));
    query_ = std::move(resolved.query);
    rows_ = std::move(resolved.rows);
    ads::StreamPlan plan;
    plan.accounts = TRY(find_accounts(run, *api_));
    plan.slice_days = remembered_days(memory, shape_.slice_days);
    plan.history_days = remembered_days(memory, shape_.history_days);
    plan.slices_at_once = kSlicesAtOnce;
    if (shape_.retention_days > 0) plan.retention_days = shape_.retention_days;
    return plan;
}

std::string Fetcher::query_for(const std::optional<ads::DayRange>& days) const {
    Query query = query_;
    if (!days) return query.to_string();
    query.add_condition(date_condition(*days));
    // So that a cut answer can be gone on with (reading.h).
    if (days->days() > 1) query.order = kDate;
    return query.to_string();
}

Result<void> Fetcher::fetch(RunContext& run, const ads::Slice& slice, ads::Memory& memory, ads::SliceOutput& out) {
    auto fetched =
        shape_.kind == ads::SliceKind::changes ? fetch_changes(run, slice, out) : fetch_rows(run, slice, memory, out);
    if (fetched.ok() || !says_not_enabled(fetched.error()) || out.has_left()) return fetched;
    out.restart();
    out.skip(fetched.error().message());
    return {};
}

Result<void> Fetcher::fetch_rows(RunContext& run, const ads::Slice& slice, ads::Memory& memory,
                                 ads::SliceOutput& out) const {
    SliceReading reading(*api_, slice, out, rows_.to_note(), camel_case(query_.resource));
    TRY(reading.ask(
        run, [&](const auto& days) { return query_for(days); }, slice.days));
    if (const int64_t days = reading.days_that_worked(); days > 0) memory.set(kDaysMemory, std::to_string(days));
    return reading.finish(run);
}

// Whole at first, and when the cursor is older than changes are told.
Result<void> Fetcher::fetch_changes(RunContext& run, const ads::Slice& slice, ads::SliceOutput& out) const {
    const Timestamp now = run.clock.now();
    std::optional<std::vector<std::string>> names;
    if (const auto cursor = parse_timestamp(slice.cursor)) {
        const Timestamp since{std::chrono::microseconds(cursor->microseconds)};
        if (now - since < kChangesKept - std::chrono::days(1))
            names = TRY(changed_since(run, *api_, slice.account, *shape_.entity, since));
    }
    if (names) {
        TRY(fetch_changed(run, slice, *names, out));
    } else {
        SliceReading reading(*api_, slice, out, rows_.to_note(), camel_case(query_.resource));
        TRY(reading.ask(
            run, [&](const auto&) { return query_for(std::nullopt); }, std::nullopt));
        TRY(reading.finish(run));
    }
    out.set_cursor(format_timestamp(now));
    return {};
}

// What changed is asked for by its names; what is not found any more is gone.
Result<void> Fetcher::fetch_changed(RunContext& run, const ads::Slice& slice, const std::vector<std::string>& names,
                                    ads::SliceOutput& out) const {
    std::vector<std::string> found;
    SliceReading reading(*api_, slice, out, rows_.to_note(), camel_case(query_.resource));
    reading.names = &found;
    for (size_t begin = 0; begin < names.size(); begin += kNamesAtOnce) {
        const std::string query = query_of_names(query_, std::span(names).subspan(begin));
        TRY(reading.ask(
            run, [&](const auto&) { return query; }, std::nullopt));
    }
    TRY(reading.finish(run));
    std::unordered_set<std::string> there(found.begin(), found.end());
    if (!query_.conditions.empty()) TRY(find_others(run, slice, names, there));
    RowPlan gone = rows_;
    gone.is_deleted = true;
    SliceReading removed(*api_, slice, out, gone.to_note(), "");
    bool has_removed = false;
    for (const std::string& name : names) {
        const std::string row = there.contains(name) ? "" : row_of_removed(name, *shape_.entity);
        if (row.empty()) continue;
        removed.add(row);
        has_removed = true;
    }
    return has_removed ? removed.finish(run) : Result<void>();
}

// change_status does not tell this stream's resources from others of their kind, such as keywords from audiences: those
// that are there and do not meet the stream's conditions are not its.
Result<void> Fetcher::find_others(RunContext& run, const ads::Slice& slice, const std::vector<std::string>& names,
                                  std::unordered_set<std::string>& there) const {
    std::vector<std::string> missing;
    for (const std::string& name : names) {
        if (!there.contains(name)) missing.push_back(name);
    }
    Query query{{query_.resource + ".resource_name"}, query_.resource};
    const std::string resource = camel_case(query_.resource);
    for (size_t begin = 0; begin < missing.size(); begin += kNamesAtOnce) {
        const std::string text = query_of_names(query, std::span(missing).subspan(begin));
        for (const std::string& row : TRY(api_->rows(run, asked(slice.account), text))) {
            RowIdentity identity;
            if (identify(row, resource, identity)) there.emplace(identity.resource);
        }
    }
    return {};
}

Result<std::shared_ptr<const RowReader>> Fetcher::reader_of(const std::string& note) const {
    const std::lock_guard lock(mutex_);
    if (reader_ == nullptr || note != note_) {
        reader_ = std::make_shared<const RowReader>(TRY(RowPlan::of_note(note)));
        note_ = note;
    }
    return reader_;
}

Result<ReadBatch> Fetcher::parse(const ads::Slice& slice, const ads::Page& page) const {
    const auto reader = TRY(reader_of(page.note));
    DecodedRows decoded = reader->read(slice.account, page.body->view());
    ReadBatch batch{std::move(decoded.rows), std::nullopt, slice.to_string()};
    batch.rejected = std::move(decoded.rejected);
    return batch;
}

}  // namespace shaduf::google_ads
