#include "server/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "flow/shared/sessions.h"
#include "tests/world.h"

namespace shaduf::server {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPassword = "correct horse";

// By the database that they are in; for PostgreSQL in the one of SHADUF_TEST_POSTGRES.
class UsersTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        if (GetParam() == "postgres") {
            if (dsn == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
            state = dsn;
            const Cancellation none;
            shared::Sessions sessions(state, none);
            ASSERT_TRUE(sessions.lend().release_value()->execute("DROP SCHEMA shaduf CASCADE").ok());
        }
        users = open();
    }
    std::unique_ptr<Users> open() {
        Users::Limits limits;
        limits.work = {1, 8192};
        limits.address_failures = 8;
        auto database = open_user_database(folder.path().string(), state).release_value();
        return std::make_unique<Users>(std::move(database), clock, limits);
    }
    void add(const std::string& name, Role role = Role::viewer) {
        ASSERT_TRUE(users->add({.name = name, .role = role}, kPassword).ok());
    }
    std::string sign_in(const std::string& name, std::string_view password = kPassword,
                        const std::string& address = "10.0.0.1") {
        return users->sign_in(name, password, address).release_value().session;
    }
    int64_t wait_after(const std::string& name, const std::string& address = "10.0.0.1") {
        return users->sign_in(name, "wrong password", address).release_value().wait.count();
    }

    TempFolder folder;
    std::string state;
    FakeClock clock;
    std::unique_ptr<Users> users;
};
INSTANTIATE_TEST_SUITE_P(Databases, UsersTest, testing::Values("sqlite", "postgres"),
                         [](const auto& database) { return database.param; });

TEST_P(UsersTest, SignsInByNameAndPassword) {
    EXPECT_FALSE(users->has_any().value());
    add("ada", Role::operator_);
    EXPECT_TRUE(users->has_any().value());
    const std::string session = sign_in("ada");
    ASSERT_FALSE(session.empty());
    const auto caller = users->session(session).release_value();
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->name, "ada");
    EXPECT_EQ(caller->role, Role::operator_);
    EXPECT_EQ(sign_in("ada", "correct horsf"), "");
    EXPECT_EQ(sign_in("bob"), "");
    EXPECT_EQ(sign_in("ADA"), "");
    EXPECT_FALSE(users->session("nonsense").value());
    EXPECT_NE(sign_in("ada"), session);
}

TEST_P(UsersTest, ASessionEndsWithTimeAndByItsUser) {
    add("ada");
    const std::string session = sign_in("ada");
    clock.advance(hours(11));
    EXPECT_TRUE(users->session(session).value());  // which is use
    clock.advance(hours(11));
    EXPECT_TRUE(users->session(session).value());
    clock.advance(hours(13));
    EXPECT_FALSE(users->session(session).value());
    const std::string other = sign_in("ada");
    for (int i = 0; i < 7 * 24 / 10; ++i) {
        clock.advance(hours(10));
        EXPECT_TRUE(users->session(other).value());
    }
    clock.advance(hours(10));
    EXPECT_FALSE(users->session(other).value());
    const std::string third = sign_in("ada");
    ASSERT_TRUE(users->sign_out(third).ok());
    EXPECT_FALSE(users->session(third).value());
}

TEST_P(UsersTest, ANewPasswordALockAndRemovalEndSessions) {
    add("root", Role::admin);
    add("ada");
    const auto has_ended = [&](const auto& change) {
        const std::string session = sign_in("ada");
        EXPECT_TRUE(change().ok());
        return !users->session(session).value();
    };
    EXPECT_FALSE(has_ended([&] { return users->change("ada", {.role = Role::editor}); }));
    EXPECT_TRUE(has_ended([&] { return users->change("ada", {.password = "another horse"}); }));
    EXPECT_EQ(sign_in("ada"), "");
    ASSERT_TRUE(users->change("ada", {.password = kPassword}).ok());
    EXPECT_TRUE(has_ended([&] { return users->change("ada", {.locked = true}); }));
    EXPECT_EQ(sign_in("ada"), "");
    ASSERT_TRUE(users->change("ada", {.locked = false}).ok());
    EXPECT_TRUE(has_ended([&] { return users->remove("ada"); }));
}

TEST_P(UsersTest, WaitsDoubleBehindFailures) {
    add("ada");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(wait_after("ada"), 0);
    std::vector<int64_t> waits;
    for (int i = 0; i < 4; ++i) {
        waits.push_back(wait_after("ada", "10.0.0." + std::to_string(i + 2)));
        EXPECT_EQ(sign_in("ada"), "") << "even the right password waits";
        clock.advance(seconds(waits.back()));
        EXPECT_EQ(wait_after("ada", "10.0.1." + std::to_string(i)), 0);
    }
    EXPECT_THAT(waits, ElementsAre(1, 2, 4, 8));
    clock.advance(seconds(16));
    EXPECT_NE(sign_in("ada"), "");
    EXPECT_EQ(wait_after("ada"), 0) << "what went well forgets";
}

