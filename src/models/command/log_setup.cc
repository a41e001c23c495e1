#include "models/command/log_setup.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "models/command/node_events.h"
#include "models/project/version.h"

namespace shaduf::models {
namespace {

using jinja::Value;

Result<LogFormat> read_format(const DbtArguments& arguments, std::string_view flag) {
    const std::string text = to_lower(arguments.text(flag));
    if (text == "json") return LogFormat::json;
    if (text.empty() || text == "text" || text == "debug" || text == "default") return LogFormat::text;
    return Error(ErrorKind::invalid_config,
                 "--" + std::string(flag) + " takes text, debug, json or default, found: " + text);
}

// nullopt: none.
Result<std::optional<EventLevel>> read_level(const DbtArguments& arguments, std::string_view flag,
                                             EventLevel fallback) {
    const std::string text = to_lower(arguments.text(flag));
    if (text.empty()) return std::optional(fallback);
    if (text == "none") return std::optional<EventLevel>();
    if (const auto level = event_level(text)) return std::optional(*level);
    return Error(ErrorKind::invalid_config,
                 "--" + std::string(flag) + " takes debug, info, warn, error or none, found: " + text);
}

Result<void> open_file(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    const auto level = TRY(read_level(arguments, "log-level-file", EventLevel::debug));
    const auto project = project_folder(world, arguments);
    if (!level || !project.ok() || arguments.verb == "clean" || arguments.verb.empty()) return {};
    std::filesystem::path folder = arguments.text("log-path");
    if (folder.empty()) folder = std::filesystem::path(project.value()) / "logs";
    EventLog::File file;
    file.path = (std::filesystem::path(world.working_folder) / folder / "dbt.log").string();
    file.format = TRY(read_format(arguments, "log-format-file"));
    if (!arguments.has("log-format-file")) file.format = TRY(read_format(arguments, "log-format"));
    file.level = *level;
    if (const std::string bytes = arguments.text("log-file-max-bytes"); !bytes.empty()) {
        if (bytes.find_first_not_of("0123456789") != std::string::npos || bytes.size() > 18) {
            return Error(ErrorKind::invalid_config, "--log-file-max-bytes takes a number, found: " + bytes);
        }
        file.bytes_max = std::stoull(bytes);
    }
    console.log().open(std::move(file));
    return {};
}

std::string counted(size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

Event event_of(std::string_view name, std::string_view code, std::string text,
               std::initializer_list<std::pair<std::string_view, Value>> data) {
    auto dict = jinja::make<jinja::Dict>();
    for (const auto& [key, value] : data) dict->set(key, value);
    return {name, code, EventLevel::info, std::move(text), Value(dict)};
}

}  // namespace

Result<void> set_up_log(const InvocationWorld& world, const DbtArguments& arguments, Console& console) {
    Console::Options options{.is_quiet = arguments.is_on("quiet"),
                             .is_debug = arguments.is_on("debug"),
                             .prints = arguments.is_on("print", true),
                             .has_colors = arguments.is_on("use-colors", false)};
    options.format = TRY(read_format(arguments, "log-format"));
    const auto level = TRY(read_level(arguments, "log-level", EventLevel::info));
    options.level = level.value_or(EventLevel::error);
    if (options.is_debug) options.level = EventLevel::debug;
    if (options.is_quiet) options.level = EventLevel::error;
    if (options.level > EventLevel::info) options.is_quiet = true;
    if (options.level == EventLevel::debug) options.is_debug = true;
    options.is_list = arguments.verb == "list";
    console.set_options(options);
    return open_file(world, arguments, console);
}

void tell_of_start(const Invocation& invocation, Console& console) {
    const std::string version = "=" + std::string(kDbtVersion);
    console.event(event_of("MainReportVersion", "A001", "Running with dbt" + version,
                           {{"log_version", Value(int64_t{3})}, {"version", Value(version)}}));
    const std::string& type = invocation.target().type;
    console.event(event_of("AdapterRegistered", "E034", "Registered adapter: " + type + version,
                           {{"adapter_name", Value(type)}, {"adapter_version", Value(version)}}));
}

Event found_stats(const Manifest& manifest) {
    struct Kind {
        ResourceType type;
        std::string_view one, many;
    };
    constexpr std::array<Kind, 7> kKinds = {{{ResourceType::model, "model", "models"},
                                             {ResourceType::seed, "seed", "seeds"},
                                             {ResourceType::snapshot, "snapshot", "snapshots"},
                                             {ResourceType::analysis, "analysis", "analyses"},
                                             {ResourceType::test, "data test", "data tests"},
                                             {ResourceType::operation, "operation", "operations"},
                                             {ResourceType::function, "function", "functions"}}};
    std::vector<std::string> parts;
    const auto add = [&](size_t count, std::string_view one, std::string_view many) {
        if (count > 0) parts.push_back(counted(count, one, many));
    };
    for (const Kind& kind : kKinds) {
        add(static_cast<size_t>(std::count_if(manifest.nodes.begin(), manifest.nodes.end(),
                                              [&](const auto& node) { return node->type == kind.type; })),
            kind.one, kind.many);
    }
    add(manifest.sources.size(), "source", "sources");
    add(manifest.unit_tests.size(), "unit test", "unit tests");
    add(manifest.macros.size(), "macro", "macros");
    const std::string stats = join(parts, ", ");
    return event_of("FoundStats", "W006", "Found " + stats, {{"stat_line", Value(stats)}});
}

Event concurrency_line(const Invocation& invocation, size_t nodes) {
    const std::string& target = invocation.target().name;
    const int64_t threads = invocation.threads();
    return event_of("ConcurrencyLine", "Q027",
                    "Concurrency: " + std::to_string(threads) + " threads (target='" + target + "')",
                    {{"node_count", Value(static_cast<int64_t>(nodes))},
                     {"num_threads", Value(threads)},
                     {"target_name", Value(target)}});
}

Event command_completed(std::string_view verb, bool is_well, double seconds) {
    const std::string now = event_time_now();
    Event event = event_of("CommandCompleted", "Q039",
                           "Command `dbt " + std::string(verb) + "` " + (is_well ? "succeeded" : "failed") + " at " +
                               now + " after " + std::to_string(seconds) + " seconds",
                           {{"command", Value("dbt " + std::string(verb))},
                            {"completed_at", Value(now)},
                            {"elapsed", Value(seconds)},
                            {"success", Value(is_well)}});
    event.level = EventLevel::debug;
    return event;
}

}  // namespace shaduf::models
