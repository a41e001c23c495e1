#include "cli/frame/models.h"

#include <algorithm>
#include <filesystem>

#include "cli/frame/session.h"
#include "models/command/warehouse_target.h"

namespace shaduf {
namespace {

Result<std::optional<models::ProfileTarget>> project_target(const Session& session,
                                                            const std::optional<std::string>& name) {
    std::error_code ignored;
    if (!std::filesystem::exists("shaduf.yml", ignored)) return std::optional<models::ProfileTarget>();
    ProjectRequest request;
    request.environment = name.value_or(session.arguments().text("env"));
    request.without_pipelines = true;
    request.connections = {"warehouse"};
    return std::optional(TRY(warehouse_target(TRY(session.read_project(request)))));
}

// Takes `--name value` or `--name=value` out of the words; "" when it is not among them.
std::string take(std::vector<std::string>& words, const std::string& name) {
    std::string value;
    for (auto word = words.begin(); word != words.end();) {
        if (word->starts_with(name + "=")) {
            value = word->substr(name.size() + 1);
            word = words.erase(word);
        } else if (*word == name && word + 1 != words.end()) {
            value = *(word + 1);
            word = words.erase(word, word + 2);
        } else {
            ++word;
        }
    }
    return value;
}

bool is_given(const std::vector<std::string>& words, const std::string& name) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return word == name || word.starts_with(name + "="); });
}

}  // namespace

int run_models(Session& session, std::span<const std::string> words, models::Console& console,
               const models::NodeFilter& filter) {
    const auto adapters = builtin_adapters();
    const models::InvocationWorld world = {
        .run = session.world(),
        .adapters = adapters,
        .messages = console,
        .environment = Session::variable,
        .working_folder = std::filesystem::current_path().string(),
        .home_folder = Session::variable("HOME").value_or(""),
        .other_target = [&session](const auto& name) { return project_target(session, name); },
        .ends_with_command = true};
    return models::run_dbt_command(world, words, console, filter);
}

std::vector<std::string> with_target(const Session& session, std::vector<std::string> words, std::string environment) {
    if (environment.empty()) environment = session.arguments().text("env");
    if (!environment.empty() && !is_given(words, "--target") && !is_given(words, "-t")) {
        words.insert(words.end(), {"--target", std::move(environment)});
    }
    return words;
}

int run_models_verb(Session& session, std::string_view verb) {
    auto words = session.arguments().texts("words");
    const std::string folder = take(words, "--project");
    const std::string environment = take(words, "--env");
    if (!session.enter_folder(folder.empty() ? session.arguments().text("project") : folder)) return kExitMisused;
    words.insert(words.begin(), std::string(verb));
    models::Console console(session.out(), session.errors());
    return run_models(session, with_target(session, std::move(words), environment), console);
}

}  // namespace shaduf
