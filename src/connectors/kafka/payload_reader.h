#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "data/builder.h"

namespace shaduf::kafka {

// Reads payloads of one schema into columns. Immutable; thread-safe.
class PayloadReader {
public:
    virtual ~PayloadReader() = default;
    virtual const SchemaPtr& schema() const = 0;
    // The payload is one value and no record (an Avro long, a text): schema() has one column.
    virtual bool is_single() const { return false; }
    // Appends a value to each column of `rows`, which was made with schema(); or says why it cannot, and whoever called
    // takes back what was appended. `payload` is readable for 16 bytes behind its end.
    virtual std::optional<std::string> read(std::string_view payload, RecordBatchBuilder& rows) const = 0;
};
using PayloadReaderPtr = std::shared_ptr<const PayloadReader>;

// Finds out which reader a payload needs. Readers are numbered in the order in which they were met and stay for ever.
// One thread at a time.
class ReaderFinder {
public:
    struct Found {
        static constexpr uint32_t kNone = UINT32_MAX;
        uint32_t reader = kNone;
        uint32_t skip = 0;  // bytes of a frame in front of what the reader reads
        uint32_t drop = 0;  // bytes behind it
        std::string why;    // without a reader: why the message cannot be read
    };
    virtual ~ReaderFinder() = default;
    // `schema_header` is what the message's header says of its schema. An error is of the registry, and may be retried.
    virtual Result<Found> find(RunContext& run, std::string_view payload,
                               std::optional<std::string_view> schema_header) = 0;
    // The header is that of the message's columns (Messages::marks), not that of a registry's schema.
    virtual bool goes_by_marks() const { return false; }
    const std::vector<PayloadReaderPtr>& readers() const { return readers_; }

protected:
    uint32_t add(PayloadReaderPtr reader) {
        readers_.push_back(std::move(reader));
        return static_cast<uint32_t>(readers_.size() - 1);
    }

private:
    std::vector<PayloadReaderPtr> readers_;
};

// One reader for all: text (UTF-8, of type string), bytes, or JSON of any form.
enum class PlainPayload : uint8_t { text, bytes, json };
std::unique_ptr<ReaderFinder> find_plain(PlainPayload kind);

}  // namespace shaduf::kafka
