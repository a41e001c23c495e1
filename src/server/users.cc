#include "server/users.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/text.h"
#include "base/time.h"
#include "io/crypto.h"

namespace shaduf::server {
namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kSecretBytes = 32;
constexpr size_t kIdBytes = 6;
constexpr int64_t kSeenEverySeconds = 60;  // how exact "last seen" is
constexpr std::string_view kTokenPrefix = "shaduf_";
constexpr char kFolderEnd = '\n';

using Row = UserDatabase::Row;

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
int64_t integer_at(const Row& row, size_t column) {
    int64_t value = 0;
    const std::string& text = row[column].value_or("");
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}
std::string text_at(const Row& row, size_t column) { return row[column].value_or(""); }
std::optional<Timestamp> time_at(const Row& row, size_t column) {
    return row[column] ? std::optional(time_of(integer_at(row, column))) : std::nullopt;
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

UserInfo read_user(const Row& row) {
    UserInfo user;
    user.name = text_at(row, 0);
    user.role = role_of(text_at(row, 1)).value_or(Role::viewer);
    user.folders = split_folders(text_at(row, 2));
    user.is_locked = integer_at(row, 3) != 0;
    user.last_seen = time_at(row, 4);
    return user;
}

}  // namespace

std::string csrf_of(std::string_view session) { return to_base64url(as_text(hmac_sha256(session, "shaduf csrf"))); }

Users::Users(std::unique_ptr<UserDatabase> database, const Clock& clock)
    : Users(std::move(database), clock, Limits()) {}

Users::Users(std::unique_ptr<UserDatabase> database, const Clock& clock, Limits limits)
    : database_(std::move(database)),
      clock_(clock),
      limits_(limits),
      nobodys_hash_(hash_password(random_bytes(kSecretBytes), limits.work).value_or("")) {}

int64_t Users::now() const { return seconds_of(clock_.now()); }
std::string Users::since(std::chrono::seconds age) const { return std::to_string(now() - age.count()); }

Result<bool> Users::has_any() const {
    const auto found = TRY(database_->ask("SELECT 1 FROM account LIMIT 1", {}));
    return !found.rows.empty();
}

Result<std::vector<UserInfo>> Users::list() const {
    const auto found =
        TRY(database_->ask("SELECT name, role, folders, locked, last_seen FROM account ORDER BY name", {}));
    std::vector<UserInfo> users;
    for (const Row& row : found.rows) users.push_back(read_user(row));
    return users;
}

Result<std::optional<UserInfo>> Users::find(const std::string& name) const {
    const auto found =
        TRY(database_->ask("SELECT name, role, folders, locked, last_seen FROM account WHERE name = $1", {name}));
    return found.rows.empty() ? std::nullopt : std::optional(read_user(found.rows[0]));
}

Result<void> Users::add(const UserInfo& user, std::string_view password) {
    TRY(check_name(user.name));
    TRY(check_password(password));
    const std::string hash = TRY(hash_password(password, limits_.work));
    const auto put = TRY(database_->ask(
        "INSERT INTO account VALUES ($1, $2, $3, $4, $5, NULL) ON CONFLICT DO NOTHING",
        {user.name, std::string(to_string(user.role)), join_folders(user.folders), hash, user.is_locked ? "1" : "0"}));
    if (put.changed > 0) return {};
    return Error(ErrorKind::conflict, "there is a user of that name: " + user.name);
}

Result<void> Users::check_admin_stays(const std::string& name) const {
    const auto others = TRY(database_->ask(
        "SELECT 1 FROM account WHERE role = 'admin' AND locked = 0 AND folders = '' AND name <> $1 LIMIT 1", {name}));
    if (!others.rows.empty()) return {};
    return Error(ErrorKind::conflict,
                 "this is the last admin: " + name + "; make another user an admin of the whole project first");
}

Result<void> Users::change(const std::string& name, const Change& change) {
    std::string hash;
    if (change.password) {
        TRY(check_password(*change.password));
        hash = TRY(hash_password(*change.password, limits_.work));
    }
    const std::lock_guard lock(changing_);
    const auto found = TRY(find(name));
    if (!found) return not_found("user", name);
    UserInfo user = *found;
    if (change.role) user.role = *change.role;
    if (change.folders) user.folders = *change.folders;
    if (change.locked) user.is_locked = *change.locked;
    const bool is_full_admin = user.role == Role::admin && user.folders.empty() && !user.is_locked;
    if (found->role == Role::admin && !is_full_admin) TRY(check_admin_stays(name));
    TRY(database_->ask(
        "UPDATE account SET role = $2, folders = $3, locked = $4, "
        "password = CASE WHEN $5 = '' THEN password ELSE $5 END WHERE name = $1",
        {name, std::string(to_string(user.role)), join_folders(user.folders), user.is_locked ? "1" : "0", hash}));
    return change.password || user.is_locked ? end_sessions(name) : Result<void>();
}

Result<void> Users::remove(const std::string& name) {
    const std::lock_guard lock(changing_);
    const auto found = TRY(find(name));
    if (!found) return not_found("user", name);
    if (found->role == Role::admin) TRY(check_admin_stays(name));
    TRY(end_sessions(name));
    TRY(database_->ask("DELETE FROM account WHERE name = $1", {name}));
    return {};
}

Result<void> Users::end_sessions(const std::string& name) {
    TRY(database_->ask("DELETE FROM session WHERE account = $1", {name}));
    return {};
}

// How long `key` has to wait from now on.
Result<std::chrono::seconds> Users::wait_of(const std::string& key) const {
    const auto found = TRY(database_->ask("SELECT until FROM failure WHERE key = $1", {key}));
    const int64_t until = found.rows.empty() ? 0 : integer_at(found.rows[0], 0);
    return std::chrono::seconds(std::max<int64_t>(0, until - now()));
}

// Beyond `free` failures each doubles the wait. The table is bounded: what is old goes with each failure.
Result<void> Users::count_failure(const std::string& key, int free) {
    TRY(database_->ask("DELETE FROM failure WHERE last < $1", {since(limits_.failures_kept)}));
    const auto counted =
        TRY(database_->ask("INSERT INTO failure VALUES ($1, 1, $2, 0) ON CONFLICT (key) DO UPDATE SET "
                           "count = failure.count + 1, last = excluded.last RETURNING count",
                           {key, std::to_string(now())}));
    const int64_t beyond = integer_at(counted.rows.at(0), 0) - free;
    if (beyond < 0) return {};
    constexpr int64_t kDoublingsMax = 20;
    const int64_t wait = std::min(limits_.wait_longest.count(), int64_t{1} << std::min(kDoublingsMax, beyond));
    TRY(database_->ask("UPDATE failure SET until = $2 WHERE key = $1", {key, std::to_string(now() + wait)}));
    return {};
}

Result<bool> Users::verify(const std::string& name, std::string_view password) {
    const auto found = TRY(database_->ask("SELECT password FROM account WHERE name = $1 AND locked = 0", {name}));
    const bool is_there = !found.rows.empty();
    const bool fits = verify_password(is_there ? text_at(found.rows[0], 0) : nobodys_hash_, password);
    return is_there && fits;
}

Result<std::string> Users::begin_session(const std::string& name, const std::string& address) {
    TRY(database_->ask("DELETE FROM session WHERE created < $1 OR last_used < $2",
                       {since(limits_.session_lasts), since(limits_.session_idle)}));
    std::string secret = to_base64url(random_bytes(kSecretBytes));
    TRY(database_->ask("INSERT INTO session VALUES ($1, $2, $3, $4, $4)",
                       {secret_key(secret), name, address, std::to_string(now())}));
    TRY(database_->ask("UPDATE account SET last_seen = $2 WHERE name = $1", {name, std::to_string(now())}));
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
    result.wait = std::max(TRY(wait_of(name_key)), TRY(wait_of(address_key)));
    if (result.wait.count() > 0) return result;
    const bool fits = password.size() <= kPasswordBytesMax && TRY(verify(name, password));
    if (!fits) {
        TRY(count_failure(name_key, limits_.name_failures));
        TRY(count_failure(address_key, limits_.address_failures));
        return result;
    }
    TRY(database_->ask("DELETE FROM failure WHERE key = $1", {name_key}));
    const auto user = TRY(find(name));
    if (!user || user->is_locked) return result;
    result.session = TRY(begin_session(name, address));
    result.caller = {user->name, user->role, user->folders, address};
    return result;
}

Result<std::optional<Caller>> Users::session(std::string_view secret) {
    const std::string key = secret_key(secret);
    const auto found = TRY(database_->ask(
        "SELECT account.name, account.role, account.folders, session.last_used FROM session JOIN account ON "
        "account.name = session.account WHERE secret = $1 AND session.created >= $2 AND session.last_used >= $3 AND "
        "account.locked = 0",
        {key, since(limits_.session_lasts), since(limits_.session_idle)}));
    if (found.rows.empty()) return std::nullopt;
    const Row& row = found.rows[0];
    Caller caller{text_at(row, 0), role_of(text_at(row, 1)).value_or(Role::viewer), split_folders(text_at(row, 2)), ""};
    if (now() - integer_at(row, 3) < kSeenEverySeconds) return std::optional(std::move(caller));
    TRY(database_->ask("UPDATE session SET last_used = $2 WHERE secret = $1", {key, std::to_string(now())}));
    TRY(database_->ask("UPDATE account SET last_seen = $2 WHERE name = $1", {caller.name, std::to_string(now())}));
    return std::optional(std::move(caller));
}

Result<void> Users::sign_out(std::string_view secret) {
    TRY(database_->ask("DELETE FROM session WHERE secret = $1", {secret_key(secret)}));
    return {};
}

Result<Users::NewToken> Users::add_token(const TokenInfo& token) {
    if (token.name.empty() || token.name.size() > kNameBytesMax || !is_valid_utf8(token.name)) {
        return Error(ErrorKind::invalid_config, "the token's name must have 1 to 64 bytes; it says what it is for");
    }
    NewToken made{to_hex(random_bytes(kIdBytes)), std::string(kTokenPrefix) + to_base64url(random_bytes(kSecretBytes))};
    TRY(database_->ask(
        "INSERT INTO token VALUES ($1, $2, $3, $4, $5, $6, CAST(nullif($7, '') AS BIGINT), NULL)",
        {secret_key(made.secret), made.id, token.name, std::string(to_string(token.role)), join_folders(token.folders),
         std::to_string(now()), token.expires ? std::to_string(seconds_of(*token.expires)) : ""}));
    return made;
}

Result<std::vector<TokenInfo>> Users::tokens() const {
    const auto found = TRY(database_->ask(
        "SELECT id, name, role, folders, created, expires, last_used FROM token ORDER BY created, id", {}));
    std::vector<TokenInfo> tokens;
    for (const Row& row : found.rows) {
        tokens.push_back({text_at(row, 0), text_at(row, 1), role_of(text_at(row, 2)).value_or(Role::viewer),
                          split_folders(text_at(row, 3)), time_of(integer_at(row, 4)), time_at(row, 5),
                          time_at(row, 6)});
    }
    return tokens;
}

Result<void> Users::remove_token(const std::string& id) {
    const auto removed = TRY(database_->ask("DELETE FROM token WHERE id = $1", {id}));
    return removed.changed > 0 ? Result<void>() : not_found("token", id);
}

Result<std::optional<Caller>> Users::token(std::string_view secret) {
    if (!secret.starts_with(kTokenPrefix)) return std::nullopt;
    const std::string key = secret_key(secret);
    const auto found =
        TRY(database_->ask("SELECT name, role, folders, coalesce(last_used, 0) FROM token WHERE secret = $1 "
                           "AND (expires IS NULL OR expires > $2)",
                           {key, std::to_string(now())}));
    if (found.rows.empty()) return std::nullopt;
    const Row& row = found.rows[0];
    Caller caller{"token:" + text_at(row, 0), role_of(text_at(row, 1)).value_or(Role::viewer),
                  split_folders(text_at(row, 2)), ""};
    if (now() - integer_at(row, 3) >= kSeenEverySeconds) {
        TRY(database_->ask("UPDATE token SET last_used = $2 WHERE secret = $1", {key, std::to_string(now())}));
    }
    return std::optional(std::move(caller));
}

}  // namespace shaduf::server
