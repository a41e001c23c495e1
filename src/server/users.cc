#include "server/users.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"
#include "io/sqlite.h"

namespace shaduf::server {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 5'000;
constexpr size_t kNameBytesMax = 64;
constexpr size_t kSecretBytes = 32;
constexpr size_t kIdBytes = 6;
constexpr int64_t kSeenEverySeconds = 60;  // how exact "last seen" is
constexpr std::string_view kTokenPrefix = "shaduf_";
constexpr char kFolderEnd = '\n';

// Times are seconds since 1970. Secrets stand as SHA-256, in hexadecimal.
constexpr const char* kSchema = R"(
    CREATE TABLE user (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, folders TEXT NOT NULL, password TEXT NOT NULL,
        locked INTEGER NOT NULL, last_seen INTEGER) WITHOUT ROWID;
    CREATE TABLE session (
        secret TEXT PRIMARY KEY, user TEXT NOT NULL, address TEXT NOT NULL, created INTEGER NOT NULL,
        last_used INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX session_by_user ON session (user);
    CREATE TABLE token (
        secret TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
        folders TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER, last_used INTEGER) WITHOUT ROWID;
    CREATE TABLE failure (
        key TEXT PRIMARY KEY, count INTEGER NOT NULL, last INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
)";

std::string join_folders(const std::vector<std::string>& folders) {
    return join(folders, std::string_view(&kFolderEnd, 1));
}
std::vector<std::string> split_folders(const std::string& text) {
    std::vector<std::string> folders;
    for (const std::string_view folder : split(text, kFolderEnd)) {
        if (!folder.empty()) folders.emplace_back(folder);
    }
    return folders;
}

Timestamp time_of(int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }
std::optional<Timestamp> time_at(const SqliteStatement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(time_of(row.integer(column)));
}
int64_t seconds_of(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }
std::string secret_key(std::string_view secret) { return to_hex(sha256(secret)); }

Result<void> check_name(const std::string& name) {
    const auto is_wrong = [](char c) {
        return !(std::isalnum(static_cast<unsigned char>(c)) || std::string_view("._@-+").find(c) != std::string::npos);
    };
    if (!name.empty() && name.size() <= kNameBytesMax && std::none_of(name.begin(), name.end(), is_wrong)) return {};
    return Error(ErrorKind::invalid_config, "not a name of a user: " + make_valid_utf8(name.substr(0, kNameBytesMax)) +
                                                "; use 1 to 64 letters, digits and . _ @ - +");
}

Result<void> check_password(std::string_view password) {
    const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    const auto chars = static_cast<size_t>(std::count_if(password.begin(), password.end(), starts));
    if (chars < Users::kPasswordCharsMin) {
        return Error(ErrorKind::invalid_config, "the password is too short: " + std::to_string(chars) +
                                                    " characters; use " + std::to_string(Users::kPasswordCharsMin) +
                                                    " or more");
    }
    if (password.size() <= Users::kPasswordBytesMax) return {};
    return Error(ErrorKind::invalid_config, "the password is longer than " + std::to_string(Users::kPasswordBytesMax) +
                                                " bytes; use a shorter one");
}

UserInfo read_user(const SqliteStatement& row) {
    UserInfo user;
    user.name = row.text(0);
    user.role = role_of(row.text(1)).value_or(Role::viewer);
    user.folders = split_folders(row.text(2));
    user.is_locked = row.integer(3) != 0;
    user.last_seen = time_at(row, 4);
    return user;
}

}  // namespace

std::string csrf_of(std::string_view session) { return to_base64url(as_text(hmac_sha256(session, "shaduf csrf"))); }

Users::Users(sqlite3* database, const Clock& clock, Limits limits)
    : database_(database),
      clock_(clock),
      limits_(limits),
      nobodys_hash_(hash_password(random_bytes(kSecretBytes), limits.work).value_or("")) {}

Users::~Users() { sqlite3_close(database_); }

Result<std::unique_ptr<Users>> Users::open(const std::string& path, const Clock& clock) {
    return open(path, clock, Limits());
}

Result<std::unique_ptr<Users>> Users::open(const std::string& path, const Clock& clock, Limits limits) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    const bool is_open = sqlite3_open_v2(path.c_str(), &database, flags, nullptr) == SQLITE_OK;
    std::unique_ptr<Users> users(new Users(database, clock, limits));  // NOLINT: the constructor is private
    if (!is_open) return users->error("open " + path);
    ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
    sqlite3_busy_timeout(database, kBusyTimeoutMs);
    TRY(users->set_up());
    return users;
}

