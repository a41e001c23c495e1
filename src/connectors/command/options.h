#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "io/private_folder.h"
#include "io/row_child.h"

namespace shaduf {

// Options of connections that run a command, which is told the rest by files.
inline constexpr FieldSpec kCommandField{
    .name = "command",
    .type = FieldType::text_list,
    .help =
        "The program and its first arguments, without a shell; `{folder}` stands for the folder of the files that "
        "it is given.",
    .required = true,
    .example = "[.venv/bin/source-faker]"};
inline constexpr FieldSpec kCommandConfigField{
    .name = "config",
    .type = FieldType::json,
    .help = "The program's own configuration; it gets it in a file that only its owner may read.",
    .secret = true};
inline constexpr FieldSpec kCommandEnvironmentField{
    .name = "env",
    .type = FieldType::text_map,
    .help = "Environment variables of the program, besides those of shaduf itself.",
    .secret = true};
inline constexpr FieldSpec kCommandTimeoutField{
    .name = "timeout",
    .type = FieldType::duration,
    .help = "A program that writes nothing for so long is taken to hang, and killed.",
    .default_value = "10m"};

struct CommandOptions {
    std::vector<std::string> command;
    std::string config;  // JSON
    std::vector<std::pair<std::string, std::string>> environment;
    std::chrono::milliseconds patience{};
    std::vector<std::string> secrets;
    Place place;

    // Of options with the fields above.
    static Result<CommandOptions> read(const Options& options);
};

// Keeps the files of one command, and makes calls that name them.
class CommandLauncher {
public:
    static Result<CommandLauncher> create(CommandOptions options);
    const std::string& config_path() const { return config_path_; }
    // Writes one more file; returns its path.
    Result<std::string> write(const std::string& name, std::string_view content) const {
        return folder_->write(name, content);
    }
    // The command with more arguments. `place` names it in messages.
    RowChildSettings call(const std::vector<std::string>& arguments, const std::string& place) const;
    // The same for all launchers of the same options, and for no others. Holds secrets.
    std::string identity() const;

private:
    CommandLauncher(CommandOptions options, std::unique_ptr<PrivateFolder> folder, std::string config_path)
        : options_(std::move(options)), folder_(std::move(folder)), config_path_(std::move(config_path)) {}

    CommandOptions options_;
    std::unique_ptr<PrivateFolder> folder_;
    std::string config_path_;
};

}  // namespace shaduf
