#include "models/adapter/column.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "base/text.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

constexpr int64_t kStringSizeUnknown = 256;

bool is_one_of(std::span<const std::string_view> names, std::string_view type) {
    return std::find(names.begin(), names.end(), to_lower(type)) != names.end();
}

std::optional<int64_t> optional_integer(const Value& value) {
    if (value.kind() == jinja::Kind::integer) return value.integer();
    return std::nullopt;
}

std::string string_type(int64_t size) { return "character varying(" + std::to_string(size) + ")"; }

std::string numeric_type(const std::string& type, const Value& precision, const Value& scale) {
    if (precision.is_none() || precision.is_undefined() || scale.is_none() || scale.is_undefined()) return type;
    return type + "(" + precision.text() + "," + scale.text() + ")";
}

Value integer_or_none(const std::optional<int64_t>& number) { return number ? Value(*number) : Value::none(); }

Result<Value> call_string_type_of(const Arguments& arguments) {
    const std::array<Parameter, 1> parameters = {{{"size"}}};
    const auto values = TRY(jinja::bind_arguments("string_type", parameters, arguments));
    return Value("character varying(" + values[0].text() + ")");
}

Result<Value> call_numeric_type_of(const Arguments& arguments) {
    const std::array<Parameter, 3> parameters = {{{"dtype"}, {"precision"}, {"scale"}}};
    const auto values = TRY(jinja::bind_arguments("numeric_type", parameters, arguments));
    return Value(numeric_type(values[0].text(), values[1], values[2]));
}

Result<Value> call_translate(const ColumnStyle& style, const Arguments& arguments) {
    const std::array<Parameter, 1> parameters = {{{"dtype"}}};
    return Value(
        Column::translate_type(style, TRY(jinja::bind_arguments("translate_type", parameters, arguments))[0].text()));
}

// "a VARCHAR, b STRUCT(c INTEGER, d DECIMAL(10, 2))" at its outer commas.
std::vector<std::string> split_fields(std::string_view text) {
    std::vector<std::string> fields;
    int depth = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
        if (i == text.size() || (text[i] == ',' && depth == 0)) {
            fields.emplace_back(trim(text.substr(begin, i - begin)));
            begin = i + 1;
        } else if (text[i] == '(') {
            ++depth;
        } else if (text[i] == ')') {
            --depth;
        }
    }
    return fields;
}

}  // namespace

std::string Column::translate_type(const ColumnStyle& style, std::string_view label) {
    for (const auto& [name, type] : style.labels) {
        if (equals_ignoring_case(name, label)) return std::string(type);
    }
    return std::string(label);
}

Result<Ref<Column>> Column::from_description(const ColumnStyle& style, std::string name, std::string_view type) {
    Parts parts;
    parts.name = std::move(name);
    const size_t open = type.find('(');
    const size_t close = open == std::string_view::npos ? open : type.find(')', open);
    parts.type = std::string(type.substr(0, open));
    if (close != std::string_view::npos) {
        std::array<std::optional<int64_t>, 2> sizes;
        size_t count = 0;
        for (const std::string& size : split_fields(type.substr(open + 1, close - open - 1))) {
            int64_t number = 0;
            const auto end = std::from_chars(size.data(), size.data() + size.size(), number);
            if (end.ec != std::errc() || end.ptr != size.data() + size.size()) {
                return Error(ErrorKind::invalid_config, "Could not interpret data_type \"" + std::string(type) +
                                                            "\": could not convert \"" + size + "\" to an integer");
            }
            if (count < sizes.size()) sizes.at(count) = number;
            ++count;
        }
        if (count == 1) parts.char_size = sizes[0];
        if (count == 2) std::tie(parts.numeric_precision, parts.numeric_scale) = std::tie(sizes[0], sizes[1]);
    }
    return jinja::make<Column>(style, std::move(parts));
}

bool Column::is_string() const { return is_one_of(style_.strings, parts_.type); }
bool Column::is_integer() const { return is_one_of(style_.integers, parts_.type); }
bool Column::is_float() const { return is_one_of(style_.floats, parts_.type); }
bool Column::is_numeric() const { return is_one_of(style_.numerics, parts_.type); }

