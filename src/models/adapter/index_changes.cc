#include "models/adapter/index_changes.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "models/adapter/table.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Value;

struct Index {
    std::string name;
    std::vector<std::string> columns;
    Value unique = Value(false);
    std::string method = "btree";

    bool is_like(const Index& other) const {
        const std::set<std::string> own(columns.begin(), columns.end());
        return own == std::set<std::string>(other.columns.begin(), other.columns.end()) &&
               unique.equals(other.unique) && method == other.method;
    }
};

Value part(const Value& dict, std::string_view key) {
    const Value* found = dict.kind() == jinja::Kind::dict ? dict.dict().find(key) : nullptr;
    return found == nullptr || found->is_undefined() ? Value::none() : *found;
}

// What is null is as if it were not said.
void set_kind(Index& index, const Value& unique, const Value& method) {
    if (!unique.is_none()) index.unique = unique;
    if (!method.is_none()) index.method = method.text();
}

void add_new(std::vector<Index>& indexes, Index index) {
    const bool is_there =
        std::any_of(indexes.begin(), indexes.end(), [&](const Index& each) { return each.is_like(index); });
    if (!is_there) indexes.push_back(std::move(index));
}

std::vector<Index> indexes_of(const Table& described) {
    std::vector<Index> indexes;
    for (const Table::Row& row : described.rows()) {
        const auto cell = [&](std::string_view name) {
            const auto at = described.index_of(name);
            return at ? row[*at] : Value::none();
        };
        Index index;
        index.name = cell("name").text();
        const std::string columns = cell("column_names").text();
        for (const std::string_view column : split(columns, ',')) {
            index.columns.push_back(to_lower(column));
        }
        set_kind(index, cell("unique"), cell("method"));
        add_new(indexes, std::move(index));
    }
    return indexes;
}

Result<std::vector<Index>> indexes_of(const Value& model) {
    std::vector<Index> indexes;
    const Value wanted = part(part(model, "config"), "indexes");
    if (wanted.is_none()) return indexes;
    if (wanted.kind() != jinja::Kind::list) {
        return Error(ErrorKind::invalid_config, "the config `indexes` must be a list, found: " + wanted.repr());
    }
    for (const Value& each : wanted.items()) {
        const Value columns = part(each, "columns");
        if (columns.kind() != jinja::Kind::list || columns.items().empty()) {
            return Error(ErrorKind::invalid_config,
                         "an index must be a dict with a list of one column at least, found: " + each.repr() +
                             "; write {'columns': ['id'], 'unique': true, 'type': 'btree'}");
        }
        Index index;
        for (const Value& column : columns.items()) index.columns.push_back(to_lower(column.text()));
        set_kind(index, part(each, "unique"), part(each, "type"));
        add_new(indexes, std::move(index));
    }
    return indexes;
}

Value change(std::string_view action, const Index& index) {
    const Value columns = Value::list(std::vector<Value>(index.columns.begin(), index.columns.end()));
    auto config = jinja::make<Dict>();
    config->set("columns", columns);
    config->set("unique", index.unique);
    config->set("type", index.method);
    auto context = jinja::make<Dict>();
    context->set("name", index.name);
    context->set("column_names", columns);
    context->set("unique", index.unique);
    context->set("method", index.method);
    context->set("as_node_config", config);
    auto made = jinja::make<Dict>();
    made->set("action", action);
    made->set("context", context);
    made->set("requires_full_refresh", false);
    return Value(made);
}

void add_missing(const std::vector<Index>& from, const std::vector<Index>& other, std::string_view action,
                 std::vector<Value>& changes) {
    for (const Index& index : from) {
        const auto is_like = [&](const Index& each) { return each.is_like(index); };
        if (std::none_of(other.begin(), other.end(), is_like)) changes.push_back(change(action, index));
    }
}

}  // namespace

Result<Value> index_changes(const Value& described, const Value& model) {
    const auto* table = part(described, "indexes").object_as<Table>();
    const std::vector<Index> present = table == nullptr ? std::vector<Index>() : indexes_of(*table);
    const std::vector<Index> wanted = TRY(indexes_of(model));
    std::vector<Value> changes;
    add_missing(present, wanted, "drop", changes);
    add_missing(wanted, present, "create", changes);
    if (changes.empty()) return Value::none();
    auto collection = jinja::make<Dict>();
    collection->set("indexes", Value::list(std::move(changes)));
    collection->set("requires_full_refresh", false);
    collection->set("has_changes", true);
    return Value(collection);
}

}  // namespace shaduf::models
