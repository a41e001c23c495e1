#include "connectors/kafka/protobuf_schema.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/source_context.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <set>

#include "connectors/kafka/protobuf_cursor.h"

namespace shaduf::kafka {

namespace pb = google::protobuf;

struct ProtobufSchema::Impl {
    pb::DescriptorPool pool;
    const pb::FileDescriptor* file = nullptr;
};

namespace {

constexpr int kDepthMax = 64;
constexpr const char* kMainName = "schema.proto";

// Files that schemas import without the registry having them: what their messages look like.
struct KnownFile {
    std::string_view name;
    std::string_view text;
};
constexpr KnownFile kKnownFiles[] = {
    {"confluent/type/decimal.proto",
     "syntax = \"proto3\"; package confluent.type;"
     "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"},
    {"confluent/meta.proto",
     "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\";"
     "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }"
     "extend google.protobuf.FileOptions { Meta file_meta = 1088; }"
     "extend google.protobuf.MessageOptions { Meta message_meta = 1088; }"
     "extend google.protobuf.FieldOptions { Meta field_meta = 1088; }"
     "extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }"
     "extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }"},
    {"google/type/date.proto",
     "syntax = \"proto3\"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"},
    {"google/type/timeofday.proto",
     "syntax = \"proto3\"; package google.type;"
     "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }"},
};

// Keeps the first thing that is wrong.
struct FirstFault final : pb::io::ErrorCollector, pb::DescriptorPool::ErrorCollector {
    std::string text;
    void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
        note("line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + message);
    }
    void AddError(const std::string& file, const std::string& element, const pb::Message*, ErrorLocation,
                  const std::string& message) override {
        note(file + ": " + element + ": " + message);
    }
    void note(std::string fault) {
        if (text.empty()) text = std::move(fault);
    }
};

Error bad_schema(const std::string& file, const std::string& what) {
    return {ErrorKind::bad_data, "invalid Protobuf schema: " + file + ": " + what.substr(0, 300)};
}

// What the library would go through by recursion.
bool nests_too_deep(std::string_view text) {
    int depth = 0;
    for (const char c : text) {
        if ((c == '{' || c == '[' || c == '<') && ++depth > kDepthMax) return true;
        if ((c == '}' || c == ']' || c == '>') && depth > 0) --depth;
    }
    return false;
}

const pb::FileDescriptor* library_file(const std::string& name) {
    static const pb::FileDescriptor* const files[] = {
        pb::Any::descriptor()->file(),           pb::Api::descriptor()->file(),
        pb::FileOptions::descriptor()->file(),   pb::Duration::descriptor()->file(),
        pb::Empty::descriptor()->file(),         pb::FieldMask::descriptor()->file(),
        pb::SourceContext::descriptor()->file(), pb::Struct::descriptor()->file(),
        pb::Timestamp::descriptor()->file(),     pb::Type::descriptor()->file(),
        pb::Int32Value::descriptor()->file()};
    for (const pb::FileDescriptor* file : files) {
        if (file->name() == name) return file;
    }
    return nullptr;
}

}  // namespace

class ProtobufSchemaBuilder {
public:
    Result<ProtobufSchemaPtr> build(const RegisteredSchema& schema) {
        TRY(gather(schema, 0));
        schema_->impl_->file = TRY(add_text(kMainName, schema.text));
        if (schema_->impl_->file->message_type_count() == 0) return bad_schema(kMainName, "it has no message");
        return ProtobufSchemaPtr(std::move(schema_));
    }

private:
    Result<void> gather(const RegisteredSchema& schema, int depth) {
        if (depth > kDepthMax) return bad_schema(kMainName, "references are too deep");
        for (const SchemaReference& reference : schema.references) {
            if (reference.schema == nullptr || !texts_.emplace(reference.name, reference.schema->text).second) continue;
            TRY(gather(*reference.schema, depth + 1));
        }
        return {};
    }

    pb::DescriptorPool& pool() { return schema_->impl_->pool; }

    Result<void> import(const std::string& name) {
        if (pool().FindFileByName(name) != nullptr) return {};
        if (!open_.insert(name).second) return bad_schema(name, "it imports itself");
        const auto reference = texts_.find(name);
        if (reference != texts_.end()) {
            TRY(add_text(name, reference->second));
            return {};
        }
        if (const pb::FileDescriptor* file = library_file(name)) {
            pb::FileDescriptorProto proto;
            file->CopyTo(&proto);
            TRY(add(proto));
            return {};
        }
        for (const auto& [known, text] : kKnownFiles) {
            if (known != name) continue;
            TRY(add_text(name, std::string(text)));
            return {};
        }
        return bad_schema(name, "it is imported, and the registry has no reference of that name");
    }

    Result<const pb::FileDescriptor*> add_text(const std::string& name, const std::string& text) {
        if (nests_too_deep(text)) return bad_schema(name, "it is nested too deep");
        const pb::LogSilencer quiet;  // what it would say goes to `fault`
        FirstFault fault;
        pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
        pb::io::Tokenizer tokenizer(&stream, &fault);
        pb::compiler::Parser parser;
        parser.RecordErrorsTo(&fault);
        pb::FileDescriptorProto proto;
        if (!parser.Parse(&tokenizer, &proto) || !fault.text.empty()) return bad_schema(name, fault.text);
        proto.set_name(name);
        return add(proto);
    }

    Result<const pb::FileDescriptor*> add(const pb::FileDescriptorProto& proto) {
        for (const std::string& name : proto.dependency()) TRY(import(name));
        FirstFault fault;
        const pb::FileDescriptor* file = pool().BuildFileCollectingErrors(proto, &fault);
        if (file == nullptr) return bad_schema(proto.name(), fault.text);
        return file;
    }

    std::shared_ptr<ProtobufSchema> schema_ = std::shared_ptr<ProtobufSchema>(new ProtobufSchema);
    std::map<std::string, std::string> texts_;
    std::set<std::string> open_;
};

ProtobufSchema::ProtobufSchema() : impl_(std::make_unique<Impl>()) {}
ProtobufSchema::~ProtobufSchema() = default;

Result<ProtobufSchemaPtr> ProtobufSchema::parse(const RegisteredSchema& schema) {
    return ProtobufSchemaBuilder().build(schema);
}

Result<const pb::Descriptor*> ProtobufSchema::message_of(std::string_view indexes) const {
    ProtoCursor cursor(indexes);
    const auto next = [&]() -> int64_t {
        uint64_t bits = 0;
        if (cursor.at_end() || !cursor.read_varint(bits)) return 0;
        return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    };
    const int64_t count = next();
    if (count == 0) return impl_->file->message_type(0);
    const pb::Descriptor* message = nullptr;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t index = next();
        const int64_t known = message == nullptr ? impl_->file->message_type_count() : message->nested_type_count();
        if (index < 0 || index >= known) {
            return Error(ErrorKind::bad_data, "schema has no message of that number: " + std::to_string(index));
        }
        const int at = static_cast<int>(index);
        message = message == nullptr ? impl_->file->message_type(at) : message->nested_type(at);
    }
    return message;
}

const pb::Descriptor* ProtobufSchema::message_named(std::string_view name) const {
    const pb::Descriptor* found = impl_->pool.FindMessageTypeByName(std::string(name));
    return found != nullptr ? found : impl_->file->message_type(0);
}

}  // namespace shaduf::kafka
