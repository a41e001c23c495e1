#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/kafka/messages.h"
#include "connectors/kafka/payload_reader.h"

namespace shaduf::kafka {

// Keys or values of some messages, each with the reader that it needs. Plain data.
struct Payloads {
    struct One {
        uint32_t reader = ReaderFinder::Found::kNone;  // kNone: there is nothing to read, the row is all nulls
        uint32_t offset = 0;                           // in Messages::bytes
        uint32_t length = 0;
    };
    struct Refused {
        size_t row;
        std::string why;
    };
    std::vector<One> rows;
    std::vector<PayloadReaderPtr> readers;
    std::vector<Refused> refused;  // ascending; their rows have no reader
};

enum class Part : uint8_t { key, value };

// Of the messages numbered `of`, in that order.
Result<Payloads> find_payloads(RunContext& run, ReaderFinder& finder, const Messages& messages, Part part,
                               const std::vector<uint32_t>& of);

// The columns are the union over the schemas that came, in the order of their first sight, each as wide as they need.
EncodedRows::Decoded decode_payloads(const Messages& messages, const Payloads& payloads);

// As one column: the value itself where all payloads are single values, else JSON of each.
struct DecodedColumn {
    Column column;
    std::vector<RejectedRow> rejected;
};
DecodedColumn decode_as_column(const Messages& messages, const Payloads& payloads);

}  // namespace shaduf::kafka
