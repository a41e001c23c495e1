#include "connectors/kafka/avro_plan.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/kafka/avro_default.h"
#include "data/buffer.h"

namespace shaduf::kafka {
namespace {

using Op = AvroStep::Op;

constexpr size_t kColumnsMax = 4096;
constexpr size_t kFieldsMax = 65'536;  // at all depths; some have no columns

bool is_null(const AvroType* type) { return type->kind == AvroKind::null; }

// The type beside null, where there is one alone.
const AvroType* only_value(const AvroType& type) {
    if (type.kind != AvroKind::alternatives) return &type;
    const AvroType* found = nullptr;
    for (const AvroType* branch : type.branches) {
        if (is_null(branch)) continue;
        if (found != nullptr) return nullptr;
        found = branch;
    }
    return found;
}

DataType logical_column_type(const AvroType& type) {
    switch (type.logical) {
        case AvroLogical::decimal: return DataType::decimal(type.precision, type.scale);
        case AvroLogical::date: return TypeKind::date;
        case AvroLogical::time_millis:
        case AvroLogical::time_micros:
        case AvroLogical::time_nanos: return TypeKind::time;
        case AvroLogical::timestamp_millis:
        case AvroLogical::timestamp_micros:
        case AvroLogical::timestamp_nanos:
        case AvroLogical::zoned_text: return TypeKind::timestamp_tz;
        case AvroLogical::local_timestamp_millis:
        case AvroLogical::local_timestamp_micros:
        case AvroLogical::local_timestamp_nanos: return TypeKind::timestamp;
        case AvroLogical::uuid: return TypeKind::uuid;
        case AvroLogical::duration:
        case AvroLogical::none: break;
    }
    return TypeKind::string;
}

DataType column_type(const AvroType& type) {
    if (type.logical != AvroLogical::none) return logical_column_type(type);
    switch (type.kind) {
        case AvroKind::boolean: return TypeKind::boolean;
        case AvroKind::integer:
        case AvroKind::long_integer: return TypeKind::int64;
        case AvroKind::float32:
        case AvroKind::float64: return TypeKind::float64;
        case AvroKind::bytes:
        case AvroKind::fixed: return TypeKind::bytes;
        case AvroKind::string:
        case AvroKind::enumeration: return TypeKind::string;
        default: return TypeKind::json;
    }
}

// Where the values of one of the reader's types go.
struct Target {
    enum class Kind : uint8_t { nothing, column, record };
    Kind kind = Kind::nothing;
    uint32_t column = 0;
    uint32_t column_end = 0;
    DataType type;
    const AvroType* reader = nullptr;  // without null
    bool takes_null = false;
    std::vector<Target> fields;  // record: one a field
};

class Planner {
public:
    explicit Planner(AvroPlan& plan) : plan_(plan) {}

    Result<void> plan() {
        const AvroType& root = plan_.reader->root();
        const AvroType* value = only_value(root);
        plan_.is_single = value == nullptr || value->kind != AvroKind::record;
        Target target = TRY(allocate(root, plan_.is_single ? "value" : ""));
        plan_.root = TRY(compile(plan_.writer->root(), target, "value"));
        plan_.schema = std::make_shared<const Schema>(std::move(fields_));
        return {};
    }

private:
    std::string unique_name(const std::string& wanted) const {
        const auto taken = [&](const std::string& name) {
            return std::any_of(fields_.begin(), fields_.end(),
                               [&](const Field& field) { return equals_ignoring_case(field.name, name); });
        };
        std::string name = wanted;
        for (int number = 2; taken(name); ++number) name = wanted + "_" + std::to_string(number);
        return name;
    }

