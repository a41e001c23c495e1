#include "connectors/postgres/source.h"

#include <utility>

#include "base/failpoint.h"
#include "base/text.h"
#include "connectors/cursor/cutter.h"
#include "connectors/postgres/copy_sessions.h"
#include "connectors/postgres/key_ranges.h"
#include "data/builder.h"

namespace shaduf {
namespace {

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

// A range that is being read, or waits for it.
struct RangeLeft {
    KeyRange keys;          // behind the rows given
    bool is_placed = true;  // not when the last row given has a key that our types cannot hold
    bool has_ended = false;
};

class PostgresSource final : public Source {
public:
    PostgresSource(PostgresOptions options, PostgresStream stream)
        : options_(std::move(options)), stream_(std::move(stream)) {}

    Result<void> open(RunContext& run, const std::optional<Checkpoint>& resume_from) override {
        resume_from_ = resume_from;
        cutter_.reset();
        left_.clear();
        has_ended_ = false;
        gave_rows_ = false;
        return located(start(run));
    }

    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (cutter_) {
            if (auto waiting = cutter_->take_held_back()) return waiting;
        }
        if (has_ended_) return std::nullopt;
        if (sessions_ == nullptr) TRY(located(start(run)));
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
        sessions_.reset();
        auto connection = TRY(PostgresConnection::connect(options_, run.cancellation));
        table_ = TRY(describe_postgres_stream(*connection, stream_));
        const SchemaPtr schema = table_.schema();
        if (schema_ != nullptr && gave_rows_ && *schema != *schema_) {
            return Error(ErrorKind::unavailable, "columns changed while the stream was read; run again").permanent();
        }
        schema_ = schema;
        if (!gave_rows_) cutter_.reset();  // its columns may be others
        SessionPlan plan;
        plan.schema = schema_;
        plan.wire = table_.wire();
        plan.sessions_max = stream_.parallel;
        plan.table = table_.quoted_name;
        plan.place = Place::in_stream(stream_.connection, stream_.name);
        if (is_incremental()) {
            plan.copies.push_back(TRY(incremental_sql()));
        } else {
            plan.copies = TRY(table_.key.empty() ? copies_by_blocks(*connection) : copies_by_key(*connection));
        }
        auto sessions = std::make_unique<CopySessions>(run, options_, std::move(connection), std::move(plan));
        auto started = sessions->start();
        if (!started.ok()) return explained(*sessions, started.error());
        sessions_ = std::move(sessions);
        return {};
    }

    // What was decoded and not given is read again.
    Error broken_off(const Error& error) {
        const Error why = explained(*sessions_, error);
        sessions_.reset();
        const bool goes_on = !gave_rows_ || (cutter_ ? cutter_->restart() : ranges_left().has_value());
        return goes_on ? why : why.permanent();
    }

    Error explained(CopySessions& sessions, const Error& error) const {
        PostgresConnection* failed = sessions.failed();
        return failed == nullptr ? error : explain_postgres_error(*failed, stream_, error);
    }

    // ---------------------------------------------------------------------------------------------------------- SQL

    // What cannot be cut, for want of rights or of a server that knows how, is read in one piece.
    Result<std::vector<std::string>> copies_by_blocks(PostgresConnection& connection) {
        if (resume_from_) TRY(parse_key_checkpoint(*resume_from_, 0));
        auto copies = copy_sql_by_blocks(connection, table_, stream_.parallel);
        if (copies.ok() || connection.is_lost()) return copies;
        return std::vector{TRY(table_.copy_sql("", ""))};
    }

