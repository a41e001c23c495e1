#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>

#include "io/postgres.h"
#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// On the server that harness/postgres.py starts.
class PostgresConformance final : public ConformanceFixture {
public:
    std::string missing() override {
        return std::getenv("SHADUF_TEST_POSTGRES") == nullptr ? "no server: SHADUF_TEST_POSTGRES is not set" : "";
    }
    void fill() override {
        sign_up();
        // More rows than a batch has, some values of the cursor on several of them, two columns in the key.
        execute(
            "CREATE TABLE events AS SELECT i AS id, 'x' || i % 7 AS part, i / 5000 AS version, repeat('y', 100) AS "
            "payload FROM generate_series(0, 69999) i; ALTER TABLE events ADD PRIMARY KEY (part, id); "
            "GRANT SELECT ON events TO reader");
    }
    ~PostgresConformance() override {
        if (!missing().empty()) return;
        sign_off();
    }
    std::string connection(const std::string& secret) override {
        if (missing().empty()) sign_up();
        const std::string dsn = missing().empty() ? std::getenv("SHADUF_TEST_POSTGRES") : "postgresql://a:b@h:1/d";
        const std::string server = dsn.substr(dsn.find('@') + 1);
        return "{dsn: \"postgresql://" + server + "\", user: reader, schema: conformance, password: " + secret + "}";
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "events", .options = "cursor_field: version", .rows = 70'000},
                {.stream = "public.events", .mode = ReadMode::full_refresh, .rows = 70'000},
                {.stream = "unordered",
                 .mode = ReadMode::full_refresh,
                 .options = "query: SELECT id, part FROM events WHERE id < 1000",
                 .rows = 1000,
                 .resumes = false}};
    }
    bool break_reads() override {
        execute("ALTER ROLE reader CONNECTION LIMIT 0");
        execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'reader'");
        return true;
    }
    void repair_reads() override { execute("ALTER ROLE reader CONNECTION LIMIT -1"); }

    std::vector<std::string> visible_rows(const TableTarget& table) override {
        std::vector<std::string> rows;
        auto found = admin().query("SELECT id || '|' || name FROM conformance." + table.table + " ORDER BY 1");
        if (!found.ok()) return rows;
        for (const auto& row : found.value().rows) rows.push_back(row[0].value_or(""));
        return rows;
    }

private:
    void sign_off() {
        execute(
            "DROP TABLE IF EXISTS events; DROP SCHEMA IF EXISTS conformance CASCADE; DO $$ BEGIN "
            "PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'reader'; END $$");
        // Temporary tables of sessions that are just ending belong to the role: as long as there are some, again.
        execute(
            "DO $$ BEGIN FOR i IN 1..100 LOOP BEGIN "
            "IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN "
            "DROP OWNED BY reader CASCADE; DROP ROLE reader; END IF; EXIT; "
            "EXCEPTION WHEN OTHERS THEN PERFORM pg_sleep(0.05); END; END LOOP; END $$");
    }
    // A role, and a schema of its own, with nothing in it.
    void sign_up() {
        if (std::exchange(is_signed_up_, true)) return;
        sign_off();
        execute("CREATE ROLE reader LOGIN PASSWORD 's3cr3t'; CREATE SCHEMA conformance AUTHORIZATION reader");
    }
    void execute(const std::string& sql) {
        const auto done = admin().execute(sql);
        EXPECT_TRUE(done.ok()) << sql << ": " << done.error().to_string();
    }
    PostgresConnection& admin() {
        if (admin_ == nullptr) {
            PostgresOptions options;
            options.parameters = parse_postgres_dsn(std::getenv("SHADUF_TEST_POSTGRES")).release_value();
            admin_ = PostgresConnection::connect(options, never_).release_value();
        }
        return *admin_;
    }

    bool is_signed_up_ = false;
    Cancellation never_;
    std::unique_ptr<PostgresConnection> admin_;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_postgres() { return std::make_unique<PostgresConformance>(); }

}  // namespace shaduf
