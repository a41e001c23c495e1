#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <set>

#include "base/cancellation.h"
#include "base/run_context.h"
#include "base/time.h"
#include "io/sqlite.h"
#include "pipeline/meta_store.h"

namespace shaduf {
namespace {

using Micros = std::chrono::microseconds;

// A call that lasts longer is one of a process whose id another one has now.
constexpr std::chrono::hours kCallLastsAtMost{2};
// How often a process looks whether another one has given a permit back.
constexpr std::chrono::milliseconds kLookAgain{20};

int64_t number_of(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(int64_t number) { return Timestamp(Micros(number)); }

bool is_alive(int64_t process) { return ::kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM; }

// One transaction, rolled back unless it was committed.
class Transaction {
public:
    explicit Transaction(sqlite3* database) : database_(database) {
        is_open_ = sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK;
    }
    ~Transaction() {
        if (is_open_) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    bool is_open() const { return is_open_; }
    bool commit() {
        is_open_ = sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK;
        return !is_open_;
    }

private:
    sqlite3* const database_;
    bool is_open_ = false;
};

class SharedLedger final : public RateLedger {
public:
    SharedLedger(sqlite3* database, std::mutex& mutex) : database_(database), mutex_(mutex) {}

    Result<RatePermit> acquire(RunContext& run, const std::string& key, const RateRule& rule) override {
        for (;;) {
            TRY(run.cancellation.check());
            const Timestamp now = run.clock.now();
            const Answer answer = TRY(ask(key, rule, now));
            if (answer.permit) return RatePermit([this, id = *answer.permit] { give_back(id); });
            if (answer.start - now > rule.wait_max) return too_long(key, answer.start, now);
            const auto wait = answer.start > now ? answer.start - now : Micros(kLookAgain);
            if (!run.clock.sleep(wait, run.cancellation)) return Error(ErrorKind::canceled, "the run was stopped");
        }
    }

    void pause(const std::string& key, Timestamp until) override {
        const std::lock_guard lock(mutex_);
        SqliteStatement save(database_,
                             "INSERT INTO rate_limit (key, paused_until) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET "
                             "paused_until = max(paused_until, excluded.paused_until)");
        save.bind(key);
        save.bind(number_of(until));
        save.step();
    }

    // Answers overtake each other: of one window the fewest calls are true.
    void set_remaining(const std::string& key, int64_t calls, Timestamp reset) override {
        const std::lock_guard lock(mutex_);
        SqliteStatement save(
            database_,
            "INSERT INTO rate_limit (key, remaining, reset) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET remaining "
            "= "
            "CASE WHEN reset = excluded.reset AND remaining IS NOT NULL THEN min(remaining, excluded.remaining) ELSE "
            "excluded.remaining END, reset = excluded.reset");
        save.bind(key);
        save.bind(calls);
        save.bind(number_of(reset));
        save.step();
    }

private:
    struct Answer {
        std::optional<int64_t> permit;  // its id; 0 where none is written down
        Timestamp start{};              // when to ask again; not after now: when a permit is given back
    };

    Result<Answer> ask(const std::string& key, const RateRule& rule, Timestamp now) {
        const std::lock_guard lock(mutex_);
        Transaction transaction(database_);
        if (!transaction.is_open()) return sqlite_error(database_, "ask the ledger of rate limits");
        Answer answer{std::nullopt, now};
        bool counts_down = false;
        look_up(key, now, answer.start, counts_down);
        if (rule.calls_max > 0) look_at_calls(key, rule, now, answer.start);
        if (answer.start > now) return answer;
        if (rule.in_flight_max > 0 && in_flight(key, now) >= rule.in_flight_max) return answer;
        answer.permit = 0;
        if (counts_down) execute("UPDATE rate_limit SET remaining = remaining - 1 WHERE key = ?", key);
        if (rule.calls_max > 0) execute("INSERT INTO rate_call (key, at) VALUES (?, ?)", key, number_of(now));
        if (rule.in_flight_max > 0) {
            execute("INSERT INTO rate_permit (key, process, at) VALUES (?, ?, ?)", key, ::getpid(), number_of(now));
            answer.permit = sqlite3_last_insert_rowid(database_);
        }
        if (!transaction.commit()) return sqlite_error(database_, "write the ledger of rate limits");
        return answer;
    }

    void look_up(const std::string& key, Timestamp now, Timestamp& start, bool& counts_down) {
        SqliteStatement read(database_, "SELECT paused_until, remaining, reset FROM rate_limit WHERE key = ?");
        read.bind(key);
        if (read.step() != SQLITE_ROW) return;
        start = std::max(start, time_of(read.integer(0)));
        counts_down = !read.is_null(1) && time_of(read.integer(2)) > now;
        if (counts_down && read.integer(1) <= 0) start = std::max(start, time_of(read.integer(2)));
    }

    void look_at_calls(const std::string& key, const RateRule& rule, Timestamp now, Timestamp& start) {
        const auto window = std::chrono::duration_cast<Micros>(rule.window);
        execute("DELETE FROM rate_call WHERE key = ? AND at <= ?", key, number_of(now - window));
        SqliteStatement read(database_, "SELECT at FROM rate_call WHERE key = ? ORDER BY at DESC LIMIT 1 OFFSET ?");
        read.bind(key);
        read.bind(rule.calls_max - 1);
        if (read.step() == SQLITE_ROW) start = std::max(start, time_of(read.integer(0)) + window);
    }

    int64_t in_flight(const std::string& key, Timestamp now) {
        int64_t count = 0;
        std::set<int64_t> dead;
        {
            SqliteStatement read(database_, "SELECT process, at FROM rate_permit WHERE key = ?");
            read.bind(key);
            while (read.step() == SQLITE_ROW) {
                const int64_t process = read.integer(0);
                if (is_alive(process) && now - time_of(read.integer(1)) < kCallLastsAtMost) {
                    ++count;
                } else {
                    dead.insert(process);
                }
            }
        }
        for (const int64_t process : dead)
            execute("DELETE FROM rate_permit WHERE process = ? AND (? <> process OR at < ?)", process,
                    static_cast<int64_t>(::getpid()), number_of(now - kCallLastsAtMost));
        return count;
    }

    void give_back(int64_t permit) {
        if (permit == 0) return;
        const std::lock_guard lock(mutex_);
        execute("DELETE FROM rate_permit WHERE id = ?", permit);
    }

    template <typename... Values>
    void execute(const std::string& sql, const Values&... values) {
        SqliteStatement statement(database_, sql);
        (bind(statement, values), ...);
        statement.step();
    }
    static void bind(SqliteStatement& statement, const std::string& text) { statement.bind(text); }
    static void bind(SqliteStatement& statement, int64_t number) { statement.bind(number); }

    static Error too_long(const std::string& key, Timestamp start, Timestamp now) {
        return Error(ErrorKind::rate_limited, "no call is allowed before " + format_timestamp(start) + ": " + key +
                                                  "; run again then, or ask the provider for a higher limit")
            .retry_after(std::chrono::ceil<std::chrono::milliseconds>(start - now))
            .permanent();
    }

    sqlite3* const database_;
    std::mutex& mutex_;  // the store's
};

}  // namespace

std::unique_ptr<RateLedger> MetaStore::make_ledger() { return std::make_unique<SharedLedger>(database_, mutex_); }

Result<std::vector<RateState>> MetaStore::rate_states(Timestamp now, int64_t limit) {
    const std::lock_guard lock(mutex_);
    std::vector<RateState> states;
    SqliteStatement read(database_,
                         "SELECT key, coalesce(paused_until, 0), remaining, coalesce(reset, 0), (SELECT count(*) FROM "
                         "rate_permit WHERE rate_permit.key = keys.key AND at > ?) FROM (SELECT key FROM rate_limit "
                         "UNION SELECT key FROM rate_permit) AS keys LEFT JOIN rate_limit USING (key) ORDER BY key "
                         "LIMIT ?");
    read.bind(number_of(now - kCallLastsAtMost));
    read.bind(limit);
    int status = SQLITE_OK;
    while ((status = read.step()) == SQLITE_ROW) {
        RateState state;
        state.key = read.text(0);
        state.paused_until = time_of(read.integer(1));
        if (!read.is_null(2) && time_of(read.integer(3)) > now) state.remaining = read.integer(2);
        state.in_flight = read.integer(4);
        states.push_back(std::move(state));
    }
    if (status != SQLITE_DONE) return sqlite_error(database_, "read the ledger of rate limits");
    return states;
}

}  // namespace shaduf