    Result<std::vector<std::string>> copies_by_key(PostgresConnection& connection) {
        std::vector<KeyRange> ranges{KeyRange{}};
        if (gave_rows_) {
            ranges = ranges_left().value_or(std::vector<KeyRange>());
            TRY(parse_key_checkpoint(key_checkpoint(ranges), table_.key.size()));  // the key may be another by now
        } else if (resume_from_) {
            ranges = TRY(parse_key_checkpoint(*resume_from_, table_.key.size()));
        }
        if (stream_.parallel > 1) {
            auto split = split_key_ranges(connection, table_, ranges, stream_.parallel);
            if (!split.ok() && connection.is_lost()) return split.release_error();
            if (split.ok()) ranges = split.release_value();
        }
        std::vector<std::string> copies;
        left_.clear();
        for (auto& range : ranges) {
            copies.push_back(TRY(copy_sql(table_, range)));
            left_.push_back({std::move(range)});
        }
        return copies;
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
            const std::string value = field.literal(*cutter_->value());
            condition += " AND (" + order + ")" + (cutter_->includes_value() ? " >= " : " > ") +
                         (field.is_cast ? "(" + value + ", " + postgres_literal(*cutter_->value()) + "::text)" : value);
        }
        return table_.copy_sql(condition, order);
    }

    // --------------------------------------------------------------------------------------------------------- rows

    Result<std::optional<ReadBatch>> read_batch() {
        for (;;) {
            TRY(failpoint("postgres.read"));
            auto read = TRY(sessions_->read());
            if (!read) break;
            const bool has_rows = read->rows.rows() > 0;
            if (!left_.empty()) advance(*read);
            if (!has_rows) continue;
            gave_rows_ = true;
            if (!cutter_) return give(std::move(*read));
            if (auto cut = cutter_->cut({std::move(read->rows), std::move(read->rejected)})) return cut;
        }
        has_ended_ = true;
        sessions_.reset();
        if (cutter_) {
            if (auto waiting = cutter_->take_held_back()) return waiting;
            if (auto last = cutter_->finish()) return last;
        }
        if (std::exchange(gave_rows_, true)) return std::nullopt;
        return std::optional(ReadBatch{RecordBatchBuilder(schema_).finish(), std::nullopt, stream_.name});
    }

    // These rows of a range are given next. Of the last range, the end stays: rows with greater keys may come.
    void advance(const CopySessions::Rows& read) {
        RangeLeft& left = left_[read.copy];
        left.has_ended = read.is_last && !left.keys.to.empty();
        const size_t rows = read.rows.rows();
        if (rows == 0 || left.has_ended) return;
        left.is_placed = true;
        left.keys.after.clear();
        for (const size_t i : table_.key) {
            const Column& column = read.rows.column(i);
            left.is_placed &= !column.is_null(rows - 1);
            left.keys.after.push_back(format_value(column, rows - 1));
        }
    }

    // nullopt when it cannot be told, or there is nothing to tell it by.
    std::optional<std::vector<KeyRange>> ranges_left() const {
        std::vector<KeyRange> ranges;
        for (const auto& left : left_) {
            if (left.has_ended) continue;
            if (!left.is_placed) return std::nullopt;
            ranges.push_back(left.keys);
        }
        return ranges.empty() ? std::nullopt : std::optional(ranges);
    }

    ReadBatch give(CopySessions::Rows read) const {
        ReadBatch batch{std::move(read.rows), std::nullopt, stream_.name};
        batch.rejected = std::move(read.rejected);
        if (const auto ranges = ranges_left()) batch.next = key_checkpoint(*ranges);
        return batch;
    }

    const PostgresOptions options_;
    const PostgresStream stream_;
    std::optional<Checkpoint> resume_from_;
    PostgresTable table_;
    SchemaPtr schema_;
    std::unique_ptr<CopySessions> sessions_;
    std::optional<CursorCutter> cutter_;  // incremental
    std::vector<RangeLeft> left_;         // full_refresh, with a key: behind the rows given, by COPY
    bool gave_rows_ = false;
    bool has_ended_ = false;
};

}  // namespace

std::unique_ptr<Source> make_postgres_source(PostgresOptions options, PostgresStream stream) {
    return std::make_unique<PostgresSource>(std::move(options), std::move(stream));
}

}  // namespace shaduf
