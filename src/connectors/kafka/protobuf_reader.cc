#include "connectors/kafka/protobuf_reader.h"

#include <array>

#include "connectors/kafka/json_scalar.h"
#include "connectors/kafka/protobuf_plan.h"
#include "connectors/kafka/schema_finder.h"
#include "data/decimal.h"
#include "data/utf8.h"

namespace shaduf::kafka {
namespace {

using Op = ProtoNode::Op;

constexpr int kDepthMax = 100;

// What came of the fields of one message, before it goes to the columns.
struct Slot {
    bool is_set = false;
    ProtoValue value;                // the last
    std::vector<ProtoValue> values;  // json: all; known: those before the last
};

class ProtoRun {
public:
    ProtoRun(const ProtoPlan& plan, std::vector<Slot>& slots, RecordBatchBuilder& rows)
        : plan_(plan), slots_(slots), rows_(rows) {}

    std::optional<std::string> run(std::string_view payload) {
        reset(0, plan_.slots);
        slots_[plan_.root.slot].is_set = true;
        if (read(plan_.root, payload, 0) && append_fields(plan_.root)) return std::nullopt;
        return "field " + (failed_ == nullptr ? plan_.root : *failed_).name + " cannot be read: " + fault_;
    }

private:
    bool fail(const ProtoNode& node, const char* fault) {
        if (failed_ == nullptr) {
            failed_ = &node;
            fault_ = fault;
        }
        return false;
    }

    void reset(uint32_t begin, uint32_t end) {
        for (uint32_t i = begin; i < end; ++i) {
            slots_[i].is_set = false;
            slots_[i].value = {};
            slots_[i].values.clear();
        }
    }

    bool read(const ProtoNode& message, std::string_view bytes, int depth) {
        if (depth > kDepthMax) return fail(message, "messages are nested too deep");
        ProtoCursor cursor(bytes);
        while (!cursor.at_end()) {
            uint32_t number = 0;
            ProtoWire wire = ProtoWire::varint;
            ProtoValue value;
            if (!cursor.read_tag(number, wire)) return fail(message, cursor.fault());
            const ProtoNode* node = message.find(number);
            if (!cursor.read_value(number, wire, value)) return fail(node == nullptr ? message : *node, cursor.fault());
            if (node != nullptr && !take(message, *node, wire, value, depth)) return false;
        }
        return true;
    }

    bool take(const ProtoNode& message, const ProtoNode& node, ProtoWire wire, const ProtoValue& value, int depth) {
        Slot& slot = slots_[node.slot];
        if (wire != node.wire) {
            const bool is_packed = node.is_list && node.is_packable && wire == ProtoWire::delimited;
            if (!is_packed) return fail(node, "it stands in the bytes in another form than its type has");
            slot.is_set = true;
            return unpack(*node.field, value.text, slot.values) || fail(node, "a packed list is broken");
        }
        if (node.oneof != 0) forget_others(message, node);
        if (node.op == Op::known && slot.is_set) slot.values.push_back(slot.value);
        slot.is_set = true;
        slot.value = value;
        if (node.op == Op::json) slot.values.push_back(value);
        return node.op != Op::message || read(node, value.text, depth + 1);
    }

    // Of alternatives only the one that came last counts.
    void forget_others(const ProtoNode& message, const ProtoNode& kept) {
        for (const ProtoNode& other : message.fields) {
            if (other.oneof == kept.oneof && &other != &kept) reset(other.slot, other.slot_end);
        }
    }

    bool append_fields(const ProtoNode& message) {
        for (const ProtoNode& node : message.fields) {
            if (!append(node)) return false;
        }
        return true;
    }

    bool append(const ProtoNode& node) {
        Slot& slot = slots_[node.slot];
        if (!slot.is_set && node.is_required) return fail(node, "it is required, and is not there");
        if (node.op == Op::message && slot.is_set) return append_fields(node);
        if (node.op == Op::json) return append_json(node, slot);
        if (!slot.is_set && !node.has_default) {
            for (uint32_t i = node.column; i < node.column_end; ++i) rows_.column(i).append_null();
            return true;
        }
        if (node.op == Op::known) return append_known(node, slot);
        const ProtoValue value = slot.is_set ? slot.value : ProtoValue{node.default_bits, node.default_text};
        return append_plain(node, node.op, value);
    }

    bool append_plain(const ProtoNode& node, Op op, const ProtoValue& value) {
        ColumnBuilder& to = rows_.column(node.column);
        switch (op) {
            case Op::integer: to.append_int64(proto_integer(*node.field, value.bits)); return true;
            case Op::unsigned64: to.append_decimal(value.bits); return true;
            case Op::boolean: to.append_boolean(value.bits != 0); return true;
            case Op::float32:
            case Op::float64: to.append_float64(proto_float(*node.field, value.bits)); return true;
            case Op::symbol: to.append_text(proto_symbol(*node.field, value.bits)); return true;
            case Op::text:
                if (find_invalid_utf8(value.text)) return fail(node, "a text is not valid UTF-8");
                to.append_text(value.text);
                return true;
            default: to.append_text(value.text); return true;
        }
    }

