#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "data/builder.h"

namespace shaduf {

// Rows of (id int64, name string) for tests; an id below zero is null.
inline RecordBatch id_name_rows(const std::vector<std::pair<int64_t, std::string>>& rows) {
    static const SchemaPtr schema =
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"name", TypeKind::string}});
    RecordBatchBuilder builder(schema);
    for (const auto& [id, name] : rows) {
        id < 0 ? builder.column(0).append_null() : builder.column(0).append_int64(id);
        builder.column(1).append_text(name);
        builder.end_row();
    }
    return builder.finish();
}

class EncodedTexts final : public EncodedRows {
public:
    explicit EncodedTexts(std::vector<std::string> texts) : texts_(std::move(texts)) {}
    size_t rows() const override { return texts_.size(); }
    size_t byte_size() const override { return texts_.size(); }
    Decoded decode() const override {
        std::vector<std::pair<int64_t, std::string>> rows;
        std::vector<RejectedRow> rejected;
        for (size_t i = 0; i < texts_.size(); ++i) {
            rows.emplace_back(static_cast<int64_t>(i), texts_[i]);
            if (texts_[i] == "?") rejected.push_back({i, Error(ErrorKind::bad_data, "bytes are cut short")});
        }
        return {id_name_rows(rows), std::move(rejected)};
    }
    std::string position(size_t row) const override { return "orders/3:" + std::to_string(40 + row); }
    std::string text(size_t row) const override {
        return texts_[row] == "?" ? R"({"$bytes":"AA=="})" : R"({"name":")" + texts_[row] + "\"}";
    }

private:
    std::vector<std::string> texts_;
};

// Plays a script of batches and errors, one a read; remembers what was acknowledged.
class ScriptedSource final : public Source, public SharedSource {
public:
    struct Log {
        std::optional<Checkpoint> resumed_from;
        std::vector<std::string> acknowledged;
        std::vector<std::optional<Checkpoint>> resumed_at;  // behind each batch that settles
    };
    using Step = std::function<Result<std::optional<ReadBatch>>(RunContext&)>;

    explicit ScriptedSource(Log& log) : log_(&log) {}
    ScriptedSource& batch(RecordBatch rows, const std::string& checkpoint) {
        return step([rows = std::move(rows), checkpoint](RunContext&) -> Result<std::optional<ReadBatch>> {
            std::optional<Checkpoint> next;
            if (!checkpoint.empty()) next = Checkpoint(checkpoint);
            return std::optional<ReadBatch>(ReadBatch{rows, next, "script"});
        });
    }
    // Rows that only this source can read, one a text; a text "?" cannot be read.
    ScriptedSource& encoded(std::vector<std::string> rows, const std::string& checkpoint) {
        return step([rows = std::move(rows), checkpoint](RunContext&) -> Result<std::optional<ReadBatch>> {
            return std::optional<ReadBatch>(
                ReadBatch{std::make_shared<const EncodedTexts>(rows), Checkpoint(checkpoint), ""});
        });
    }
    ScriptedSource& settle() {
        return step([](RunContext&) -> Result<std::optional<ReadBatch>> {
            ReadBatch batch{RawRows{}, std::nullopt, ""};
            batch.settles = true;
            return std::optional<ReadBatch>(std::move(batch));
        });
    }
    ScriptedSource& fail(Error error) {
        return step([error = std::move(error)](RunContext&) -> Result<std::optional<ReadBatch>> { return error; });
    }
    ScriptedSource& step(Step step) {
        steps_.push_back(std::move(step));
        return *this;
    }

    Result<void> open(RunContext&, const std::optional<Checkpoint>& resume_from) override {
        log_->resumed_from = resume_from;
        return {};
    }
    Result<std::optional<ReadBatch>> read(RunContext& run) override {
        if (steps_.empty()) return std::optional<ReadBatch>();
        const Step step = std::move(steps_.front());
        steps_.pop_front();
        return step(run);
    }
    Result<void> resume_at(RunContext&, const std::optional<Checkpoint>& stands) override {
        log_->resumed_at.push_back(stands);
        return {};
    }
    Result<void> acknowledge(RunContext&, const Checkpoint& checkpoint) override {
        log_->acknowledged.push_back(checkpoint.value());
        return {};
    }

private:
    Log* log_;
    std::deque<Step> steps_;
};

// A table in memory, with the transactions of a real one: what is not committed is gone with the sink.
struct MemoryTable {
    std::optional<Schema> schema;
    std::vector<std::string> rows;  // as JSON, without the columns that shaduf adds
    std::vector<std::string> quarantine;
    std::optional<Checkpoint> checkpoint;
    std::vector<CommitKind> commits;
    size_t prepared = 0;
};

class MemorySink final : public Sink {
public:
    explicit MemorySink(MemoryTable& table) : table_(table) {}

    Result<SinkState> open(RunContext&) override { return SinkState{table_.checkpoint, table_.schema}; }
    Result<void> prepare(RunContext&, const SchemaPtr& schema) override {
        schema_ = *schema;
        ++table_.prepared;
        return {};
    }
    Result<WriteReport> write(RunContext&, const RecordBatch& rows) override {
        WriteReport report;
        std::vector<Field> fields = rows.schema()->fields();
        std::vector<Column> columns = rows.columns();
        fields.resize(fields.size() - 2);
        columns.resize(columns.size() - 2);
        const RecordBatch data(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
        for (size_t row = 0; row < rows.rows(); ++row) {
            const std::string text = data.row_as_json(row);
            if (reject(text)) {
                report.rejected.push_back({row, Error(ErrorKind::bad_data, "the table refuses it")});
                continue;
            }
            pending_.push_back(text);
            ++report.rows_written;
        }
        return report;
    }
    Result<void> quarantine(RunContext&, const RecordBatch& rows) override {
        const auto position = *rows.schema()->index_of("position");
        const auto raw = *rows.schema()->index_of("raw");
        const auto reason = *rows.schema()->index_of("reason");
        for (size_t row = 0; row < rows.rows(); ++row) {
            pending_quarantine_.push_back(std::string(rows.column(position).text_at(row)) + " " +
                                          std::string(rows.column(raw).text_at(row)) + " " +
                                          std::string(rows.column(reason).text_at(row)));
        }
        return {};
    }
    Result<void> commit(RunContext& run, const std::optional<Checkpoint>& checkpoint, CommitKind kind) override {
        TRY(before_commit(run));
        table_.rows.insert(table_.rows.end(), pending_.begin(), pending_.end());
        table_.quarantine.insert(table_.quarantine.end(), pending_quarantine_.begin(), pending_quarantine_.end());
        pending_.clear();
        pending_quarantine_.clear();
        table_.checkpoint = checkpoint;
        table_.commits.push_back(kind);
        if (schema_) table_.schema = schema_;
        return {};
    }

    Result<std::optional<Checkpoint>> refresh(RunContext&) override { return table_.checkpoint; }

    std::function<bool(const std::string&)> reject = [](const std::string&) { return false; };
    std::function<Result<void>(RunContext&)> before_commit = [](RunContext&) { return Result<void>(); };

private:
    MemoryTable& table_;
    std::optional<Schema> schema_;
    std::vector<std::string> pending_;
    std::vector<std::string> pending_quarantine_;
};

}  // namespace shaduf
