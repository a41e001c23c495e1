#include "models/adapter/table.h"

#include <algorithm>
#include <array>

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Iterator;
using jinja::Kind;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

constexpr size_t kPrintedRowsMax = 20;

// Values of a vector that somebody owns, in turn.
class VectorIterator final : public Iterator {
public:
    explicit VectorIterator(std::vector<Value> values) : values_(std::move(values)) {}
    Result<std::optional<Value>> next(Vm&) override {
        if (at_ == values_.size()) return std::optional<Value>();
        return std::optional(values_[at_++]);
    }

private:
    std::vector<Value> values_;
    size_t at_ = 0;
};

// 0.. from the front, -1.. from the back, as Python counts.
std::optional<size_t> position(int64_t index, size_t size) {
    if (index < 0) index += static_cast<int64_t>(size);
    if (index < 0 || index >= static_cast<int64_t>(size)) return std::nullopt;
    return static_cast<size_t>(index);
}

class TableRow final : public HostObject<TableRow> {
public:
    TableRow(Ref<Table> table, size_t row) : table_(std::move(table)), row_(row) {}

    std::string_view type_name() const override { return "Row"; }
    Shape shape() const override { return Shape::sequence; }
    std::optional<size_t> length() const override { return values().size(); }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override { return find(key); }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<VectorIterator>(values()));
    }
    std::string repr() const override {
        std::string text = "<agate.Row: (";
        for (size_t i = 0; i < values().size(); ++i) text += (i == 0 ? "" : ", ") + values()[i].repr();
        return text + ")>";
    }
    bool equals(const Object& other) const override {
        const auto* that = dynamic_cast<const TableRow*>(&other);
        return that != nullptr &&
               std::equal(values().begin(), values().end(), that->values().begin(), that->values().end(),
                          [](const Value& a, const Value& b) { return a.equals(b); });
    }
    size_t hash() const override { return row_; }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 5> kMethods = {{{"values", &TableRow::call_values},
                                                            {"keys", &TableRow::call_keys},
                                                            {"items", &TableRow::call_items},
                                                            {"get", &TableRow::call_get},
                                                            {"dict", &TableRow::call_dict}}};
        return kMethods;
    }

private:
    const Table::Row& values() const { return table_->rows()[row_]; }
    std::optional<Value> find(const Value& key) const {
        if (key.kind() == Kind::integer) {
            const auto at = position(key.integer(), values().size());
            return at ? std::optional(values()[*at]) : std::nullopt;
        }
        const auto at = key.is_string() ? table_->index_of(key.string()) : std::nullopt;
        return at ? std::optional(values()[*at]) : std::nullopt;
    }
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        const auto at = table_->index_of(name);
        return at ? std::optional(values()[*at]) : std::nullopt;
    }
    Result<Value> call_values(Vm&, const Arguments&) const { return Value::tuple(values()); }
    Result<Value> call_keys(Vm&, const Arguments&) const {
        return Value::tuple(std::vector<Value>(table_->names().begin(), table_->names().end()));
    }
    Result<Value> call_items(Vm&, const Arguments&) const {
        std::vector<Value> items;
        for (size_t i = 0; i < values().size(); ++i) {
            items.push_back(Value::tuple({Value(table_->names()[i]), values()[i]}));
        }
        return Value::list(std::move(items));
    }
    Result<Value> call_get(Vm&, const Arguments& arguments) const {
        const std::array<Parameter, 2> parameters = {{{"key"}, {"default", Value::none()}}};
        const auto bound = TRY(jinja::bind_arguments("get", parameters, arguments));
        return find(bound[0]).value_or(bound[1]);
    }
    Result<Value> call_dict(Vm&, const Arguments&) const {
        auto dict = jinja::make<jinja::Dict>();
        for (size_t i = 0; i < values().size(); ++i) dict->set(table_->names()[i], values()[i]);
        return Value(dict);
    }

    Ref<Table> table_;
    size_t row_;
};

class TableColumn final : public HostObject<TableColumn> {
public:
    TableColumn(Ref<Table> table, size_t column) : table_(std::move(table)), column_(column) {}

