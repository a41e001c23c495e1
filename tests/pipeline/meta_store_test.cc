#include "pipeline/meta_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace shaduf {
namespace {

std::string fresh_path(const char* name) {
    const std::string path = testing::TempDir() + "/" + name + std::to_string(::getpid()) + "/meta.db";
    std::filesystem::remove_all(std::filesystem::path(path).parent_path());
    return path;
}

StreamRecord record(const char* run, const char* stream, const char* started_at) {
    StreamRecord record;
    record.run_id = run;
    record.progress.pipeline = "shop";
    record.progress.stream = stream;
    record.progress.rows_written = 7;
    record.progress.seconds = 1.5;
    record.status = "done";
    record.checkpoint = "{\"page\":3}";
    record.started_at = started_at;
    return record;
}

TEST(MetaStore, KeepsRunsAcrossOpenings) {
    const std::string path = fresh_path("meta");
    {
        auto store = MetaStore::open(path).release_value();
        ASSERT_TRUE(store->save(record("r1", "orders", "2026-01-01T00:00:00Z")).ok());
        ASSERT_TRUE(store->save(record("r2", "orders", "2026-01-02T00:00:00Z")).ok());
        ASSERT_TRUE(store->save(record("r1", "users", "2026-01-01T00:00:00Z")).ok());
        auto failed = record("r2", "orders", "2026-01-02T00:00:00Z");
        failed.status = "failed";
        failed.error = "it's \"broken\"";
        ASSERT_TRUE(store->save(failed).ok());
    }
    auto store = MetaStore::open(path).release_value();
    const auto recent = store->recent(2).release_value();
    ASSERT_EQ(recent.size(), 2U);
    EXPECT_EQ(recent[0].run_id, "r2");
    EXPECT_EQ(recent[0].error, "it's \"broken\"");
    EXPECT_EQ(recent[0].progress.rows_written, 7);
    EXPECT_EQ(recent[0].progress.seconds, 1.5);
    const auto latest = store->latest_of_each_stream().release_value();
    ASSERT_EQ(latest.size(), 2U);
    EXPECT_EQ(latest[0].status, "failed");
    EXPECT_EQ(latest[1].progress.stream, "users");
    EXPECT_EQ(latest[1].checkpoint, "{\"page\":3}");
}

TEST(MetaStore, KeepsTheNewestResultsOfEachCheck) {
    const std::string path = fresh_path("meta_checks");
    auto store = MetaStore::open(path).release_value();
    const auto at = [](int64_t n) { return "2026-01-01T00:" + std::to_string(100 + n) + "Z"; };
    for (int64_t n = 0; n < MetaStore::kChecksKept + 5; ++n) {
        const std::vector<CheckRecord> records = {{"a", "r" + std::to_string(n), at(n), "failed", n, "it's wrong"},
                                                  {"b", "r" + std::to_string(n), at(n % 3), "passed", 0, ""}};
        ASSERT_TRUE(store->save_checks(records).ok());
    }
    store = MetaStore::open(path).release_value();
    const auto checks = store->checks().release_value();
    const auto is_a = [](const CheckRecord& record) { return record.id == "a"; };
    ASSERT_EQ(std::count_if(checks.begin(), checks.end(), is_a), MetaStore::kChecksKept);
    EXPECT_EQ(checks.front().rows, 5);
    EXPECT_EQ(checks.front().message, "it's wrong");
    EXPECT_EQ(checks[MetaStore::kChecksKept - 1].rows, MetaStore::kChecksKept + 4);
}

TEST(MetaStore, RefusesANewerVersionAndAFileThatIsNone) {
    const std::string path = fresh_path("meta_newer");
    ASSERT_TRUE(MetaStore::open(path).ok());
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    const auto newer = MetaStore::open(path);
    ASSERT_FALSE(newer.ok());
    EXPECT_NE(newer.error().message().find("has version 99, this program knows 3"), std::string::npos);

    const std::string broken = fresh_path("meta_broken");
    std::filesystem::create_directories(std::filesystem::path(broken).parent_path());
    std::ofstream(broken) << std::string(5000, 'x');
    EXPECT_EQ(MetaStore::open(broken).error().kind(), ErrorKind::invalid_config);
}

}  // namespace
}  // namespace shaduf