Error Users::error(const std::string& what) const {
    const Error found = sqlite_error(database_, what, "check the file .shaduf/users.db and the disk that holds it");
    const std::string text = found.message();
    const size_t colon = text.find(": ");
    return Error(found.kind(), "users: " + text.substr(colon == std::string::npos ? 0 : colon + 2));
}

Result<void> Users::execute(const char* sql, const char* what) const {
    return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? Result<void>() : error(what);
}

Result<void> Users::set_up() {
    TRY(execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN IMMEDIATE", "set up"));
    int64_t version = 0;
    {
        SqliteStatement select(database_, "PRAGMA user_version");
        if (select.step() == SQLITE_ROW) version = select.integer(0);
    }
    if (version > kSchemaVersion) {
        return Error(ErrorKind::invalid_config, "users were written by a newer shaduf: version " +
                                                    std::to_string(version) + ", this program knows " +
                                                    std::to_string(kSchemaVersion) + "; upgrade shaduf");
    }
    if (version == 0) {
        TRY(execute(kSchema, "set up"));
        TRY(execute(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str(), "set up"));
    }
    return execute("COMMIT", "set up");
}

int64_t Users::now() const { return seconds_of(clock_.now()); }

Result<bool> Users::has_any() const {
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_, "SELECT 1 FROM user LIMIT 1");
    const int step = select.step();
    if (step != SQLITE_ROW && step != SQLITE_DONE) return error("be read");
    return step == SQLITE_ROW;
}

Result<std::vector<UserInfo>> Users::list() const {
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_, "SELECT name, role, folders, locked, last_seen FROM user ORDER BY name");
    std::vector<UserInfo> found;
    int step = select.step();
    for (; step == SQLITE_ROW; step = select.step()) found.push_back(read_user(select));
    return step == SQLITE_DONE ? Result<std::vector<UserInfo>>(std::move(found)) : error("be read");
}

Result<std::optional<UserInfo>> Users::find(const std::string& name) const {
    SqliteStatement select(database_, "SELECT name, role, folders, locked, last_seen FROM user WHERE name = ?");
    select.bind(name);
    const int step = select.step();
    if (step == SQLITE_ROW) return std::optional(read_user(select));
    return step == SQLITE_DONE ? Result<std::optional<UserInfo>>(std::nullopt) : error("be read");
}

Result<void> Users::add(const UserInfo& user, std::string_view password) {
    TRY(check_name(user.name));
    TRY(check_password(password));
    const std::string hash = TRY(hash_password(password, limits_.work));
    const std::lock_guard lock(mutex_);
    if (TRY(find(user.name))) return Error(ErrorKind::conflict, "there is a user of that name: " + user.name);
    SqliteStatement put(database_, "INSERT INTO user VALUES (?, ?, ?, ?, ?, NULL)");
    put.bind(user.name);
    put.bind(std::string(to_string(user.role)));
    put.bind(join_folders(user.folders));
    put.bind(hash);
    put.bind(int64_t{user.is_locked});
    return put.step() == SQLITE_DONE ? Result<void>() : error("keep a user");
}