    std::string_view type_name() const override { return "Column"; }
    Shape shape() const override { return Shape::sequence; }
    std::optional<size_t> length() const override { return table_->rows().size(); }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override {
        const auto at =
            key.kind() == Kind::integer ? position(key.integer(), table_->rows().size()) : std::optional<size_t>();
        return at ? std::optional(table_->rows()[*at][column_]) : std::nullopt;
    }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<VectorIterator>(values()));
    }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 4> kMethods = {{{"values", &TableColumn::call_values},
                                                            {"values_distinct", &TableColumn::call_values_distinct},
                                                            {"values_without_nulls", &TableColumn::call_values_present},
                                                            {"values_sorted", &TableColumn::call_values_sorted}}};
        return kMethods;
    }

private:
    std::vector<Value> values() const {
        std::vector<Value> all;
        all.reserve(table_->rows().size());
        for (const Table::Row& row : table_->rows()) all.push_back(row[column_]);
        return all;
    }
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        if (name == "name") return std::optional(Value(table_->names()[column_]));
        if (name == "index") return std::optional(Value(static_cast<int64_t>(column_)));
        if (name == "data_type") return std::optional(Value(to_string(table_->types()[column_])));
        return std::optional<Value>();
    }
    Result<Value> call_values(Vm&, const Arguments&) const { return Value::tuple(values()); }
    Result<Value> call_values_distinct(Vm&, const Arguments&) const {
        std::vector<Value> distinct;
        for (Value& value : values()) {
            const bool is_known =
                std::any_of(distinct.begin(), distinct.end(), [&](const Value& known) { return known.equals(value); });
            if (!is_known) distinct.push_back(std::move(value));
        }
        return Value::tuple(std::move(distinct));
    }
    Result<Value> call_values_present(Vm&, const Arguments&) const {
        std::vector<Value> present = values();
        std::erase_if(present, [](const Value& value) { return value.is_none(); });
        return Value::tuple(std::move(present));
    }
    Result<Value> call_values_sorted(Vm&, const Arguments&) const {
        std::vector<Value> sorted = values();
        std::stable_sort(sorted.begin(), sorted.end(), [](const Value& a, const Value& b) {
            if (a.kind() == Kind::integer && b.kind() == Kind::integer) return a.integer() < b.integer();
            return a.text() < b.text();
        });
        return Value::tuple(std::move(sorted));
    }

    Ref<Table> table_;
    size_t column_;
};

// table.columns and table.rows: by number, and columns by name, too.
class TableParts final : public HostObject<TableParts> {
public:
    enum class What : uint8_t { columns, rows };
    TableParts(Ref<Table> table, What what) : table_(std::move(table)), what_(what) {}

    std::string_view type_name() const override { return "MappedSequence"; }
    Shape shape() const override { return Shape::sequence; }
    std::optional<size_t> length() const override {
        return what_ == What::columns ? table_->names().size() : table_->rows().size();
    }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override {
        std::optional<size_t> at;
        if (key.kind() == Kind::integer) at = position(key.integer(), *length());
        if (key.is_string() && what_ == What::columns) at = table_->index_of(key.string());
        return at ? std::optional(part(*at)) : std::nullopt;
    }
    Result<std::unique_ptr<Iterator>> iterate(Vm&) const override {
        return std::unique_ptr<Iterator>(std::make_unique<VectorIterator>(all()));
    }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 4> kMethods = {{{"values", &TableParts::call_values},
                                                            {"keys", &TableParts::call_keys},
                                                            {"items", &TableParts::call_items},
                                                            {"get", &TableParts::call_get}}};
        return kMethods;
    }

private:
    Value part(size_t at) const {
        if (what_ == What::columns) return Value(Ref<Object>(new TableColumn(table_, at)));
        return Value(Ref<Object>(new TableRow(table_, at)));
    }
    std::vector<Value> all() const {
        std::vector<Value> parts;
        for (size_t i = 0; i < *length(); ++i) parts.push_back(part(i));
        return parts;
    }
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        const auto at = what_ == What::columns ? table_->index_of(name) : std::nullopt;
        return at ? std::optional(part(*at)) : std::nullopt;
    }
    Value key(size_t at) const {
        return what_ == What::columns ? Value(table_->names()[at]) : Value(static_cast<int64_t>(at));
    }
    Result<Value> call_values(Vm&, const Arguments&) const { return Value::tuple(all()); }
    Result<Value> call_keys(Vm&, const Arguments&) const {
        std::vector<Value> keys;
        for (size_t i = 0; i < *length(); ++i) keys.push_back(key(i));
        return Value::tuple(std::move(keys));
    }
    Result<Value> call_items(Vm&, const Arguments&) const {
        std::vector<Value> items;
        for (size_t i = 0; i < *length(); ++i) items.push_back(Value::tuple({key(i), part(i)}));
        return Value::list(std::move(items));
    }
    Result<Value> call_get(Vm& vm, const Arguments& arguments) const {
        const std::array<Parameter, 2> parameters = {{{"key"}, {"default", Value::none()}}};
        const auto bound = TRY(jinja::bind_arguments("get", parameters, arguments));
        return TRY(item(vm, bound[0])).value_or(bound[1]);
    }

    Ref<Table> table_;
    What what_;
};

