#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "io/object_store.h"
#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> list_keys(ObjectStore& store, World& world, std::string_view prefix = "") {
    std::vector<std::string> keys;
    auto listed = store.list(world.run, prefix, [&](std::span<const ObjectInfo> objects) -> Result<void> {
        EXPECT_LE(objects.size(), 1000U);
        for (const auto& object : objects) keys.push_back(object.key);
        return {};
    });
    EXPECT_TRUE(listed.ok());
    return keys;
}

size_t files_in(const std::filesystem::path& folder) {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file();
    return count;
}

class LocalObjectStoreTest : public testing::Test {
protected:
    World world;
    TempFolder folder;
    std::unique_ptr<ObjectStore> store = open_object_store({.url = folder / "in/side"}).release_value();
};

TEST_F(LocalObjectStoreTest, PutsGetsAndRemoves) {
    EXPECT_EQ(store->get(world.run, "a/b").release_value(), nullptr);
    EXPECT_FALSE(store->head(world.run, "a/b").release_value().has_value());
    EXPECT_EQ(store->open(world.run, "a/b").release_value(), nullptr);
    ASSERT_TRUE(store->put(world.run, "a/b", "one").ok());
    ASSERT_TRUE(store->put(world.run, "a/b", "other").ok());
    EXPECT_EQ(store->get(world.run, "a/b").release_value()->view(), "other");
    const auto info = store->head(world.run, "a/b").release_value();
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->size, 5U);
    EXPECT_EQ(store->local_path("a/b"), folder / "in/side/a/b");
    EXPECT_FALSE(store->head(world.run, "a").release_value().has_value());  // a folder is no object
    EXPECT_TRUE(store->remove(world.run, "a/b").ok());
    EXPECT_TRUE(store->remove(world.run, "a/b").ok());
    EXPECT_EQ(files_in(folder.path()), 0U);
}

TEST_F(LocalObjectStoreTest, ReadsRangesOfWhatWasOpened) {
    ASSERT_TRUE(store->put(world.run, "k", "0123456789").ok());
    const auto reader = store->open(world.run, "k").release_value();
    EXPECT_EQ(reader->read_at(world.run, 2, 3).release_value()->view(), "234");
    EXPECT_EQ(reader->read_at(world.run, 8, 10).release_value()->view(), "89");
    EXPECT_EQ(reader->read_at(world.run, 20, 10).release_value()->view(), "");
    ASSERT_TRUE(store->put(world.run, "k", "replaced").ok());
    EXPECT_EQ(reader->read_at(world.run, 0, 2).release_value()->view(),
              "01");  // the old file lives on while it is open
    std::ofstream(folder / "in/side/k2") << "short";
    const auto changed = store->open(world.run, "k2").release_value();
    std::ofstream(folder / "in/side/k2", std::ios::app) << " and more";
    auto read = changed->read_at(world.run, 0, 5);
    ASSERT_FALSE(read.ok());
    EXPECT_FALSE(read.error().may_retry());
}

