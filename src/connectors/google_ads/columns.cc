#include "connectors/google_ads/columns.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace shaduf::google_ads {
namespace {

using nlohmann::json;

constexpr std::string_view kMicros = "_micros";
constexpr int kMoneyDigits = 18;
constexpr int kMoneyScale = 6;

// Averages are numbers with a point, and still millionths of the currency; the catalogue does not say which. By their
// names: average_cpc, trueview_average_cpv, active_view_cpm, average_cost, cost_per_conversion.
bool is_average_amount(std::string_view name) {
    constexpr std::string_view kPrices[] = {"cpc", "cpm", "cpv", "cpe", "cpa"};
    if (name == "average_cost" || name.starts_with("cost_per_") ||
        name.find("_currency_per_") != std::string_view::npos)
        return true;
    for (const std::string_view word : split(name, '_')) {
        if (std::find(std::begin(kPrices), std::end(kPrices), word) != std::end(kPrices)) return true;
    }
    return false;
}

std::string_view last_part(std::string_view field) { return field.substr(field.rfind('.') + 1); }

Form form_of(const FieldInfo& field) {
    const std::string_view name = last_part(field.name);
    const std::string& type = field.data_type;
    if (field.is_repeated || type == "MESSAGE") return Form::json;
    if (type == "BOOLEAN") return Form::boolean;
    if (type == "INT64" || type == "INT32" || type == "UINT64") {
        if (name == "id" || name.ends_with("_id")) return Form::text;
        return name.ends_with(kMicros) ? Form::micros : Form::integer;
    }
    if (type == "DOUBLE" || type == "FLOAT") {
        const bool is_metric = field.category == "METRIC";
        return name.ends_with(kMicros) || (is_metric && is_average_amount(name)) ? Form::micros : Form::real;
    }
    if (type == "DATE" && !name.ends_with("_time")) return Form::date;
    return Form::text;
}

Absent absent_of(const FieldInfo& field, Form form) {
    const bool is_named = field.data_type == "ENUM" || field.data_type == "RESOURCE_NAME" || field.data_type == "DATE";
    if (form == Form::json || form == Form::date || is_named) return Absent::nothing;
    if (field.category == "METRIC" && form != Form::text) return Absent::zero;
    // An id is never 0.
    if (form == Form::text && field.data_type != "STRING") return Absent::nothing;
    return Absent::plain;
}

std::string column_of(std::string_view field) {
    std::string name(field);
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

}  // namespace

std::vector<ColumnPlan> plan_columns(const std::vector<FieldInfo>& fields) {
    std::set<std::string> taken;
    for (const FieldInfo& field : fields) taken.insert(column_of(field.name));
    std::vector<ColumnPlan> columns;
    for (const FieldInfo& field : fields) {
        const Form form = form_of(field);
        ColumnPlan column{field.name, column_of(field.name), form, absent_of(field, form)};
        if (form == Form::micros && column.name.ends_with(kMicros)) {
            const std::string amount = column.name.substr(0, column.name.size() - kMicros.size());
            if (taken.insert(amount).second) column.name = amount;
        }
        columns.push_back(std::move(column));
    }
    return columns;
}

void add_resource_names(std::vector<ColumnPlan>& columns) {
    std::set<std::string> resources;
    for (const ColumnPlan& column : columns) {
        const std::string resource = column.field.substr(0, column.field.find('.'));
        if (resource != "metrics" && resource != "segments") resources.insert(resource);
        if (column.field.ends_with(".resource_name")) resources.erase(resource);
    }
    for (const std::string& resource : resources) {
        ColumnPlan column{resource + ".resource_name", resource + "_resource_name", Form::text, Absent::nothing};
        const bool has = std::any_of(columns.begin(), columns.end(),
                                     [&](const ColumnPlan& other) { return other.name == column.name; });
        if (!has) columns.push_back(std::move(column));
    }
}

DataType type_of(Form form) {
    switch (form) {
        case Form::text: return TypeKind::string;
        case Form::integer: return TypeKind::int64;
        case Form::real: return TypeKind::float64;
        case Form::boolean: return TypeKind::boolean;
        case Form::date: return TypeKind::date;
        case Form::micros: return DataType::decimal(kMoneyDigits, kMoneyScale);
        case Form::json: break;
    }
    return TypeKind::json;
}

std::string RowPlan::to_note() const {
    json list = json::array();
    for (const ColumnPlan& column : columns)
        list.push_back({column.field, column.name, static_cast<int>(column.form), static_cast<int>(column.absent)});
    return json{{"columns", list}, {"marks_deleted", marks_deleted}, {"is_deleted", is_deleted}}.dump();
}

Result<RowPlan> RowPlan::of_note(std::string_view note) {
    const Error broken(ErrorKind::internal, "note of a page is not one of google_ads: " + std::string(note));
    const json document = json::parse(note, nullptr, false);
    if (!document.is_object() || !document.contains("columns")) return broken;
    RowPlan plan;
    const json& marks = document.value("marks_deleted", json());
    const json& deleted = document.value("is_deleted", json());
    plan.marks_deleted = marks.is_boolean() && marks.get<bool>();
    plan.is_deleted = deleted.is_boolean() && deleted.get<bool>();
    for (const json& entry : document["columns"]) {
        const bool fits = entry.is_array() && entry.size() == 4 && entry[0].is_string() && entry[1].is_string() &&
                          entry[2].is_number_unsigned() && entry[3].is_number_unsigned();
        if (!fits || entry[2].get<unsigned>() > static_cast<unsigned>(Form::json) ||
            entry[3].get<unsigned>() > static_cast<unsigned>(Absent::nothing))
            return broken;
        plan.columns.push_back({entry[0].get<std::string>(), entry[1].get<std::string>(),
                                static_cast<Form>(entry[2].get<unsigned>()),
                                static_cast<Absent>(entry[3].get<unsigned>())});
    }
    return plan;
}

Schema schema_of(const RowPlan& plan) {
    std::vector<Field> fields;
    const auto has = [&](std::string_view name) {
        return std::any_of(plan.columns.begin(), plan.columns.end(),
                           [&](const ColumnPlan& column) { return column.name == name; });
    };
    for (const std::string_view name : {"customer_id", "customer_currency_code", "customer_time_zone"}) {
        if (!has(name)) fields.push_back({std::string(name), TypeKind::string});
    }
    for (const ColumnPlan& column : plan.columns) fields.push_back({column.name, type_of(column.form)});
    if (plan.marks_deleted) fields.push_back({std::string(kDeletedColumn), TypeKind::boolean});
    return Schema(std::move(fields));
}

}  // namespace shaduf::google_ads
