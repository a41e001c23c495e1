#include "data/type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "base/text.h"

namespace shaduf {
namespace {

struct TypeName {
    std::string_view name;
    TypeKind kind;
};
// The first name of a kind is the one printed.
constexpr std::array kTypeNames{
    TypeName{"bool", TypeKind::boolean},
    TypeName{"boolean", TypeKind::boolean},
    TypeName{"int64", TypeKind::int64},
    TypeName{"int", TypeKind::int64},
    TypeName{"integer", TypeKind::int64},
    TypeName{"bigint", TypeKind::int64},
    TypeName{"int32", TypeKind::int64},
    TypeName{"smallint", TypeKind::int64},
    TypeName{"float64", TypeKind::float64},
    TypeName{"double", TypeKind::float64},
    TypeName{"float", TypeKind::float64},
    TypeName{"number", TypeKind::float64},
    TypeName{"real", TypeKind::float64},
    TypeName{"double precision", TypeKind::float64},
    TypeName{"string", TypeKind::string},
    TypeName{"text", TypeKind::string},
    TypeName{"varchar", TypeKind::string},
    TypeName{"bytes", TypeKind::bytes},
    TypeName{"blob", TypeKind::bytes},
    TypeName{"bytea", TypeKind::bytes},
    TypeName{"date", TypeKind::date},
    TypeName{"time", TypeKind::time},
    TypeName{"timestamp", TypeKind::timestamp},
    TypeName{"datetime", TypeKind::timestamp},
    TypeName{"timestamp_tz", TypeKind::timestamp_tz},
    TypeName{"timestamptz", TypeKind::timestamp_tz},
    TypeName{"timestamp with time zone", TypeKind::timestamp_tz},
    TypeName{"uuid", TypeKind::uuid},
    TypeName{"json", TypeKind::json},
    TypeName{"jsonb", TypeKind::json},
};

std::string_view name_of(TypeKind kind) {
    for (const auto& known : kTypeNames) {
        if (known.kind == kind) return known.name;
    }
    return "";
}

// The text between the brackets of "name<...>" or "name(...)".
std::optional<std::string_view> parameters(std::string_view text, std::string_view name, char open, char close) {
    if (!equals_ignoring_case(text.substr(0, name.size()), name)) return std::nullopt;
    text = trim(text.substr(name.size()));
    if (text.size() < 2 || text.front() != open || text.back() != close) return std::nullopt;
    return text.substr(1, text.size() - 2);
}

std::optional<DataType> parse_decimal(std::string_view text) {
    int precision = 0;
    int scale = 0;
    const auto parts = split(text, ',');
    const auto read = [](std::string_view part, int& value) {
        part = trim(part);
        return std::from_chars(part.data(), part.data() + part.size(), value).ptr == part.data() + part.size() &&
               !part.empty();
    };
    if (parts.size() > 2 || !read(parts[0], precision)) return std::nullopt;
    if (parts.size() == 2 && !read(parts[1], scale)) return std::nullopt;
    if (precision < 1 || precision > kDecimalDigitsMax || scale < 0 || scale > precision) return std::nullopt;
    return DataType::decimal(precision, scale);
}

std::optional<DataType> parse_structure(std::string_view text) {
    std::vector<Field> fields;
    int depth = 0;
    size_t begin = 0;
    for (size_t at = 0; at <= text.size(); ++at) {
        const char c = at < text.size() ? text[at] : ',';
        if (c == '<' || c == '(') ++depth;
        if (c == '>' || c == ')') --depth;
        if (c != ',' || depth > 0) continue;
        const auto part = text.substr(begin, at - begin);
        const auto colon = part.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        auto type = DataType::parse(part.substr(colon + 1));
        const auto name = trim(part.substr(0, colon));
        if (!type || name.empty()) return std::nullopt;
        fields.push_back({std::string(name), *type});
        begin = at + 1;
    }
    return DataType::structure(std::move(fields));
}

bool is_temporal(TypeKind kind) {
    return kind == TypeKind::date || kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz;
}

constexpr int kDigitsOfInt64 = 19;

DataType widen_decimal(const DataType& a, const DataType& b) {
    if (a.kind() == TypeKind::float64 || b.kind() == TypeKind::float64) return TypeKind::float64;
    const bool has_int64 = a.kind() == TypeKind::int64 || b.kind() == TypeKind::int64;
    const auto whole_digits = [](const DataType& type) {
        return type.kind() == TypeKind::int64 ? kDigitsOfInt64 : type.precision() - type.scale();
    };
    const int scale = std::max(a.scale(), b.scale());
    const int precision = std::max(whole_digits(a), whole_digits(b)) + scale;
    if (precision > kDecimalDigitsMax && has_int64) return TypeKind::string;
    return DataType::decimal(std::min(precision, kDecimalDigitsMax), scale);
}

// Keeps the order of the side that has all fields of the other, so that a structure fits into itself and its supersets.
DataType widen_structure(const DataType& a, const DataType& b) {
    const bool b_has_all = std::all_of(a.children().begin(), a.children().end(), [&](const Field& mine) {
        return std::any_of(b.children().begin(), b.children().end(),
                           [&](const Field& f) { return f.name == mine.name; });
    });
    std::vector<Field> fields = b_has_all ? b.children() : a.children();
    for (const auto& theirs : b_has_all ? a.children() : b.children()) {
        const auto mine =
            std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == theirs.name; });
        if (mine == fields.end()) {
            fields.push_back(theirs);
        } else {
            mine->type = widen(mine->type, theirs.type);
        }
    }
    return DataType::structure(std::move(fields));
}

}  // namespace

