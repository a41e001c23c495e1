#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "models/host_object.h"

namespace shaduf::models {

// How one kind of database tells the types of columns apart. Of static lifetime; names in lower case.
struct ColumnStyle {
    std::string_view type_name;  // "DuckDBColumn"
    std::span<const std::string_view> integers = {}, floats = {}, numerics = {}, strings = {};
    bool text_has_no_size = false;  // `text` and `character varying` without one stay as they are
    std::span<const std::pair<std::string_view, std::string_view>> labels =
        {};                               // api.Column.translate_type, in capitals
    std::string_view struct_prefix = {};  // "struct(" where structs can be flattened; "": nowhere
};

// A column of a relation as templates see it (dbt's Column). Immutable.
class Column final : public HostObject<Column> {
public:
    struct Parts {
        std::string name;
        std::string type;  // as the database writes it, without a size
        std::optional<int64_t> char_size, numeric_precision, numeric_scale;
    };
    Column(const ColumnStyle& style, Parts parts) : style_(style), parts_(std::move(parts)) {}
    // From "numeric(10,2)" or "varchar(20)". invalid_config: sizes that are no numbers.
    static Result<jinja::Ref<Column>> from_description(const ColumnStyle& style, std::string name,
                                                       std::string_view type);
    static std::string translate_type(const ColumnStyle& style, std::string_view label);

    const Parts& parts() const { return parts_; }
    std::string data_type() const;
    bool is_string() const;
    int64_t string_size() const;
    bool can_expand_to(const Column& other) const;

    std::string_view type_name() const override { return style_.type_name; }
    std::string repr() const override;
    bool equals(const jinja::Object& other) const override;
    size_t hash() const override;
    static std::span<const Method> methods();

private:
    Result<std::optional<jinja::Value>> property(jinja::Vm& vm, std::string_view name) const override;
    Result<jinja::Value> call_is_string(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_is_integer(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_is_float(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_is_numeric(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_is_number(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_is_struct(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_flatten(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_string_size(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_string_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_numeric_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_literal(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_can_expand_to(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_translate_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    bool is_integer() const;
    bool is_float() const;
    bool is_numeric() const;

    const ColumnStyle& style_;
    const Parts parts_;
};

// api.Column: Column(name, type), .create, .translate_type and the other functions that need no column.
class ColumnClass final : public HostObject<ColumnClass> {
public:
    explicit ColumnClass(const ColumnStyle& style) : style_(style) {}
    std::string_view type_name() const override { return "type"; }
    bool is_callable() const override { return true; }
    Result<jinja::Value> call(jinja::Vm& vm, const jinja::Arguments& arguments) const override;
    static std::span<const Method> methods();

private:
    Result<jinja::Value> call_create(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_translate_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_string_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_numeric_type(jinja::Vm& vm, const jinja::Arguments& arguments) const;
    Result<jinja::Value> call_from_description(jinja::Vm& vm, const jinja::Arguments& arguments) const;

    const ColumnStyle& style_;
};

}  // namespace shaduf::models
