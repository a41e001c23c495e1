#include "connectors/command/options.h"

namespace shaduf {

Result<CommandOptions> CommandOptions::read(const Options& options) {
    CommandOptions read;
    read.command = options.text_list("command");
    if (options.node("command").is_scalar()) read.command = split_command(read.command.front());
    if (read.command.empty()) return options.error("command", "is empty; give the program");
    const Node& config = options.node("config");
    if (!config.is_null() && !config.is_map()) return options.error("config", "expected a map");
    read.config = config.is_null() ? "{}" : config.to_json();
    read.environment = options.text_map("env");
    read.patience = options.duration("timeout");
    read.secrets = secrets_of_json(read.config);
    for (const auto& [name, value] : read.environment) {
        if (is_secret_name(name)) read.secrets.push_back(value);
    }
    for (const auto* field : {"config", "env"}) {
        for (auto& text : options.referenced_texts(field)) read.secrets.push_back(std::move(text));
    }
    read.place = options.place();
    return read;
}

Result<CommandLauncher> CommandLauncher::create(CommandOptions options) {
    auto folder = TRY(PrivateFolder::create());
    std::string config_path = TRY(folder->write("config.json", options.config));
    return CommandLauncher(std::move(options), std::move(folder), std::move(config_path));
}

std::string CommandLauncher::identity() const {
    std::string text;
    const auto add = [&](const std::string& part) { text += std::to_string(part.size()) + ":" + part; };
    for (const auto& word : options_.command) add(word);
    add(options_.config);
    for (const auto& [name, value] : options_.environment) {
        add(name);
        add(value);
    }
    return text;
}

RowChildSettings CommandLauncher::call(const std::vector<std::string>& arguments, const std::string& place) const {
    constexpr std::string_view kFolder = "{folder}";
    RowChildSettings child;
    child.command.arguments = options_.command;
    for (auto& word : child.command.arguments) {
        for (size_t at = word.find(kFolder); at != std::string::npos; at = word.find(kFolder, at)) {
            word.replace(at, kFolder.size(), folder_->path());
            at += folder_->path().size();
        }
    }
    child.command.arguments.insert(child.command.arguments.end(), arguments.begin(), arguments.end());
    child.command.environment = options_.environment;
    child.place = place;
    child.secrets = options_.secrets;
    child.patience = options_.patience;
    return child;
}

}  // namespace shaduf