TableType type_of(const std::vector<Table::Row>& rows, size_t column) {
    for (const Table::Row& row : rows) {
        const Value& value = row[column];
        switch (value.kind()) {
            case Kind::boolean: return TableType::boolean;
            case Kind::integer: return TableType::integer;
            case Kind::floating: return TableType::number;
            case Kind::string: return TableType::text;
            case Kind::object:
                if (value.type_name() == "date") return TableType::date;
                if (value.type_name() == "datetime") return TableType::timestamp;
                if (value.type_name() == "time" || value.type_name() == "timedelta") return TableType::time;
                return TableType::number;
            default: break;
        }
    }
    return TableType::integer;  // nothing but nulls
}

Result<std::vector<std::string>> names_of(std::string_view function, const Arguments& arguments) {
    const std::array<Parameter, 1> parameters = {{{"key"}}};
    const Value key = TRY(jinja::bind_arguments(function, parameters, arguments))[0];
    std::vector<std::string> names;
    if (key.kind() == Kind::list || key.kind() == Kind::tuple) {
        for (const Value& name : key.items()) names.push_back(name.text());
    } else {
        names.push_back(key.text());
    }
    return names;
}

}  // namespace

std::string_view to_string(TableType type) {
    switch (type) {
        case TableType::integer: return "Integer";
        case TableType::number: return "Number";
        case TableType::boolean: return "Boolean";
        case TableType::date: return "Date";
        case TableType::timestamp: return "DateTime";
        case TableType::time: return "TimeDelta";
        case TableType::text: return "Text";
    }
    return "";
}

Table::Table(std::vector<std::string> names, std::vector<TableType> types, std::vector<Row> rows)
    : names_(std::move(names)), types_(std::move(types)), rows_(std::move(rows)) {}

Table::Table(std::vector<std::string> names, std::vector<Row> rows) : names_(std::move(names)), rows_(std::move(rows)) {
    for (size_t i = 0; i < names_.size(); ++i) types_.push_back(type_of(rows_, i));
}

std::optional<size_t> Table::index_of(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<size_t>(found - names_.begin());
}

Result<std::optional<Value>> Table::item(Vm& vm, const Value& key) const {
    return TableParts(self(), TableParts::What::rows).item(vm, key);
}

Result<std::unique_ptr<Iterator>> Table::iterate(Vm& vm) const {
    return TableParts(self(), TableParts::What::rows).iterate(vm);
}

std::span<const Table::Method> Table::methods() {
    static constexpr std::array<Method, 5> kMethods = {{{"select", &Table::call_select},
                                                        {"exclude", &Table::call_exclude},
                                                        {"rename", &Table::call_rename},
                                                        {"limit", &Table::call_limit},
                                                        {"print_table", &Table::call_print_table}}};
    return kMethods;
}

Result<std::optional<Value>> Table::property(Vm&, std::string_view name) const {
    if (name == "columns") return std::optional(Value(Ref<Object>(new TableParts(self(), TableParts::What::columns))));
    if (name == "rows") return std::optional(Value(Ref<Object>(new TableParts(self(), TableParts::What::rows))));
    if (name == "column_names") return std::optional(Value::tuple(std::vector<Value>(names_.begin(), names_.end())));
    if (name == "column_types") {
        std::vector<Value> types;
        for (const TableType type : types_) types.emplace_back(to_string(type));
        return std::optional(Value::tuple(std::move(types)));
    }
    return std::optional<Value>();
}

