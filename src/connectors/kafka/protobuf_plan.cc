#include "connectors/kafka/protobuf_plan.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"

namespace shaduf::kafka {
namespace {

namespace pb = google::protobuf;
using FieldType = pb::FieldDescriptor;
using Op = ProtoNode::Op;

constexpr size_t kColumnsMax = 4096;
constexpr size_t kFieldsMax = 65'536;  // at all depths; some have no columns
constexpr uint32_t kSmallNumbers = 1024;
constexpr uint32_t kConfluentMeta = 1088;  // the number of its options

Op plain_op(FieldType::Type type) {
    switch (type) {
        case FieldType::TYPE_DOUBLE: return Op::float64;
        case FieldType::TYPE_FLOAT: return Op::float32;
        case FieldType::TYPE_UINT64:
        case FieldType::TYPE_FIXED64: return Op::unsigned64;
        case FieldType::TYPE_BOOL: return Op::boolean;
        case FieldType::TYPE_STRING: return Op::text;
        case FieldType::TYPE_BYTES: return Op::bytes;
        case FieldType::TYPE_ENUM: return Op::symbol;
        case FieldType::TYPE_MESSAGE:
        case FieldType::TYPE_GROUP: return Op::message;
        default: return Op::integer;
    }
}

DataType plain_type(Op op) {
    switch (op) {
        case Op::integer: return TypeKind::int64;
        case Op::unsigned64: return DataType::decimal(20, 0);
        case Op::boolean: return TypeKind::boolean;
        case Op::float32:
        case Op::float64: return TypeKind::float64;
        case Op::bytes: return TypeKind::bytes;
        case Op::json: return TypeKind::json;
        default: return TypeKind::string;
    }
}

DataType known_type(const ProtoNode& node) {
    switch (node.known) {
        case ProtoKnown::timestamp: return TypeKind::timestamp_tz;
        case ProtoKnown::date: return TypeKind::date;
        case ProtoKnown::time_of_day: return TypeKind::time;
        case ProtoKnown::wrapper: return plain_type(plain_op(node.field->type()));
        case ProtoKnown::decimal:
            return node.precision == 0 ? DataType(TypeKind::string) : DataType::decimal(node.precision, node.scale);
        default: return TypeKind::string;
    }
}

// The number that a parameter of the registry's options says: [(confluent.field_meta).params = {key: .., value: ..}].
int option_number(const std::map<std::string, std::string>& params, const char* name) {
    const auto found = params.find(name);
    int number = -1;
    if (found != params.end()) {
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
    }
    return number;
}

template <typename Take>
void each_text(std::string_view bytes, uint32_t wanted, const Take& take) {
    ProtoCursor cursor(bytes);
    while (!cursor.at_end()) {
        uint32_t number = 0;
        ProtoWire wire = ProtoWire::varint;
        ProtoValue value;
        if (!cursor.read_tag(number, wire) || !cursor.read_value(number, wire, value)) return;
        if (number == wanted && wire == ProtoWire::delimited) take(value.text);
    }
}

std::map<std::string, std::string> option_params(const FieldType& field) {
    std::map<std::string, std::string> params;
    const std::string options = field.options().SerializeAsString();
    each_text(options, kConfluentMeta, [&](std::string_view meta) {
        each_text(meta, 2, [&](std::string_view entry) {
            std::string key;
            std::string value;
            each_text(entry, 1, [&](std::string_view text) { key = text; });
            each_text(entry, 2, [&](std::string_view text) { value = text; });
            params[key] = value;
        });
    });
    return params;
}

class Planner {
public:
    explicit Planner(ProtoPlan& plan) : plan_(plan) {}

