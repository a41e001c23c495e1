#include "connectors/kafka/gathering.h"

#include <map>
#include <utility>

#include "base/text.h"
#include "connectors/kafka/checkpoint_topic.h"
#include "data/batch.h"

namespace shaduf::kafka {
namespace {

constexpr std::string_view kValueSchema = "__value_schema_id";
constexpr std::string_view kKeySchema = "__key_schema_id";

// Of a name that comes twice, the last; bytes that are no text are replaced.
std::string to_json(const std::vector<KafkaHeader>& headers) {
    std::map<std::string_view, std::optional<std::string_view>> last;
    for (const KafkaHeader& header : headers) last[header.name] = header.value;
    std::string json = "{";
    for (const auto& [name, value] : last) {
        if (json.size() > 1) json += ',';
        append_json_string(make_valid_utf8(name), json);
        json += ':';
        if (value) {
            append_json_string(make_valid_utf8(*value), json);
        } else {
            json += "null";
        }
    }
    return json += '}';
}

}  // namespace

Messages::Span Gathering::copy(std::string_view bytes) {
    const Messages::Span span{static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(bytes.size())};
    bytes_.append(bytes);
    return span;
}

void Gathering::add(const KafkaMessages& from, size_t i, const KafkaMessage& message) {
    if (rows() == 0) {
        bytes_.reserve(bytes_before_ + bytes_before_ / 8);
        messages_.values.reserve(rows_before_ + rows_before_ / 8);
        messages_.offsets.reserve(rows_before_ + rows_before_ / 8);
        messages_.timestamps_ms.reserve(rows_before_ + rows_before_ / 8);
    }
    if (message.topic.data() != topic_ || message.partition != partition_ || rows() == 0) {
        topic_ = message.topic.data();
        partition_ = message.partition;
        messages_.stretches.push_back({rows(), std::string(message.topic), message.partition});
    }
    messages_.values.push_back(message.value ? copy(*message.value) : Messages::Span());
    messages_.offsets.push_back(message.offset);
    messages_.timestamps_ms.push_back(message.timestamp_ms);
    if (wanted_.keys) messages_.keys.push_back(message.key ? copy(*message.key) : Messages::Span());
    if (wanted_.headers || wanted_.schema_headers || wanted_.marks) copy_headers(from.headers(i));
}

void Gathering::copy_headers(const std::vector<KafkaHeader>& headers) {
    if (wanted_.headers) messages_.headers.push_back(copy(to_json(headers)));
    for (const KafkaHeader& header : headers) {
        if (wanted_.marks && header.name == kColumnsHeader) copy_schema(messages_.marks, header);
        if (!wanted_.schema_headers) continue;
        if (header.name == kValueSchema) copy_schema(messages_.value_schemas, header);
        if (header.name == kKeySchema) copy_schema(messages_.key_schemas, header);
    }
    // Once one was met, each row has its place.
    if (!messages_.marks.empty()) messages_.marks.resize(rows());
    if (!messages_.value_schemas.empty()) messages_.value_schemas.resize(rows());
    if (!messages_.key_schemas.empty()) messages_.key_schemas.resize(rows());
}

void Gathering::copy_schema(std::vector<Messages::Span>& schemas, const KafkaHeader& header) {
    schemas.resize(rows());
    if (header.value) schemas.back() = copy(*header.value);
}

MessagesPtr Gathering::finish() {
    bytes_before_ = bytes_.size();
    rows_before_ = rows();
    topic_ = nullptr;
    messages_.bytes = bytes_.finish();
    return std::make_shared<const Messages>(std::exchange(messages_, {}));
}

}  // namespace shaduf::kafka