TEST_P(UsersTest, WaitsForNamesThatAreNotThereAlike) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(wait_after("nobody", "10.0.1." + std::to_string(i)), 0);
    EXPECT_EQ(wait_after("nobody", "10.0.2.1"), 1);
}

TEST_P(UsersTest, AnAddressThatTriesManyNamesWaits) {
    for (int i = 0; i < 8; ++i) EXPECT_EQ(wait_after("name" + std::to_string(i)), 0);
    EXPECT_EQ(wait_after("name9"), 1);
    add("ada");
    EXPECT_EQ(sign_in("ada"), "");
    EXPECT_NE(sign_in("ada", kPassword, "10.0.0.2"), "");
    EXPECT_EQ(open()->sign_in("ada", kPassword, "10.0.0.1").release_value().session, "")
        << "another process knows of it";
}

TEST_P(UsersTest, AWaitHasALongestTime) {
    int64_t longest = 0;
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(wait_after("ada", std::to_string(i)), 0);
        longest = std::max(longest, wait_after("ada", std::to_string(i)));
        clock.advance(seconds(longest + 1));
    }
    EXPECT_EQ(longest, 900);
}

TEST_P(UsersTest, RefusesNamesAndPasswordsThatWillNotDo) {
    for (const char* name : {"", "a b", "../x", "a/b", "a\nb", "\xff"}) {
        SCOPED_TRACE(name);
        EXPECT_FALSE(users->add({.name = name}, kPassword).ok());
    }
    EXPECT_FALSE(users->add({.name = std::string(65, 'x')}, kPassword).ok());
    EXPECT_THAT(users->add({.name = "ada"}, "123456789").error().message(), HasSubstr("use 10 or more"));
    EXPECT_FALSE(users->add({.name = "ada"}, std::string(1'025, 'x')).ok());
    EXPECT_TRUE(users->add({.name = "ada"}, "äöüäöüäöüä").ok());
    EXPECT_EQ(users->add({.name = "ada"}, kPassword).error().kind(), ErrorKind::conflict);
}

TEST_P(UsersTest, AnAdminStays) {
    add("ada", Role::admin);
    add("bob", Role::admin);
    ASSERT_TRUE(users->change("bob", {.folders = std::vector<std::string>{"pipelines"}}).ok());
    for (const auto& change : {Users::Change{.role = Role::viewer}, Users::Change{.locked = true},
                               Users::Change{.folders = std::vector<std::string>{"flows"}}}) {
        EXPECT_EQ(users->change("ada", change).error().kind(), ErrorKind::conflict);
    }
    EXPECT_EQ(users->remove("ada").error().kind(), ErrorKind::conflict);
    ASSERT_TRUE(users->change("bob", {.folders = std::vector<std::string>{}}).ok());
    EXPECT_TRUE(users->remove("ada").ok());
    EXPECT_TRUE(is_not_found(users->remove("ada").error()));
}

TEST_P(UsersTest, TokensCallUntilTheyExpireOrGo) {
    TokenInfo token{.name = "ci", .role = Role::operator_, .folders = {"flows"}};
    token.expires = clock.now() + hours(1);
    const auto made = users->add_token(token).release_value();
    EXPECT_THAT(made.secret, testing::StartsWith("shaduf_"));
    const auto caller = users->token(made.secret).release_value();
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->name, "token:ci");
    EXPECT_THAT(caller->folders, ElementsAre("flows"));
    EXPECT_TRUE(users->tokens().value().at(0).last_used);
    EXPECT_FALSE(users->token(made.secret + "x").value());
    clock.advance(hours(1));
    EXPECT_FALSE(users->token(made.secret).value());
    token.expires = std::nullopt;
    const auto other = users->add_token(token).release_value();
    EXPECT_TRUE(users->token(other.secret).value());
    ASSERT_TRUE(users->remove_token(other.id).ok());
    EXPECT_FALSE(users->token(other.secret).value());
    EXPECT_TRUE(is_not_found(users->remove_token(other.id).error()));
}

TEST_P(UsersTest, TheFileHoldsNoSecret) {
    add("ada");
    const std::string session = sign_in("ada");
    const std::string token = users->add_token({.name = "ci"}).release_value().secret;
    users.reset();
    if (GetParam() != "sqlite") return;
    std::ifstream file(folder / ".shaduf/users.db", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(bytes, HasSubstr("$argon2id$"));
    for (const std::string& secret : {std::string(kPassword), session, token}) {
        EXPECT_EQ(bytes.find(secret), std::string::npos);
    }
    EXPECT_EQ(std::filesystem::status(folder / ".shaduf/users.db").permissions() & std::filesystem::perms::others_read,
              std::filesystem::perms::none);
}

}  // namespace
}  // namespace shaduf::server
