#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jinja/value.h"
#include "models/context/services.h"

namespace shaduf::models {

class Session;
class Table;

// A row of what the macro get_catalog gives, by the names of its columns in lower case.
using CatalogRow = std::map<std::string, jinja::Value, std::less<>>;
std::string text_of(const CatalogRow& row, std::string_view name);  // "" for none

struct CatalogTable {
    CatalogRow first;
    std::vector<CatalogRow> columns;  // in the order of the table

    bool is_view() const;
};

// The tables and views of the schemas that a project uses. Names are compared without case. A plain value.
class Catalog {
public:
    // One call of get_catalog a database.
    static Result<Catalog> read(const ContextServices& services, Session& session);

    const CatalogTable* find(const std::optional<std::string>& database, const std::string& schema,
                             const std::string& name) const;
    const CatalogTable* find(const Node& node) const { return find(node.database, node.schema, node.alias); }
    const CatalogTable* find(const SourceTable& source) const {
        return find(source.database, source.schema, source.identifier);
    }

private:
    using Key = std::array<std::string, 3>;  // database, schema, name; lower case
    static Key key_of(const std::optional<std::string>& database, const std::string& schema, const std::string& name);
    void add(const Table& table);

    std::map<Key, CatalogTable> tables_;
};

// Whether a node has a table or view of its own.
bool has_relation(const Node& node);

}  // namespace shaduf::models
