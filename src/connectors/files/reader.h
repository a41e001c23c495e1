#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/connector.h"
#include "connectors/files/ledger.h"
#include "io/object_store.h"

namespace shaduf::files {

enum class FileFormat : uint8_t { automatic, ndjson, json, csv, parquet };

struct ReaderSettings {
    FileFormat format = FileFormat::automatic;
    std::string records;    // json: path to the list
    std::string delimiter;  // csv: "" is found out
    std::string quote = "\"";
    std::string null_text;
    std::vector<std::string> header;  // csv: names when the file has no header line
};

// Reads one file as batches of rows. One thread at a time. `next` may be called again after an error that may be
// retried.
class FileReader {
public:
    virtual ~FileReader() = default;
    // nullopt at the end of the file. The batch has no checkpoint yet.
    virtual Result<std::optional<ReadBatch>> next(RunContext& run) = 0;
    // Behind the batch returned last: where a new reader goes on.
    virtual uint64_t offset() const = 0;
    virtual int64_t line() const { return 1; }
};

// `resume` is where an earlier reader of this file stood. bad_data names the file.
Result<std::unique_ptr<FileReader>> open_file(RunContext& run, ObjectStore& store, const std::string& key,
                                              const ReaderSettings& settings,
                                              const std::optional<Ledger::Position>& resume);

// What the beginning of a CSV file says of its rows; nullptr when the file is of another format. bad_data when there is
// no such file any more.
Result<std::shared_ptr<const CsvDialect>> dialect_of_file(RunContext& run, ObjectStore& store, const std::string& key,
                                                          const ReaderSettings& settings);

// By the name's ending, less that of a compression; ndjson when it has none that is known.
FileFormat format_of(std::string_view name);

std::unique_ptr<FileReader> make_parquet_reader(ObjectStore& store, std::unique_ptr<ObjectReader> object,
                                                uint64_t first_row);

}  // namespace shaduf::files
