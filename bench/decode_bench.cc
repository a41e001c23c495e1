// Measures the codecs on user-action events made here (about 180 bytes each), in CPU time of one thread:
//   decode_bench [rows]

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/csv.h"
#include "data/csv_writer.h"
#include "data/ndjson.h"
#include "data/parquet_writer.h"
#include "data/row_decoder.h"

namespace shaduf {
namespace {

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A small generator of our own, so that every machine measures the same rows.
class Random {
public:
    unsigned below(unsigned limit) {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<unsigned>((state_ >> 33) % limit);
    }

private:
    uint64_t state_ = 1;
};

void append_event(Random& random, BufferBuilder& text) {
    constexpr std::array<const char*, 3> kPlatforms{"web", "ios", "android"};
    constexpr std::array<const char*, 5> kNames{"view", "click", "add_to_cart", "purchase", "search"};
    constexpr std::array<const char*, 6> kProducts{"Wireless Mouse", "Mechanical Keyboard",
                                                   "USB-C Hub",      "Laptop Stand",
                                                   "Webcam HD",      "Noise Cancelling Headphones"};
    const unsigned product = random.below(6);
    std::array<char, 512> line{};
    const int size = std::snprintf(line.data(), line.size(),
                                   R"({"timestamp":"2023-10-%02uT%02u:%02u:%02uZ","event_name":"%s",)"
                                   R"("user_identifiers":{"platform":"%s","id":"user_%u"},)"
                                   R"("product_information":{"name":"%s","SKU":"SKU-%u"}})",
                                   20 + random.below(10), random.below(24), random.below(60), random.below(60),
                                   kNames[random.below(5)], kPlatforms[random.below(3)], random.below(100'000),
                                   kProducts[product], 1000 + product * 100 + random.below(100));
    text.append(std::string_view(line.data(), static_cast<size_t>(size)));
}

RawRows make_events(Random& random, size_t rows) {
    RawRows raw;
    BufferBuilder text;
    for (size_t i = 0; i < rows; ++i) {
        const auto begin = static_cast<uint32_t>(text.size());
        append_event(random, text);
        raw.rows.push_back({begin, static_cast<uint32_t>(text.size()) - begin});
        text.append("\n");
    }
    raw.text = text.finish();
    return raw;
}

Shape event_shape() {
    Shape shape;
    const auto add = [&](const char* name, TypeKind type, std::vector<std::string> path) {
        shape.columns.push_back({name, type, std::move(path), true});
    };
    add("event_datetime", TypeKind::timestamp, {"timestamp"});
    add("event_date", TypeKind::date, {"timestamp"});
    add("event_name", TypeKind::string, {"event_name"});
    add("user_id", TypeKind::string, {"user_identifiers", "id"});
    add("platform", TypeKind::string, {"user_identifiers", "platform"});
    add("product_name", TypeKind::string, {"product_information", "name"});
    add("SKU", TypeKind::string, {"product_information", "SKU"});
    return shape;
}

constexpr size_t kBatchRows = 20'000;

void print(const char* what, size_t rows, size_t bytes, double seconds) {
    std::printf("%-28s %8.0f MB/s %8.2f M rows/s   %.3f CPU s\n", what, static_cast<double>(bytes) / seconds / 1e6,
                static_cast<double>(rows) / seconds / 1e6, seconds);
}

void write_parquet(const std::vector<RecordBatch>& batches, size_t rows, size_t bytes) {
    const double begin = cpu_seconds();
    ParquetWriter writer(batches[0].schema(), {}, [](std::string_view) { return Result<void>(); });
    for (const auto& batch : batches) (void)writer.write(batch);
    (void)writer.finish();
    print("columns to Parquet, zstd 1", rows, bytes, cpu_seconds() - begin);
    std::printf("%-28s %8.2f bytes a row\n", "",
                static_cast<double>(writer.bytes_written()) / static_cast<double>(rows));
}

// By event_date, one file a day.
void write_partitioned(const std::vector<RecordBatch>& batches, size_t rows, size_t bytes) {
    const double begin = cpu_seconds();
    std::map<int32_t, std::pair<std::unique_ptr<ParquetWriter>, std::vector<uint32_t>>> files;
    for (const auto& batch : batches) {
        for (auto& [day, file] : files) file.second.clear();
        for (uint32_t row = 0; row < batch.rows(); ++row) files[batch.column(1).date_at(row)].second.push_back(row);
        for (auto& [day, file] : files) {
            if (file.first == nullptr) {
                file.first = std::make_unique<ParquetWriter>(batch.schema(), ParquetOptions(),
                                                             [](std::string_view) { return Result<void>(); });
            }
            (void)file.first->write_rows(batch, file.second);
        }
    }
    size_t buffered = 0;
    for (auto& [day, file] : files) buffered += file.first->buffered_bytes();
    for (auto& [day, file] : files) (void)file.first->finish();
    print("the same, by date", rows, bytes, cpu_seconds() - begin);
    std::printf("%-28s %8.1f MB buffered in %zu files\n", "", static_cast<double>(buffered) / 1e6, files.size());
}

void split_and_decode_csv(const std::vector<RecordBatch>& batches, size_t rows) {
    CsvSplitter splitter("bench", {});
    Shape shape = event_shape();
    for (auto& column : shape.columns) column.path = {column.name};
    const auto decoder = RowDecoder::create(RawFormat::csv, shape);
    size_t bytes = 0;
    double splitting = 0;
    double decoding = 0;
    for (const auto& batch : batches) {
        std::vector<uint32_t> all(batch.rows());
        for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
        std::string text;
        if (bytes == 0) append_csv_header(*batch.schema(), text);
        append_csv_rows(batch, all, text);
        bytes += text.size();
        const double begin = cpu_seconds();
        splitter.input().append(text);
        const RawRows raw = splitter.take();
        const double split = cpu_seconds();
        (void)decoder->decode(raw);
        splitting += split - begin;
        decoding += cpu_seconds() - split;
    }
    print("CSV text to records", rows, bytes, splitting);
    print("CSV records to columns", rows, bytes, decoding);
}

void split_lines(const std::vector<RawRows>& blocks, size_t rows, size_t bytes) {
    NdjsonSplitter splitter("bench");
    double seconds = 0;
    for (const auto& block : blocks) {
        splitter.input().append(block.text->view());
        const double begin = cpu_seconds();
        (void)splitter.take();
        seconds += cpu_seconds() - begin;
    }
    print("JSON text to lines", rows, bytes, seconds);
}

void run(size_t rows) {
    Random random;
    std::vector<RawRows> blocks;
    size_t bytes = 0;
    for (size_t done = 0; done < rows; done += kBatchRows) {
        blocks.push_back(make_events(random, kBatchRows));
        bytes += blocks.back().text->size();
    }
    rows = blocks.size() * kBatchRows;
    const auto decoder = RowDecoder::create(RawFormat::json, event_shape());
    split_lines(blocks, rows, bytes);
    const double begin = cpu_seconds();
    for (const auto& block : blocks) (void)decoder->decode(block);
    print("JSON text to columns", rows, bytes, cpu_seconds() - begin);
    std::vector<RecordBatch> batches;
    for (const auto& block : blocks) batches.push_back(decoder->decode(block).rows);
    write_parquet(batches, rows, bytes);
    write_partitioned(batches, rows, bytes);
    split_and_decode_csv(batches, rows);
}

}  // namespace
}  // namespace shaduf

int main(int argc, char** argv) {
    shaduf::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000);
    return 0;
}
