#include "sandbox/world/user_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/cancellation.h"
#include "io/duckdb.h"

namespace shaduf::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kEngineBytes = 1ULL << 30U;

struct GivenLevel {
    std::string_view table;
    std::string_view id;      // of insights and of the levels below
    std::string_view parent;  // "": none
};
constexpr std::array<GivenLevel, 4> kLevels{{{"accounts", "account_id", ""},
                                             {"campaigns", "campaign_id", "account_id"},
                                             {"ad_groups", "ad_group_id", "campaign_id"},
                                             {"ads", "ad_id", "ad_group_id"}}};

struct GivenNumber {
    std::string_view column;
    int64_t Metrics::*number;
    double unit;
};
constexpr std::array<GivenNumber, 10> kNumbers{{{"impressions", &Metrics::impressions, 1},
                                                {"clicks", &Metrics::clicks, 1},
                                                {"link_clicks", &Metrics::link_clicks, 1},
                                                {"engagements", &Metrics::engagements, 1},
                                                {"video_views", &Metrics::video_views, 1},
                                                {"leads", &Metrics::leads, 1},
                                                {"purchases", &Metrics::purchases, 1},
                                                {"reach", &Metrics::reached, 1},
                                                {"spend", &Metrics::spend_micros, 1e6},
                                                {"purchase_value", &Metrics::purchase_value_micros, 1e6}}};

// The file of a table, as the engine reads it; "": there is none.
std::string reader_of(const fs::path& folder, std::string_view table) {
    std::error_code ignored;
    const fs::path csv = folder / (std::string(table) + ".csv");
    if (fs::exists(csv, ignored)) return "read_csv(" + quote_literal(csv.string()) + ", all_varchar = true)";
    const fs::path parquet = folder / (std::string(table) + ".parquet");
    if (fs::exists(parquet, ignored)) return "read_parquet(" + quote_literal(parquet.string()) + ")";
    return {};
}

class Loader {
public:
    Loader(DuckDbConnection& engine, const std::string& folder, UserData& data)
        : engine_(engine), folder_(folder), data_(data) {}

    Result<void> load() {
        TRY(engine_.execute("CREATE TABLE insights AS SELECT * FROM " + reader_of(folder_, "insights")));
        TRY(require_columns());
        for (size_t level = 0; level < kLevels.size(); ++level) TRY(load_level(level));
        return load_days();
    }

private:
    Result<void> require_columns() {
        const auto schema = TRY(engine_.describe("SELECT * FROM insights"));
        for (const std::string_view name : {"account_id", "campaign_id", "ad_group_id", "ad_id", "date"}) {
            if (schema->index_of(name)) continue;
            return Error(ErrorKind::invalid_config, "column not found: " + std::string(name) +
                                                        "; insights need account_id, campaign_id, " +
                                                        "ad_group_id, ad_id and date");
        }
        return {};
    }

    // What the table of the level says, and besides what only insights name.
    Result<void> load_level(size_t level) {
        const GivenLevel& given = kLevels[level];
        const std::string id = quote_identifier(given.id);
        const std::string parent =
            given.parent.empty() ? "''" : "CAST(" + quote_identifier(given.parent) + " AS VARCHAR)";
        std::string sql = "SELECT DISTINCT CAST(" + id + " AS VARCHAR) AS id, " + parent + " AS parent FROM insights";
        const std::string reader = reader_of(folder_, given.table);
        std::string extra = ", '' AS name, '' AS status, '' AS currency, '' AS time_zone FROM (" + sql + ") i";
        if (!reader.empty()) {
            const auto schema = TRY(engine_.describe("SELECT * FROM " + reader));
            const std::string key = schema->index_of("id") ? "id" : std::string(given.id);
            if (!schema->index_of(key)) {
                return Error(ErrorKind::invalid_config,
                             "column not found: id; " + std::string(given.table) + " need one");
            }
            const bool has_parent = given.parent.empty() || schema->index_of(given.parent).has_value();
            extra.clear();
            for (const std::string_view name : {"name", "status", "currency", "time_zone"}) {
                const auto column = schema->index_of(name);
                extra +=
                    column ? ", coalesce(CAST(t." + quote_identifier(name) + " AS VARCHAR), '') AS " + std::string(name)
                           : ", '' AS " + std::string(name);
            }
            if (has_parent) {
                sql += " UNION SELECT CAST(" + quote_identifier(key) + " AS VARCHAR), " + parent + " FROM " + reader;
            }
            extra += " FROM (" + sql + ") i LEFT JOIN " + reader + " t ON CAST(t." + quote_identifier(key) +
                     " AS VARCHAR) = i.id";
        }
        return engine_.scan("SELECT i.id, i.parent" + extra + " ORDER BY i.parent, i.id", {},
                            [&](const RecordBatch& batch) {
                                add_rows(batch, level);
                                return Result<void>();
                            });
    }