    Result<Target> allocate(const AvroType& type, const std::string& path) {
        if (++allocated_ > kFieldsMax) {
            return Error(ErrorKind::bad_data, "schema has more than " + std::to_string(kFieldsMax) + " fields");
        }
        Target target;
        target.column = static_cast<uint32_t>(fields_.size());
        target.reader = only_value(type);
        target.takes_null = &type != target.reader;
        const bool is_flat = target.reader != nullptr && target.reader->kind == AvroKind::record &&
                             std::find(open_.begin(), open_.end(), target.reader) == open_.end();
        if (target.reader == nullptr && std::all_of(type.branches.begin(), type.branches.end(), is_null)) {
            target.kind = Target::Kind::nothing;
        } else if (is_flat) {
            target.kind = Target::Kind::record;
            open_.push_back(target.reader);
            for (const AvroField& field : target.reader->fields) {
                target.fields.push_back(
                    TRY(allocate(*field.type, path.empty() ? field.name : path + "__" + field.name)));
            }
            open_.pop_back();
        } else if (target.reader == nullptr || target.reader->kind != AvroKind::null) {
            target.kind = Target::Kind::column;
            target.type = target.reader == nullptr ? DataType(TypeKind::json) : column_type(*target.reader);
            fields_.push_back({unique_name(path), target.type});
        }
        target.column_end = static_cast<uint32_t>(fields_.size());
        if (fields_.size() > kColumnsMax) {
            return Error(ErrorKind::bad_data, "schema has more than " + std::to_string(kColumnsMax) + " columns");
        }
        return target;
    }

    AvroStep step_of(Op op, const AvroType& writer, const Target& target, const std::string& field) const {
        AvroStep step;
        step.op = op;
        step.type = &writer;
        step.column = target.column;
        step.column_end = target.column_end;
        step.field = field;
        return step;
    }

    AvroStep misfit(const AvroType& writer, const Target& target, const std::string& field, std::string why) const {
        AvroStep step = step_of(Op::misfit, writer, target, field);
        step.bytes = std::move(why);
        return step;
    }

    Result<AvroStep> compile(const AvroType& writer, const Target& target, const std::string& field) {
        if (target.kind == Target::Kind::nothing) return step_of(Op::skip, writer, target, field);
        const bool is_json = target.kind == Target::Kind::column && target.type.kind() == TypeKind::json;
        if (writer.kind == AvroKind::alternatives && !(is_json && only_value(writer) == nullptr)) {
            return compile_union(writer, target, field);
        }
        if (is_null(&writer)) {
            if (target.takes_null || is_json) return step_of(Op::nulls, writer, target, field);
            return misfit(writer, target, field, "null has no place in the reader's schema");
        }
        if (is_json) return step_of(Op::json, writer, target, field);
        if (target.kind == Target::Kind::column) return compile_plain(writer, target, field);
        if (writer.kind == AvroKind::record) return compile_record(writer, target, field);
        return misfit(writer, target, field, "the reader's schema has a record there");
    }

    Result<AvroStep> compile_union(const AvroType& writer, const Target& target, const std::string& field) {
        const auto null = std::find_if(writer.branches.begin(), writer.branches.end(), is_null);
        const AvroType* value = only_value(writer);
        if (writer.branches.size() == 2 && null != writer.branches.end() && value != nullptr && target.takes_null) {
            AvroStep step = step_of(Op::nullable, writer, target, field);
            step.null_branch = static_cast<uint8_t>(null - writer.branches.begin());
            step.steps.push_back(TRY(compile(*value, target, field)));
            return step;
        }
        AvroStep step = step_of(Op::branches, writer, target, field);
        for (const AvroType* branch : writer.branches) step.steps.push_back(TRY(compile(*branch, target, field)));
        return step;
    }

    Result<AvroStep> compile_record(const AvroType& writer, const Target& target, const std::string& field) {
        AvroStep step = step_of(Op::record, writer, target, field);
        const auto& readers = target.reader->fields;
        std::vector<bool> filled(readers.size(), false);
        for (const AvroField& own : writer.fields) {
            const size_t place = place_of(own.name, readers, filled);
            if (place == readers.size()) {
                step.steps.push_back(step_of(Op::skip, *own.type, {}, own.name));
                continue;
            }
            filled[place] = true;
            step.steps.push_back(TRY(compile(*own.type, target.fields[place], own.name)));
        }
        for (size_t place = 0; place < readers.size(); ++place) {
            if (filled[place]) continue;
            step.steps.push_back(TRY(compile_default(readers[place], target.fields[place])));
        }
        return step;
    }

    static size_t place_of(const std::string& name, const std::vector<AvroField>& readers,
                           const std::vector<bool>& filled) {
        for (size_t i = 0; i < readers.size(); ++i) {
            if (!filled[i] && readers[i].name == name) return i;
        }
        for (size_t i = 0; i < readers.size(); ++i) {
            const auto& aliases = readers[i].aliases;
            if (!filled[i] && std::find(aliases.begin(), aliases.end(), name) != aliases.end()) return i;
        }
        return readers.size();
    }

