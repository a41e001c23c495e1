#include "io/postgres.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Postgres, QuotesIdentifiersByOneRule) {
    const std::string long_name(64, 'x');
    EXPECT_EQ(postgres_identifier("a\"b\nc").value(), "\"a\"\"b\nc\"");
    EXPECT_EQ(postgres_identifier(long_name.substr(1)).value(), "\"" + long_name.substr(1) + "\"");
    EXPECT_THAT(postgres_identifier(long_name).error().message(), HasSubstr("longer than the 63 bytes"));
    EXPECT_FALSE(postgres_identifier("").ok());
    EXPECT_EQ(postgres_table("", "t").value(), "\"t\"");
    EXPECT_EQ(postgres_table("s.x", "t").value(), "\"s.x\".\"t\"");
}

TEST(Postgres, QuotesLiterals) {
    EXPECT_EQ(postgres_literal("it's"), "'it''s'");
    EXPECT_EQ(postgres_literal("\\'; DROP TABLE t; --"), " E'\\\\''; DROP TABLE t; --'");
}

TEST(Postgres, ReadsDsnsAndKeepsThemOutOfErrors) {
    const auto parameters = parse_postgres_dsn("postgresql://u:p%40ss@h:5433/d?sslmode=require").value();
    EXPECT_THAT(parameters, testing::IsSupersetOf(PostgresParameters{{"user", "u"},
                                                                     {"password", "p@ss"},
                                                                     {"host", "h"},
                                                                     {"port", "5433"},
                                                                     {"dbname", "d"},
                                                                     {"sslmode", "require"}}));
    for (const char* wrong : {"s3cr3t", "postgresql://u:s3cr3t@h:%zz/d", "host=h pass=s3cr3t"}) {
        SCOPED_TRACE(wrong);
        const auto parsed = parse_postgres_dsn(wrong);
        ASSERT_FALSE(parsed.ok());
        EXPECT_THAT(parsed.error().to_string(), Not(HasSubstr("s3cr3t")));
    }
}

// A socket on the loopback that gives `answer` to whoever comes, or nothing.
class FakeServer {
public:
    explicit FakeServer(std::string answer) : answer_(std::move(answer)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
        ::listen(listener_, 4);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        if (!answer_.empty()) thread_ = std::thread([this] { serve(); });
    }
    ~FakeServer() {
        ::shutdown(listener_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        ::close(listener_);
    }
    int port() const { return port_; }

private:
    void serve() {
        for (int socket = ::accept(listener_, nullptr, nullptr); socket >= 0;
             socket = ::accept(listener_, nullptr, nullptr)) {
            char request[64];
            (void)::recv(socket, request, sizeof request, 0);
            (void)::send(socket, answer_.data(), answer_.size(), MSG_NOSIGNAL);
            ::close(socket);
        }
    }

    const std::string answer_;
    int listener_ = -1;
    int port_ = 0;
    std::thread thread_;
};

Error connect_error(int port, const std::string& sslmode) {
    const Cancellation cancellation;
    PostgresOptions options;
    options.connect_timeout = std::chrono::milliseconds(200);
    options.parameters = {{"host", "127.0.0.1"}, {"port", std::to_string(port)}, {"user", "u"}, {"sslmode", sslmode}};
    return PostgresConnection::connect(options, cancellation).error();
}

TEST(Postgres, SaysWhyItCannotConnect) {
    const Error refused = connect_error(1, "prefer");
    EXPECT_EQ(refused.kind(), ErrorKind::unavailable);
    EXPECT_THAT(refused.message(), HasSubstr("Connection refused"));
    FakeServer silent("");
    const Error timeout = connect_error(silent.port(), "prefer");
    EXPECT_EQ(timeout.kind(), ErrorKind::unavailable);
    EXPECT_THAT(timeout.message(), HasSubstr("no answer in time from 127.0.0.1 port"));
    FakeServer web("HTTP/1.1 400 Bad Request\r\n\r\n");
    for (const char* sslmode : {"require", "disable"}) {
        SCOPED_TRACE(sslmode);
        const Error other = connect_error(web.port(), sslmode);
        EXPECT_EQ(other.kind(), ErrorKind::invalid_config) << other.message();
        EXPECT_THAT(other.message(), HasSubstr("no PostgreSQL answers there"));
    }
}

// On the server that harness/postgres.py starts.
class PostgresServerTest : public testing::Test {
protected:
    void SetUp() override {
        const char* dsn = std::getenv("SHADUF_TEST_POSTGRES");
        if (dsn == nullptr) GTEST_SKIP() << "no server: SHADUF_TEST_POSTGRES is not set";
        options.parameters = parse_postgres_dsn(dsn).release_value();
        connection = connect();
    }
    std::unique_ptr<PostgresConnection> connect() {
        return PostgresConnection::connect(options, cancellation).release_value();
    }
    ErrorKind kind_of(const std::string& sql) {
        const auto done = connection->execute(sql);
        EXPECT_FALSE(done.ok()) << sql;
        return done.ok() ? ErrorKind::internal : done.error().kind();
    }

