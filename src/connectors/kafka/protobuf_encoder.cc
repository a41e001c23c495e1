#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "base/text.h"
#include "connectors/kafka/protobuf_schema.h"
#include "connectors/kafka/registry_encoder.h"
#include "connectors/kafka/wire_frame.h"

namespace shaduf::kafka {
namespace {

namespace pb = google::protobuf;

constexpr int kReservedFirst = 19'000;  // numbers that Protobuf keeps for itself
constexpr int kReservedLast = 19'999;

// A column, or a field of a structure, with its number.
struct Node {
    std::string name;
    int number = 0;
    std::vector<Node> children;
};

void append_varint(uint64_t value, std::string& out) {
    while (value >= 0x80) {
        out += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    out += static_cast<char>(value);
}

void append_tag(int number, unsigned wire, std::string& out) {
    append_varint(static_cast<uint64_t>(number) << 3 | wire, out);
}

void append_delimited(int number, std::string_view bytes, std::string& out) {
    append_tag(number, 2, out);
    append_varint(bytes.size(), out);
    out += bytes;
}

int next_number(int last) { return last + 1 == kReservedFirst ? kReservedLast + 1 : last + 1; }

// Fields keep the numbers that `before`, the message as it is registered, has for their names.
std::vector<Node> number_fields(const std::vector<Field>& fields, const pb::Descriptor* before) {
    int last = 0;
    for (int i = 0; before != nullptr && i < before->field_count(); ++i)
        last = std::max(last, before->field(i)->number());
    std::vector<Node> nodes;
    for (const Field& field : fields) {
        Node node;
        const std::string wanted = identifier_of(field.name);
        node.name = wanted;
        const auto taken = [&](const Node& other) { return other.name == node.name; };
        for (int i = 2; std::any_of(nodes.begin(), nodes.end(), taken); ++i)
            node.name = wanted + "_" + std::to_string(i);
        const auto* known = before == nullptr ? nullptr : before->FindFieldByName(node.name);
        node.number = known != nullptr ? known->number() : last = next_number(last);
        if (field.type.kind() == TypeKind::structure) {
            node.children = number_fields(field.type.children(), known == nullptr ? nullptr : known->message_type());
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

const char* type_name(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::boolean: return "bool";
        case TypeKind::int64: return "int64";
        case TypeKind::float64: return "double";
        case TypeKind::bytes: return "bytes";
        case TypeKind::timestamp_tz: return "google.protobuf.Timestamp";
        default: return "string";
    }
}

void write_fields(const std::vector<Field>& fields, const std::vector<Node>& nodes, const std::string& indent,
                  std::string& out) {
    for (size_t i = 0; i < fields.size(); ++i) {
        const Node& node = nodes[i];
        std::string type = type_name(fields[i].type);
        if (fields[i].type.kind() == TypeKind::structure) {
            type = "Of_" + node.name;
            out += indent + "message " + type + " {\n";
            write_fields(fields[i].type.children(), node.children, indent + "  ", out);
            out += indent + "}\n";
        }
        out += indent + "optional " + type + " " + node.name + " = " + std::to_string(node.number) + ";\n";
    }
}

std::string schema_text(const Schema& schema, const std::vector<Node>& nodes, const std::string& record) {
    const auto dot = record.rfind('.');
    std::string text = "syntax = \"proto3\";\n";
    if (dot != std::string::npos) text += "package " + record.substr(0, dot) + ";\n";
    text += "import \"google/protobuf/timestamp.proto\";\n";
    text += "message " + (dot == std::string::npos ? record : record.substr(dot + 1)) + " {\n";
    write_fields(schema.fields(), nodes, "  ", text);
    return text + "}\n";
}

void append_timestamp(int number, int64_t micros, std::string& out) {
    const int64_t seconds = micros / 1'000'000 - (micros % 1'000'000 < 0 ? 1 : 0);
    std::string bytes;
    append_tag(1, 0, bytes);
    append_varint(static_cast<uint64_t>(seconds), bytes);
    append_tag(2, 0, bytes);
    append_varint(static_cast<uint64_t>((micros - seconds * 1'000'000) * 1000), bytes);
    append_delimited(number, bytes, out);
}

void append_value(const Column& column, size_t row, const Node& node, std::string& out) {
    if (column.is_null(row)) return;
    switch (column.type.kind()) {
        case TypeKind::boolean:
            append_tag(node.number, 0, out);
            out += column.boolean_at(row) ? '\1' : '\0';
            return;
        case TypeKind::int64:
            append_tag(node.number, 0, out);
            return append_varint(static_cast<uint64_t>(column.int64_at(row)), out);
        case TypeKind::float64: {
            append_tag(node.number, 1, out);
            const double value = column.float64_at(row);
            out.append(reinterpret_cast<const char*>(&value), sizeof value);
            return;
        }
        case TypeKind::timestamp_tz: return append_timestamp(node.number, column.int64_at(row), out);
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::json: return append_delimited(node.number, column.text_at(row), out);
        case TypeKind::structure: {
            std::string bytes;
            for (size_t i = 0; i < column.children.size(); ++i) {
                append_value(column.children[i], row, node.children[i], bytes);
            }
            return append_delimited(node.number, bytes, out);
        }
        default: append_delimited(node.number, format_value(column, row), out);
    }
}

class ProtobufEncoder final : public Encoder {
public:
    explicit ProtobufEncoder(RegistryEncoderSettings settings) : settings_(std::move(settings)) {}

    Result<void> prepare(RunContext& run, const SchemaPtr& schema) override {
        const std::string record = record_name_of(settings_);
        const std::string subject = subject_name(settings_.strategy, settings_.part, settings_.topic, record);
        const auto before = TRY(registered(run, subject));
        nodes_ = number_fields(schema->fields(), before == nullptr ? nullptr : before->message_named(record));
        RegisteredSchema wanted;
        wanted.language = SchemaLanguage::protobuf;
        wanted.text = schema_text(*schema, nodes_, record);
        frame_ = frame_of_id(TRY(settings_.registry->register_schema(run, subject, wanted)));
        frame_ += '\0';  // the first message of the file
        return {};
    }
    Result<void> encode(const RecordBatch& rows, size_t row, std::string& out) override {
        out += frame_;
        for (size_t i = 0; i < nodes_.size(); ++i) append_value(rows.column(i), row, nodes_[i], out);
        return {};
    }

private:
    // What the subject has; nullptr: nothing yet.
    Result<ProtobufSchemaPtr> registered(RunContext& run, const std::string& subject) {
        auto latest = settings_.registry->latest(run, subject);
        if (!latest.ok() && latest.error().kind() == ErrorKind::bad_data) return ProtobufSchemaPtr();
        const auto schema = TRY(std::move(latest));
        if (schema->language != SchemaLanguage::protobuf) {
            return Error(ErrorKind::invalid_config,
                         "subject has schemas of another format: " + subject + "; choose another subject");
        }
        return ProtobufSchema::parse(*schema);
    }

    const RegistryEncoderSettings settings_;
    std::vector<Node> nodes_;
    std::string frame_;
};

}  // namespace

std::unique_ptr<Encoder> make_protobuf_encoder(RegistryEncoderSettings settings) {
    return std::make_unique<ProtobufEncoder>(std::move(settings));
}

}  // namespace shaduf::kafka
