#include "data/batch.h"
#include "tests/connectors/conformance.h"

namespace shaduf {
extern const ConnectorSpec connector_duckdb;

namespace {

class DuckDbConformance final : public ConformanceFixture {
public:
    void fill() override {
        auto database = databases.open(source_path_, {}).release_value();
        // More rows than a batch has, some values of the cursor on several of them.
        (void)database->connect(world.cancellation)
            .value()
            ->execute("CREATE TABLE events AS SELECT i AS id, i // 5000 AS version FROM range(70000) r(i)")
            .ok();
    }
    std::string connection(const std::string&) override { return "path: " + source_path_; }
    std::vector<StreamCase> streams() override {
        return {{.stream = "events", .options = "cursor_field: version", .rows = 70'000},
                {.stream = "whole",
                 .mode = ReadMode::full_refresh,
                 .options = "source_table: events",
                 .rows = 70'000,
                 .resumes = false}};
    }
    std::vector<std::string> visible_rows(const TableTarget& table) override {
        auto connection = databases.open(source_path_, {}).value()->connect(world.cancellation).release_value();
        auto found = connection->query("SELECT id || '|' || name FROM " + table.table + " ORDER BY 1");
        std::vector<std::string> rows;
        if (!found.ok()) return rows;
        for (const auto& batch : found.value()) {
            for (size_t row = 0; row < batch.rows(); ++row) rows.emplace_back(batch.column(0).text_at(row));
        }
        return rows;
    }

private:
    const std::string source_path_ = folder / "w.duckdb";
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_duckdb() { return std::make_unique<DuckDbConformance>(); }

}  // namespace shaduf
