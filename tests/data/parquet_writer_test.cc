#include "data/parquet_writer.h"

#include <duckdb.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "data/builder.h"

// Files are read back by DuckDB, which shares no code with the writer, and compared value by value.
namespace shaduf {
namespace {

class Random {
public:
    uint64_t next() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return state_ >> 16;
    }
    uint64_t below(uint64_t limit) { return next() % limit; }

private:
    uint64_t state_ = 7;
};

class DuckDb {
public:
    DuckDb() {
        EXPECT_EQ(duckdb_open(nullptr, &database_), DuckDBSuccess);
        EXPECT_EQ(duckdb_connect(database_, &connection_), DuckDBSuccess);
    }
    ~DuckDb() {
        duckdb_disconnect(&connection_);
        duckdb_close(&database_);
    }
    // The rows, each value as text, "null" for null.
    std::vector<std::vector<std::string>> query(const std::string& sql) {
        duckdb_result result;
        std::vector<std::vector<std::string>> rows;
        if (duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) {
            ADD_FAILURE() << duckdb_result_error(&result) << " in " << sql;
        } else {
            for (idx_t row = 0; row < duckdb_row_count(&result); ++row) {
                rows.emplace_back();
                for (idx_t column = 0; column < duckdb_column_count(&result); ++column) {
                    char* text = duckdb_value_varchar(&result, column, row);
                    rows.back().emplace_back(text == nullptr ? "null" : text);
                    duckdb_free(text);
                }
            }
        }
        duckdb_destroy_result(&result);
        return rows;
    }

private:
    duckdb_database database_ = nullptr;
    duckdb_connection connection_ = nullptr;
};

// How DuckDB is asked for a value, so that it says the same text as `expected`.
std::string expression(const Field& field) {
    const std::string name = '"' + field.name + '"';
    switch (field.type.kind()) {
        case TypeKind::float64: return "format('{:.17g}', " + name + ")";
        case TypeKind::bytes: return "lower(hex(" + name + "))";
        case TypeKind::date: return "datediff('day', DATE '1970-01-01', " + name + ")::VARCHAR";
        case TypeKind::time: return "date_diff('microsecond', TIME '00:00:00', " + name + ")::VARCHAR";
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return "epoch_us(" + name + ")::VARCHAR";
        case TypeKind::list:
        case TypeKind::structure: return "to_json(" + name + ")::VARCHAR";
        default: return name + "::VARCHAR";
    }
}

std::string expected(const Column& column, size_t row) {
    if (column.is_null(row)) return "null";
    switch (column.type.kind()) {
        case TypeKind::float64: {
            std::array<char, 64> text{};
            std::snprintf(text.data(), text.size(), "%.17g", column.float64_at(row));
            return text.data();
        }
        case TypeKind::bytes: return format_value(column, row).substr(2);
        case TypeKind::date: return std::to_string(column.date_at(row));
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return std::to_string(column.int64_at(row));
        default: return format_value(column, row);
    }
}

class ParquetFile {
public:
    ParquetFile() {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        path_ = std::filesystem::temp_directory_path() /
                ("shaduf_" + std::string(test->name()) + "_" + std::to_string(::getpid()) + ".parquet");
    }
    ~ParquetFile() { std::filesystem::remove(path_); }
    ParquetWriter::ByteSink sink() {
        out_.open(path_, std::ios::binary | std::ios::trunc);
        return [this](std::string_view bytes) {
            out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
            return Result<void>();
        };
    }
    void close() { out_.close(); }
    std::string source() const { return "read_parquet('" + path_.string() + "')"; }

private:
    std::filesystem::path path_;
    std::ofstream out_;
};

void expect_rows(const ParquetFile& file, const RecordBatch& batch, std::span<const uint32_t> rows) {
    std::string sql = "SELECT ";
    for (const auto& field : batch.schema()->fields()) sql += expression(field) + ", ";
    const auto found = DuckDb().query(sql + "1 FROM " + file.source());
    ASSERT_EQ(found.size(), rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
        for (size_t column = 0; column < batch.columns().size(); ++column) {
            ASSERT_EQ(found[i][column], expected(batch.column(column), rows[i]))
                << (*batch.schema())[column].name << " in row " << i;
        }
    }
}

std::vector<uint32_t> all_rows(const RecordBatch& batch) {
    std::vector<uint32_t> rows(batch.rows());
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<uint32_t>(i);
    return rows;
}

// Every type, with `null_percent` of nulls and values out of `distinct`.
SchemaPtr every_type() {
    const auto nested = *DataType::parse("struct<a: int64, l: list<struct<x: string, y: list<int64>>>>");
    return std::make_shared<const Schema>(std::vector<Field>{{"b", TypeKind::boolean},
                                                             {"i", TypeKind::int64},
                                                             {"f", TypeKind::float64},
                                                             {"d", DataType::decimal(5)},
                                                             {"s", TypeKind::string},
                                                             {"y", TypeKind::bytes},
                                                             {"day", TypeKind::date},
                                                             {"t", TypeKind::time},
                                                             {"ts", TypeKind::timestamp},
                                                             {"tz", TypeKind::timestamp_tz},
                                                             {"j", TypeKind::json},
                                                             {"l", DataType::list(TypeKind::string)},
                                                             {"n", nested},
                                                             {"d9", DataType::decimal(9, 2)},
                                                             {"d18", DataType::decimal(18, 4)},
                                                             {"ld", DataType::list(DataType::decimal(10, 1))}});
}

class Filler {
public:
    Filler(uint64_t null_percent, uint64_t distinct) : null_percent_(null_percent), distinct_(distinct) {}

