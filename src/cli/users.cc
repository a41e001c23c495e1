#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "server/audit_log.h"
#include "server/users.h"

namespace shaduf {
namespace {

using server::AuditLog;
using server::Role;
using server::UserInfo;
using server::Users;

constexpr std::string_view kActions[] = {"ls", "add", "remove", "passwd", "lock", "unlock"};
constexpr std::string_view kRoles[] = {"viewer", "editor", "operator", "admin"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: all; add: one more; remove: one; passwd: another password; lock: no sign-in any more; unlock: again.",
     true,
     {},
     kActions},
    {"name", ArgumentKind::positional, "Of the user."},
    {"role",
     ArgumentKind::option,
     "add: viewer sees; editor changes files, too; operator runs and cancels, too; admin has users, tokens and "
     "secrets.",
     false,
     {},
     kRoles},
    {"folders", ArgumentKind::option, "add: the role is for these folders of the project alone, with commas between."},
};
constexpr const char* kFolder = ".shaduf";

// Turns off what the terminal shows of what is typed, for as long as it lives.
class SilentTerminal {
public:
    SilentTerminal() : is_terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        if (!is_terminal_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~SilentTerminal() {
        if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

private:
    termios before_{};
    const bool is_terminal_;
};

// Asks on a terminal, twice; elsewhere it is the first line of the input.
Result<std::string> read_password(Session& session) {
    std::string password;
    if (::isatty(STDIN_FILENO) == 0) {
        std::getline(std::cin, password);
        if (password.ends_with('\r')) password.pop_back();
        return password;
    }
    std::string again;
    const SilentTerminal silent;
    session.errors() << "Password: " << std::flush;
    std::getline(std::cin, password);
    session.errors() << "\nOnce more: " << std::flush;
    std::getline(std::cin, again);
    session.errors() << "\n";
    if (password == again) return password;
    return Error(ErrorKind::invalid_config, "the two passwords differ; nothing was changed");
}

int list(Session& session, const Users& users) {
    const auto all = users.list();
    if (!all.ok()) return session.fail(all.error());
    if (session.json()) {
        JsonWriter json;
        json.begin_array();
        for (const UserInfo& user : all.value()) {
            json.begin_object().field("name", user.name).field("role", to_string(user.role)).key("folders");
            json.begin_array();
            for (const std::string& folder : user.folders) json.text(folder);
            json.end_array().key("locked").boolean(user.is_locked).end_object();
        }
        session.out() << json.end_array().str() << "\n";
        return kExitDone;
    }
    if (all.value().empty()) {
        session.out() << "no user yet: add one with shaduf users add NAME --role admin\n";
        return kExitDone;
    }
    Table table({{"user"}, {"role"}, {"folders"}, {"last seen"}, {"locked"}});
    for (const UserInfo& user : all.value()) {
        table.add_row({user.name, std::string(to_string(user.role)), join(user.folders, ", "),
                       user.last_seen ? format_timestamp(*user.last_seen) : "never", user.is_locked ? "yes" : ""});
    }
    table.print(session.out());
    return kExitDone;
}

Result<void> add(Session& session, Users& users, const std::string& name) {
    UserInfo user;
    user.name = name;
    const auto role = server::role_of(session.arguments().text("role"));
    if (!role) {
        return Error(ErrorKind::invalid_config, "users add wants a role: --role viewer, editor, operator or admin");
    }
    user.role = *role;
    const std::string folders = session.arguments().text("folders");
    for (const std::string_view folder : split(std::string_view(folders), ',')) {
        if (!trim(folder).empty()) user.folders.emplace_back(trim(folder));
    }
    if (!TRY(users.has_any()) && (user.role != Role::admin || !user.folders.empty())) {
        return Error(ErrorKind::invalid_config, "the first user must be an admin of the whole project: --role admin");
    }
    return users.add(user, TRY(read_password(session)));
}

Result<void> act(Session& session, Users& users, AuditLog& audit, const std::string& action) {
    const std::string name = session.arguments().text("name");
    if (name.empty()) return Error(ErrorKind::invalid_config, "users " + action + " wants the name of a user");
    if (action == "add") {
        TRY(add(session, users, name));
    } else if (action == "remove") {
        TRY(users.remove(name));
    } else if (action == "passwd") {
        Users::Change change;
        change.password = TRY(read_password(session));
        TRY(users.change(name, change));
    } else {
        Users::Change change;
        change.locked = action == "lock";
        TRY(users.change(name, change));
    }
    return audit.append({.actor = "command line", .action = "user." + action, .target = "/users/" + name});
}

int run_users(Session& session) {
    if (!session.enter_folder()) return kExitMisused;
    if (::access("shaduf.yml", F_OK) != 0)
        return session.misuse("no project here: there is no shaduf.yml; give --project");
    ProjectRequest request;
    request.environment = session.arguments().text("env");
    const auto project = session.read_project(request);
    if (!project.ok()) return session.fail(project.error());
    auto database = server::open_user_database(".", project.value().state);
    if (!database.ok()) return session.fail(database.error());
    const SystemClock clock;
    Users users(database.release_value(), clock);
    const std::string action = session.arguments().text("action");
    if (action == "ls") return list(session, users);
    std::error_code failed;
    std::filesystem::create_directories(kFolder, failed);
    AuditLog audit(std::string(kFolder) + "/audit.log", clock);
    const auto done = act(session, users, audit, action);
    if (!done.ok()) return session.fail(done.error());
    if (!session.json()) session.out() << "users: " << action << " " << session.arguments().text("name") << "\n";
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_users;
const CommandSpec command_users{.name = "users",
                                .summary = "Who may sign in to shaduf serve.",
                                .arguments = kArguments,
                                .run = run_users,
                                .example = "shaduf users add ada --role admin"};

}  // namespace shaduf
