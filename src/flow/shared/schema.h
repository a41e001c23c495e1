#pragma once

#include <memory>
#include <string>

#include "base/cancellation.h"
#include "base/result.h"
#include "io/postgres.h"

// The tables that several processes share the work of flows through, in the schema `shaduf` of a PostgreSQL database.
namespace shaduf::shared {

// Processes of two versions may work at the same time: a change of the tables only adds, so an older process goes on,
// and says so; what a newer one writes, the older one does not need. A change that an older process could not live
// with raises `oldest_reader`, and then that one is refused.
struct SchemaVersion {
    int version = 0;
    int oldest_reader = 0;
};

// Names of channels of NOTIFY.
inline constexpr const char* kTriesChannel = "shaduf_tries";        // a try can be had, or is to stop
inline constexpr const char* kEndsChannel = "shaduf_ends";          // a try was begun or has ended
inline constexpr const char* kCommandsChannel = "shaduf_commands";  // somebody asks the leader for something
inline constexpr const char* kAnswersChannel = "shaduf_answers";    // the leader has answered
inline constexpr const char* kChangesChannel = "shaduf_changes";    // runs have changed

// Connects, and brings the tables up to this program's version; any number of processes may do so at once. With
// `listens`, the session hears these channels. invalid_config: the tables are of a newer version that this one cannot
// read.
Result<std::unique_ptr<PostgresConnection>> connect(const std::string& dsn, const Cancellation& cancellation);

// What the tables of a database are at; {0, 0}: there are none.
Result<SchemaVersion> schema_version(PostgresConnection& connection);

}  // namespace shaduf::shared
