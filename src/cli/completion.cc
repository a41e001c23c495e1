#include <string>

#include "cli/command.h"
#include "cli/frame/session.h"

namespace shaduf {
namespace {

constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};
constexpr ArgumentSpec kArguments[] = {
    {"shell", ArgumentKind::positional, "For which shell.", true, {}, kShells},
};

bool takes_value(const ArgumentSpec& argument) {
    return argument.kind == ArgumentKind::option || argument.kind == ArgumentKind::option_list;
}

std::string words_of(const CommandSpec& command) {
    std::string words;
    const auto add = [&](const ArgumentSpec& argument) {
        const bool is_option = takes_value(argument) || argument.kind == ArgumentKind::flag;
        if (is_option) words.append(words.empty() ? "" : " ").append("--").append(argument.name);
        if (is_option) return;
        for (const auto choice : argument.choices) words.append(words.empty() ? "" : " ").append(choice);
    };
    for (const auto& argument : command.arguments) add(argument);
    for (const auto& argument : global_arguments()) add(argument);
    return words;
}

// Also what `run` and others take: the names of the pipelines of the folder one stands in.
void print_bash(const Registry<CommandSpec>& commands, std::ostream& out) {
    out << "_shaduf() {\n    local current=${COMP_WORDS[COMP_CWORD]} words=\"\"\n    case ${COMP_WORDS[1]} in\n";
    for (const CommandSpec* command : commands.all()) {
        out << "    " << command->name << ") words=\"" << words_of(*command) << "\" ;;\n";
    }
    out << "    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"";
    for (const CommandSpec* command : commands.all()) out << command->name << " ";
    out << "--help --version\"\n    else\n        local file\n        for file in pipelines/*.yml; do\n"
        << "            [ -e \"$file\" ] && file=${file##*/} && words=\"$words ${file%.yml}\"\n        done\n    fi\n"
        << "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\ncomplete -F _shaduf shaduf\n";
}

void print_zsh(const Registry<CommandSpec>& commands, std::ostream& out) {
    out << "#compdef shaduf\nautoload -U +X bashcompinit && bashcompinit\n";
    print_bash(commands, out);
}

std::string quote_fish(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

void print_fish(const Registry<CommandSpec>& commands, std::ostream& out) {
    out << "complete -c shaduf -f\n";
    for (const CommandSpec* command : commands.all()) {
        out << "complete -c shaduf -n __fish_use_subcommand -a " << command->name << " -d "
            << quote_fish(command->summary) << "\n";
        const auto add = [&](const ArgumentSpec& argument) {
            out << "complete -c shaduf -n '__fish_seen_subcommand_from " << command->name << "' ";
            if (argument.kind == ArgumentKind::positional || argument.kind == ArgumentKind::positional_list ||
                argument.kind == ArgumentKind::passed_on) {
                out << "-a '";
                for (const auto choice : argument.choices) out << choice << " ";
                out << "'";
            } else {
                out << "-l " << argument.name << (takes_value(argument) ? " -x" : "");
            }
            out << " -d " << quote_fish(argument.help) << "\n";
        };
        for (const auto& argument : command->arguments) add(argument);
        for (const auto& argument : global_arguments()) add(argument);
    }
}

int run_completion(Session& session) {
    const std::string shell = session.arguments().text("shell");
    if (shell == "bash") print_bash(session.commands(), session.out());
    if (shell == "zsh") print_zsh(session.commands(), session.out());
    if (shell == "fish") print_fish(session.commands(), session.out());
    return kExitDone;
}

}  // namespace

extern const CommandSpec command_completion{.name = "completion",
                                            .summary = "Print the completion script of a shell.",
                                            .arguments = kArguments,
                                            .run = run_completion,
                                            .example = "source <(shaduf completion bash)"};

}  // namespace shaduf