Result<void> Users::check_admin_stays(const std::string& name) const {
    SqliteStatement select(database_,
                           "SELECT 1 FROM user WHERE role = 'admin' AND locked = 0 AND folders = '' AND name <> ?");
    select.bind(name);
    if (select.step() == SQLITE_ROW) return {};
    return Error(ErrorKind::conflict,
                 "this is the last admin: " + name + "; make another user an admin of the whole project first");
}

Result<void> Users::change(const std::string& name, const Change& change) {
    std::string hash;
    if (change.password) {
        TRY(check_password(*change.password));
        hash = TRY(hash_password(*change.password, limits_.work));
    }
    const std::lock_guard lock(mutex_);
    const auto found = TRY(find(name));
    if (!found) return not_found("user", name);
    UserInfo user = *found;
    if (change.role) user.role = *change.role;
    if (change.folders) user.folders = *change.folders;
    if (change.locked) user.is_locked = *change.locked;
    const bool is_full_admin = user.role == Role::admin && user.folders.empty() && !user.is_locked;
    if (found->role == Role::admin && !is_full_admin) TRY(check_admin_stays(name));
    SqliteStatement put(database_,
                        "UPDATE user SET role = ?2, folders = ?3, locked = ?4, "
                        "password = CASE WHEN ?5 = '' THEN password ELSE ?5 END WHERE name = ?1");
    put.bind(name);
    put.bind(std::string(to_string(user.role)));
    put.bind(join_folders(user.folders));
    put.bind(int64_t{user.is_locked});
    put.bind(hash);
    if (put.step() != SQLITE_DONE) return error("keep a user");
    return change.password || user.is_locked ? end_sessions(name) : Result<void>();
}

Result<void> Users::remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = TRY(find(name));
    if (!found) return not_found("user", name);
    if (found->role == Role::admin) TRY(check_admin_stays(name));
    TRY(end_sessions(name));
    SqliteStatement remove(database_, "DELETE FROM user WHERE name = ?");
    remove.bind(name);
    return remove.step() == SQLITE_DONE ? Result<void>() : error("remove a user");
}

Result<void> Users::end_sessions(const std::string& name) {
    SqliteStatement remove(database_, "DELETE FROM session WHERE user = ?");
    remove.bind(name);
    return remove.step() == SQLITE_DONE ? Result<void>() : error("end sessions");
}

// How long `key` has to wait from now on.
Result<std::chrono::seconds> Users::wait_of(const std::string& key) const {
    SqliteStatement select(database_, "SELECT until FROM failure WHERE key = ?");
    select.bind(key);
    const int step = select.step();
    if (step != SQLITE_ROW && step != SQLITE_DONE) return error("be read");
    const int64_t until = step == SQLITE_ROW ? select.integer(0) : 0;
    return std::chrono::seconds(std::max<int64_t>(0, until - now()));
}

// Beyond `free` failures each doubles the wait. The table is bounded: what is old goes with each failure.
Result<void> Users::count_failure(const std::string& key, int free) {
    SqliteStatement forget(database_, "DELETE FROM failure WHERE last < ?");
    forget.bind(now() - limits_.failures_kept.count());
    if (forget.step() != SQLITE_DONE) return error("count a failure");
    SqliteStatement put(database_,
                        "INSERT INTO failure VALUES (?1, 1, ?2, 0) ON CONFLICT (key) DO UPDATE SET "
                        "count = count + 1, last = ?2");
    put.bind(key);
    put.bind(now());
    if (put.step() != SQLITE_DONE) return error("count a failure");
    SqliteStatement until(database_,
                          "UPDATE failure SET until = ?2 + min(?3, 1 << min(20, count - ?4)) "
                          "WHERE key = ?1 AND count >= ?4");
    until.bind(key);
    until.bind(now());
    until.bind(int64_t{limits_.wait_longest.count()});
    until.bind(int64_t{free});
    return until.step() == SQLITE_DONE ? Result<void>() : error("count a failure");
}

