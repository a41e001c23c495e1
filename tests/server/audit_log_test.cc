#include "server/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/world.h"

namespace shaduf::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AuditLogTest : public testing::Test {
protected:
    void add(const std::string& action, const std::string& detail = "") {
        AuditEntry entry;
        entry.actor = "ada";
        entry.action = action;
        entry.target = "/runs/1";
        entry.detail = detail;
        ASSERT_TRUE(log.append(std::move(entry)).ok());
    }
    std::vector<std::string> actions(const AuditFilter& filter = {}) {
        std::vector<std::string> found;
        for (const AuditEntry& entry : log.list(filter).release_value()) {
            found.push_back(std::to_string(entry.number) + " " + entry.action);
        }
        return found;
    }
    std::string text() const {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void write(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }

    TempFolder folder;
    const std::string path = folder / "audit.log";
    FakeClock clock;
    AuditLog log{path, clock};
};

TEST_F(AuditLogTest, ListsNewestFirst) {
    EXPECT_THAT(actions(), ElementsAre());
    add("run.cancel");
    clock.advance(std::chrono::hours(1));
    const Timestamp later = clock.now();
    add("session.begin");
    add("session.end");
    EXPECT_THAT(actions(), ElementsAre("3 session.end", "2 session.begin", "1 run.cancel"));
    EXPECT_THAT(actions({.action = "session."}), ElementsAre("3 session.end", "2 session.begin"));
    EXPECT_THAT(actions({.since = later}), ElementsAre("3 session.end", "2 session.begin"));
    EXPECT_THAT(actions({.before = 3, .limit = 1}), ElementsAre("2 session.begin"));
    EXPECT_THAT(actions({.actor = "bob"}), ElementsAre());
}

TEST_F(AuditLogTest, ListsMoreThanABlockOfTheFile) {
    for (int i = 0; i < 100; ++i) add("n", std::string(2'000, 'x'));
    const auto found = actions({.limit = 1'000});
    ASSERT_EQ(found.size(), 100U);
    EXPECT_EQ(found.back(), "1 n");
    EXPECT_EQ(log.verify().value().lines, 100);
}

TEST_F(AuditLogTest, FindsEveryChangeOfItsBytes) {
    for (int i = 0; i < 4; ++i) add("run.cancel", "number " + std::to_string(i));
    const std::string whole = text();
    EXPECT_FALSE(log.verify().value().broken_at);
    for (size_t at = 0; at < whole.size(); ++at) {
        std::string changed = whole;
        changed[at] = changed[at] == 'q' ? 'r' : 'q';
        write(changed);
        EXPECT_TRUE(log.verify().value().broken_at) << "byte " << at;
    }
}

TEST_F(AuditLogTest, FindsLinesTakenOutAndPutElsewhere) {
    for (int i = 0; i < 3; ++i) add("run.cancel", std::to_string(i));
    const std::string whole = text();
    const size_t second = whole.find('\n') + 1;
    const size_t third = whole.find('\n', second) + 1;
    write(whole.substr(0, second) + whole.substr(third));
    EXPECT_EQ(log.verify().value().broken_at, 2);
    write(whole.substr(second, third - second) + whole.substr(0, second) + whole.substr(third));
    EXPECT_EQ(log.verify().value().broken_at, 1);
    write(whole.substr(0, third) + whole.substr(second));
    EXPECT_EQ(log.verify().value().broken_at, 3);
}

TEST_F(AuditLogTest, HealsALineThatACrashHasTorn) {
    add("run.cancel");
    add("run.cancel");
    const std::string whole = text();
    for (size_t cut = whole.find('\n') + 2; cut < whole.size(); cut += 7) {
        SCOPED_TRACE(cut);
        write(whole.substr(0, cut));
        EXPECT_THAT(log.verify().value().what, HasSubstr("torn"));
        add("session.begin");
        EXPECT_THAT(actions(), ElementsAre("3 session.begin", "2 audit.healed", "1 run.cancel"));
        EXPECT_FALSE(log.verify().value().broken_at);
    }
}

TEST_F(AuditLogTest, AppendsNothingBehindALineThatIsNone) {
    add("run.cancel");
    write(text() + "hello\n");
    const auto appended = log.append({.actor = "ada", .action = "x"});
    ASSERT_FALSE(appended.ok());
    EXPECT_THAT(appended.error().message(), HasSubstr("the last line of the audit log is none"));
}

TEST_F(AuditLogTest, KeepsWhatItIsTold) {
    AuditEntry entry{.actor = "a\"b\n", .action = "x", .target = "\xff", .detail = std::string(9'000, 'y')};
    ASSERT_TRUE(log.append(entry).ok());
    const auto found = log.list({}).release_value();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].actor, "a\"b\n");
    EXPECT_EQ(found[0].target, "\xEF\xBF\xBD");
    EXPECT_LT(found[0].detail.size(), 5'000U);
    EXPECT_EQ(found[0].at, clock.now());
}

TEST_F(AuditLogTest, ManyMayAppend) {
    AuditLog other(path, clock);
    std::vector<std::thread> threads;
    for (AuditLog* one : {&log, &other, &log, &other}) {
        threads.emplace_back([one] {
            for (int i = 0; i < 25; ++i) EXPECT_TRUE(one->append({.actor = "t", .action = "x"}).ok());
        });
    }
    for (std::thread& thread : threads) thread.join();
    const auto verdict = log.verify().release_value();
    EXPECT_EQ(verdict.lines, 100);
    EXPECT_FALSE(verdict.broken_at) << verdict.what;
}

}  // namespace
}  // namespace shaduf::server
