#include "connectors/postgres/source.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/failpoint.h"
#include "base/text.h"
#include "connectors/cursor/cutter.h"

namespace shaduf {
namespace {

constexpr size_t kBatchBytes = 2 << 20;

// Where a full refresh stands: {"key": ["17", "a"]}, the values of the key as the server reads them.
Checkpoint key_checkpoint(const std::vector<std::string>& values) {
    nlohmann::ordered_json json;
    json["key"] = values;
    return Checkpoint(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::optional<std::vector<std::string>> parse_key(const Checkpoint& checkpoint) {
    try {
        return nlohmann::json::parse(checkpoint.value()).at("key").get<std::vector<std::string>>();
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

// Dates before the year 1 are written in another way there.
bool server_reads(const Column& column, size_t row) {
    constexpr int64_t kFirstDay = -719'162;  // 0001-01-01
    switch (column.type.kind()) {
        case TypeKind::date: return column.date_at(row) >= kFirstDay;
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return column.int64_at(row) >= kFirstDay * 86'400'000'000;
        default: return true;
    }
}

bool is_infinitely_extended(const PostgresField& field) {
    return field.wire.dimensions == 0 && (field.wire.type == WireType::date || field.wire.type == WireType::timestamp);
}

// 1.50 and 1.5 are one numeric.
std::string without_trailing_zeros(std::string text) {
    if (text.find('.') == std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

class PostgresSource final : public Source {
public:
    PostgresSource(PostgresOptions options, PostgresStream stream)
        : options_(std::move(options)), stream_(std::move(stream)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        resume_from_ = resume_from;
        cutter_.reset();
        last_key_.reset();
        has_ended_ = false;
        gave_rows_ = false;
        return located(start(run));
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (cutter_) {
            if (auto waiting = cutter_->take_held_back()) return waiting;
        }
        if (has_ended_) return std::nullopt;
        if (copy_ == nullptr) TRY(located(start(run)));
        auto batch = read_batch();
        if (batch.ok()) return batch;
        return located(broken_off(batch.error()));
    }

private:
    bool is_incremental() const { return stream_.mode == ReadMode::incremental; }

    template <typename T>
    Result<T> located(Result<T> result) const {
        if (result.ok()) return result;
        return result.error().at(Place::in_stream(stream_.connection, stream_.name));
    }
    Result<std::optional<ReadBatch>> located(const Error& error) const {
        return error.at(Place::in_stream(stream_.connection, stream_.name));
    }

    // Connects, and reads on behind what was given already.
    Result<void> start(RunContext& run) {
        copy_.reset();
        connection_.reset();
        connection_ = TRY(PostgresConnection::connect(options_, run.cancellation));
        table_ = TRY(describe_postgres_stream(*connection_, stream_));
        const SchemaPtr schema = table_.schema();
        if (schema_ != nullptr && gave_rows_ && *schema != *schema_) {
            return Error(ErrorKind::unavailable, "columns changed while the stream was read; run again").permanent();
        }
        schema_ = schema;
        if (!gave_rows_) cutter_.reset();  // its columns may be others
        decoder_ = std::make_unique<CopyDecoder>(schema_, table_.wire());
        auto copy = connection_->begin_copy_out(TRY(is_incremental() ? incremental_sql() : refresh_sql()));
        if (!copy.ok()) return explain_postgres_error(*connection_, stream_, copy.error());
        copy_ = copy.release_value();
        return {};
    }

    // What was decoded and not given is read again.
    Error broken_off(const Error& error) {
        const Error explained = explain_postgres_error(*connection_, stream_, error);
        copy_.reset();
        decoder_.reset();
        const bool goes_on = !gave_rows_ || (cutter_ ? cutter_->restart() : last_key_.has_value());
        return goes_on ? explained : explained.permanent();
    }

    // ---------------------------------------------------------------------------------------------------------- SQL

    Result<std::string> refresh_sql() {
        if (!last_key_ && resume_from_) last_key_ = parse_key(*resume_from_).value_or(std::vector<std::string>());
        if (last_key_ && (last_key_->empty() || last_key_->size() != table_.key.size())) {
            return Error(ErrorKind::invalid_config,
                         "checkpoint does not fit the table's primary key: " + key_checkpoint(*last_key_).value() +
                             "; reset the stream's state to begin anew");
        }
        std::string columns;
        std::string values;
        for (size_t i = 0; i < table_.key.size(); ++i) {
            const PostgresField& field = table_.fields[table_.key[i]];
            columns += (i > 0 ? ", " : "") + TRY(postgres_identifier(field.name));
            if (!last_key_) continue;
            values +=
                (i > 0 ? ", " : "") + ("CAST(" + postgres_literal((*last_key_)[i])) + " AS " + field.sql_type + ")";
        }
        return table_.copy_sql(last_key_ ? "(" + columns + ") > (" + values + ")" : "", columns);
    }

    Result<std::string> incremental_sql() {
        const auto index = table_.index_of(stream_.cursor_field);
        if (!index) {
            const auto names = schema_->names();
            return Error(ErrorKind::invalid_config, "cursor field is not in the stream: " + stream_.cursor_field +
                                                        did_you_mean(stream_.cursor_field, names));
        }
        const PostgresField& field = table_.fields[*index];
        if (field.wire.dimensions > 0 || field.type.kind() == TypeKind::json) {
            return Error(ErrorKind::invalid_config, "cursor field has no order to go by: " + field.name + " is " +
                                                        field.sql_type + "; choose a number, a time or a text");
        }
        if (!cutter_) {
            const bool is_number = field.wire.type == WireType::numeric && field.type.kind() == TypeKind::string;
            cutter_.emplace(*index, schema_, stream_.name, is_number ? without_trailing_zeros : nullptr);
            cutter_->begin(resume_from_);
        }
        const std::string column = TRY(postgres_identifier(field.name));
        std::string condition = column + " IS NOT NULL";
        if (is_infinitely_extended(field)) condition += " AND isfinite(" + column + ")";
        // Of what has no type of ours, values may be equal and written in two ways (30 days, a month): those of one
        // text stand together.
        const std::string order = field.is_cast ? column + ", " + column + "::text" : column;
        if (cutter_->value()) {
            const std::string text = postgres_literal(*cutter_->value());
            const std::string value = "CAST(" + text + " AS " + field.sql_type + ")";
            condition += " AND (" + order + ")" + (cutter_->includes_value() ? " >= " : " > ") +
                         (field.is_cast ? "(" + value + ", " + text + "::text)" : value);
        }
        return table_.copy_sql(condition, order);
    }

    // --------------------------------------------------------------------------------------------------------- rows

    Result<std::optional<ReadBatch>> read_batch() {
        for (;;) {
            TRY(failpoint("postgres.read"));
            bool is_last = false;
            while (decoder_->byte_size() < kBatchBytes) {
                const auto message = TRY(copy_->next());
                is_last = !message.has_value();
                if (is_last) break;
                TRY(decoder_->decode(*message));
            }
            if (decoder_->rows() > 0) {
                auto rejected = decoder_->take_rejected();
                CursorRows rows{decoder_->finish(), std::move(rejected)};
                gave_rows_ = true;
                if (!cutter_) return give(std::move(rows));
                if (auto cut = cutter_->cut(std::move(rows))) return cut;
            }
            if (!is_last) continue;
            has_ended_ = true;
            copy_.reset();
            connection_.reset();
            if (!cutter_) return std::nullopt;
            if (auto waiting = cutter_->take_held_back()) return waiting;
            return cutter_->finish();
        }
    }

    std::optional<ReadBatch> give(CursorRows rows) {
        ReadBatch batch{std::move(rows.rows), std::nullopt, stream_.name};
        batch.rejected = std::move(rows.rejected);
        const auto& read = std::get<RecordBatch>(batch.rows);
        if (auto key = key_at(read, read.rows() - 1)) {
            last_key_ = std::move(key);
            batch.next = key_checkpoint(*last_key_);
        } else {
            last_key_.reset();  // nothing stands behind these rows
        }
        return batch;
    }

    std::optional<std::vector<std::string>> key_at(const RecordBatch& rows, size_t row) const {
        std::vector<std::string> values;
        for (const size_t i : table_.key) {
            const Column& column = rows.column(i);
            if (column.is_null(row) || !server_reads(column, row)) return std::nullopt;
            values.push_back(format_value(column, row));
        }
        return values.empty() ? std::nullopt : std::optional(values);
    }

    const PostgresOptions options_;
    const PostgresStream stream_;
    std::optional<Checkpoint> resume_from_;
    std::unique_ptr<PostgresConnection> connection_;
    PostgresTable table_;
    SchemaPtr schema_;
    std::unique_ptr<CopyDecoder> decoder_;
    std::unique_ptr<PostgresCopyOut> copy_;
    std::optional<CursorCutter> cutter_;                // incremental
    std::optional<std::vector<std::string>> last_key_;  // full_refresh: of the last row given
    bool gave_rows_ = false;
    bool has_ended_ = false;
};

}  // namespace

std::unique_ptr<Source> make_postgres_source(PostgresOptions options, PostgresStream stream) {
    return std::make_unique<PostgresSource>(std::move(options), std::move(stream));
}

}  // namespace shaduf
