#include "flow/shared/commands.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/thread_name.h"
#include "flow/shared/schema.h"

namespace shaduf::shared {
namespace {

using Json = nlohmann::json;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{1'000};
constexpr std::chrono::milliseconds kAgainAfter{500};
// An answer whose notification came before somebody waited for it is found so.
constexpr std::chrono::milliseconds kLookWhileWaiting{50};
constexpr int kAtOnce = 500;
// A command need not be on the disk before its answer is, which the server writes behind it.
constexpr const char* kAsk =
    "INSERT INTO shaduf.command (text) SELECT $1 FROM set_config('synchronous_commit', 'off', true) RETURNING number";
// Nobody waits for an answer for so long, and a command is of use for a day at most.
constexpr std::chrono::minutes kForgetEvery{1};
constexpr const char* kForgetOld =
    "DELETE FROM shaduf.command WHERE asked < clock_timestamp() - CASE WHEN answer IS NULL THEN interval '1 day' "
    "ELSE interval '5 minutes' END";

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }
int64_t micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(const Json& count) { return Timestamp(std::chrono::microseconds(count.get<int64_t>())); }

Json json_of(const std::optional<Timestamp>& time) { return time ? Json(micros(*time)) : Json(); }
std::optional<Timestamp> optional_time(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(time_of(json));
}

Json json_of(const RunRequest& request) {
    return {{"flow", request.flow},
            {"type", static_cast<int>(request.type)},
            {"due", json_of(request.due)},
            {"about_begin", request.about ? Json(micros(request.about->begin)) : Json()},
            {"about_end", request.about ? Json(micros(request.about->end)) : Json()},
            {"inputs", request.inputs},
            {"actor", request.actor}};
}

RunRequest request_of(const Json& json) {
    RunRequest request;
    request.flow = json.at("flow").get<std::string>();
    request.type = static_cast<RunType>(json.at("type").get<int>());
    request.due = optional_time(json.at("due"));
    if (!json.at("about_begin").is_null()) request.about = {time_of(json["about_begin"]), time_of(json["about_end"])};
    request.inputs = json.at("inputs").get<std::string>();
    request.actor = json.at("actor").get<std::string>();
    return request;
}

FlowDesk::Backfill backfill_of(const Json& json) {
    FlowDesk::Backfill backfill;
    backfill.flow = json.at("flow").get<std::string>();
    backfill.from = time_of(json.at("from"));
    backfill.to = time_of(json.at("to"));
    backfill.oldest_first = json.at("oldest_first").get<bool>();
    backfill.again = static_cast<FlowDesk::Backfill::Again>(json.at("again").get<int>());
    backfill.inputs = json.at("inputs").get<std::string>();
    backfill.actor = json.at("actor").get<std::string>();
    return backfill;
}

Result<Json> answer(const Result<void>& done) {
    if (!done.ok()) return done.error();
    return Json::object();
}

// Carries out what a command says that is no request.
Result<Json> carry_out(FlowDesk& desk, const Json& command) {
    const std::string what = command.at("what").get<std::string>();
    const auto text = [&](const char* name) { return command.at(name).get<std::string>(); };
    if (what == "cancel") return answer(desk.cancel(text("run"), text("actor")));
    if (what == "approve") {
        return answer(desk.approve(text("run"), text("task"), command.at("yes").get<bool>(), text("actor")));
    }
    if (what == "mark") {
        const auto state = static_cast<TaskState>(command.at("state").get<int>());
        return answer(desk.mark(text("run"), text("task"), state, text("actor")));
    }
    if (what == "run_again") {
        return answer(desk.run_again(text("run"), command.at("tasks").get<std::vector<std::string>>(), text("actor")));
    }
    if (what == "backfill") return Json{{"runs", TRY(desk.backfill(backfill_of(command.at("backfill"))))}};
    if (what == "pause") return answer(desk.pause(text("flow"), command.at("yes").get<bool>(), text("actor")));
    return Error(ErrorKind::unavailable, "the process that schedules does not know the command " + what +
                                             "; run all processes from one version of shaduf");
}

Json answer_to(const Result<Json>& done) {
    if (done.ok()) return {{"done", done.value()}};
    return {{"kind", static_cast<int>(done.error().kind())}, {"message", done.error().message()}};
}

Json answer_of(FlowDesk& desk, const std::string& text) {
    try {
        return answer_to(carry_out(desk, Json::parse(text)));
    } catch (const Json::exception&) {
        return {{"kind", static_cast<int>(ErrorKind::invalid_config)},
                {"message", "the command cannot be read: " + text.substr(0, 100)}};
    }
}

// What a command asks for when it is a request.
std::optional<DecidingDesk::Asked> asked_of(const std::string& text) {
    try {
        const Json command = Json::parse(text);
        if (command.at("what") != "request") return std::nullopt;
        return DecidingDesk::Asked{request_of(command.at("request")), command.at("key").get<std::string>()};
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

Error nobody_answers() {
    return Error(ErrorKind::unavailable,
                 "no process schedules this project at the moment, the command waits for the next one; see that a "
                 "shaduf serve runs, and look at the run before you ask again");
}

}  // namespace

Answers::~Answers() {
    stop_.cancel();
    if (thread_.joinable()) thread_.join();
}

std::optional<std::string> Answers::wait(int64_t command, steady_clock::time_point until) {
    std::unique_lock lock(mutex_);
    of_[command] = std::nullopt;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_all();
    changed_.wait_until(lock, until, [&] { return of_[command].has_value(); });
    auto answer = std::move(of_[command]);
    of_.erase(command);
    return answer;
}

void Answers::run() {
    name_thread("answers");
    do {
        static_cast<void>(listen().ok());
    } while (stop_.wait_for(kAgainAfter));
}

// Until the session is lost, or it is to stop.
Result<void> Answers::listen() {
    const auto ear = TRY(connect(dsn_, stop_));
    TRY(ear->execute(std::string("LISTEN ") + kAnswersChannel));
    for (;;) {
        TRY(look());
        bool waits = false;
        {
            const std::lock_guard lock(mutex_);
            waits = !of_.empty();
        }
        TRY(ear->notifications(waits ? kLookWhileWaiting : kLookEvery));
        TRY(stop_.check());
    }
}

Result<void> Answers::look() {
    std::string numbers;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [number, answer] : of_) {
            if (!answer) numbers += (numbers.empty() ? "{" : ",") + std::to_string(number);
        }
    }
    if (numbers.empty()) return {};
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query(
        "SELECT number, answer FROM shaduf.command WHERE number = ANY($1::bigint[]) AND answer IS NOT NULL",
        {numbers + "}"}));
    const std::lock_guard lock(mutex_);
    for (const auto& row : found.rows) {
        const auto waited = of_.find(number_of(row[0]));
        if (waited != of_.end()) waited->second = row[1];
    }
    if (!found.rows.empty()) changed_.notify_all();
    return {};
}

