#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/kafka/messages.h"
#include "data/buffer.h"
#include "io/kafka.h"

namespace shaduf::kafka {

// Which parts of a message are copied besides its value.
struct Wanted {
    bool keys = false;
    bool headers = false;
    bool schema_headers = false;  // looks into the headers of each message
    bool marks = false;           // the same
};

// Copies messages out of the consumer's memory until they make a batch. Not thread-safe.
class Gathering {
public:
    explicit Gathering(Wanted wanted) : wanted_(wanted) {}

    size_t rows() const { return messages_.values.size(); }
    size_t bytes() const { return bytes_.size(); }
    // REQUIRES: messages of a partition come in the order of its offsets.
    void add(const KafkaMessages& from, size_t i, const KafkaMessage& message);
    // Leaves the gathering empty.
    MessagesPtr finish();

private:
    Messages::Span copy(std::string_view bytes);
    void copy_headers(const std::vector<KafkaHeader>& headers);
    void copy_schema(std::vector<Messages::Span>& schemas, const KafkaHeader& header);

    const Wanted wanted_;
    Messages messages_;
    BufferBuilder bytes_;
    const char* topic_ = nullptr;  // of the last message; names of the consumer have one address each
    int32_t partition_ = -1;
    size_t bytes_before_ = 0;  // of the batch before, which the next will be like
    size_t rows_before_ = 0;
};

}  // namespace shaduf::kafka
