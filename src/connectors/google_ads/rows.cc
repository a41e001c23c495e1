#include "connectors/google_ads/rows.h"

#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "connectors/google_ads/amount.h"
#include "connectors/google_ads/gaql.h"
#include "data/builder.h"
#include "data/json_cursor.h"
#include "data/utf8.h"

namespace shaduf::google_ads {
namespace {

using Node = RowReader::Node;

// Fills the columns of one batch, row by row.
class Filler {
public:
    Filler(const RowPlan& plan, const SchemaPtr& schema, const std::vector<Node>& nodes, size_t account_columns)
        : plan_(plan),
          nodes_(nodes),
          account_columns_(account_columns),
          builder_(schema),
          filled_(plan.columns.size(), 0),
          seen_(nodes.size(), 0) {}

    // False: the row is no JSON, or has a value that does not fit; `why` says which.
    bool fill(std::string_view row, std::string& why) {
        ++row_;
        why_.clear();
        cursor_.reset(row);
        bool ok = cursor_.peek() == '{' && fill_object(0) && (cursor_.skip_space(), cursor_.finish());
        if (!ok && why_.empty()) why_ = "row is not a JSON object: " + cursor_.fault();
        why = why_;
        return ok;
    }
    bool has(size_t column) const { return filled_[column] == row_; }
    bool saw(size_t node) const { return seen_[node] == row_; }
    ColumnBuilder& column(size_t i) { return builder_.column(account_columns_ + i); }
    RecordBatchBuilder& builder() { return builder_; }
    std::string_view status() const { return status_; }
    void watch_status(int column) { status_column_ = column; }

private:
    bool fill_object(size_t at) {
        seen_[at] = row_;
        const Node& node = nodes_[at];
        bool closed = false;
        if (!cursor_.enter('}', closed)) return false;
        if (closed) return true;
        size_t guess = 0;  // fields mostly come in one order
        while (!closed) {
            std::string_view key;
            if (!cursor_.read_key(key)) return false;
            size_t tries = 0;
            for (; tries < node.children.size(); ++tries) {
                const Node& child = nodes_[node.children[guess]];
                if (child.key == key) break;
                guess = guess + 1 == node.children.size() ? 0 : guess + 1;
            }
            const bool known = tries < node.children.size();
            if (!(known ? fill_value(node.children[guess]) : cursor_.skip_value())) return false;
            if (!cursor_.next_item('}', closed)) return false;
        }
        cursor_.leave();
        return true;
    }

    bool fill_value(size_t at) {
        const Node& node = nodes_[at];
        if (cursor_.peek() == 'n') return cursor_.skip_value();
        if (node.column < 0) {
            if (cursor_.peek() == '{') return fill_object(at);
            return misfit(node.key, "an object");
        }
        const auto column = static_cast<size_t>(node.column);
        if (filled_[column] == row_) return misfit(plan_.columns[column].field, "one value, found it twice:");
        if (!fill_column(column)) return false;
        filled_[column] = row_;
        return true;
    }

    bool fill_column(size_t i) {
        const ColumnPlan& plan = plan_.columns[i];
        ColumnBuilder& to = column(i);
        if (plan.form == Form::json) {
            const char* start = cursor_.at();
            if (!cursor_.skip_value()) return false;
            to.append_text(cursor_.since(start));
            return true;
        }
        if (plan.form == Form::boolean) {
            std::optional<bool> value;
            if (cursor_.peek() != 't' && cursor_.peek() != 'f') return misfit(plan.field, "true or false");
            if (!cursor_.read_literal(value)) return false;
            to.append_boolean(*value);
            return true;
        }
        std::string_view text;
        if (cursor_.peek() == '"') {
            if (!cursor_.read_string(text)) return false;
        } else {
            const char* start = cursor_.at();
            if (cursor_.peek() == '{' || cursor_.peek() == '[') return misfit(plan.field, "a value of its type");
            if (!cursor_.skip_value()) return false;
            text = cursor_.since(start);
        }
        if (static_cast<int>(i) == status_column_) status_ = text;
        return append(plan, text, to) || misfit_text(plan, text);
    }

    static bool append(const ColumnPlan& plan, std::string_view text, ColumnBuilder& to) {
        const char* end = text.data() + text.size();
        switch (plan.form) {
            case Form::integer: {
                int64_t value = 0;
                const auto read = std::from_chars(text.data(), end, value);
                if (read.ec != std::errc{} || read.ptr != end) return false;
                to.append_int64(value);
                return true;
            }
            case Form::real: {
                double value = 0;  // "NaN" and "Infinity" are how proto3 JSON writes them
                const auto read = std::from_chars(text.data(), end, value);
                if (read.ec != std::errc{} || read.ptr != end) return false;
                to.append_float64(value);
                return true;
            }
            case Form::micros: {
                const auto value = parse_micros(text);
                if (value) to.append_decimal(*value);
                return value.has_value();
            }
            case Form::date: {
                const auto value = parse_date(text);
                if (value) to.append_date(*value);
                return value.has_value();
            }
            default: to.append_text(text); return true;
        }
    }