    Result<void> plan(const pb::Descriptor& message) {
        plan_.root.op = Op::message;
        plan_.root.name = message.name();
        TRY(add_fields(message, "", plan_.root));
        plan_.schema = std::make_shared<const Schema>(std::move(fields_));
        plan_.slots = slots_;
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

    Result<void> add_fields(const pb::Descriptor& message, const std::string& path, ProtoNode& node) {
        open_.push_back(&message);
        node.slot = slots_++;
        node.column = static_cast<uint32_t>(fields_.size());
        for (int i = 0; i < message.field_count(); ++i) {
            const FieldType& field = *message.field(i);
            node.fields.push_back(TRY(add_field(field, path.empty() ? field.name() : path + "__" + field.name())));
        }
        for (uint32_t i = 0; i < node.fields.size(); ++i) {
            const auto number = static_cast<uint32_t>(node.fields[i].number);
            if (number >= kSmallNumbers) continue;
            if (number >= node.by_number.size()) node.by_number.resize(number + 1, 0);
            node.by_number[number] = i + 1;
        }
        node.slot_end = slots_;
        node.column_end = static_cast<uint32_t>(fields_.size());
        open_.pop_back();
        return {};
    }

    Result<ProtoNode> add_field(const FieldType& field, const std::string& path) {
        if (fields_.size() > kColumnsMax || slots_ > kFieldsMax) {
            return Error(ErrorKind::bad_data, "schema has more than " + std::to_string(kColumnsMax) + " columns");
        }
        ProtoNode node;
        node.field = &field;
        node.name = field.name();
        node.number = field.number();
        node.wire = wire_of(field);
        node.is_list = field.is_repeated();
        node.is_packable = is_packable(field);
        node.is_required = field.is_required();
        node.op = field.is_repeated() ? Op::json : plain_op(field.type());
        if (const auto* oneof = field.containing_oneof()) node.oneof = static_cast<uint32_t>(oneof->index()) + 1;
        if (node.op == Op::message) {
            node.known = known_type_of(*field.message_type());
            const bool is_open = std::find(open_.begin(), open_.end(), field.message_type()) != open_.end();
            if (node.known == ProtoKnown::none && !is_open) {
                TRY(add_fields(*field.message_type(), path, node));
                return node;
            }
            node.op = node.known == ProtoKnown::none || node.known == ProtoKnown::any_value ? Op::json : Op::known;
        }
        add_column(field, path, node);
        return node;
    }

    void add_column(const FieldType& field, const std::string& path, ProtoNode& node) {
        if (node.op == Op::known && node.known == ProtoKnown::wrapper) node.field = field.message_type()->field(0);
        if (node.op == Op::known && node.known == ProtoKnown::decimal) {
            const auto params = option_params(field);
            const int precision = option_number(params, "precision");
            const int scale = std::max(option_number(params, "scale"), 0);
            if (precision >= 1 && precision <= kDecimalDigitsMax && scale <= precision) {
                node.precision = precision;
                node.scale = scale;
            }
        }
        const bool is_plain = node.op != Op::known && node.op != Op::json;
        node.has_default = is_plain && (!field.has_presence() || field.has_default_value());
        if (node.has_default && (node.op == Op::text || node.op == Op::bytes)) {
            node.default_text = field.default_value_string();
        } else if (node.has_default) {
            node.default_bits = default_bits(field);
        }
        node.slot = slots_++;
        node.slot_end = slots_;
        node.column = static_cast<uint32_t>(fields_.size());
        node.column_end = node.column + 1;
        fields_.push_back({unique_name(path), node.op == Op::known ? known_type(node) : plain_type(node.op)});
    }

    ProtoPlan& plan_;
    std::vector<Field> fields_;
    uint32_t slots_ = 0;
    std::vector<const pb::Descriptor*> open_;  // messages that the path goes through
};

}  // namespace

const ProtoNode* ProtoNode::find(uint32_t wanted) const {
    if (wanted < by_number.size()) {
        const uint32_t index = by_number[wanted];
        return index == 0 ? nullptr : &fields[index - 1];
    }
    if (wanted < kSmallNumbers) return nullptr;
    const auto at = std::find_if(fields.begin(), fields.end(),
                                 [&](const ProtoNode& node) { return static_cast<uint32_t>(node.number) == wanted; });
    return at == fields.end() ? nullptr : &*at;
}

Result<std::shared_ptr<const ProtoPlan>> plan_protobuf(ProtobufSchemaPtr file, const pb::Descriptor& message) {
    auto plan = std::make_shared<ProtoPlan>();
    plan->file = std::move(file);
    TRY(Planner(*plan).plan(message));
    return std::shared_ptr<const ProtoPlan>(std::move(plan));
}

}  // namespace shaduf::kafka