    bool append_json(const ProtoNode& node, const Slot& slot) {
        if (slot.values.empty() && !node.is_list) {
            rows_.column(node.column).append_null();
            return true;
        }
        json_.clear();
        if (const char* fault = write_proto_field(*node.field, slot.values, 0, json_)) return fail(node, fault);
        rows_.column(node.column).append_text(json_);
        return true;
    }

    bool append_known(const ProtoNode& node, const Slot& slot) {
        std::string_view bytes = slot.value.text;
        std::string merged;
        if (!slot.values.empty()) {
            for (const ProtoValue& value : slot.values) {
                if (const char* fault = merge_proto_message(value.text, merged)) return fail(node, fault);
            }
            if (const char* fault = merge_proto_message(bytes, merged)) return fail(node, fault);
            bytes = merged;
        }
        ColumnBuilder& to = rows_.column(node.column);
        int64_t micros = 0;
        int32_t days = 0;
        std::string text;
        ProtoValue value;
        const char* fault = nullptr;
        switch (node.known) {
            case ProtoKnown::timestamp:
            case ProtoKnown::time_of_day:
                fault = node.known == ProtoKnown::timestamp ? read_proto_timestamp(bytes, micros)
                                                            : read_proto_time(bytes, micros);
                if (fault == nullptr) to.append_int64(micros);
                break;
            case ProtoKnown::date:
                fault = read_proto_date(bytes, days);
                if (fault == nullptr) to.append_date(days);
                break;
            case ProtoKnown::wrapper:
                fault = read_proto_wrapped(bytes, value);
                if (fault == nullptr) return append_wrapped(node, value);
                break;
            case ProtoKnown::decimal: fault = append_decimal(node, bytes); break;
            default:
                fault = read_proto_duration(bytes, text);
                if (fault == nullptr) to.append_text(text);
        }
        return fault == nullptr || fail(node, fault);
    }

    // What stands in a wrapper is told by the type of the column.
    bool append_wrapped(const ProtoNode& node, const ProtoValue& value) {
        switch (rows_.column(node.column).type().kind()) {
            case TypeKind::int64: return append_plain(node, Op::integer, value);
            case TypeKind::decimal: return append_plain(node, Op::unsigned64, value);
            case TypeKind::boolean: return append_plain(node, Op::boolean, value);
            case TypeKind::float64: return append_plain(node, Op::float64, value);
            case TypeKind::bytes: return append_plain(node, Op::bytes, value);
            default: return append_plain(node, Op::text, value);
        }
    }

    const char* append_decimal(const ProtoNode& node, std::string_view bytes) {
        ProtoDecimal decimal;
        int128 unscaled = 0;
        if (const char* fault = read_proto_decimal(bytes, decimal)) return fault;
        if (!read_big_endian(decimal.digits, unscaled)) return "a decimal has too many digits";
        if (node.precision == 0) {
            json_.clear();
            append_json_decimal(unscaled, decimal.scale, json_);
            rows_.column(node.column).append_text(json_);
            return nullptr;
        }
        if (decimal.scale > node.scale) return "a decimal has more digits behind the point than its schema says";
        int128 scaled = 0;
        if (__builtin_mul_overflow(unscaled, power_of_ten(node.scale - decimal.scale), &scaled) ||
            !has_digits(scaled, node.precision)) {
            return "a decimal has more digits than its schema says";
        }
        rows_.column(node.column).append_decimal(scaled);
        return nullptr;
    }

    const ProtoPlan& plan_;
    std::vector<Slot>& slots_;
    RecordBatchBuilder& rows_;
    const ProtoNode* failed_ = nullptr;
    const char* fault_ = "";
    std::string json_;
};

class ProtobufReader final : public PayloadReader {
public:
    explicit ProtobufReader(std::shared_ptr<const ProtoPlan> plan) : plan_(std::move(plan)) {}

    const SchemaPtr& schema() const override { return plan_->schema; }
    std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const override {
        thread_local std::vector<Slot> slots;  // its memory serves the next message
        if (slots.size() < plan_->slots) slots.resize(plan_->slots);
        return ProtoRun(*plan_, slots, rows).run(payload);
    }

private:
    std::shared_ptr<const ProtoPlan> plan_;
};

}  // namespace

Result<PayloadReaderPtr> make_protobuf_reader(ProtobufSchemaPtr file, const google::protobuf::Descriptor& message) {
    return std::make_shared<const ProtobufReader>(TRY(plan_protobuf(std::move(file), message)));
}

std::unique_ptr<ReaderFinder> find_protobuf(std::shared_ptr<SchemaRegistry> registry) {
    const auto make = [](RunContext&, const RegisteredSchemaPtr& schema,
                         std::string_view indexes) -> Result<MadeReader> {
        if (schema->language != SchemaLanguage::protobuf) {
            return Error(ErrorKind::bad_data, "schema is not of Protobuf: id " + std::to_string(schema->id));
        }
        auto file = TRY(ProtobufSchema::parse(*schema));
        const auto* message = TRY(file->message_of(indexes));
        return MadeReader{TRY(make_protobuf_reader(std::move(file), *message))};
    };
    return find_by_registry(std::move(registry), FrameIndexes::present, make);
}

}  // namespace shaduf::kafka