DataType DataType::decimal(int precision, int scale) {
    SHADUF_ASSERT(precision >= 1 && precision <= kDecimalDigitsMax && scale >= 0 && scale <= precision);
    DataType type(TypeKind::decimal);
    type.precision_ = precision;
    type.scale_ = scale;
    return type;
}

DataType DataType::list(DataType item) {
    DataType type(TypeKind::list);
    type.children_ = std::make_shared<const std::vector<Field>>(std::vector<Field>{{"item", std::move(item)}});
    return type;
}

DataType DataType::structure(std::vector<Field> fields) {
    DataType type(TypeKind::structure);
    type.children_ = std::make_shared<const std::vector<Field>>(std::move(fields));
    return type;
}

const std::vector<Field>& DataType::children() const {
    static const std::vector<Field> none;
    return children_ ? *children_ : none;
}

std::string DataType::to_string() const {
    switch (kind_) {
        case TypeKind::decimal: return "decimal(" + std::to_string(precision_) + "," + std::to_string(scale_) + ")";
        case TypeKind::list: return "list<" + children()[0].type.to_string() + ">";
        case TypeKind::structure: return "struct<" + Schema(children()).to_string() + ">";
        default: return std::string(name_of(kind_));
    }
}

std::optional<DataType> DataType::parse(std::string_view text) {
    text = trim(text);
    for (const auto& known : kTypeNames) {
        if (equals_ignoring_case(known.name, text)) return DataType(known.kind);
    }
    for (const std::string_view name : {"decimal", "numeric"}) {
        if (equals_ignoring_case(name, text)) return decimal(9);
        if (auto inner = parameters(text, name, '(', ')')) return parse_decimal(*inner);
    }
    if (auto inner = parameters(text, "varchar", '(', ')')) return DataType(TypeKind::string);
    if (auto inner = parameters(text, "list", '<', '>')) {
        auto item = parse(*inner);
        if (!item) return std::nullopt;
        return list(*item);
    }
    if (auto inner = parameters(text, "struct", '<', '>')) return parse_structure(*inner);
    return std::nullopt;
}

bool DataType::operator==(const DataType& other) const {
    return kind_ == other.kind_ && precision_ == other.precision_ && scale_ == other.scale_ &&
           (children_ == other.children_ || children() == other.children());
}

DataType widen(const DataType& a, const DataType& b) {
    if (a == b) return a;
    const TypeKind x = a.kind();
    const TypeKind y = b.kind();
    if (x == TypeKind::json || y == TypeKind::json) return TypeKind::json;
    if (x == TypeKind::list && y == TypeKind::list) {
        return DataType::list(widen(a.children()[0].type, b.children()[0].type));
    }
    if (x == TypeKind::structure && y == TypeKind::structure) return widen_structure(a, b);
    if (a.is_nested() || b.is_nested()) return TypeKind::json;
    const auto is_number = [](TypeKind kind) {
        return kind == TypeKind::int64 || kind == TypeKind::float64 || kind == TypeKind::decimal;
    };
    if (is_number(x) && is_number(y)) {
        if (x == TypeKind::decimal || y == TypeKind::decimal) return widen_decimal(a, b);
        return TypeKind::float64;
    }
    if (is_temporal(x) && is_temporal(y)) {
        return x == TypeKind::timestamp_tz || y == TypeKind::timestamp_tz ? TypeKind::timestamp_tz
                                                                          : TypeKind::timestamp;
    }
    return TypeKind::string;
}

std::optional<size_t> Schema::index_of(std::string_view name) const {
    for (size_t i = 0; i < fields_.size(); ++i) {
        if (equals_ignoring_case(fields_[i].name, name)) return i;
    }
    return std::nullopt;
}

std::vector<std::string> Schema::names() const {
    std::vector<std::string> names;
    for (const auto& field : fields_) names.push_back(field.name);
    return names;
}

std::string Schema::to_string() const {
    std::string text;
    for (const auto& field : fields_) {
        if (!text.empty()) text += ", ";
        text += field.name + ": " + field.type.to_string();
    }
    return text;
}

}  // namespace shaduf
