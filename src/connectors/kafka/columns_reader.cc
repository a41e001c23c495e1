#include "connectors/kafka/columns_reader.h"

#include <map>

#include "data/json_member.h"
#include "data/json_nested.h"
#include "data/value_append.h"

namespace shaduf::kafka {
namespace {

struct Plan {
    std::vector<TargetColumn> columns;
    std::map<std::string, size_t, std::less<>> numbers;  // by name
};

// The reading of one payload.
class Reading {
public:
    Reading(const Plan& plan, std::string_view payload, RecordBatchBuilder& rows)
        : plan_(plan), cursor_(payload), rows_(rows) {}

    std::optional<std::string> run() {
        cursor_.skip_space();
        if (cursor_.peek() != '{') return "invalid JSON: expected an object";
        const bool is_read =
            read_members(cursor_, [&](std::string_view key) { return read_member(key); }) && cursor_.finish();
        if (!is_read) return why_.empty() ? "invalid JSON: " + cursor_.fault() : why_;
        for (size_t i = 0; i < plan_.columns.size(); ++i) {
            if (rows_.column(i).length() == rows_.rows()) rows_.column(i).append_null();
        }
        return std::nullopt;
    }

private:
    // The columns stand in a message in their order, so the next one is tried first.
    bool read_member(std::string_view key) {
        size_t number = next_;
        if (number >= plan_.columns.size() || plan_.columns[number].name != key) {
            const auto known = plan_.numbers.find(key);
            if (known == plan_.numbers.end()) {
                why_ = "field is not among the columns that were told: " + std::string(key);
                return false;
            }
            number = known->second;
        }
        next_ = number + 1;
        const TargetColumn& column = plan_.columns[number];
        ColumnBuilder& to = rows_.column(number);
        if (to.length() > rows_.rows()) to.truncate(rows_.rows());  // of a member that comes twice the last one counts
        const char* begin = cursor_.at();
        if (read_value(column, to)) return true;
        if (is_misfit_) why_ = misfit_error(column.name, column.type, cursor_.since(begin)).message();
        return false;
    }

    bool read_value(const TargetColumn& column, ColumnBuilder& to) {
        const char first = cursor_.peek();
        if (first == 'n') {
            std::optional<bool> ignored;
            return cursor_.read_literal(ignored);
        }
        if (column.kind == TypeKind::json) {
            std::string_view raw;
            if (!read_raw(cursor_, raw)) return false;
            to.append_text(raw);
            return true;
        }
        if (column.type.is_nested()) {
            NestedReader nested(cursor_, true);
            return nested.read(to) && fitted(nested.misfits() == 0);
        }
        return read_plain(column, to, first);
    }

    bool read_plain(const TargetColumn& column, ColumnBuilder& to, char first) {
        if (first == '"') {
            std::string_view text;
            if (!cursor_.read_string(text)) return false;
            TimestampOnce timestamp(text);
            return fitted(append_string_value(to, column, text, timestamp));
        }
        if (first == 't' || first == 'f') {
            std::optional<bool> truth;
            return cursor_.read_literal(truth) && fitted(append_boolean_value(to, column, *truth));
        }
        if (first == '{' || first == '[') return cursor_.skip_value() && fitted(false);
        JsonNumber number;
        if (!cursor_.read_number(number)) return false;
        const auto integer = number.is_int64 ? std::optional(number.value) : std::nullopt;
        return fitted(append_number_value(to, column, number.text, integer));
    }

    bool fitted(bool fits) {
        is_misfit_ = !fits;
        return fits;
    }

    const Plan& plan_;
    JsonCursor cursor_;
    RecordBatchBuilder& rows_;
    size_t next_ = 0;
    bool is_misfit_ = false;
    std::string why_;
};

class ColumnsReader final : public PayloadReader {
public:
    explicit ColumnsReader(SchemaPtr columns) : schema_(std::move(columns)) {
        for (size_t i = 0; i < schema_->size(); ++i) {
            const Field& field = (*schema_)[i];
            plan_.columns.push_back({i, field.name, field.type, field.type.kind(), true});
            plan_.numbers.emplace(field.name, i);
        }
    }
    const SchemaPtr& schema() const override { return schema_; }
    std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const override {
        return Reading(plan_, payload, rows).run();
    }

private:
    const SchemaPtr schema_;
    Plan plan_;
};

}  // namespace

PayloadReaderPtr make_columns_reader(SchemaPtr columns) { return std::make_shared<ColumnsReader>(std::move(columns)); }

}  // namespace shaduf::kafka
