#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/data/warehouse.h"

namespace shaduf::server {

struct CatalogTable {
    std::string schema;
    std::string name;
    std::string kind;             // table, view
    std::optional<int64_t> rows;  // as the system estimates them
    std::optional<int64_t> bytes;
    int64_t columns = 0;
    std::string comment;
};
struct CatalogColumn {
    std::string name;
    std::string type;  // as the system writes it
    bool nullable = true;
    std::string comment;
};

// What stands in the warehouse, but for the tables that shaduf keeps for itself; by schema and name. `schema` and
// `name` narrow it, "" is any.
Result<std::vector<CatalogTable>> list_tables(RunContext& run, Warehouse& warehouse, const std::string& schema = "",
                                              const std::string& name = "");
Result<std::vector<CatalogColumn>> list_columns(RunContext& run, Warehouse& warehouse, const CatalogTable& table);

// What values a column has.
struct ColumnProfile {
    std::string name;
    int64_t nulls = 0;
    int64_t distinct = 0;  // about
    std::string min;       // as text; "" when there is none
    std::string max;
    std::optional<double> mean;
    std::vector<std::pair<std::string, int64_t>> top;  // most frequent values
    std::vector<int64_t> histogram;                    // of numbers: equal parts between min and max
};
struct TableProfile {
    int64_t rows = 0;
    std::vector<ColumnProfile> columns;
};
// Of the columns named. One pass over the table counts; then one for each column whose values are drawn.
Result<TableProfile> profile_table(RunContext& run, Warehouse& warehouse, const CatalogTable& table,
                                   const std::vector<CatalogColumn>& columns);

inline constexpr int kHistogramBins = 20;
inline constexpr size_t kProfiledColumnsMax = 50;

}  // namespace shaduf::server
