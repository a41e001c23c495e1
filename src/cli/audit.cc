#include <algorithm>

#include "base/json_writer.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "server/audit_log.h"

namespace shaduf {
namespace {

using server::AuditEntry;
using server::AuditFilter;
using server::AuditLog;

constexpr std::string_view kActions[] = {"ls", "verify"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: who changed what and who signed in, newest first; verify: whether the log was altered.",
     true,
     {},
     kActions},
    {"actor", ArgumentKind::option, "ls: only this actor's."},
    {"of", ArgumentKind::option, "ls: only actions that begin so: run., user.add."},
    {"limit", ArgumentKind::option, "ls: at most so many.", false, "50"},
};

int list(Session& session, const AuditLog& audit) {
    AuditFilter filter;
    filter.actor = session.arguments().text("actor");
    filter.action = session.arguments().text("of");
    filter.limit = static_cast<size_t>(std::max<int64_t>(1, session.arguments().integer("limit", 50)));
    const auto entries = audit.list(filter);
    if (!entries.ok()) return session.fail(entries.error());
    if (session.json()) {
        JsonWriter json;
        json.begin_array();
        for (const AuditEntry& entry : entries.value()) {
            json.begin_object().field("number", entry.number).field("at", format_timestamp(entry.at));
            json.field("actor", entry.actor).field("action", entry.action).field("target", entry.target);
            json.field("detail", entry.detail).field("address", entry.address).end_object();
        }
        session.out() << json.end_array().str() << "\n";
        return kExitDone;
    }
    Table table({{"number"}, {"at"}, {"actor"}, {"action"}, {"target"}, {"detail"}, {"from"}});
    for (const AuditEntry& entry : entries.value()) {
        table.add_row({std::to_string(entry.number), format_timestamp(entry.at), entry.actor, entry.action,
                       entry.target, entry.detail, entry.address});
    }
    table.print(session.out());
    return kExitDone;
}

int verify(Session& session, const AuditLog& audit) {
    const auto verdict = audit.verify();
    if (!verdict.ok()) return session.fail(verdict.error());
    if (!verdict.value().broken_at) {
        session.out() << "ok: " << verdict.value().lines << " lines, each with the hash of the one before\n";
        return kExitDone;
    }
    return session.fail(Error(ErrorKind::bad_data, "the audit log is not whole: line " +
                                                       std::to_string(*verdict.value().broken_at) + ": " +
                                                       verdict.value().what + "; the lines before it hold"));
}

int run_audit(Session& session) {
    if (!session.enter_folder()) return kExitMisused;
    const SystemClock clock;
    const AuditLog audit(".shaduf/audit.log", clock);
    return session.arguments().text("action") == "verify" ? verify(session, audit) : list(session, audit);
}

}  // namespace

extern const CommandSpec command_audit;
const CommandSpec command_audit{.name = "audit",
                                .summary = "Who changed what, and whether that record was altered.",
                                .arguments = kArguments,
                                .run = run_audit,
                                .example = "shaduf audit verify"};

}  // namespace shaduf