TEST_F(LocalObjectStoreTest, PutIfAbsentHasOneWinner) {
    std::vector<std::thread> writers;
    std::atomic<int> winners{0};
    for (int i = 0; i < 8; ++i) {
        writers.emplace_back([&, i] {
            auto won = store->put_if_absent(world.run, "commit", std::to_string(i));
            if (won.ok() && won.value()) ++winners;
        });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST_F(LocalObjectStoreTest, UploadsAreSeenOnlyWhenFinished) {
    ASSERT_TRUE(store->put(world.run, "k", "old").ok());
    {
        auto upload = store->start_upload(world.run, "k").release_value();
        ASSERT_TRUE(upload->write(world.run, "half").ok());
        EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "old");
        EXPECT_THAT(list_keys(*store, world), ElementsAre("k"));
    }
    EXPECT_EQ(files_in(folder.path()), 1U);
    auto upload = store->start_upload(world.run, "k").release_value();
    ASSERT_TRUE(upload->write(world.run, "new ").ok());
    ASSERT_TRUE(upload->write(world.run, "text").ok());
    ASSERT_TRUE(upload->finish(world.run).ok());
    EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "new text");
    EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST_F(LocalObjectStoreTest, UploadsThatCreateReplaceNothing) {
    auto first = store->start_upload(world.run, "k", UploadMode::create).release_value();
    auto second = store->start_upload(world.run, "k", UploadMode::create).release_value();
    ASSERT_TRUE(first->write(world.run, "first").ok());
    ASSERT_TRUE(second->write(world.run, "second").ok());
    ASSERT_TRUE(first->finish(world.run).ok());
    const auto finished = second->finish(world.run);
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().kind(), ErrorKind::conflict);
    first.reset();
    second.reset();
    EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "first");
    EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST_F(LocalObjectStoreTest, ListsInTheByteOrderOfKeys) {
    EXPECT_THAT(list_keys(*store, world), IsEmpty());  // no folder yet
    for (const char* key : {"a/b/c", "a/b.txt", "a.txt", "a/b/d", "b", "A", "a-", "a/b0"})
        ASSERT_TRUE(store->put(world.run, key, "x").ok());
    EXPECT_THAT(list_keys(*store, world), ElementsAre("A", "a-", "a.txt", "a/b.txt", "a/b/c", "a/b/d", "a/b0", "b"));
    EXPECT_THAT(list_keys(*store, world, "a/b"), ElementsAre("a/b.txt", "a/b/c", "a/b/d", "a/b0"));
    EXPECT_THAT(list_keys(*store, world, "a/b/"), ElementsAre("a/b/c", "a/b/d"));
    EXPECT_THAT(list_keys(*store, world, "z"), IsEmpty());
}

TEST_F(LocalObjectStoreTest, UnfinishedFilesOfTheDeadAreRemoved) {
    ASSERT_TRUE(store->put(world.run, "a/k", "x").ok());
    ASSERT_TRUE(store->put(world.run, "k", "x").ok());
    for (const char* name : {"in/side/.shaduf-unfinished-1-1", "in/side/a/.shaduf-unfinished-1-2"})
        std::ofstream(folder / name) << "half";
    EXPECT_THAT(list_keys(*store, world), ElementsAre("a/k", "k"));
    const Timestamp past{};
    const Timestamp future = Timestamp::max();
    EXPECT_EQ(store->remove_unfinished(world.run, "", past).release_value(), 0);
    EXPECT_EQ(store->remove_unfinished(world.run, "a/", future).release_value(), 1);
    EXPECT_EQ(store->remove_unfinished(world.run, "", future).release_value(), 1);
    EXPECT_EQ(files_in(folder.path()), 2U);
}

TEST_F(LocalObjectStoreTest, WrongKeysAndPlacesAreErrors) {
    for (const char* key : {"", "/a", "a//b", "../a", "a/..", "a/", "."}) {
        SCOPED_TRACE(key);
        EXPECT_FALSE(store->put(world.run, key, "x").ok());
        EXPECT_FALSE(store->get(world.run, key).ok());
        EXPECT_FALSE(store->start_upload(world.run, key).ok());
    }
    for (const char* url :
         {"", "ftp://bucket/x", "file://relative", "s3://", "s3:///x", "s3://b u c/x", "s3://bucket/../x"}) {
        SCOPED_TRACE(url);
        auto opened = open_object_store({.url = url});
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().kind(), ErrorKind::invalid_config);
    }
    std::ofstream(folder / "file") << "x";
    auto put = open_object_store({.url = folder / "file"}).release_value()->put(world.run, "k", "x");
    ASSERT_FALSE(put.ok());
    EXPECT_EQ(put.error().kind(), ErrorKind::invalid_config);
}

// A file size limit stands for a disk that is full: the kernel ends the write in the middle. In a process of its own,
// since a limit cannot be taken back.
TEST_F(LocalObjectStoreTest, AFullDiskIsExhaustedAndLeavesTheOldFile) {
    ASSERT_TRUE(store->put(world.run, "k", "old").ok());
    const auto write_much = [&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4096, 4096};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        auto put = store->put(world.run, "k", std::string(10'000, 'x'));
        ::_exit(!put.ok() && put.error().kind() == ErrorKind::exhausted ? 0 : 1);
    };
    EXPECT_EXIT(write_much(), testing::ExitedWithCode(0), "");
    EXPECT_EQ(store->get(world.run, "k").release_value()->view(), "old");
}

}  // namespace
}  // namespace shaduf
