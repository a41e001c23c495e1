#include "models/command/retry.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "base/time.h"
#include "models/artifacts/artifact_file.h"
#include "models/yaml/json_tree.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using Kind = FlagSpec::Kind;

constexpr std::array<std::string_view, 10> kVerbs = {"build", "compile",  "clone", "docs generate", "seed",
                                                     "run",   "snapshot", "test",  "run-operation", "generate"};
// Those of now hold, whatever there was.
constexpr std::array<std::string_view, 8> kOwnFlags = {"log-path",    "target-path", "profiles-dir", "project-dir",
                                                       "defer-state", "warn-error",  "threads",      "vars"};
constexpr std::array<std::string_view, 5> kFailed = {"error", "fail", "skipped", "runtime error", "partial success"};

bool holds(std::span<const std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// One flag as run_results.json has it: a switch, a text, a list, or, of vars, a map.
void take_flag(const FlagSpec& flag, const YamlNode& value, DbtArguments& arguments) {
    const std::string name(flag.name);
    if (flag.kind == Kind::on_off) {
        if (value.is_boolean()) arguments.switches[name] = value.boolean();
        return;
    }
    std::vector<std::string> texts;
    for (const YamlNode& item : value.items()) texts.push_back(value_of_yaml(item).text());
    if (value.is_map() && flag.name == "vars") texts.push_back(to_python_json(value));
    if (!value.is_list() && !value.is_map()) texts.push_back(value_of_yaml(value).text());
    if (!texts.empty() && !(texts.size() == 1 && texts[0].empty())) arguments.values[name] = std::move(texts);
}

DbtArguments arguments_of(const YamlNode& args, const DbtArguments& now) {
    DbtArguments arguments;
    arguments.line = now.line;
    arguments.verb = args["which"].text() == "generate" ? "docs generate" : std::string(args["which"].text());
    if (args["macro"].is_text()) arguments.words = {std::string(args["macro"].text())};
    for (const FlagSpec& flag : dbt_flags()) {
        const std::string name(flag.name);
        const bool is_own = holds(kOwnFlags, flag.name);
        if (is_own && now.has(flag.name)) {
            if (const auto given = now.switches.find(name); given != now.switches.end())
                arguments.switches[name] = given->second;
            if (const auto given = now.values.find(name); given != now.values.end())
                arguments.values[name] = given->second;
            continue;
        }
        std::string key = name;
        std::replace(key.begin(), key.end(), '-', '_');
        const YamlNode* value = args.find(key);
        if (value == nullptr && (flag.name == "resource-type" || flag.name == "exclude-resource-type"))
            value = args.find(key + "s");
        const bool is_place = is_own && flag.name != "vars" && flag.name != "threads";
        if (value != nullptr && !value->is_null() && !is_place) take_flag(flag, *value, arguments);
    }
    return arguments;
}

Result<std::vector<TimeSpan>> read_spans(const YamlNode& spans, const std::string& path) {
    std::vector<TimeSpan> read;
    for (const YamlNode& span : spans.items()) {
        const auto ends = span.items();
        const auto start = ends.size() == 2 ? parse_timestamp(ends[0].text()) : std::nullopt;
        const auto end = ends.size() == 2 ? parse_timestamp(ends[1].text()) : std::nullopt;
        if (!start || !end) {
            return Error(ErrorKind::invalid_config, "batch_results holds what is no time: " + to_python_json(span) +
                                                        "; run the command again instead of retrying it")
                .at(Place::in_file(path, 0));
        }
        read.push_back({start->microseconds, end->microseconds});
    }
    return read;
}

Result<BatchHistory> read_history(const YamlNode& batches, const std::string& path) {
    return BatchHistory{TRY(read_spans(batches["successful"], path)), TRY(read_spans(batches["failed"], path))};
}

}  // namespace

Result<Retry> read_retry(const Invocation& invocation) {
    const ContextServices& services = invocation.services();
    const std::string state = invocation.arguments().text("state");
    const std::string path = state.empty()
                                 ? artifact_path(services, "run_results.json")
                                 : (std::filesystem::path(services.project_root) / state / "run_results.json").string();
    std::error_code failure;
    if (!std::filesystem::is_regular_file(path, failure)) {
        return Error(ErrorKind::invalid_config, "Could not find previous run: there is no " + path +
                                                    "; run a command first, or name its folder with --state");
    }
    const YamlTree results = TRY(parse_json(TRY(read_text_file(path, path))));
    const YamlNode& args = results.root()["args"];
    const std::string_view verb = args["which"].text();
    if (!holds(kVerbs, verb)) {
        return Error(ErrorKind::invalid_config, "the command of the previous run cannot be done again: " +
                                                    (verb.empty() ? "none is named" : std::string(verb)))
            .at(Place::in_file(path, 0));
    }
    Retry retry;
    retry.arguments = arguments_of(args, invocation.arguments());
    for (const YamlNode& result : results.root()["results"].items()) {
        const std::string id(result["unique_id"].text());
        const std::string_view status = result["status"].text();
        const bool failed = holds(kFailed, status) || (status == "warn" && retry.arguments.is_on("warn-error"));
        const bool is_hook = id.starts_with("operation.") && verb != "run-operation";
        if (!failed || is_hook) continue;
        retry.ids.push_back(id);
        BatchHistory history = TRY(read_history(result["batch_results"], path));
        const bool is_partial = !history.successful.empty() && !history.failed.empty();
        if (is_partial) retry.batches.emplace(id, std::move(history));
    }
    return retry;
}

}  // namespace shaduf::models
