#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/password_hash.h"
#include "server/endpoint.h"
#include "server/user_database.h"

namespace shaduf::server {

struct UserInfo {
    std::string name;
    Role role = Role::viewer;
    std::vector<std::string> folders;
    std::optional<Timestamp> last_seen;
    bool is_locked = false;  // an admin has locked the user out
};
struct TokenInfo {
    std::string id;
    std::string name;
    Role role = Role::viewer;
    std::vector<std::string> folders;
    Timestamp created{};
    std::optional<Timestamp> expires;
    std::optional<Timestamp> last_used;
};

// Who may use the server: people with passwords and sessions, programs with tokens. The command line and all servers of
// a project share the database that they are in. Of passwords there are hashes alone (argon2id); of sessions and
// tokens, which are random, SHA-256. Thread-safe.
//
// Errors: conflict for a name that is taken, or when the last admin would go; not_found; invalid_config for names and
// passwords that will not do.
class Users {
public:
    struct Limits {
        PasswordWork work;
        std::chrono::seconds session_idle{std::chrono::hours(12)};
        std::chrono::seconds session_lasts{std::chrono::hours(24 * 7)};
        int name_failures = 5;      // then the name waits, twice as long with each more,
        int address_failures = 20;  // and the address
        std::chrono::seconds wait_longest{900};
        std::chrono::seconds failures_kept{std::chrono::hours(24)};
        int sign_ins_waiting = 16;  // each takes memory and time; more are told to come later
    };
    static constexpr size_t kPasswordCharsMin = 10;
    static constexpr size_t kPasswordBytesMax = 1'024;

    Users(std::unique_ptr<UserDatabase> database, const Clock& clock);
    Users(std::unique_ptr<UserDatabase> database, const Clock& clock, Limits limits);

    Result<bool> has_any() const;
    Result<std::vector<UserInfo>> list() const;
    Result<void> add(const UserInfo& user, std::string_view password);
    struct Change {
        std::optional<Role> role;
        std::optional<std::vector<std::string>> folders;
        std::optional<std::string> password;  // ends the user's sessions
        std::optional<bool> locked;           // as well
    };
    Result<void> change(const std::string& name, const Change& change);
    Result<void> remove(const std::string& name);

    struct SignIn {
        std::string session;  // the secret that the client keeps; "": refused
        Caller caller;
        std::chrono::seconds wait{0};  // refused without having looked: so long from now on
    };
    // The same answer, after the same time, whether the name or the password is wrong.
    Result<SignIn> sign_in(const std::string& name, std::string_view password, const std::string& address);
    // Who a session is of; nullopt: of nobody, or it is over.
    Result<std::optional<Caller>> session(std::string_view secret);
    Result<void> sign_out(std::string_view secret);

    struct NewToken {
        std::string id;
        std::string secret;  // "shaduf_...": told once
    };
    Result<NewToken> add_token(const TokenInfo& token);
    Result<std::vector<TokenInfo>> tokens() const;
    Result<void> remove_token(const std::string& id);
    Result<std::optional<Caller>> token(std::string_view secret);

private:
    Result<void> check_admin_stays(const std::string& name) const;
    Result<std::optional<UserInfo>> find(const std::string& name) const;
    Result<std::chrono::seconds> wait_of(const std::string& key) const;
    Result<void> count_failure(const std::string& key, int free);
    Result<std::string> begin_session(const std::string& name, const std::string& address);
    Result<void> end_sessions(const std::string& name);
    Result<bool> verify(const std::string& name, std::string_view password);
    int64_t now() const;  // seconds
    std::string since(std::chrono::seconds age) const;

    const std::unique_ptr<UserDatabase> database_;
    const Clock& clock_;
    const Limits limits_;
    const std::string nobodys_hash_;  // is verified against where there is no such user
    std::mutex changing_;             // so that two changes do not leave the project without an admin
    std::mutex hashing_;              // one password at a time
    std::atomic<int> waiting_{0};
};

// The token that a page sends back with each change, which only who has the session knows.
std::string csrf_of(std::string_view session);

}  // namespace shaduf::server