    void append(ColumnBuilder& to) {
        if (random_.below(100) < null_percent_) return to.append_null();
        const auto value = static_cast<int64_t>(random_.below(distinct_)) - static_cast<int64_t>(distinct_ / 2);
        switch (to.type().kind()) {
            case TypeKind::boolean: return to.append_boolean(value % 2 == 0);
            case TypeKind::int64: return to.append_int64(value * 1'000'000'007);
            case TypeKind::float64: return to.append_float64(static_cast<double>(value) / 7);
            case TypeKind::decimal:
                if (to.type().precision() <= kShortDecimalDigitsMax) return to.append_decimal(value);
                return to.append_decimal(int128{value} * 1'000'000'000'000'000'000 * 10'000'000);
            case TypeKind::date: return to.append_date(static_cast<int32_t>(value % 100'000));
            case TypeKind::time: return to.append_int64(std::abs(value) % 86'400'000'000);
            case TypeKind::timestamp:
            case TypeKind::timestamp_tz: return to.append_int64(value * 1'234'567);
            case TypeKind::json: return to.append_text("[" + std::to_string(value) + "]");
            case TypeKind::list:
                for (uint64_t items = random_.below(4); items > 0; --items) append(to.child(0));
                return to.append_list();
            case TypeKind::structure:
                for (size_t i = 0; i < to.type().children().size(); ++i) append(to.child(i));
                return to.append_structure();
            default: return to.append_text(value == 0 ? "" : "text " + std::to_string(value));
        }
    }

private:
    Random random_;
    uint64_t null_percent_;
    uint64_t distinct_;
};

RecordBatch random_rows(size_t rows, uint64_t null_percent, uint64_t distinct) {
    RecordBatchBuilder builder(every_type());
    Filler filler(null_percent, distinct);
    for (size_t row = 0; row < rows; ++row) {
        for (size_t i = 0; i < builder.schema()->size(); ++i) filler.append(builder.column(i));
        builder.end_row();
    }
    return builder.finish();
}

TEST(ParquetWriter, KeepsEveryValueOfEveryType) {
    struct Case {
        const char* what;
        size_t rows;
        uint64_t null_percent;
        uint64_t distinct;
        ParquetOptions options;
    };
    ParquetOptions plain;
    plain.dictionary_bytes_max = 0;
    plain.compression = ParquetCompression::none;
    ParquetOptions small;
    small.row_group_rows = 700;
    small.page_bytes = 2000;
    small.dictionary_bytes_max = 3000;
    const Case cases[] = {
        {"dictionaries", 3000, 0, 50, {}},
        {"dictionaries with nulls", 3000, 30, 300, {}},
        {"one value", 100, 0, 1, {}},
        {"nulls only", 100, 100, 10, {}},
        {"one row", 1, 0, 10, {}},
        {"plain", 10'000, 10, 1'000'000, plain},
        {"falling back to plain", 10'000, 10, 1'000'000, small},
    };
    for (const auto& [what, rows, null_percent, distinct, options] : cases) {
        SCOPED_TRACE(what);
        const RecordBatch batch = random_rows(rows, null_percent, distinct);
        ParquetFile file;
        ParquetWriter writer(batch.schema(), options, file.sink());
        ASSERT_TRUE(writer.write(batch).ok());
        ASSERT_TRUE(writer.finish().ok());
        file.close();
        EXPECT_EQ(writer.rows_written(), rows);
        expect_rows(file, batch, all_rows(batch));
    }
}

TEST(ParquetWriter, KeepsExtremes) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{
        {"i", TypeKind::int64}, {"f", TypeKind::float64}, {"d", DataType::decimal(0)}, {"s", TypeKind::string}});
    RecordBatchBuilder builder(schema);
    int128 largest = 1;
    for (int i = 0; i < 38; ++i) largest *= 10;
    const double floats[] = {-0.0, 5e-324, -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::max()};
    const std::string texts[] = {"", std::string(100'000, 'x'), std::string("\0\n", 2), "\U0001F600"};
    for (size_t i = 0; i < 4; ++i) {
        builder.column(0).append_int64(i % 2 == 0 ? INT64_MIN : INT64_MAX);
        builder.column(1).append_float64(floats[i]);
        builder.column(2).append_decimal(i % 2 == 0 ? largest - 1 : 1 - largest);
        builder.column(3).append_text(texts[i]);
        builder.end_row();
    }
    const RecordBatch batch = builder.finish();
    ParquetFile file;
    ParquetWriter writer(schema, {}, file.sink());
    ASSERT_TRUE(writer.write(batch).ok());
    ASSERT_TRUE(writer.finish().ok());
    file.close();
    const auto found = DuckDb().query(
        "SELECT i::VARCHAR, f::VARCHAR, d::VARCHAR, md5(s) = md5(s), length(s)::VARCHAR FROM " + file.source());
    ASSERT_EQ(found.size(), 4U);
    const char* lengths[] = {"0", "100000", "2", "1"};
    const char* printed[] = {"-0.0", "5e-324", "-inf", "1.7976931348623157e+308"};
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(found[i][0], format_value(batch.column(0), i));
        EXPECT_EQ(found[i][1], printed[i]);
        EXPECT_EQ(found[i][2], format_value(batch.column(2), i));
        EXPECT_EQ(found[i][4], lengths[i]);
    }
}

TEST(ParquetWriter, WritesChosenRowsOfManyBatches) {
    const RecordBatch batch = random_rows(2000, 20, 500);
    std::vector<uint32_t> odd;
    for (uint32_t row = 1; row < batch.rows(); row += 2) odd.push_back(row);
    std::reverse(odd.begin(), odd.end());
    ParquetOptions options;
    options.row_group_rows = 2500;
    ParquetFile file;
    ParquetWriter writer(batch.schema(), options, file.sink());
    std::vector<uint32_t> rows;
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(writer.write_rows(batch, odd).ok());
        rows.insert(rows.end(), odd.begin(), odd.end());
    }
    ASSERT_TRUE(writer.finish().ok());
    file.close();
    expect_rows(file, batch, rows);
}

TEST(ParquetWriter, WritesAFileWithoutRows) {
    ParquetOptions options;
    options.metadata = {{"shaduf.position", "42"}};
    ParquetFile file;
    ParquetWriter writer(every_type(), options, file.sink());
    ASSERT_TRUE(writer.write(random_rows(0, 0, 1)).ok());
    ASSERT_TRUE(writer.finish().ok());
    file.close();
    DuckDb duck;
    EXPECT_TRUE(duck.query("SELECT * FROM " + file.source()).empty());
    const std::string path = file.source().substr(std::string("read_parquet").size());
    EXPECT_EQ(duck.query("SELECT decode(key), decode(value) FROM parquet_kv_metadata" + path),
              (std::vector<std::vector<std::string>>{{"shaduf.position", "42"}}));
    std::string types;
    for (const auto& row : duck.query("SELECT column_type FROM (DESCRIBE SELECT * FROM " + file.source() + ")")) {
        types += row[0] + "; ";
    }
    EXPECT_EQ(types,
              "BOOLEAN; BIGINT; DOUBLE; DECIMAL(38,5); VARCHAR; BLOB; DATE; TIME; TIMESTAMP; TIMESTAMP WITH TIME ZONE; "
              "JSON; VARCHAR[]; STRUCT(a BIGINT, l STRUCT(x VARCHAR, y BIGINT[])[]); DECIMAL(9,2); DECIMAL(18,4); "
              "DECIMAL(10,1)[]; ");
}

TEST(ParquetWriter, TellsTheRangeOfEachChunk) {
    auto schema = std::make_shared<const Schema>(std::vector<Field>{{"i", TypeKind::int64},
                                                                    {"s", TypeKind::string},
                                                                    {"f", TypeKind::float64},
                                                                    {"d9", DataType::decimal(9, 1)},
                                                                    {"d18", DataType::decimal(18, 0)},
                                                                    {"d19", DataType::decimal(19, 2)}});
    RecordBatchBuilder builder(schema);
    for (const int64_t value : {5, -3, 12}) {
        builder.column(0).append_int64(value);
        builder.column(1).append_text("v" + std::to_string(value));
        builder.column(2).append_float64(value == 5 ? std::nan("") : static_cast<double>(value));
        for (size_t i = 3; i < 6; ++i) builder.column(i).append_decimal(value);
        builder.end_row();
    }
    for (size_t i = 0; i < 6; ++i) builder.column(i).append_null();
    builder.end_row();
    ParquetFile file;
    ParquetWriter writer(schema, {}, file.sink());
    ASSERT_TRUE(writer.write(builder.finish()).ok());
    ASSERT_TRUE(writer.finish().ok());
    file.close();
    const std::string path = file.source().substr(std::string("read_parquet").size());
    EXPECT_EQ(DuckDb().query("SELECT stats_min_value, stats_max_value, stats_null_count::VARCHAR, compression FROM "
                             "parquet_metadata" +
                             path),
              (std::vector<std::vector<std::string>>{{"-3", "12", "1", "ZSTD"},
                                                     {"v-3", "v5", "1", "ZSTD"},
                                                     {"-3.0", "12.0", "1", "ZSTD"},
                                                     {"-0.3", "1.2", "1", "ZSTD"},
                                                     {"-3", "12", "1", "ZSTD"},
                                                     {"-0.03", "0.12", "1", "ZSTD"}}));
    EXPECT_EQ(DuckDb().query("SELECT type FROM parquet_schema" + path + " WHERE name LIKE 'd%'"),
              (std::vector<std::vector<std::string>>{{"INT32"}, {"INT64"}, {"FIXED_LEN_BYTE_ARRAY"}}));
    EXPECT_EQ(DuckDb().query("SELECT count(*)::VARCHAR FROM " + file.source() + " WHERE i > 12 OR s < 'v'")[0][0], "0");
}

TEST(ParquetWriter, PassesOnWhatTheSinkSays) {
    const RecordBatch batch = random_rows(10, 0, 5);
    ParquetWriter writer(batch.schema(), {},
                         [](std::string_view) -> Result<void> { return Error(ErrorKind::exhausted, "disk is full"); });
    ASSERT_TRUE(writer.write(batch).ok());
    EXPECT_GT(writer.buffered_bytes(), 0U);
    EXPECT_EQ(writer.flush().error().message(), "disk is full");
}

}  // namespace
}  // namespace shaduf