    Cancellation cancellation;
    PostgresOptions options;
    std::unique_ptr<PostgresConnection> connection;
};

TEST_F(PostgresServerTest, CopiesOutWhatItCopiedIn) {
    ASSERT_TRUE(connection
                    ->execute("CREATE TEMP TABLE a (id int, t text); CREATE TEMP TABLE b (id int, t text); INSERT "
                              "INTO a SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i")
                    .ok());
    std::string copied;
    {
        const auto out = connection->begin_copy_out("COPY a TO STDOUT (FORMAT binary)").release_value();
        while (const auto message = out->next().release_value()) copied += *message;
    }
    const auto in = connection->begin_copy_in("COPY b FROM STDIN (FORMAT binary)").release_value();
    ASSERT_TRUE(in->put(copied).ok());
    EXPECT_EQ(in->finish().value(), 20'000);
    EXPECT_EQ(connection->query("SELECT count(*) FROM (TABLE a EXCEPT TABLE b) x").value().rows[0][0], "0");
}

TEST_F(PostgresServerTest, TakesBackWhatWasNotFinished) {
    ASSERT_TRUE(connection->execute("CREATE TEMP TABLE a (id int)").ok());
    {
        const auto in = connection->begin_copy_in("COPY a FROM STDIN").release_value();
        ASSERT_TRUE(in->put("1\n2\n").ok());
    }
    EXPECT_EQ(connection->query("SELECT count(*) FROM a").value().rows[0][0], "0");
    const auto in = connection->begin_copy_in("COPY a FROM STDIN").release_value();
    ASSERT_TRUE(in->put("1\nx\n").ok());
    const auto finished = in->finish();
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().kind(), ErrorKind::bad_data);
}

TEST_F(PostgresServerTest, EndsSoonAfterCancellation) {
    const auto began = std::chrono::steady_clock::now();
    std::thread stopper([&] { cancellation.cancel(); });
    const auto slept = connection->execute("SELECT pg_sleep(60)");
    stopper.join();
    ASSERT_FALSE(slept.ok());
    EXPECT_EQ(slept.error().kind(), ErrorKind::canceled);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
}

TEST_F(PostgresServerTest, HearsWhatOthersTell) {
    const auto other = connect();
    ASSERT_TRUE(connection->execute("LISTEN news").ok());
    EXPECT_TRUE(connection->notifications(std::chrono::milliseconds(0)).value().empty());
    ASSERT_TRUE(other->execute("NOTIFY elsewhere; NOTIFY news, 'a'; NOTIFY news, 'b'").ok());
    std::string told;
    while (told.size() < 2) {
        const auto heard = connection->notifications(std::chrono::seconds(10)).release_value();
        ASSERT_FALSE(heard.empty());
        for (const PostgresNotification& one : heard) {
            EXPECT_EQ(one.channel, "news");
            told += one.payload;
        }
    }
    EXPECT_EQ(told, "ab");
    cancellation.cancel();
    EXPECT_EQ(connection->notifications(std::chrono::hours(1)).error().kind(), ErrorKind::canceled);
}

TEST_F(PostgresServerTest, SaysWhoMustAct) {
    EXPECT_EQ(kind_of("SELECT * FROM nowhere"), ErrorKind::invalid_config);
    EXPECT_EQ(kind_of("SELEC 1"), ErrorKind::invalid_config);
    EXPECT_THAT(connection->execute("EXECUTE nothing").error().message(), HasSubstr("let the pooler work by session"));
    EXPECT_EQ(kind_of("SELECT 'x'::int"), ErrorKind::bad_data);
    EXPECT_EQ(kind_of("SELECT 100000::int2"), ErrorKind::bad_data);
    EXPECT_EQ(kind_of("SET statement_timeout = 10; SELECT pg_sleep(5)"), ErrorKind::exhausted);
    EXPECT_EQ(kind_of("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"), ErrorKind::unavailable);
    EXPECT_EQ(kind_of("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"), ErrorKind::exhausted);
    EXPECT_EQ(kind_of("SELECT pg_terminate_backend(pg_backend_pid())"), ErrorKind::unavailable);
    EXPECT_TRUE(connection->is_lost());
}

TEST_F(PostgresServerTest, KeepsThePasswordToItself) {
    options.parameters.emplace_back("password", "wr0ng-s3cret");
    const auto refused = PostgresConnection::connect(options, cancellation);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind(), ErrorKind::auth);
    EXPECT_THAT(refused.error().message(), HasSubstr("check the user and the password"));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace shaduf