int64_t Column::string_size() const {
    return parts_.type == "text" ? kStringSizeUnknown : parts_.char_size.value_or(kStringSizeUnknown);
}

bool Column::can_expand_to(const Column& other) const {
    return is_string() && other.is_string() && other.string_size() > string_size();
}

std::string Column::data_type() const {
    if (style_.text_has_no_size) {
        const std::string type = to_lower(parts_.type);
        if (type == "text" || (type == "character varying" && !parts_.char_size)) return parts_.type;
    }
    if (is_string()) return string_type(string_size());
    if (is_numeric()) {
        return numeric_type(parts_.type, integer_or_none(parts_.numeric_precision),
                            integer_or_none(parts_.numeric_scale));
    }
    return parts_.type;
}

std::string Column::repr() const {
    return "<" + std::string(style_.type_name) + " " + parts_.name + " (" + data_type() + ")>";
}

bool Column::equals(const jinja::Object& other) const {
    const auto* that = dynamic_cast<const Column*>(&other);
    return that != nullptr && parts_.name == that->parts_.name && parts_.type == that->parts_.type &&
           parts_.char_size == that->parts_.char_size && parts_.numeric_precision == that->parts_.numeric_precision &&
           parts_.numeric_scale == that->parts_.numeric_scale;
}

size_t Column::hash() const { return std::hash<std::string>()(parts_.name); }

std::span<const Column::Method> Column::methods() {
    static constexpr std::array<Method, 13> kMethods = {{
        {"is_string", &Column::call_is_string},
        {"is_integer", &Column::call_is_integer},
        {"is_float", &Column::call_is_float},
        {"is_numeric", &Column::call_is_numeric},
        {"is_number", &Column::call_is_number},
        {"is_struct", &Column::call_is_struct},
        {"flatten", &Column::call_flatten},
        {"string_size", &Column::call_string_size},
        {"string_type", &Column::call_string_type},
        {"numeric_type", &Column::call_numeric_type},
        {"literal", &Column::call_literal},
        {"can_expand_to", &Column::call_can_expand_to},
        {"translate_type", &Column::call_translate_type},
    }};
    return kMethods;
}

Result<std::optional<Value>> Column::property(Vm&, std::string_view name) const {
    if (name == "name" || name == "column") return std::optional(Value(parts_.name));
    if (name == "quoted") return std::optional(Value("\"" + parts_.name + "\""));
    if (name == "dtype") return std::optional(Value(parts_.type));
    if (name == "data_type" || name == "expanded_data_type") return std::optional(Value(data_type()));
    if (name == "char_size") return std::optional(integer_or_none(parts_.char_size));
    if (name == "numeric_precision") return std::optional(integer_or_none(parts_.numeric_precision));
    if (name == "numeric_scale") return std::optional(integer_or_none(parts_.numeric_scale));
    return std::optional<Value>();
}

Result<Value> Column::call_is_string(Vm&, const Arguments&) const { return Value(is_string()); }
Result<Value> Column::call_is_integer(Vm&, const Arguments&) const { return Value(is_integer()); }
Result<Value> Column::call_is_float(Vm&, const Arguments&) const { return Value(is_float()); }
Result<Value> Column::call_is_numeric(Vm&, const Arguments&) const { return Value(is_numeric()); }
Result<Value> Column::call_is_number(Vm&, const Arguments&) const {
    return Value(is_integer() || is_float() || is_numeric());
}

Result<Value> Column::call_is_struct(Vm&, const Arguments&) const {
    return Value(!style_.struct_prefix.empty() && to_lower(parts_.type).starts_with(style_.struct_prefix));
}

