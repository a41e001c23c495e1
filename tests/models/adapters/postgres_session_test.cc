#include "models/adapters/postgres/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/world.h"

namespace shaduf::models {
namespace {

using testing::HasSubstr;

// On the server that harness/postgres.py starts.
class PostgresSessionServerTest : public testing::Test {
protected:
    void SetUp() override {
        if (std::getenv("SHADUF_TEST_POSTGRES") == nullptr) {
            GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        }
    }
    std::unique_ptr<PostgresSession> session(std::chrono::seconds wait = {}) {
        PostgresOptions options;
        options.parameters = parse_postgres_dsn(std::getenv("SHADUF_TEST_POSTGRES")).release_value();
        return std::make_unique<PostgresSession>(
            PostgresConnection::connect(options, world.cancellation).release_value(),
            PostgresSession::Commits::when_asked, world.run, Patience{.wait = wait});
    }

    World world;
};

TEST_F(PostgresSessionServerTest, OneRunBuildsARelation) {
    const auto first = session();
    const auto second = session(std::chrono::seconds(1));
    ASSERT_TRUE(first->lock("db.s.orders").ok());
    ASSERT_TRUE(first->lock("db.s.lines").ok());

    const auto refused = second->lock("DB.s.orders");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::conflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("DB.s.orders is being built by another run: process "));
    EXPECT_THAT(refused.error().message(), HasSubstr("waited 1 s"));
    EXPECT_FALSE(world.clock.slept().empty());

    // No transaction bears on it.
    ASSERT_TRUE(first->begin().ok());
    ASSERT_TRUE(first->execute({.sql = "select 1"}).ok());
    ASSERT_TRUE(first->rollback().ok());
    EXPECT_FALSE(second->lock("db.s.orders").ok());

    ASSERT_TRUE(first->unlock("db.s.orders").ok());
    EXPECT_TRUE(second->lock("db.s.orders").ok());
    EXPECT_FALSE(second->lock("db.s.lines").ok());
}

TEST_F(PostgresSessionServerTest, DescribesTypesForPeopleAndForContracts) {
    const auto columns =
        session()->describe("select 'a'::varchar(3) as word, 1::numeric(10, 2) as amount, 2::int8 as n");
    ASSERT_TRUE(columns.ok());
    ASSERT_EQ(columns.value().size(), 3U);
    EXPECT_EQ(columns.value()[0].type, "character varying(3)");
    EXPECT_EQ(columns.value()[0].kind, "STRING");
    EXPECT_EQ(columns.value()[1].type, "numeric(10,2)");
    EXPECT_EQ(columns.value()[1].kind, "DECIMAL");
    EXPECT_EQ(columns.value()[2].kind, "LONGINTEGER");
}

TEST_F(PostgresSessionServerTest, TheFirstTransactionBeginsByItselfAndNoOther) {
    const auto writer = session();
    const auto reader = session();
    const auto rows = [&] {
        const auto found = reader->execute({.sql = "select * from session_rows", .fetch = Fetch::rows});
        const size_t count = found.ok() ? found.value().table->rows().size() : 99;
        EXPECT_TRUE(reader->rollback().ok());
        return count;
    };
    ASSERT_TRUE(writer->execute({.sql = "create table session_rows (id int)"}).ok());
    ASSERT_TRUE(writer->commit().ok());
    ASSERT_TRUE(writer->execute({.sql = "insert into session_rows values (1)"}).ok());
    EXPECT_EQ(rows(), 1U);  // behind a commit each statement stands for itself
    ASSERT_TRUE(writer->begin().ok());
    ASSERT_TRUE(writer->execute({.sql = "insert into session_rows values (2)"}).ok());
    EXPECT_EQ(rows(), 1U);
    ASSERT_TRUE(writer->rollback().ok());
    ASSERT_TRUE(writer->execute({.sql = "insert into session_rows values (3)"}).ok());
    EXPECT_EQ(rows(), 1U);  // a session that was rolled back is as a new one
    ASSERT_TRUE(writer->rollback().ok());
    ASSERT_TRUE(writer->execute({.sql = "drop table session_rows"}).ok());
    ASSERT_TRUE(writer->commit().ok());
}

}  // namespace
}  // namespace shaduf::models
