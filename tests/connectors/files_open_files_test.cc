#include "connectors/files/open_files.h"

#include <condition_variable>
#include <mutex>

#include "tests/connectors/files_world.h"
#include "tests/connectors/memory_store.h"

namespace shaduf {
namespace {

using files::OpenFiles;

constexpr size_t kFolders = 1000;

// A row for each folder, with a text that does not compress.
RecordBatch batch_of(int64_t round) {
    RecordBatchBuilder builder(
        std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64}, {"text", TypeKind::string}}));
    for (size_t folder = 0; folder < kFolders; ++folder) {
        const int64_t id = round * static_cast<int64_t>(kFolders) + static_cast<int64_t>(folder);
        builder.column(0).append_int64(id);
        builder.column(1).append_text(std::to_string(std::hash<std::string>()(std::to_string(id))));
        builder.end_row();
    }
    return builder.finish();
}

class OpenFilesTest : public FilesTest {
protected:
    // Rows of all rounds, one a folder each; gives the files.
    std::vector<DataFile> load(size_t memory_bytes, int64_t rounds) {
        files::WriterSettings settings;
        settings.encoders = make_parquet_encoders(files::parquet_options(settings), 1);
        OpenFiles open(store, settings, memory_bytes, UploadMode::replace);
        int names = 0;
        for (int64_t round = 0; round < rounds; ++round) {
            const RecordBatch batch = batch_of(round);
            for (uint32_t slot = 0; slot < kFolders; ++slot) {
                const auto key = [&] {
                    return "t/d=" + std::to_string(slot) + "/" + std::to_string(++names) + ".parquet";
                };
                const auto done = open.write(run(), {slot, 0}, key, batch, std::span(&slot, 1));
                EXPECT_TRUE(done.ok()) << done.error().to_string();
            }
            EXPECT_TRUE(open.stay_in_memory().ok());
            EXPECT_LE(open.memory_bytes(), memory_bytes);
            open_at_most = std::max(open_at_most, open.count());
        }
        EXPECT_TRUE(open.finish_all().ok());
        EXPECT_EQ(open.count(), 0U);
        EXPECT_EQ(open.memory_bytes(), 0U);
        return open.take_finished();
    }
    // Of one batch, a file a folder.
    Result<std::vector<DataFile>> load_once() {
        files::WriterSettings settings;
        settings.encoders = make_parquet_encoders(files::parquet_options(settings), 1);
        OpenFiles open(store, settings, 256 << 20, UploadMode::replace);
        const RecordBatch batch = batch_of(0);
        for (uint32_t slot = 0; slot < 20; ++slot) {
            TRY(open.write(
                run(), {slot, 0}, [&] { return std::to_string(slot); }, batch, std::span(&slot, 1)));
        }
        TRY(open.finish_all());
        return open.take_finished();
    }
    // Of all files: how many rows, how many ids, their sum.
    std::string contents() {
        for (const auto& [key, bytes] : store.objects) put(key, bytes);
        auto connection = databases.open_in_memory({}).value()->connect(world.cancellation).release_value();
        auto found = connection->query(
            "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || sum(id) || ' ' || "
            "bool_and(id % 1000 = d) FROM read_parquet(" +
            quote_literal(folder / "t/*/*.parquet") + ", hive_partitioning = true)");
        return found.ok() ? std::string(found.value().front().column(0).text_at(0)) : found.error().to_string();
    }

    MemoryStore store;
    size_t open_at_most = 0;
};

TEST_F(OpenFilesTest, AThousandFoldersStayOpenWhereMemoryIsEnough) {
    EXPECT_EQ(load(256 << 20, 3).size(), kFolders);
    EXPECT_EQ(open_at_most, kFolders);
    EXPECT_EQ(contents(), "3000 3000 4498500 true");
}

TEST_F(OpenFilesTest, SeveralFilesEndAtTheSameTime) {
    std::mutex mutex;
    std::condition_variable changed;
    int ending = 0;
    store.before_finish = [&](const std::string&) -> Result<void> {
        std::unique_lock lock(mutex);
        ++ending;
        changed.notify_all();
        const bool met = changed.wait_for(lock, std::chrono::seconds(30), [&] { return ending >= 4; });
        return met ? Result<void>() : Error(ErrorKind::unavailable, "each waits for the one before");
    };
    const auto files = load_once();
    ASSERT_TRUE(files.ok()) << files.error().to_string();
    EXPECT_EQ(files.value().size(), 20U);
    EXPECT_EQ(store.objects.size(), 20U);
}

TEST_F(OpenFilesTest, OneFileThatCannotEndFailsThemAll) {
    store.before_finish = [](const std::string& key) -> Result<void> {
        return key == "3" ? Error(ErrorKind::exhausted, "no room for " + key) : Result<void>();
    };
    const auto files = load_once();
    ASSERT_FALSE(files.ok());
    EXPECT_EQ(files.error().to_string(), "no room for 3");
}

TEST_F(OpenFilesTest, AThousandFoldersStayInLittleMemory) {
    const auto files = load(1 << 20, 3);
    EXPECT_GT(files.size(), kFolders);
    EXPECT_LT(open_at_most, kFolders);
    int64_t rows = 0;
    for (const auto& file : files) rows += file.rows;
    EXPECT_EQ(rows, 3000);
    EXPECT_EQ(contents(), "3000 3000 4498500 true");
}

}  // namespace
}  // namespace shaduf
