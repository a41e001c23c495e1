#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/messages.h"
#include "connectors/kafka/payloads.h"

namespace shaduf::kafka {

enum class KeyText : uint8_t { text, json, bytes, decoded };

// Writes the metadata of messages as text, in JSON or CSV, one message behind the other. One thread at a time.
class MetadataText {
public:
    MetadataText(MetadataColumns wanted, KeyText keys) : wanted_(std::move(wanted)), keys_(keys) {}

    // The names of the columns, in the order in which they are written.
    std::vector<std::string> names() const;
    // Their types, as far as they are known before any message.
    std::vector<ShapeColumn> columns() const;

    // Goes to other messages. `keys` is what KeyText::decoded needs, one a message.
    void begin(const Messages& messages, const DecodedColumn* keys);
    // `"_kafka_offset":42,...`: members of an object, without braces. Messages come in ascending order. Returns why the
    // row is to be rejected, if it is; what was appended is of no use then.
    std::optional<std::string> append_members(uint32_t message, std::string& out);
    // `42,"key",`: fields, with a delimiter behind each; what is missing is `null_text`.
    std::optional<std::string> append_fields(uint32_t message, char delimiter, std::string_view null_text,
                                             std::string& out);

private:
    std::optional<std::string> key_as_json(uint32_t message, std::string& out);
    std::optional<std::string> key_as_text(uint32_t message, std::string& out);
    std::optional<std::string> key_fault(uint32_t message) const;
    void move_to(uint32_t message);
    void append_timestamp(int64_t milliseconds, std::string& out);
    void append_timestamp_value(int64_t milliseconds, std::string& out);

    MetadataColumns wanted_;
    KeyText keys_;
    const Messages* messages_ = nullptr;
    const DecodedColumn* decoded_ = nullptr;
    size_t stretch_ = 0;
    std::string place_members_;  // of the stretch: topic and partition, with a comma behind each
    int64_t second_ = INT64_MIN;
    std::string second_text_;  // "2026-11-21T10:00:00"
};

}  // namespace shaduf::kafka
