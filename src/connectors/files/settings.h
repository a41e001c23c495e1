#pragma once

#include <memory>
#include <string>

#include "config/options.h"
#include "connectors/connector.h"
#include "io/object_store.h"

// The files connector, in parts: where files are (settings), what has been read (ledger), how a file becomes rows
// (readers, source), how rows become files (writers, sink) and what makes them a table (manifest).
namespace shaduf::files {

Result<std::unique_ptr<ObjectStore>> open_store(const Options& options);

Result<std::unique_ptr<Source>> make_source(const Options& options, const StreamRequest& stream);
Result<std::unique_ptr<Sink>> make_sink(const Options& options, const TableTarget& table);
// The same in a store that is open already.
Result<std::unique_ptr<Sink>> make_sink_in(std::unique_ptr<ObjectStore> store, const TableTarget& table);
Result<std::unique_ptr<Store>> make_store(const Options& options, const std::string& connection);
Result<std::vector<StreamInfo>> discover(RunContext& run, const std::string& connection, const Options& options);

}  // namespace shaduf::files
