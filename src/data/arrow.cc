#include "data/arrow.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace shaduf {
namespace {

// What a released-by-callback structure of the interface owns. Each node stands alone, since a consumer may move a
// child out and release its parent first.
struct SchemaNode {
    std::string format;
    std::string name;
    std::string metadata;
    std::vector<ArrowSchema> children;
    std::vector<ArrowSchema*> pointers;
};

struct ArrayNode {
    std::array<BufferPtr, 3> owners;
    std::array<const void*, 3> buffers{};
    std::vector<ArrowArray> children;
    std::vector<ArrowArray*> pointers;
};

template <typename Structure, typename Node>
void release_node(Structure* structure) {
    auto* node = static_cast<Node*>(structure->private_data);
    for (auto& child : node->children) {
        if (child.release != nullptr) child.release(&child);
    }
    structure->release = nullptr;
    delete node;
}

template <typename Structure, typename Node>
void attach_children(Node& node, Structure& out) {
    for (auto& child : node.children) node.pointers.push_back(&child);
    out.n_children = static_cast<int64_t>(node.children.size());
    out.children = node.pointers.empty() ? nullptr : node.pointers.data();
}

std::string format_of(const DataType& type) {
    switch (type.kind()) {
        case TypeKind::boolean: return "b";
        case TypeKind::int64: return "l";
        case TypeKind::float64: return "g";
        case TypeKind::decimal: return "d:" + std::to_string(type.precision()) + "," + std::to_string(type.scale());
        case TypeKind::string:
        case TypeKind::json: return "u";
        case TypeKind::bytes: return "z";
        case TypeKind::uuid: return "w:16";
        case TypeKind::date: return "tdD";
        case TypeKind::time: return "ttu";
        case TypeKind::timestamp: return "tsu:";
        case TypeKind::timestamp_tz: return "tsu:UTC";
        case TypeKind::list: return "+l";
        case TypeKind::structure: return "+s";
    }
    return "n";
}

// Key-value metadata as the interface encodes it: counts and lengths as native int32 before the bytes.
std::string encode_metadata(std::string_view key, std::string_view value) {
    std::string bytes;
    const auto append_number = [&](size_t number) {
        const auto value32 = static_cast<int32_t>(number);
        bytes.append(reinterpret_cast<const char*>(&value32), sizeof value32);
    };
    append_number(1);
    append_number(key.size());
    bytes += key;
    append_number(value.size());
    bytes += value;
    return bytes;
}

void export_field(const Field& field, ArrowSchema& out);

void export_node(std::string format, const std::string& name, const std::vector<Field>& fields, ArrowSchema& out) {
    auto node = std::make_unique<SchemaNode>();
    node->format = std::move(format);
    node->name = name;
    node->children.resize(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) export_field(fields[i], node->children[i]);
    out = ArrowSchema{};
    attach_children(*node, out);
    out.format = node->format.c_str();
    out.name = node->name.c_str();
    out.release = release_node<ArrowSchema, SchemaNode>;
    out.private_data = node.release();
}

void export_field(const Field& field, ArrowSchema& out) {
    export_node(format_of(field.type), field.name, field.type.children(), out);
    if (field.nullable) out.flags = ARROW_FLAG_NULLABLE;
    const bool is_uuid = field.type.kind() == TypeKind::uuid;
    if (is_uuid || field.type.kind() == TypeKind::json) {
        auto* node = static_cast<SchemaNode*>(out.private_data);
        node->metadata = encode_metadata("ARROW:extension:name", is_uuid ? "arrow.uuid" : "arrow.json");
        out.metadata = node->metadata.data();
    }
}

// Consumers read offsets even of an empty column.
BufferPtr offsets_of(const Column& column) {
    if (column.offsets != nullptr) return column.offsets;
    static const int32_t zero = 0;
    return std::make_shared<const Buffer>(&zero, sizeof zero, nullptr);
}

void export_column(const Column& column, ArrowArray& out) {
    auto node = std::make_unique<ArrayNode>();
    size_t count = 0;
    const auto add = [&](const BufferPtr& buffer) {
        node->owners[count] = buffer;
        node->buffers[count++] = buffer != nullptr ? buffer->data() : nullptr;
    };
    add(column.validity);
    const TypeKind kind = column.type.kind();
    const bool is_text = kind == TypeKind::string || kind == TypeKind::bytes || kind == TypeKind::json;
    if (is_text || kind == TypeKind::list) add(offsets_of(column));
    if (!column.type.is_nested()) add(column.values);
    node->children.resize(column.children.size());
    for (size_t i = 0; i < column.children.size(); ++i) export_column(column.children[i], node->children[i]);
    out = ArrowArray{};
    attach_children(*node, out);
    out.length = static_cast<int64_t>(column.length);
    out.null_count = static_cast<int64_t>(column.null_count);
    out.n_buffers = static_cast<int64_t>(count);
    out.buffers = node->buffers.data();
    out.release = release_node<ArrowArray, ArrayNode>;
    out.private_data = node.release();
}

}  // namespace

void export_schema(const Schema& schema, ArrowSchema& out) { export_node("+s", "", schema.fields(), out); }

void export_batch(const RecordBatch& batch, ArrowArray& out) {
    auto node = std::make_unique<ArrayNode>();
    node->children.resize(batch.columns().size());
    for (size_t i = 0; i < batch.columns().size(); ++i) export_column(batch.column(i), node->children[i]);
    out = ArrowArray{};
    attach_children(*node, out);
    out.length = static_cast<int64_t>(batch.rows());
    out.n_buffers = 1;
    out.buffers = node->buffers.data();
    out.release = release_node<ArrowArray, ArrayNode>;
    out.private_data = node.release();
}

}  // namespace shaduf
