#include "connectors/files/compact.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "base/failpoint.h"
#include "base/retry.h"
#include "base/text.h"
#include "base/time.h"
#include "connectors/files/file_writer.h"
#include "connectors/files/reader.h"
#include "data/builder.h"
#include "data/uuid.h"
#include "io/url.h"

namespace shaduf::files {
namespace {

constexpr std::string_view kEnding = ".parquet";
constexpr int kCommitTries = 100;
constexpr RetryPolicy kBesideOthers{.delay_first = std::chrono::milliseconds(5),
                                    .delay_max = std::chrono::milliseconds(500)};

struct Group {
    std::string folder;
    std::vector<DataFile> files;
    int64_t bytes = 0;
};

// "20260102T030405Z-...": when the load began.
std::optional<Timestamp> time_of_load(std::string_view load) {
    if (load.size() < 16) return std::nullopt;
    const std::string text(load);
    const auto parsed = parse_timestamp(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 5) + ":" +
                                        text.substr(11, 2) + ":" + text.substr(13, 3));
    if (!parsed) return std::nullopt;
    return Timestamp(std::chrono::microseconds(parsed->microseconds));
}

int64_t number_in_load(std::string_view key) {
    const std::string_view name = key.substr(key.rfind('/') + 1);
    return std::strtoll(std::string(name.substr(name.rfind('-') + 1)).c_str(), nullptr, 10);
}

std::string folder_of(std::string_view key) { return std::string(key.substr(0, key.rfind('/'))); }

bool is_selected(const std::string& folder, const CompactRequest& request) {
    if (request.partitions.empty()) return true;
    const std::string inside = folder.size() > request.table.size() ? folder.substr(request.table.size() + 1) : "";
    return std::any_of(request.partitions.begin(), request.partitions.end(),
                       [&](const std::string& wanted) { return inside == wanted || inside.starts_with(wanted + "/"); });
}

// Files that may be joined, of each folder in the order in which they were written.
std::map<std::string, std::vector<DataFile>> candidates(const TableState& table, const CompactRequest& request,
                                                        Timestamp now) {
    std::map<std::string, std::vector<DataFile>> folders;
    for (const auto& [key, file] : table.files) {
        const auto begun = time_of_load(load_of_file(key));
        if (!begun || !key.ends_with(kEnding) || now - *begun < request.older_than) continue;
        if (static_cast<uint64_t>(file.bytes) >= request.below || !is_selected(folder_of(key), request)) continue;
        folders[folder_of(key)].push_back(file);
    }
    for (auto& [folder, files] : folders) {
        std::sort(files.begin(), files.end(), [](const DataFile& a, const DataFile& b) {
            return std::tuple(load_of_file(a.key), number_in_load(a.key)) <
                   std::tuple(load_of_file(b.key), number_in_load(b.key));
        });
    }
    return folders;
}

std::vector<Group> groups_of(const TableState& table, const CompactRequest& request, Timestamp now) {
    std::vector<Group> groups;
    for (auto& [folder, files] : candidates(table, request, now)) {
        Group group{folder, {}, 0};
        const auto end_group = [&] {
            if (group.files.size() > 1) groups.push_back(group);
            group = Group{folder, {}, 0};
        };
        for (const auto& file : files) {
            if (!group.files.empty() && static_cast<uint64_t>(group.bytes + file.bytes) > request.to) end_group();
            group.files.push_back(file);
            group.bytes += file.bytes;
        }
        end_group();
    }
    return groups;
}

Column uuids_of(const Column& texts) {
    ColumnBuilder uuids(TypeKind::uuid);
    for (size_t row = 0; row < texts.length; ++row) {
        std::array<uint8_t, kUuidBytes> bytes{};
        if (texts.is_null(row) || !parse_uuid(texts.text_at(row), bytes.data())) {
            uuids.append_null();
        } else {
            uuids.append_uuid({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        }
    }
    return uuids.finish();
}

// What the engine gives as text though the file has it otherwise: JSON, which it tells by a label alone, and UUIDs.
Column as_written(const Column& column, const DataType& type) {
    Column out = column;
    if (column.type.kind() == TypeKind::string && type.kind() == TypeKind::json) out.type = TypeKind::json;
    if (column.type.kind() == TypeKind::string && type.kind() == TypeKind::uuid) {
        return uuids_of(column);
    }
    const auto& children = type.children();
    if (column.type.kind() != type.kind() || column.children.size() != children.size()) return out;
    std::vector<Field> fields = column.type.children();
    for (size_t i = 0; i < children.size(); ++i) {
        out.children[i] = as_written(column.children[i], children[i].type);
        fields[i].type = out.children[i].type;
    }
    if (type.kind() == TypeKind::list) out.type = DataType::list(fields[0].type);
    if (type.kind() == TypeKind::structure) out.type = DataType::structure(std::move(fields));
    return out;
}

RecordBatch as_written(const RecordBatch& rows, const Schema& table) {
    std::vector<Field> fields = rows.schema()->fields();
    std::vector<Column> columns = rows.columns();
    for (size_t i = 0; i < fields.size(); ++i) {
        const auto known = table.index_of(fields[i].name);
        if (!known) continue;
        columns[i] = as_written(columns[i], table[*known].type);
        fields[i].type = columns[i].type;
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

class Joiner {
public:
    Joiner(RunContext& run, ObjectStore& store, ManifestLog& log, const CompactRequest& request)
        : run_(run), store_(store), log_(log), request_(request), load_id_(make_load_id(run, "compact")) {
        settings_.encoders = make_parquet_encoders(parquet_options(settings_), 1);
    }

    Result<CompactReport> join_all() {
        CompactReport report;
        if (!request_.dry_run) report.removed = TRY(log_.remove_retired(run_, load_id_));
        for (const Group& group : groups_of(log_.state(), request_, run_.clock.now())) {
            TRY(run_.cancellation.check());
            CompactReport::Joined joined{group.folder, group.files.size(), 0, group.bytes, 0};
            for (const auto& file : group.files) joined.rows += file.rows;
            if (!request_.dry_run) {
                const auto file = TRY(join(group));
                if (!file) continue;
                joined.bytes_after = file->bytes;
            }
            report.joined.push_back(std::move(joined));
        }
        if (!request_.dry_run) report.removed += TRY(log_.remove_retired(run_, load_id_));
        return report;
    }

private:
    // nullopt: an input was taken away meanwhile.
    Result<std::optional<DataFile>> join(const Group& group) {
        const auto file = TRY(write(group));
        if (!file) return std::optional<DataFile>();
        TRY(failpoint("files.compact.written"));
        auto named = name(group, *file);
        const bool is_lost = !named.ok() && named.error().kind() == ErrorKind::conflict;
        if (is_lost || (named.ok() && !named.value())) (void)store_.remove(run_, file->key).ok();
        if (!TRY(std::move(named))) return std::optional<DataFile>();
        return file;
    }

    Result<std::optional<DataFile>> write(const Group& group) {
        const std::string key =
            group.folder + "/" + load_id_ + "-" + std::to_string(++files_made_) + std::string(kEnding);
        std::unique_ptr<FileWriter> writer;
        SchemaPtr schema;
        for (const auto& file : group.files) {
            auto reader = TRY(open_file(run_, store_, file.key, {.format = FileFormat::parquet}, std::nullopt));
            int64_t rows = 0;
            while (auto batch = TRY(reader->next(run_))) {
                const RecordBatch read = as_written(std::get<RecordBatch>(batch->rows), table_schema());
                if (writer == nullptr) {
                    schema = schema_of(group.folder, *read.schema());
                    writer = TRY(open_writer(run_, store_, key, schema, settings_));
                }
                const RecordBatch fitting = TRY(read.conform_to(schema));
                std::vector<uint32_t> all(fitting.rows());
                for (size_t row = 0; row < all.size(); ++row) all[row] = static_cast<uint32_t>(row);
                TRY(writer->write(fitting, all));
                rows += static_cast<int64_t>(fitting.rows());
            }
            if (rows != file.rows) {
                return Error(ErrorKind::bad_data, "file has another number of rows than its manifest says: " +
                                                      store_.name_of(file.key) + " has " + std::to_string(rows) +
                                                      ", not " + std::to_string(file.rows) + "; restore it");
            }
        }
        if (writer == nullptr) return std::optional<DataFile>();
        return std::optional(TRY(writer->finish()));
    }

    const Schema& table_schema() const {
        static const Schema none;
        return log_.state().schema ? *log_.state().schema : none;
    }

    // The table's columns, but those that stand in the folders' names alone.
    SchemaPtr schema_of(const std::string& folder, const Schema& file) const {
        std::set<std::string> in_names;
        for (const auto part : split(folder, '/')) {
            const auto equals = part.find('=');
            if (equals != part.npos) in_names.insert(to_lower(percent_decode(part.substr(0, equals))));
        }
        std::vector<Field> fields;
        for (const auto& field : table_schema().fields()) {
            if (file.index_of(field.name) || !in_names.contains(to_lower(field.name))) fields.push_back(field);
        }
        return std::make_shared<const Schema>(std::move(fields));
    }

    // One version that names `file` in the place of the group's.
    Result<bool> name(const Group& group, const DataFile& file) {
        for (int tries = 1;; ++tries) {
            TableState next = log_.state();
            for (const auto& old : group.files) {
                if (next.files.erase(old.key) == 0) return false;
                next.retired[old.key] = run_.clock.now() + request_.keep;
            }
            if (log_.is_swept(load_id_)) {
                return Error(ErrorKind::conflict, "another process took the joined file for left behind: " +
                                                      store_.name_of(file.key) + "; run again");
            }
            next.files[file.key] = file;
            const auto put = log_.commit(run_, std::move(next), VersionNote{load_id_, VersionKind::joins});
            if (put.ok()) break;
            if (put.error().kind() != ErrorKind::conflict || tries >= kCommitTries) return put.error();
            TRY(log_.refresh(run_));
            const double random = std::uniform_real_distribution<double>(0, 1)(random_);
            if (!run_.clock.sleep(backoff_delay(kBesideOthers, tries, random), run_.cancellation)) {
                TRY(run_.cancellation.check());
            }
        }
        TRY(failpoint("files.compact.named"));
        return true;
    }

    RunContext& run_;
    ObjectStore& store_;
    ManifestLog& log_;
    const CompactRequest& request_;
    const std::string load_id_;
    WriterSettings settings_;
    int64_t files_made_ = 0;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace

Result<CompactReport> compact_table(RunContext& run, ObjectStore& store, ManifestLog& log,
                                    const CompactRequest& request) {
    return Joiner(run, store, log, request).join_all();
}

}  // namespace shaduf::files