Ref<Table> Table::with_columns(std::span<const size_t> columns) const {
    std::vector<std::string> names;
    std::vector<TableType> types;
    std::vector<Row> rows(rows_.size());
    for (const size_t column : columns) {
        names.push_back(names_[column]);
        types.push_back(types_[column]);
        for (size_t row = 0; row < rows_.size(); ++row) rows[row].push_back(rows_[row][column]);
    }
    return jinja::make<Table>(std::move(names), std::move(types), std::move(rows));
}

Result<Value> Table::call_select(Vm&, const Arguments& arguments) const {
    std::vector<size_t> columns;
    for (const std::string& name : TRY(names_of("select", arguments))) {
        const auto at = index_of(name);
        if (!at) return Error(ErrorKind::invalid_config, "no such column in the table: " + name);
        columns.push_back(*at);
    }
    return Value(Ref<Object>(with_columns(columns).get()));
}

Result<Value> Table::call_exclude(Vm&, const Arguments& arguments) const {
    const auto names = TRY(names_of("exclude", arguments));
    std::vector<size_t> columns;
    for (size_t i = 0; i < names_.size(); ++i) {
        if (std::find(names.begin(), names.end(), names_[i]) == names.end()) columns.push_back(i);
    }
    return Value(Ref<Object>(with_columns(columns).get()));
}

Result<Value> Table::call_rename(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"column_names", Value::none()}, {"row_names", Value::none()}}};
    const Value wanted = TRY(jinja::bind_arguments("rename", parameters, arguments))[0];
    std::vector<std::string> names = names_;
    if (wanted.kind() == Kind::dict) {
        for (std::string& name : names) {
            if (const Value* renamed = wanted.dict().find(std::string_view(name))) name = renamed->text();
        }
    } else if (wanted.kind() == Kind::list || wanted.kind() == Kind::tuple) {
        for (size_t i = 0; i < std::min(names.size(), wanted.items().size()); ++i) names[i] = wanted.items()[i].text();
    }
    return Value(Ref<Object>(new Table(std::move(names), types_, rows_)));
}

Result<Value> Table::call_limit(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"count"}}};
    const Value count = TRY(jinja::bind_arguments("limit", parameters, arguments))[0];
    const auto wanted = count.kind() == Kind::integer && count.integer() > 0 ? static_cast<size_t>(count.integer()) : 0;
    std::vector<Row> rows(rows_.begin(), rows_.begin() + static_cast<ptrdiff_t>(std::min(wanted, rows_.size())));
    return Value(Ref<Object>(new Table(names_, types_, std::move(rows))));
}

Result<Value> Table::call_print_table(Vm&, const Arguments&) const {
    std::fputs(print_table(*this, kPrintedRowsMax).c_str(), stdout);
    return Value::none();
}

namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

size_t characters_in(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// At most `width_max` characters.
std::string shortened(std::string text, size_t width_max) {
    constexpr std::string_view kMore = "...";
    if (characters_in(text) <= width_max) return text;
    size_t end = 0;
    for (size_t count = 0; end < text.size(); ++end) {
        if (begins_character(text[end]) && ++count + kMore.size() > width_max) break;
    }
    return text.substr(0, end).append(kMore);
}

}  // namespace

std::string print_table(const Table& table, size_t rows_max, size_t width_max) {
    const size_t rows = std::min(rows_max, table.rows().size());
    std::vector<size_t> widths;
    const auto cell = [&](const Value& value) {
        return shortened(value.is_none() ? std::string() : value.text(), width_max);
    };
    for (size_t i = 0; i < table.names().size(); ++i) {
        size_t width = characters_in(table.names()[i]);
        for (size_t row = 0; row < rows; ++row) width = std::max(width, characters_in(cell(table.rows()[row][i])));
        widths.push_back(width);
    }
    std::string text;
    const auto add_line = [&](const auto& text_of) {
        for (size_t i = 0; i < widths.size(); ++i) {
            const std::string part = text_of(i);
            text += "| " + part + std::string(widths[i] - characters_in(part), ' ') + " ";
        }
        text += "|\n";
    };
    add_line([&](size_t i) { return table.names()[i]; });
    add_line([&](size_t i) { return std::string(widths[i], '-'); });
    for (size_t row = 0; row < rows; ++row) add_line([&](size_t i) { return cell(table.rows()[row][i]); });
    return text;
}

}  // namespace shaduf::models
