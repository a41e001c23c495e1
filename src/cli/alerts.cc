#include <nlohmann/json.hpp>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/frame/session.h"
#include "cli/frame/table.h"
#include "io/http.h"
#include "io/url.h"
#include "observe/alerts/alerts.h"

namespace shaduf {
namespace {

constexpr std::string_view kActions[] = {"ls", "channels", "test", "mute"};
constexpr ArgumentSpec kArguments[] = {
    {"action",
     ArgumentKind::positional,
     "ls: what people are told of, by the server that runs; channels: ways to tell them; test: sends a message of "
     "trial "
     "through a channel, from here; mute: nobody is told of an alert for a time.",
     true,
     {},
     kActions},
    {"name", ArgumentKind::positional, "test: which channel; mute: the id of which alert."},
    {"state", ArgumentKind::option, "ls: only these, with commas between: firing, muted, resolved."},
    {"until", ArgumentKind::option,
     "mute: a time, or a duration from now such as 4h; without it people are told again."},
    {"server", ArgumentKind::option, "ls, mute: the server's address. A token of it is taken from SHADUF_TOKEN.", false,
     "http://127.0.0.1:8200"},
};

using nlohmann::json;

// A call of the server's API; its answer as JSON, null when there is none.
Result<json> call(Session& session, const std::string& method, const std::string& path, const std::string& body) {
    HttpRequest request;
    request.method = method;
    request.url = session.arguments().text("server");
    while (request.url.ends_with('/')) request.url.pop_back();
    request.url += path;
    request.body = body;
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    if (const auto token = Session::variable("SHADUF_TOKEN")) {
        request.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    RunContext& world = session.world();
    const auto response = world.http.send(world, request);
    if (!response.ok()) {
        return Error(response.error().kind(),
                     response.error().message() + "; does shaduf serve run there? give --server ADDRESS");
    }
    const auto answer = json::parse(response.value().text(), nullptr, false);
    if (response.value().status < 300) return answer.is_discarded() ? json() : answer;
    std::string said;
    if (answer.is_object() && answer.contains("error") && answer["error"].is_object()) {
        said = answer["error"].value("message", "");
    }
    if (said.empty()) return http_error(world, request, response.value());
    const bool is_denied = response.value().status == 401 || response.value().status == 403;
    return Error(is_denied ? ErrorKind::auth : ErrorKind::invalid_config, said);
}

std::string text_of(const json& object, const char* name) {
    return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}

int list(Session& session) {
    std::string path = "/api/v1/alerts?limit=1000";
    if (session.arguments().has("state")) path += "&state=" + percent_encode(session.arguments().text("state"), ",");
    const auto answer = call(session, "GET", path, "");
    if (!answer.ok()) return session.fail(answer.error());
    const json items = answer.value().is_object() ? answer.value().value("items", json::array()) : json::array();
    if (session.json()) {
        session.out() << items.dump() << "\n";
        return kExitDone;
    }
    Table table({{"id"}, {"state"}, {"severity"}, {"since"}, {"title"}, {"rule"}});
    for (const json& item : items) {
        table.add_row({text_of(item, "id"), text_of(item, "state"), text_of(item, "severity"),
                       text_of(item, "first_at"), text_of(item, "title"), text_of(item, "rule")});
    }
    if (table.rows() == 0) {
        session.out() << "nothing is wrong\n";
    } else {
        table.print(session.out());
    }
    return kExitDone;
}

int mute(Session& session) {
    const std::string id = session.arguments().text("name"), given = session.arguments().text("until");
    std::string until = "null";
    if (!given.empty()) {
        const auto duration = parse_duration(given);
        const auto time = parse_timestamp(given);
        if (!duration && !time) return session.misuse("--until: not a time, nor a duration such as 4h: " + given);
        const Timestamp at = duration ? session.world().clock.now() + *duration
                                      : Timestamp(std::chrono::microseconds(time->microseconds));
        until = JsonWriter().text(format_timestamp(at)).str();
    }
    const std::string path = "/api/v1/alerts/" + percent_encode(id) + "/mute";
    const auto answer = call(session, "POST", path, "{\"until\":" + until + "}");
    if (!answer.ok()) return session.fail(answer.error());
    session.out() << (given.empty() ? "people are told of it again\n" : "nobody is told of it until " + until + "\n");
    return kExitDone;
}

std::optional<observe::AlertSettings> read_settings(Session& session) {
    ProjectRequest request;
    request.environment = session.arguments().text("env");
    request.without_pipelines = true;
    const Project* project = session.open_project(request);
    if (project == nullptr) return std::nullopt;
    observe::AlertSettings settings;
    const auto errors = observe::read_alerts(*project, builtin_channels(), settings);
    if (errors.empty()) return settings;
    session.fail(errors);
    return std::nullopt;
}

int list_channels(Session& session, const observe::AlertSettings& settings) {
    if (session.json()) {
        JsonWriter out;
        out.begin_array();
        for (const auto& channel : settings.channels) {
            out.begin_object().field("name", channel.name).field("type", channel.spec->name);
            out.field("to", channel.spec->address(channel.options)).end_object();
        }
        session.out() << out.end_array().str() << "\n";
        return kExitDone;
    }
    Table table({{"channel"}, {"type"}, {"to"}});
    for (const auto& channel : settings.channels) {
        table.add_row({channel.name, std::string(channel.spec->name), channel.spec->address(channel.options)});
    }
    if (table.rows() == 0) {
        session.out() << "no channels: write them under alerts of shaduf.yml; see docs/alerts.md\n";
    } else {
        table.print(session.out());
    }
    return kExitDone;
}

int test(Session& session, const observe::AlertSettings& settings) {
    const std::string name = session.arguments().text("name");
    const observe::AlertChannel* channel = settings.channel(name);
    if (channel == nullptr) {
        std::vector<std::string> known;
        for (const auto& one : settings.channels) known.push_back(one.name);
        return session.misuse("channel not found: " + name + did_you_mean(name, known));
    }
    const auto outcome = observe::send_test(*channel, settings, session.world());
    if (!outcome.is_delivered) {
        return session.fail(outcome.error.value_or(Error(ErrorKind::internal, "the channel does not say why")));
    }
    session.out() << "delivered to " << channel->spec->address(channel->options)
                  << (outcome.note.empty() ? "" : ", but " + outcome.note) << "\n";
    return kExitDone;
}

int run_alerts(Session& session) {
    const std::string action = session.arguments().text("action");
    const bool needs_name = action == "test" || action == "mute";
    if (needs_name && session.arguments().text("name").empty()) {
        return session.misuse(action == "test" ? "alerts test: which channel? shaduf alerts channels shows them"
                                               : "alerts mute: which alert? shaduf alerts ls shows them");
    }
    if (action == "ls") return list(session);
    if (action == "mute") return mute(session);
    const auto settings = read_settings(session);
    if (!settings) return kExitMisused;
    return action == "test" ? test(session, *settings) : list_channels(session, *settings);
}

}  // namespace

extern const CommandSpec command_alerts;
const CommandSpec command_alerts{.name = "alerts",
                                 .summary = "What people are told of, and by which channels.",
                                 .arguments = kArguments,
                                 .run = run_alerts,
                                 .example = "shaduf alerts test ops"};

}  // namespace shaduf