    void add_rows(const RecordBatch& batch, size_t level) {
        for (size_t row = 0; row < batch.rows(); ++row) {
            const auto text = [&](size_t column) {
                return batch.column(column).is_null(row) ? std::string()
                                                         : std::string(batch.column(column).text_at(row));
            };
            data_.levels[level].push_back({text(0), text(1), text(2), text(3), text(4), text(5)});
        }
    }

    Result<void> load_days() {
        const auto schema = TRY(engine_.describe("SELECT * FROM insights"));
        std::string sql = "SELECT CAST(ad_id AS VARCHAR) AS ad_id, CAST(\"date\" AS DATE) AS day";
        for (const GivenNumber& number : kNumbers) {
            if (!schema->index_of(number.column)) {
                sql += ", 0::DOUBLE";
                continue;
            }
            sql += ", coalesce(sum(CAST(" + quote_identifier(number.column) + " AS DOUBLE)), 0)";
        }
        sql += " FROM insights GROUP BY 1, 2 ORDER BY 1, 2";
        data_.first_day = std::numeric_limits<int32_t>::max();
        data_.last_day = std::numeric_limits<int32_t>::min();
        return engine_.scan(sql, {}, [&](const RecordBatch& batch) {
            for (size_t row = 0; row < batch.rows(); ++row) add_day(batch, row);
            return Result<void>();
        });
    }

    void add_day(const RecordBatch& batch, size_t row) {
        GivenDay given{batch.column(1).date_at(row), {}};
        for (size_t i = 0; i < kNumbers.size(); ++i) {
            const double value = batch.column(i + 2).float64_at(row) * kNumbers[i].unit;
            given.metrics.*kNumbers[i].number = std::llround(value);
        }
        given.metrics.cells = 1;
        data_.first_day = std::min(data_.first_day, given.day);
        data_.last_day = std::max(data_.last_day, given.day);
        data_.ads[std::string(batch.column(0).text_at(row))].push_back(given);
    }

    DuckDbConnection& engine_;
    const fs::path folder_;
    UserData& data_;
};

}  // namespace

Result<std::shared_ptr<const UserData>> UserData::load(const std::string& folder) {
    if (reader_of(folder, "insights").empty()) return std::shared_ptr<const UserData>();
    DuckDbInstances instances;
    const Cancellation never;
    auto database = TRY(instances.open_in_memory({.threads = 1, .memory_bytes = kEngineBytes}));
    auto engine = TRY(database->connect(never));
    auto data = std::make_shared<UserData>();
    auto loaded = Loader(*engine, folder, *data).load();
    if (!loaded.ok()) {
        return Error(ErrorKind::invalid_config, loaded.error().message()).at(Place::in_file(folder, 0));
    }
    if (data->ads.empty()) {
        return Error(ErrorKind::invalid_config, "insights has no rows; give some, or leave --data out")
            .at(Place::in_file(folder, 0));
    }
    return std::shared_ptr<const UserData>(std::move(data));
}

}  // namespace shaduf::sandbox
