#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/kafka/messages.h"
#include "connectors/kafka/payloads.h"

namespace shaduf::kafka {

// Messages that know their types: a row each, with the columns of the metadata first and those of the value behind
// them. A column of the value with the name of one of the metadata is left out. Immutable; thread-safe.
class TypedRows final : public EncodedRows {
public:
    struct Content {
        MessagesPtr messages;
        std::vector<uint32_t> rows;  // the message of each row
        Payloads values;
        Payloads keys;  // without rows, unless the metadata wants keys
        std::shared_ptr<const MetadataColumns> metadata;
        SchemaPtr told = nullptr;  // columns that the values were written from; nullptr: as they are
        bool is_text = false;      // values are JSON: one that cannot be read is kept as it is, where it is UTF-8
    };
    explicit TypedRows(Content content) : content_(std::move(content)) {}

    size_t rows() const override { return content_.rows.size(); }
    size_t byte_size() const override { return content_.messages->byte_size(); }
    Decoded decode() const override;
    std::string position(size_t row) const override { return content_.messages->position(content_.rows[row]); }
    std::string text(size_t row) const override;

private:
    TypedRows only(size_t row) const;

    Content content_;
};

}  // namespace shaduf::kafka