Result<Value> Column::call_flatten(Vm& vm, const Arguments& arguments) const {
    std::vector<Value> flat;
    const bool is_struct = TRY(call_is_struct(vm, arguments)).boolean() && parts_.type.ends_with(')');
    if (!is_struct) {
        flat.emplace_back(Ref<Object>(new Column(style_, parts_)));
        return Value::list(std::move(flat));
    }
    const std::string_view inner =
        std::string_view(parts_.type)
            .substr(style_.struct_prefix.size(), parts_.type.size() - style_.struct_prefix.size() - 1);
    for (const std::string& field : split_fields(inner)) {
        const size_t space = field.find(' ');
        const std::string type = space == std::string::npos ? std::string() : field.substr(space + 1);
        const auto child =
            jinja::make<Column>(style_, Parts{parts_.name + "." + field.substr(0, space), type, {}, {}, {}});
        const Value below = TRY(child->call_flatten(vm, arguments));
        flat.insert(flat.end(), below.items().begin(), below.items().end());
    }
    return Value::list(std::move(flat));
}

Result<Value> Column::call_string_size(Vm&, const Arguments&) const {
    if (!is_string()) {
        return Error(ErrorKind::invalid_config,
                     "Called string_size() on non-string field! " + parts_.name + " is " + parts_.type);
    }
    return Value(string_size());
}

Result<Value> Column::call_string_type(Vm&, const Arguments& arguments) const { return call_string_type_of(arguments); }
Result<Value> Column::call_numeric_type(Vm&, const Arguments& arguments) const {
    return call_numeric_type_of(arguments);
}

Result<Value> Column::call_literal(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"value"}}};
    return Value(TRY(jinja::bind_arguments("literal", parameters, arguments))[0].text() + "::" + data_type());
}

Result<Value> Column::call_can_expand_to(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 1> parameters = {{{"other_column"}}};
    const auto values = TRY(jinja::bind_arguments("can_expand_to", parameters, arguments));
    const auto* other = values[0].object_as<Column>();
    return Value(other != nullptr && can_expand_to(*other));
}

Result<Value> Column::call_translate_type(Vm&, const Arguments& arguments) const {
    return call_translate(style_, arguments);
}

Result<Value> ColumnClass::call(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 5> parameters = {{{"column"},
                                                  {"dtype"},
                                                  {"char_size", Value::none()},
                                                  {"numeric_precision", Value::none()},
                                                  {"numeric_scale", Value::none()}}};
    const auto values = TRY(jinja::bind_arguments("Column", parameters, arguments));
    Column::Parts parts = {values[0].text(), values[1].text(), optional_integer(values[2]), optional_integer(values[3]),
                           optional_integer(values[4])};
    return Value(Ref<Object>(new Column(style_, std::move(parts))));
}

std::span<const ColumnClass::Method> ColumnClass::methods() {
    static constexpr std::array<Method, 5> kMethods = {{
        {"create", &ColumnClass::call_create},
        {"translate_type", &ColumnClass::call_translate_type},
        {"string_type", &ColumnClass::call_string_type},
        {"numeric_type", &ColumnClass::call_numeric_type},
        {"from_description", &ColumnClass::call_from_description},
    }};
    return kMethods;
}

Result<Value> ColumnClass::call_create(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"name"}, {"label_or_dtype"}}};
    const auto values = TRY(jinja::bind_arguments("create", parameters, arguments));
    Column::Parts parts;
    parts.name = values[0].text();
    parts.type = Column::translate_type(style_, values[1].text());
    return Value(Ref<Object>(new Column(style_, std::move(parts))));
}

Result<Value> ColumnClass::call_translate_type(Vm&, const Arguments& arguments) const {
    return call_translate(style_, arguments);
}
Result<Value> ColumnClass::call_string_type(Vm&, const Arguments& arguments) const {
    return call_string_type_of(arguments);
}
Result<Value> ColumnClass::call_numeric_type(Vm&, const Arguments& arguments) const {
    return call_numeric_type_of(arguments);
}

Result<Value> ColumnClass::call_from_description(Vm&, const Arguments& arguments) const {
    const std::array<Parameter, 2> parameters = {{{"name"}, {"raw_data_type"}}};
    const auto values = TRY(jinja::bind_arguments("from_description", parameters, arguments));
    return Value(Ref<Object>(TRY(Column::from_description(style_, values[0].text(), values[1].text())).get()));
}

}  // namespace shaduf::models
