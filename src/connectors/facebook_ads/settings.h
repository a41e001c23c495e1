#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/options.h"
#include "connectors/ads/settings.h"
#include "connectors/connector.h"
#include "connectors/facebook_ads/fields.h"
#include "io/http.h"

namespace shaduf::facebook {

// Of a connection.
struct ConnectionSettings {
    std::string name;
    std::string base_url;  // without a slash at its end
    std::string version;   // "v26.0"
    std::string access_token;
    std::string app_id;
    std::string app_secret;
    std::vector<std::string> accounts;  // bare numbers; empty: all that the token sees
    HttpRequest timeouts;               // a request with nothing but its time-outs
};

enum class Actions : uint8_t {
    json,     // lists of numbers by kind of action stay as they are
    columns,  // each number is a column of its own
};

enum class ReportRuns : uint8_t { automatic, always, never };

// How long one row of a report is.
struct Increment {
    int days = 1;  // 0: monthly, or the whole time
    bool monthly = false;
    bool daily() const { return days == 1; }
    std::string text;  // as the parameter has it
};

struct ReportSettings {
    Level level = Level::ad;
    std::vector<std::string> fields;  // that are asked for
    std::vector<std::string> breakdowns;
    std::vector<std::string> action_breakdowns;
    std::vector<std::string> windows;  // of attribution; empty: as the account has it
    std::string windows_text;          // that stands on each row
    Increment increment;
    std::string filtering;  // JSON; "": all
    Actions actions = Actions::json;
    ReportRuns report_runs = ReportRuns::automatic;
    int64_t limit = 500;  // rows a page that are asked for at first
};

struct ListSettings {
    const ListTraits* traits = nullptr;
    std::vector<std::string> fields;
    std::vector<std::string> statuses;  // empty: all, the deleted and archived ones too
    int64_t limit = 100;
};

// Of a stream: a list or a report.
struct StreamSettings {
    std::string name;
    std::optional<ListSettings> list;
    std::optional<ReportSettings> report;
};

// invalid_config with the line of the field that is wrong.
Result<ConnectionSettings> read_connection(const Options& options, const std::string& name);
Result<StreamSettings> read_stream(const Options& options, const std::string& stream);

// The columns that tell rows of a report of one day apart.
std::vector<std::string> key_of(const ReportSettings& report);
// "123" of "act_123".
std::string bare_account(std::string_view id);

}  // namespace shaduf::facebook