    bool misfit_text(const ColumnPlan& plan, std::string_view text) {
        why_ = "value of " + plan.field + " is no " + type_of(plan.form).to_string() + ": " +
               make_valid_utf8(text.substr(0, 100));
        return false;
    }
    bool misfit(std::string_view field, std::string_view expected) {
        const char* start = cursor_.at();
        const bool read = cursor_.skip_value();
        why_ = "expected " + std::string(expected) + " at " + std::string(field);
        if (read) why_ += ": " + std::string(cursor_.since(start).substr(0, 100));
        return false;
    }

    const RowPlan& plan_;
    const std::vector<Node>& nodes_;
    const size_t account_columns_;
    RecordBatchBuilder builder_;
    JsonCursor cursor_;
    uint64_t row_ = 0;
    std::vector<uint64_t> filled_;  // by column: the row it was filled in last
    std::vector<uint64_t> seen_;    // by node
    std::string why_;
    std::string status_;
    int status_column_ = -1;
};

void append_absent(const ColumnPlan& plan, bool has_message, ColumnBuilder& to) {
    if (plan.absent == Absent::nothing || (plan.absent == Absent::plain && !has_message)) {
        to.append_null();
        return;
    }
    switch (plan.form) {
        case Form::text: to.append_text(""); break;
        case Form::integer: to.append_int64(0); break;
        case Form::real: to.append_float64(0); break;
        case Form::boolean: to.append_boolean(false); break;
        case Form::micros: to.append_decimal(0); break;
        default: to.append_null(); break;
    }
}

void append_account(const ads::Account& account, const std::string& column, ColumnBuilder& to) {
    if (column == "customer_id") return to.append_text(account.id);
    const std::string& value = column == "customer_time_zone" ? account.time_zone : account.currency;
    if (value.empty()) return to.append_null();
    to.append_text(value);
}

}  // namespace

RowReader::RowReader(RowPlan plan) : plan_(std::move(plan)) {
    schema_ = std::make_shared<const Schema>(schema_of(plan_));
    account_columns_ = schema_->size() - plan_.columns.size() - (plan_.marks_deleted ? 1 : 0);
    nodes_.push_back({});
    parents_.resize(plan_.columns.size());
    for (size_t i = 0; i < plan_.columns.size(); ++i) add_path(i);
    // The resource's own is selected first.
    for (size_t i = plan_.columns.size(); plan_.marks_deleted && i-- > 0;) {
        if (plan_.columns[i].field.ends_with(".status")) status_column_ = static_cast<int>(i);
    }
}

void RowReader::add_path(size_t column) {
    size_t at = 0;
    for (const std::string_view part : split(plan_.columns[column].field, '.')) {
        const std::string key = camel_case(part);
        parents_[column] = at;
        size_t next = 0;
        for (const size_t child : nodes_[at].children) {
            if (nodes_[child].key == key) next = child;
        }
        if (next == 0) {
            next = nodes_.size();
            nodes_[at].children.push_back(next);
            nodes_.push_back({key, {}, -1});
        }
        at = next;
    }
    // A field that is part of another one that is selected too stays null; the other one is JSON and has it.
    if (nodes_[at].children.empty()) nodes_[at].column = static_cast<int>(column);
}

DecodedRows RowReader::read(const ads::Account& account, std::string_view lines) const {
    Filler filler(plan_, schema_, nodes_, account_columns_);
    filler.watch_status(status_column_);
    std::vector<RejectedRow> rejected;
    RecordBatchBuilder& builder = filler.builder();
    for (size_t at = 0; at < lines.size();) {
        const size_t end = std::min(lines.find('\n', at), lines.size());
        std::string why;
        const bool fits = filler.fill(lines.substr(at, end - at), why);
        if (!fits) rejected.push_back({builder.rows(), Error(ErrorKind::bad_data, why)});
        for (size_t i = 0; i < account_columns_; ++i)
            append_account(account, schema_->fields()[i].name, builder.column(i));
        bool is_removed = plan_.is_deleted;
        for (size_t i = 0; i < plan_.columns.size(); ++i) {
            ColumnBuilder& column = filler.column(i);
            const bool has = column.length() > builder.rows();
            if (has && static_cast<int>(i) == status_column_) is_removed = is_removed || filler.status() == "REMOVED";
            if (has) continue;
            if (fits && !plan_.is_deleted)
                append_absent(plan_.columns[i], filler.saw(parents_[i]), column);
            else
                column.append_null();
        }
        if (plan_.marks_deleted) builder.column(schema_->size() - 1).append_boolean(is_removed);
        builder.end_row();
        at = end + 1;
    }
    return {builder.finish(), std::move(rejected)};
}

}  // namespace shaduf::google_ads