Result<bool> Users::verify(const std::string& name, std::string_view password) {
    std::string hash;
    bool is_there = false;
    {
        const std::lock_guard lock(mutex_);
        SqliteStatement select(database_, "SELECT password FROM user WHERE name = ? AND locked = 0");
        select.bind(name);
        is_there = select.step() == SQLITE_ROW;
        hash = is_there ? select.text(0) : nobodys_hash_;
    }
    const bool fits = verify_password(hash, password);
    return is_there && fits;
}

Result<std::string> Users::begin_session(const std::string& name, const std::string& address) {
    SqliteStatement forget(database_, "DELETE FROM session WHERE created < ? OR last_used < ?");
    forget.bind(now() - limits_.session_lasts.count());
    forget.bind(now() - limits_.session_idle.count());
    if (forget.step() != SQLITE_DONE) return error("begin a session");
    std::string secret = to_base64url(random_bytes(kSecretBytes));
    SqliteStatement put(database_, "INSERT INTO session VALUES (?1, ?2, ?3, ?4, ?4)");
    put.bind(secret_key(secret));
    put.bind(name);
    put.bind(address);
    put.bind(now());
    if (put.step() != SQLITE_DONE) return error("begin a session");
    SqliteStatement seen(database_, "UPDATE user SET last_seen = ?2 WHERE name = ?1");
    seen.bind(name);
    seen.bind(now());
    if (seen.step() != SQLITE_DONE) return error("begin a session");
    return secret;
}

Result<Users::SignIn> Users::sign_in(const std::string& name, std::string_view password, const std::string& address) {
    const std::string name_key = "name:" + secret_key(name);
    const std::string address_key = "address:" + address;
    const struct Waiting {
        explicit Waiting(std::atomic<int>& at) : count(at) { ++count; }
        ~Waiting() { --count; }
        std::atomic<int>& count;
    } waiting(waiting_);
    SignIn result;
    if (waiting_ > limits_.sign_ins_waiting) {
        result.wait = std::chrono::seconds(1);
        return result;
    }
    const std::lock_guard one_at_a_time(hashing_);
    {
        const std::lock_guard lock(mutex_);
        result.wait = std::max(TRY(wait_of(name_key)), TRY(wait_of(address_key)));
        if (result.wait.count() > 0) return result;
    }
    const bool fits = password.size() <= kPasswordBytesMax && TRY(verify(name, password));
    const std::lock_guard lock(mutex_);
    if (!fits) {
        TRY(count_failure(name_key, limits_.name_failures));
        TRY(count_failure(address_key, limits_.address_failures));
        return result;
    }
    SqliteStatement forget(database_, "DELETE FROM failure WHERE key = ?");
    forget.bind(name_key);
    if (forget.step() != SQLITE_DONE) return error("sign in");
    const auto user = TRY(find(name));
    if (!user || user->is_locked) return result;
    result.session = TRY(begin_session(name, address));
    result.caller = {user->name, user->role, user->folders, address};
    return result;
}

Result<std::optional<Caller>> Users::session(std::string_view secret) {
    const std::string key = secret_key(secret);
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_,
                           "SELECT user.name, user.role, user.folders, session.last_used FROM session JOIN user ON "
                           "user.name = session.user WHERE secret = ?1 AND session.created >= ?2 AND "
                           "session.last_used >= ?3 AND user.locked = 0");
    select.bind(key);
    select.bind(now() - limits_.session_lasts.count());
    select.bind(now() - limits_.session_idle.count());
    const int step = select.step();
    if (step == SQLITE_DONE) return std::nullopt;
    if (step != SQLITE_ROW) return error("be read");
    Caller caller{select.text(0), role_of(select.text(1)).value_or(Role::viewer), split_folders(select.text(2)), ""};
    if (now() - select.integer(3) < kSeenEverySeconds) return std::optional(std::move(caller));
    SqliteStatement used(database_, "UPDATE session SET last_used = ?2 WHERE secret = ?1");
    used.bind(key);
    used.bind(now());
    SqliteStatement seen(database_, "UPDATE user SET last_seen = ?2 WHERE name = ?1");
    seen.bind(caller.name);
    seen.bind(now());
    if (used.step() != SQLITE_DONE || seen.step() != SQLITE_DONE) return error("note who was seen");
    return std::optional(std::move(caller));
}

