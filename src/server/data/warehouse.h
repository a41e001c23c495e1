#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "data/read_only_reader.h"
#include "server/endpoint.h"
#include "server/serve_context.h"

namespace shaduf::server {

// The project as it was read last; unavailable: none could be read yet, and why.
Result<std::shared_ptr<const Project>> project_of(ServeContext& serve);
// invalid_config: the connection is not there, or its system has no store.
Result<std::unique_ptr<Store>> open_store(ServeContext& serve, const Project& project, const std::string& connection);

// What people may see of the environment's warehouse. One thread; outlived by what it was opened with.
class Warehouse {
public:
    struct Limits {
        size_t rows_max = 1000;
        size_t bytes_max = 32 << 20;
        std::chrono::milliseconds timeout{30'000};
    };
    struct Rows {
        SchemaPtr schema;
        std::vector<RecordBatch> batches;
        size_t rows = 0;   // of the batches, at most rows_max
        bool cut = false;  // there are more
    };

    // `reader` is the store's.
    Warehouse(std::unique_ptr<Store> store, ReadOnlyReader& reader, std::string type)
        : store_(std::move(store)), reader_(reader), type_(std::move(type)) {}
    static Result<std::unique_ptr<Warehouse>> open(ServeContext& serve, const Project& project);

    // The first rows of a SELECT (see ReadOnlyReader).
    Result<Rows> read(RunContext& run, const std::string& sql, const Limits& limits);
    Result<void> each(RunContext& run, const std::string& sql, std::chrono::milliseconds timeout,
                      const ReadOnlyReader::Each& take);
    // "duckdb", "postgres": whose SQL it takes.
    const std::string& type() const { return type_; }
    // An identifier as its SQL quotes it, and a text.
    static std::string identifier(std::string_view name);
    static std::string literal(std::string_view text);

private:
    const std::unique_ptr<Store> store_;
    ReadOnlyReader& reader_;
    const std::string type_;
};

}  // namespace shaduf::server