Result<std::string> SharedDesk::ask(const std::string& command) {
    const auto until = steady_clock::now() + patience_;
    int64_t number = 0;
    {
        Sessions::Loan session = TRY(sessions_.lend());
        number = number_of(TRY(session->query(kAsk, {command})).rows.at(0).at(0));
        TRY(session->execute(std::string("NOTIFY ") + kCommandsChannel));
    }
    const auto text = answers_.wait(number, until);
    if (!text) return nobody_answers();
    const Json answer = Json::parse(*text, nullptr, false);
    if (answer.is_object() && answer.contains("done")) return dump(answer["done"]);
    return Error(static_cast<ErrorKind>(answer.value("kind", static_cast<int>(ErrorKind::internal))),
                 answer.value("message", "no answer that can be read"));
}

Result<FlowDesk::Requested> SharedDesk::request(const RunRequest& request, const std::string& key) {
    const auto text = TRY(ask(dump({{"what", "request"}, {"request", json_of(request)}, {"key", key}})));
    const Json answer = Json::parse(text);
    return Requested{answer.value("run", ""), answer.value("is_new", true)};
}
Result<void> SharedDesk::cancel(const RunId& run, const std::string& actor) {
    TRY(ask(dump({{"what", "cancel"}, {"run", run}, {"actor", actor}})));
    return {};
}
Result<void> SharedDesk::approve(const RunId& run, const std::string& task, bool yes, const std::string& actor) {
    TRY(ask(dump({{"what", "approve"}, {"run", run}, {"task", task}, {"yes", yes}, {"actor", actor}})));
    return {};
}
Result<void> SharedDesk::mark(const RunId& run, const std::string& task, TaskState state, const std::string& actor) {
    TRY(ask(
        dump({{"what", "mark"}, {"run", run}, {"task", task}, {"state", static_cast<int>(state)}, {"actor", actor}})));
    return {};
}
Result<void> SharedDesk::run_again(const RunId& run, const std::vector<std::string>& tasks, const std::string& actor) {
    TRY(ask(dump({{"what", "run_again"}, {"run", run}, {"tasks", tasks}, {"actor", actor}})));
    return {};
}
Result<size_t> SharedDesk::backfill(const Backfill& backfill) {
    const Json json = {{"flow", backfill.flow},
                       {"from", micros(backfill.from)},
                       {"to", micros(backfill.to)},
                       {"oldest_first", backfill.oldest_first},
                       {"again", static_cast<int>(backfill.again)},
                       {"inputs", backfill.inputs},
                       {"actor", backfill.actor}};
    return Json::parse(TRY(ask(dump({{"what", "backfill"}, {"backfill", json}})))).value("runs", size_t{0});
}
Result<void> SharedDesk::pause(const std::string& flow, bool yes, const std::string& actor) {
    TRY(ask(dump({{"what", "pause"}, {"flow", flow}, {"yes", yes}, {"actor", actor}})));
    return {};
}
Result<bool> SharedDesk::is_paused(const std::string& flow) {
    Sessions::Loan session = TRY(sessions_.lend());
    const auto found = TRY(session->query("SELECT value FROM shaduf.value WHERE key = $1", {"paused/" + flow}));
    if (!found.rows.empty()) return found.rows[0][0].value_or("").starts_with("yes");
    const FlowPtr spec = flow_(flow);
    return spec != nullptr && spec->is_paused;
}
std::optional<Timestamp> SharedDesk::next_due(const std::string& flow) {
    const FlowPtr spec = flow_(flow);
    const auto paused = is_paused(flow);
    if (spec == nullptr || !paused.ok() || paused.value()) return std::nullopt;
    return first_due(*spec, clock_.now());
}