Result<void> Users::sign_out(std::string_view secret) {
    const std::lock_guard lock(mutex_);
    SqliteStatement remove(database_, "DELETE FROM session WHERE secret = ?");
    remove.bind(secret_key(secret));
    return remove.step() == SQLITE_DONE ? Result<void>() : error("end a session");
}

Result<Users::NewToken> Users::add_token(const TokenInfo& token) {
    if (token.name.empty() || token.name.size() > kNameBytesMax || !is_valid_utf8(token.name)) {
        return Error(ErrorKind::invalid_config, "the token's name must have 1 to 64 bytes; it says what it is for");
    }
    NewToken made{to_hex(random_bytes(kIdBytes)), std::string(kTokenPrefix) + to_base64url(random_bytes(kSecretBytes))};
    const std::lock_guard lock(mutex_);
    SqliteStatement put(database_, "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, NULL)");
    put.bind(secret_key(made.secret));
    put.bind(made.id);
    put.bind(token.name);
    put.bind(std::string(to_string(token.role)));
    put.bind(join_folders(token.folders));
    put.bind(now());
    if (token.expires) {
        put.bind(seconds_of(*token.expires));
    } else {
        put.bind_null();
    }
    return put.step() == SQLITE_DONE ? Result<NewToken>(std::move(made)) : error("keep a token");
}

Result<std::vector<TokenInfo>> Users::tokens() const {
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_,
                           "SELECT id, name, role, folders, created, expires, last_used FROM token "
                           "ORDER BY created, id");
    std::vector<TokenInfo> found;
    int step = select.step();
    for (; step == SQLITE_ROW; step = select.step()) {
        TokenInfo token{select.text(0),
                        select.text(1),
                        role_of(select.text(2)).value_or(Role::viewer),
                        split_folders(select.text(3)),
                        time_of(select.integer(4)),
                        time_at(select, 5),
                        time_at(select, 6)};
        found.push_back(std::move(token));
    }
    return step == SQLITE_DONE ? Result<std::vector<TokenInfo>>(std::move(found)) : error("be read");
}

Result<void> Users::remove_token(const std::string& id) {
    const std::lock_guard lock(mutex_);
    SqliteStatement remove(database_, "DELETE FROM token WHERE id = ?");
    remove.bind(id);
    if (remove.step() != SQLITE_DONE) return error("remove a token");
    return sqlite3_changes(database_) > 0 ? Result<void>() : not_found("token", id);
}

Result<std::optional<Caller>> Users::token(std::string_view secret) {
    if (!secret.starts_with(kTokenPrefix)) return std::nullopt;
    const std::string key = secret_key(secret);
    const std::lock_guard lock(mutex_);
    SqliteStatement select(database_,
                           "SELECT name, role, folders, coalesce(last_used, 0) FROM token WHERE secret = ?1 "
                           "AND (expires IS NULL OR expires > ?2)");
    select.bind(key);
    select.bind(now());
    const int step = select.step();
    if (step == SQLITE_DONE) return std::nullopt;
    if (step != SQLITE_ROW) return error("be read");
    Caller caller{"token:" + select.text(0), role_of(select.text(1)).value_or(Role::viewer),
                  split_folders(select.text(2)), ""};
    if (now() - select.integer(3) < kSeenEverySeconds) return std::optional(std::move(caller));
    SqliteStatement used(database_, "UPDATE token SET last_used = ?2 WHERE secret = ?1");
    used.bind(key);
    used.bind(now());
    return used.step() == SQLITE_DONE ? Result<std::optional<Caller>>(std::move(caller)) : error("note a token's use");
}

}  // namespace shaduf::server
