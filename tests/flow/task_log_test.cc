#include "flow/task_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/world.h"

namespace shaduf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TryId kTry{"20260102T030405.000000Z-1", "load", 1};

class TaskLogTest : public testing::Test {
protected:
    std::vector<std::string> texts(const LogRequest& request, const TryId& id = kTry) {
        const auto page = store->read(id, request);
        std::vector<std::string> found;
        if (!page.ok() || !page.value()) return {"no log"};
        for (const LogLine& line : page.value()->lines) found.push_back(std::to_string(line.number) + " " + line.text);
        return found;
    }
    LogPage page(const LogRequest& request = {}) { return *store->read(kTry, request).release_value(); }
    void write_lines(int count) {
        const auto writer = store->open(kTry).release_value();
        for (int i = 1; i <= count; ++i) writer->write(Severity::info, "", "line " + std::to_string(i));
    }
    std::string path() { return folder / (kTry.run + "/load.1.log"); }
    static std::string read(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void write(const std::string& file, const std::string& text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }

    TempFolder folder;
    FakeClock clock;
    std::unique_ptr<LogStore> store = make_file_log_store(folder.path().string(), clock);
};

TEST_F(TaskLogTest, TellsTimeSeverityAndPlace) {
    {
        const auto writer = store->open(kTry).release_value();
        writer->write(Severity::info, "shop.orders", "begun: now");
        writer->write(Severity::error, "", "it: failed\nagain");
        writer->write(Severity::warning, "a: b:", "x");
        EXPECT_EQ(writer->lines(), 4);
        EXPECT_FALSE(page().is_complete);
    }
    const LogPage all = page();
    EXPECT_TRUE(all.is_complete);
    EXPECT_EQ(all.lines_total, 4);
    EXPECT_EQ(all.lines[0].place, "shop.orders");
    EXPECT_EQ(all.lines[0].text, "begun: now");
    EXPECT_EQ(all.lines[0].at, clock.now());
    EXPECT_EQ(all.lines[1].severity, Severity::error);
    EXPECT_EQ(all.lines[1].place, "");
    EXPECT_EQ(all.lines[1].text, "it: failed");
    EXPECT_EQ(all.lines[2].text, "again");
    EXPECT_EQ(all.lines[3].place, "a:b");
    EXPECT_EQ(read(path()).substr(0, 56), "2026-01-02T03:04:05.000Z INFO shop.orders: begun: now\n20");
    EXPECT_EQ(all.bytes_total, static_cast<int64_t>(read(path()).size()));
}

TEST_F(TaskLogTest, ControlCharactersGoAndColoursStay) {
    {
        const auto writer = store->open(kTry).release_value();
        writer->write(Severity::info, "",
                      "a\x07"
                      "b\x1b[31mred\x1b[0m\x1b[2Jc\r\n");
        writer->write(Severity::info, "", std::string("\xff") + std::string(100'000, 'x'));
    }
    const LogPage all = page();
    EXPECT_EQ(all.lines[0].text, "ab\x1b[31mred\x1b[0mc");
    EXPECT_THAT(all.lines[1].text, HasSubstr("cut: the line is longer"));
    EXPECT_LT(all.lines[1].text.size(), 34'000u);
}

TEST_F(TaskLogTest, ReadsAnyPart) {
    write_lines(1000);
    const struct {
        LogRequest request;
        std::vector<std::string> expected;
    } cases[] = {
        {{.first = 1, .count = 2, .search = {}}, {"1 line 1", "2 line 2"}},
        {{.first = 256, .count = 2, .search = {}}, {"256 line 256", "257 line 257"}},
        {{.first = 999, .count = 10, .search = {}}, {"999 line 999", "1000 line 1000"}},
        {{.first = 1001, .count = 10, .search = {}}, {}},
        {{.first = 1, .count = 0, .search = {}}, {}},
        {{.first = -2, .count = 500, .search = {}}, {"999 line 999", "1000 line 1000"}},
        {{.first = -5, .count = 1, .search = {}}, {"1000 line 1000"}},
        {{.first = 1, .count = 2, .search = "LINE 99"}, {"99 line 99", "990 line 990"}},
        {{.first = -2, .count = 500, .search = "line 9"}, {"998 line 998", "999 line 999"}},
        {{.first = 1, .count = 5, .search = {}, .least = Severity::warning}, {}},
    };
    for (const auto& [request, expected] : cases) {
        SCOPED_TRACE(std::to_string(request.first) + " " + std::to_string(request.count) + " " + request.search);
        EXPECT_EQ(texts(request), expected);
    }
    EXPECT_EQ(store->read_text(kTry, 0, 24).value(), "2026-01-02T03:04:05.000Z");
    EXPECT_EQ(store->read_text(kTry, 1'000'000, 24).value(), "");
}

// Whatever a kill leaves of the two files, whole lines are read, with their numbers.
TEST_F(TaskLogTest, AnyCutOfTheFilesIsRead) {
    write_lines(600);
    const std::string text = read(path());
    const std::string index = read(path() + ".index");
    ASSERT_EQ(index.size(), 3 * 8u);
    for (size_t cut : {size_t{0}, size_t{1}, size_t{30}, text.find("line 256"), text.find("line 257") + 8,
                       text.find("line 257") + 9, text.find("line 512"), text.size() - 1}) {
        for (const size_t entries : {0u, 1u, 2u, 3u}) {
            SCOPED_TRACE(std::to_string(cut) + " " + std::to_string(entries));
            write(path(), text.substr(0, cut));
            write(path() + ".index", index.substr(0, entries * 8 - (entries == 2 ? 3 : 0)));
            const auto whole = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(cut), '\n');
            ASSERT_EQ(page().lines_total, whole);
            if (whole == 0) continue;
            EXPECT_THAT(texts({.first = -1, .count = 1, .search = {}}),
                        ElementsAre(std::to_string(whole) + " line " + std::to_string(whole)));
            // Whoever goes on with it numbers on from there.
            store->open(kTry).value()->write(Severity::info, "", "more");
            EXPECT_THAT(texts({.first = -1, .count = 1, .search = {}}),
                        ElementsAre(std::to_string(whole + 1) + " more"));
            EXPECT_EQ(texts({.first = whole, .count = 1, .search = {}})[0],
                      std::to_string(whole) + " line " + std::to_string(whole));
        }
    }
}

TEST_F(TaskLogTest, OneReadsWhileOthersWrite) {
    const auto writer = store->open(kTry).release_value();
    std::atomic<bool> is_done = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 2000; ++i) writer->write(Severity::info, "t" + std::to_string(t), std::to_string(i));
        });
    }
    int64_t seen = 0;
    std::thread reader([&] {
        while (!is_done) {
            const LogPage now = page({.first = -3, .count = 3, .search = {}});
            EXPECT_GE(now.lines_total, seen);
            seen = now.lines_total;
            for (const LogLine& line : now.lines) EXPECT_EQ(line.place.size(), 2u) << line.text;
        }
    });
    for (auto& thread : threads) thread.join();
    is_done = true;
    reader.join();
    EXPECT_EQ(page().lines_total, 6000);
    int64_t sum = 0;
    for (int64_t first = 1; first <= 6000; first += 1000) {
        for (const LogLine& line : page({.first = first, .count = 1000, .search = {}}).lines)
            sum += std::stoll(line.text);
    }
    EXPECT_EQ(sum, 3 * (1999 * 2000 / 2));
}

TEST_F(TaskLogTest, NamesDoNotLeadOutOfTheFolder) {
    const TryId hostile{"../../up", "../x/y", 1};
    store->open(hostile).value()->write(Severity::info, "", "here");
    EXPECT_THAT(texts({}, hostile), ElementsAre("1 here"));
    EXPECT_FALSE(std::filesystem::exists(folder.path().parent_path() / "up"));
    EXPECT_TRUE(store->forget(hostile.run).ok());
    EXPECT_FALSE(store->read(hostile, {}).value().has_value());
    EXPECT_FALSE(store->read({"nobody", "x", 1}, {}).value().has_value());
}

}  // namespace
}  // namespace shaduf
