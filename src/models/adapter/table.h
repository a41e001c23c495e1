#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/host_object.h"

namespace shaduf::models {

// What a column of a result or of a seed holds, by its values.
enum class TableType : uint8_t { integer, number, boolean, date, timestamp, time, text };
std::string_view to_string(TableType type);  // "Integer", "Number", ... as agate names them

// Rows with named columns, as templates see the result of a query (agate's Table). Immutable.
class Table final : public HostObject<Table> {
public:
    using Row = std::vector<jinja::Value>;

    Table() = default;
    // REQUIRES: rows as long as there are names
    Table(std::vector<std::string> names, std::vector<TableType> types, std::vector<Row> rows);
    // The types follow from the values.
    Table(std::vector<std::string> names, std::vector<Row> rows);

    const std::vector<std::string>& names() const { return names_; }
    const std::vector<TableType>& types() const { return types_; }
    const std::vector<Row>& rows() const { return rows_; }
    std::optional<size_t> index_of(std::string_view name) const;

    std::string_view type_name() const override { return "Table"; }
    // A row by its number; rows in turn.
    Result<std::optional<jinja::Value>> item(jinja::Vm& vm, const jinja::Value& key) const override;
    Result<std::unique_ptr<jinja::Iterator>> iterate(jinja::Vm& vm) const override;
    std::optional<size_t> length() const override { return rows_.size(); }
    bool truth() const override { return true; }
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    Result<jinja::Value> call_select(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_exclude(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_rename(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_limit(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_print_table(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    jinja::Ref<Table> with_columns(std::span<const size_t> columns) const;
    jinja::Ref<Table> self() const { return jinja::Ref<Table>(const_cast<Table*>(this)); }  // NOLINT: shared already

    std::vector<std::string> names_;
    std::vector<TableType> types_;
    std::vector<Row> rows_;
};

// The rows as text in columns, for people: at most `rows_max` of them, none of their values longer than `width_max`
// characters.
inline constexpr size_t kPrintedWidthMax = 40;
std::string print_table(const Table& table, size_t rows_max, size_t width_max = kPrintedWidthMax);

}  // namespace shaduf::models
