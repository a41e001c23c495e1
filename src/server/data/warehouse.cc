#include "server/data/warehouse.h"

#include <algorithm>

#include "base/text.h"

namespace shaduf::server {

Result<std::shared_ptr<const Project>> project_of(ServeContext& serve) {
    const auto view = serve.room.view();
    if (view.project != nullptr) return view.project;
    if (!view.errors.empty()) {
        return Error(ErrorKind::unavailable, "the project cannot be read: " + view.errors.front().to_string());
    }
    return Error(ErrorKind::unavailable, "the project is not read yet");
}

Result<std::unique_ptr<Store>> open_store(ServeContext& serve, const Project& project, const std::string& name) {
    const ConnectionConfig* connection = project.connection(name);
    if (connection == nullptr) return not_found("connection", name);
    const ConnectorSpec* spec = serve.connectors.find(connection->type);
    if (spec == nullptr || spec->make_store == nullptr) {
        return Error(ErrorKind::invalid_config,
                     "cannot be asked for its tables: " + name + " is of type " + connection->type);
    }
    return spec->make_store(connection->options, connection->name);
}

Result<std::unique_ptr<Warehouse>> Warehouse::open(ServeContext& serve, const Project& project) {
    if (project.warehouse.empty()) {
        return Error(ErrorKind::invalid_config,
                     "the environment " + project.environment + " has no warehouse; set `warehouse` in shaduf.yml");
    }
    auto store = TRY(open_store(serve, project, project.warehouse));
    auto* reader = dynamic_cast<ReadOnlyReader*>(store.get());
    if (reader == nullptr) {
        return Error(ErrorKind::invalid_config,
                     "cannot be queried: the warehouse is of type " + project.connection(project.warehouse)->type);
    }
    return std::make_unique<Warehouse>(std::move(store), *reader, project.connection(project.warehouse)->type);
}

Result<Warehouse::Rows> Warehouse::read(RunContext& run, const std::string& sql, const Limits& limits) {
    Rows rows;
    size_t bytes = 0;
    TRY(reader_.read_only(run, sql, limits.timeout, [&](const RecordBatch& batch) -> Result<bool> {
        rows.schema = batch.schema();
        size_t wanted = std::min(batch.rows(), limits.rows_max - rows.rows);
        // Of one batch that is too much by itself, a part that is about as large as may be.
        const size_t bytes_a_row = batch.rows() == 0 ? 0 : batch.byte_size() / batch.rows() + 1;
        if (bytes_a_row > 0) wanted = std::min(wanted, (limits.bytes_max - bytes) / bytes_a_row);
        rows.cut = rows.cut || wanted < batch.rows();
        if (wanted > 0) {
            std::vector<uint32_t> first(wanted);
            for (size_t i = 0; i < wanted; ++i) first[i] = static_cast<uint32_t>(i);
            rows.batches.push_back(wanted == batch.rows() ? batch : batch.take(first));
            rows.rows += wanted;
            bytes += wanted * bytes_a_row;
        }
        return !rows.cut;
    }));
    return rows;
}

Result<void> Warehouse::each(RunContext& run, const std::string& sql, std::chrono::milliseconds timeout,
                             const ReadOnlyReader::Each& take) {
    return reader_.read_only(run, sql, timeout, take);
}

std::string Warehouse::identifier(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        out += c;
        if (c == '"') out += c;
    }
    return out + '"';
}

std::string Warehouse::literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\0') break;
        out += c;
        if (c == '\'') out += c;
    }
    return out + '\'';
}

}  // namespace shaduf::server
