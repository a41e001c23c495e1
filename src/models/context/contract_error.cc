#include "models/context/contract_error.h"

#include <algorithm>
#include <vector>

#include "models/adapter/table.h"

namespace shaduf::models {
namespace {

using jinja::Value;

constexpr size_t kWidthMax = 50;

struct TypedColumn {
    std::string name, type;
};

std::vector<TypedColumn> columns_in(const Value& list) {
    std::vector<TypedColumn> columns;
    if (list.kind() != jinja::Kind::list && list.kind() != jinja::Kind::tuple) return columns;
    const auto part = [](const Value& column, std::string_view key) {
        const Value* found = column.kind() == jinja::Kind::dict ? column.dict().find(key) : nullptr;
        return found == nullptr ? std::string() : found->text();
    };
    for (const Value& column : list.items()) columns.push_back({part(column, "name"), part(column, "data_type")});
    return columns;
}

const TypedColumn* named(const std::vector<TypedColumn>& columns, const std::string& name) {
    const auto found =
        std::find_if(columns.begin(), columns.end(), [&](const auto& each) { return each.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

}  // namespace

std::string contract_error_text(const Value& declared, const Value& given) {
    const std::vector<TypedColumn> wanted = columns_in(declared);
    const std::vector<TypedColumn> found = columns_in(given);
    if (wanted.empty()) {
        return "This model has an enforced contract, and no columns are declared; list them under its `columns`, each "
               "with a data_type";
    }
    std::vector<Table::Row> rows;
    for (const TypedColumn& column : found) {
        const TypedColumn* own = named(wanted, column.name);
        if (own == nullptr) {
            rows.push_back({column.name, column.type, "", "missing in contract"});
        } else if (own->type != column.type) {
            rows.push_back({column.name, column.type, own->type, "data type mismatch"});
        }
    }
    for (const TypedColumn& column : wanted) {
        if (named(found, column.name) == nullptr) {
            rows.push_back({column.name, "", column.type, "missing in definition"});
        }
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a[0].string() < b[0].string(); });
    const size_t count = rows.size();
    const Table table({"column_name", "definition_type", "contract_type", "mismatch_reason"}, std::move(rows));
    return "This model has an enforced contract that failed.\nIts columns and those of the query must have the same "
           "names and types, and be as many:\n\n" +
           print_table(table, count, kWidthMax);
}

}  // namespace shaduf::models
