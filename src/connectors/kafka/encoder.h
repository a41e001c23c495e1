#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "data/batch.h"

namespace shaduf::kafka {

// Makes the values of messages of rows. One thread at a time.
class Encoder {
public:
    virtual ~Encoder() = default;
    // What the rows behind this call have as columns; may ask a schema registry.
    virtual Result<void> prepare(RunContext& run, const SchemaPtr& schema) = 0;
    // Appends the value of one row, of the schema prepared last.
    virtual Result<void> encode(const RecordBatch& rows, size_t row, std::string& out) = 0;
};

// A JSON object with all columns in their order; null where there is none.
std::unique_ptr<Encoder> make_json_encoder();

// The text that some columns of a row make: of one column its own text, of several a JSON object. For keys.
class KeyText {
public:
    explicit KeyText(std::vector<std::string> columns) : names_(std::move(columns)) {}

    bool is_used() const { return !names_.empty(); }
    // invalid_config when the rows have no such column.
    Result<void> prepare(const Schema& schema, std::string_view option);
    // nullopt: the only column is null. The view lives until the next call.
    std::optional<std::string_view> of(const RecordBatch& rows, size_t row);

private:
    const std::vector<std::string> names_;
    std::vector<size_t> columns_;
    std::string text_;
};

}  // namespace shaduf::kafka
