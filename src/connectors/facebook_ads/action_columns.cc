#include <algorithm>
#include <map>

#include "base/text.h"
#include "connectors/facebook_ads/page.h"
#include "connectors/facebook_ads/rows.h"
#include "data/batch.h"
#include "data/json_cursor.h"
#include "data/json_member.h"
#include "data/row_decoder.h"
#include "data/value_append.h"

// Lists of actions as columns. Kinds of actions contain each other (a post engagement is a page engagement too), so
// that summing a list's numbers counts twice: a column a kind cannot be summed by mistake.
namespace shaduf::facebook {
namespace {

constexpr std::string_view kSeparator = "__";
constexpr size_t kColumnsMax = 1500;  // of one page
const DataType& number_type() {
    static const DataType type = DataType::decimal(18);
    return type;
}

// A member of an element of a list that is no number: which kind of action it is. Its parts, in the order that they
// stand there, make the column's name.
bool is_kind(std::string_view key, const ReportSettings& report) {
    return key == "action_type" || std::find(report.action_breakdowns.begin(), report.action_breakdowns.end(), key) !=
                                       report.action_breakdowns.end();
}

// "offsite_conversion.fb_pixel_purchase" as a column's name has it.
std::string as_name(std::string_view text) {
    std::string name = to_lower(text);
    for (char& c : name) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (!is_plain) c = '_';
    }
    return name;
}

// Rewrites the records of one page, and finds which columns they have.
class Flattener {
public:
    Flattener(const StreamSettings& stream, const std::vector<ShapeColumn>& columns) : report_(*stream.report) {
        for (const ShapeColumn& column : columns) {
            if (column.path.size() == 1) types_.emplace(column.name, column.type);
        }
    }

    // `record` as an object whose lists of actions are numbers, with `members` in front. bad_data when it is no JSON.
    Result<void> add(std::string_view record, std::string_view members) {
        const size_t start = text_.size();
        text_.append("{");
        text_.append(members);
        JsonCursor cursor(record);
        const bool is_whole = read_members(cursor, [&](std::string_view key) {
            const std::string name(key);
            if (is_action_list(name) && cursor.peek() == '[') return add_list(cursor, name);
            std::string_view value;
            if (!read_raw(cursor, value)) return false;
            add_value(name, value);
            return true;
        });
        if (!is_whole || !cursor.finish())
            return Error(ErrorKind::unavailable, "record is no JSON object: " + cursor.fault());
        text_.append("}");
        rows_.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(text_.size() - start)});
        text_.append("\n");
        return {};
    }

    RawRows finish(std::string place) {
        RawRows rows;
        rows.text = text_.finish();
        rows.rows = std::move(rows_);
        rows.place = std::move(place);
        return rows;
    }
    const std::vector<std::string>& names() const { return names_; }
    std::vector<RejectedRow> release_rejected() { return std::move(rejected_); }

private:
    void put(std::string_view name, std::string_view value) {
        std::string key;
        append_json_string(name, key);
        text_.append(",");
        text_.append(key);
        text_.append(":");
        text_.append(value);
    }

    // A value that its column cannot hold is null in the row, which goes to quarantine.
    void add_value(const std::string& name, std::string_view value) {
        const auto type = types_.find(name);
        if (type != types_.end() && !holds(type->second, value)) {
            reject(misfit_error(name, type->second, value));
            value = "null";
        }
        put(name, value);
    }

    bool holds(const DataType& type, std::string_view value) const {
        if (value == "null") return true;
        std::string_view text = value;
        if (text.size() >= 2 && text.starts_with('"')) text = text.substr(1, text.size() - 2);
        switch (type.kind()) {
            case TypeKind::int64: {
                const auto number = parse_decimal(trim(text), 18, 0);
                return number.has_value();
            }
            case TypeKind::decimal: return parse_decimal(trim(text), type.precision(), type.scale()).has_value();
            case TypeKind::date: return value.starts_with('"') && TimestampOnce::parse(text).has_value();
            default: return true;
        }
    }

    void reject(Error why) {
        if (rejected_.empty() || rejected_.back().row != rows_.size())
            rejected_.push_back({rows_.size(), std::move(why)});
    }

    bool add_list(JsonCursor& cursor, const std::string& list) {
        bool closed = false;
        if (!cursor.enter(']', closed)) return false;
        if (closed) return true;
        while (!closed) {
            if (cursor.peek() == '{' ? !add_element(cursor, list) : !cursor.skip_value()) return false;
            if (!cursor.next_item(']', closed)) return false;
        }
        cursor.leave();
        return true;
    }

    // {"action_type":"link_click","value":"9","1d_click":"8"}
    bool add_element(JsonCursor& cursor, const std::string& list) {
        std::string name = list;
        std::vector<std::pair<std::string, std::string_view>> numbers;
        const bool is_whole = read_members(cursor, [&](std::string_view key) {
            const std::string member(key);
            if (is_kind(member, report_) && cursor.peek() == '"') {
                std::string kind;
                if (!read_text(cursor, kind)) return false;
                name += std::string(kSeparator) + as_name(kind);
                return true;
            }
            std::string_view value;
            if (!read_raw(cursor, value)) return false;
            numbers.emplace_back(member, value);
            return true;
        });
        if (!is_whole) return false;
        for (const auto& [member, value] : numbers)
            add_number(member == "value" ? name : name + std::string(kSeparator) + as_name(member), value);
        return true;
    }

    void add_number(const std::string& name, std::string_view value) {
        if (known_.emplace(name, true).second) names_.push_back(name);
        if (holds(number_type(), value)) return put(name, value);
        reject(misfit_error(name, number_type(), value));
    }

    const ReportSettings& report_;
    std::map<std::string, DataType> types_;
    BufferBuilder text_;
    std::vector<RawRows::Span> rows_;
    std::map<std::string, bool> known_;
    std::vector<std::string> names_;
    std::vector<RejectedRow> rejected_;
};

// Fields that nobody knows get the type that the page shows.
Decoded decode(const RawRows& rows, Shape shape) {
    for (;;) {
        Decoded decoded = RowDecoder::create(RawFormat::json, shape)->decode(rows);
        if (decoded.drift.empty()) return decoded;
        apply_drift(decoded.drift, shape);
    }
}

}  // namespace

Result<ReadBatch> read_action_columns(const StreamSettings& stream, const ads::Slice& slice, const BufferPtr& body) {
    Shape shape;
    shape.columns = columns_of(stream);
    Flattener flattener(stream, shape.columns);
    const std::string members = added_members(stream, slice);
    for (const RawRows::Span& record : TRY(find_records(body->view())))
        TRY(flattener.add(body->view().substr(record.offset, record.length), members));
    if (flattener.names().size() > kColumnsMax)
        return Error(ErrorKind::bad_data, "lists of actions have more than " + std::to_string(kColumnsMax) +
                                              " kinds of numbers; set actions: json, or fewer action_breakdowns");
    std::vector<std::string> names = flattener.names();
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) shape.columns.push_back({name, number_type(), {name}, true});
    ReadBatch batch;
    batch.place = stream.name + " of " + slice.to_string();
    Decoded decoded = decode(flattener.finish(batch.place), std::move(shape));
    if (!decoded.rejected.empty()) return decoded.rejected.front().why;
    batch.rows = std::move(decoded.rows);
    batch.rejected = flattener.release_rejected();
    return batch;
}

}  // namespace shaduf::facebook