Commands::Commands(std::string dsn, Sessions& sessions, DecidingDesk& desk, std::function<bool()> leads)
    : dsn_(std::move(dsn)), sessions_(sessions), desk_(desk), leads_(std::move(leads)), thread_([this] { run(); }) {}

Commands::~Commands() {
    stop_.cancel();
    thread_.join();
}

void Commands::run() {
    name_thread("commands");
    do {
        static_cast<void>(listen());
    } while (stop_.wait_for(kAgainAfter));
}

// Until the session is lost, or it is to stop.
Result<void> Commands::listen() {
    const auto ear = TRY(connect(dsn_, stop_));
    TRY(ear->execute(std::string("LISTEN ") + kCommandsChannel));
    for (auto forget_at = steady_clock::now();;) {
        if (const auto now = steady_clock::now(); now >= forget_at) {
            TRY(ear->execute(kForgetOld));
            forget_at = now + kForgetEvery;
        }
        while (TRY(answer_some())) TRY(stop_.check());
        TRY(ear->notifications(kLookEvery));
        TRY(stop_.check());
    }
}

Result<bool> Commands::answer_some() {
    std::vector<Command> commands;
    {
        Sessions::Loan session = TRY(sessions_.lend());
        const auto next =
            TRY(session->query("SELECT number, text FROM shaduf.command WHERE answer IS NULL ORDER BY number LIMIT " +
                               std::to_string(kAtOnce)));
        for (const auto& row : next.rows) commands.push_back({number_of(row[0]), row[1].value_or("")});
    }
    const auto is_request = [](const Command& command) { return asked_of(command.text).has_value(); };
    for (auto at = commands.begin(); at != commands.end();) {
        const auto behind = std::find_if_not(at, commands.end(), is_request);
        if (behind != at) {
            TRY(answer_requests({at, behind}));
            at = behind;
        } else {
            TRY(answer_one(*at++));
        }
    }
    if (commands.empty()) return false;
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(session->execute(std::string("NOTIFY ") + kAnswersChannel));
    return true;
}

Result<void> Commands::answer_requests(const std::vector<Command>& commands) {
    std::vector<DecidingDesk::Asked> asked;
    std::vector<int64_t> numbers;
    for (const Command& command : commands) {
        asked.push_back(*asked_of(command.text));
        numbers.push_back(command.number);
    }
    const auto answer = [numbers](size_t which, const Result<FlowDesk::Requested>& made, FlowChanges& changes) {
        const Json text = made.ok() ? Json{{"done", {{"run", made.value().run}, {"is_new", made.value().is_new}}}}
                                    : answer_to(made.error());
        changes.answers[numbers[which]] = dump(text);
    };
    const auto pending = desk_.request_all(asked, answer);
    // Not asked again before it is sure what became of them; when this one is to stop, whoever leads then looks.
    while (pending.kept.wait_for(kLookWhileWaiting) != std::future_status::ready) TRY(stop_.check());
    return pending.kept.get();
}

Result<void> Commands::answer_one(const Command& command) {
    const Json answer = answer_of(desk_, command.text);
    if (!leads_()) return Error(ErrorKind::conflict, "another process leads by now");
    Sessions::Loan session = TRY(sessions_.lend());
    TRY(session->query("UPDATE shaduf.command SET answer = $2 WHERE number = $1::bigint",
                       {std::to_string(command.number), dump(answer)}));
    return {};
}

}  // namespace shaduf::shared