    Result<AvroStep> compile_default(const AvroField& field, const Target& target) {
        if (!field.default_json) {
            return Error(ErrorKind::bad_data,
                         "field of the reader's schema has no default, and the message has none: " + field.name);
        }
        AvroStep step = step_of(Op::constant, *field.type, target, field.name);
        step.bytes = TRY(encode_avro_default(*field.type, *field.default_json));
        step.bytes_size = step.bytes.size();
        step.bytes.append(Buffer::kPadding, '\0');
        step.steps.push_back(TRY(compile(*field.type, target, field.name)));
        return step;
    }

    Result<AvroStep> compile_plain(const AvroType& writer, const Target& target, const std::string& field) {
        const auto op = op_of(writer, target);
        if (!op) {
            return misfit(writer, target, field,
                          "the writer's type cannot be read as the reader's " + target.type.to_string());
        }
        AvroStep step = step_of(*op, writer, target, field);
        step.logical = writer.logical == AvroLogical::none ? target.reader->logical : writer.logical;
        step.precision = target.type.precision();
        step.is_fixed = writer.kind == AvroKind::fixed;
        if (*op == Op::symbol) {
            const AvroType& reader = *target.reader;
            for (const std::string& symbol : writer.symbols) {
                const bool known =
                    reader.kind != AvroKind::enumeration ||
                    std::find(reader.symbols.begin(), reader.symbols.end(), symbol) != reader.symbols.end();
                step.symbols.push_back(known ? symbol : reader.default_symbol.value_or(""));
            }
        }
        return step;
    }

    static std::optional<Op> op_of(const AvroType& writer, const Target& target) {
        const AvroKind kind = writer.kind;
        const bool is_integer = kind == AvroKind::integer || kind == AvroKind::long_integer;
        const bool is_bytes = kind == AvroKind::bytes || kind == AvroKind::fixed;
        const auto when = [](bool fits, Op op) { return fits ? std::optional(op) : std::nullopt; };
        switch (target.type.kind()) {
            case TypeKind::boolean: return when(kind == AvroKind::boolean, Op::boolean);
            case TypeKind::int64: return when(is_integer, Op::integer);
            case TypeKind::float64:
                if (is_integer) return Op::integer_as_float;
                if (kind == AvroKind::float32) return Op::float32;
                return when(kind == AvroKind::float64, Op::float64);
            case TypeKind::decimal:
                return when(is_bytes && (writer.logical != AvroLogical::decimal || writer.scale == target.type.scale()),
                            Op::decimal);
            case TypeKind::string:
                if (kind == AvroKind::enumeration) return Op::symbol;
                if (target.reader->logical == AvroLogical::duration) {
                    return when(kind == AvroKind::fixed && writer.size == 12, Op::duration);
                }
                return when(kind == AvroKind::string || kind == AvroKind::bytes, Op::text);
            case TypeKind::bytes:
                if (kind == AvroKind::fixed) return Op::fixed;
                return when(kind == AvroKind::bytes || kind == AvroKind::string, Op::bytes);
            case TypeKind::date: return when(kind == AvroKind::integer, Op::date);
            case TypeKind::time:
            case TypeKind::timestamp: return when(is_integer, Op::micros);
            case TypeKind::timestamp_tz:
                if (target.reader->logical == AvroLogical::zoned_text)
                    return when(kind == AvroKind::string, Op::zoned_text);
                return when(is_integer, Op::micros);
            case TypeKind::uuid:
                if (kind == AvroKind::string) return Op::uuid_text;
                return when(kind == AvroKind::fixed && writer.size == 16, Op::fixed);
            default: return std::nullopt;
        }
    }

    AvroPlan& plan_;
    std::vector<Field> fields_;
    size_t allocated_ = 0;
    std::vector<const AvroType*> open_;  // records that the path goes through
};

}  // namespace

Result<std::shared_ptr<const AvroPlan>> plan_avro(AvroSchemaPtr writer, AvroSchemaPtr reader) {
    auto plan = std::make_shared<AvroPlan>();
    plan->reader = reader == nullptr ? writer : std::move(reader);
    plan->writer = std::move(writer);
    TRY(Planner(*plan).plan());
    return std::shared_ptr<const AvroPlan>(std::move(plan));
}

}  // namespace shaduf::kafka
