#include "cli/frame/arguments.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr ArgumentSpec kGlobalArguments[] = {
    {"project", ArgumentKind::option, "The project's folder.", false, "."},
    {"env", ArgumentKind::option, "The environment; SHADUF_ENV, or the project's default, unless given."},
    {"json", ArgumentKind::flag, "Print for machines: JSON."},
};

// Where the parser puts what it finds, until it is known that all is well.
struct Slot {
    const ArgumentSpec* spec;
    std::vector<std::string> texts;
    bool flag = false;
};
using Slots = std::vector<std::unique_ptr<Slot>>;

void add_argument(CLI::App& app, const ArgumentSpec& spec, Slots& slots) {
    Slot& slot = *slots.emplace_back(std::make_unique<Slot>(Slot{&spec, {}, false}));
    const std::string name(spec.name);
    const std::string help(spec.help);
    if (spec.kind == ArgumentKind::flag) {
        app.add_flag("--" + name, slot.flag, help);
        return;
    }
    if (spec.kind == ArgumentKind::passed_on) {
        app.prefix_command();
        app.fallthrough(false);
        app.set_help_flag();
        return;
    }
    const bool is_positional = spec.kind != ArgumentKind::option && spec.kind != ArgumentKind::option_list;
    auto* option = app.add_option(is_positional ? name : "--" + name, slot.texts, help);
    if (spec.kind != ArgumentKind::positional_list) option->expected(1)->allow_extra_args(false);
    if (spec.kind == ArgumentKind::option_list) option->take_all();
    if (spec.required) option->required();
    option->type_name(is_positional ? "" : "TEXT");
    if (!spec.choices.empty()) {
        std::vector<std::string> choices(spec.choices.begin(), spec.choices.end());
        option->check([choices](const std::string& text) {
            for (const auto& choice : choices) {
                if (choice == text) return std::string();
            }
            return "not one of the choices: " + text + did_you_mean(text, choices);
        });
    }
}

std::string suggest_command(const std::vector<std::string>& words, const Registry<CommandSpec>& commands) {
    const auto names = commands.names();
    for (const auto& word : words) {
        if (!word.starts_with('-')) return "unknown command: " + word + did_you_mean(word, names);
    }
    return "";
}

}  // namespace

std::span<const ArgumentSpec> global_arguments() { return kGlobalArguments; }

std::string Arguments::text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() || found->second.empty() ? "" : found->second.back();
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>() : found->second;
}

int64_t Arguments::integer(std::string_view name, int64_t fallback) const {
    const std::string value = text(name);
    int64_t number = fallback;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

Result<int64_t> Arguments::number(std::string_view name, int64_t least, int64_t most) const {
    const std::string value = text(name);
    int64_t number = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool is_number = parsed.ec == std::errc{} && parsed.ptr == value.data() + value.size();
    if (is_number && number >= least && number <= most) return number;
    return Error(ErrorKind::invalid_config, "--" + std::string(name) + ": not a number from " + std::to_string(least) +
                                                " to " + std::to_string(most) + ": " + value);
}

CommandLine CommandLine::parse(int argc, char** argv, const Registry<CommandSpec>& commands) {
    CLI::App app("Moves data from where it is made into tables that people trust, exactly once.", "shaduf");
    app.require_subcommand(0, 1);
    Slots globals;
    for (const auto& spec : kGlobalArguments) add_argument(app, spec, globals);
    std::map<const CLI::App*, std::pair<const CommandSpec*, Slots>> verbs;
    for (const CommandSpec* command : commands.all()) {
        auto* verb = app.add_subcommand(std::string(command->name), std::string(command->summary));
        verb->fallthrough();
        auto& [spec, slots] = verbs[verb];
        spec = command;
        for (const auto& argument : command->arguments) add_argument(*verb, argument, slots);
        if (!command->example.empty()) verb->footer("Example: " + std::string(command->example));
    }
    CommandLine line;
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const auto chosen = app.get_subcommands();
        line.message = chosen.empty() ? app.help() : chosen[0]->help("shaduf");
        return line;
    } catch (const CLI::ParseError& error) {
        const bool is_word = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && app.get_subcommands().empty();
        const std::string unknown = is_word ? suggest_command(app.remaining(), commands) : "";
        line.message = "error: " + (unknown.empty() ? std::string(error.what()) : unknown) + "; see shaduf --help\n";
        line.status = kExitMisused;
        return line;
    }
    const auto chosen = app.get_subcommands();
    if (chosen.empty()) {
        line.message = app.help();
        line.status = kExitMisused;
        return line;
    }
    const auto keep = [&](const Slots& slots) {
        for (const auto& slot : slots) {
            const std::string name(slot->spec->name);
            if (slot->flag || !slot->texts.empty()) {
                line.arguments.values_[name] = slot->texts;
            } else if (!slot->spec->default_value.empty()) {
                line.arguments.values_[name] = {std::string(slot->spec->default_value)};
            }
        }
    };
    keep(globals);
    keep(verbs[chosen[0]].second);
    line.command = verbs[chosen[0]].first;
    for (const auto& argument : line.command->arguments) {
        const std::string name(argument.name);
        if (argument.kind == ArgumentKind::passed_on) line.arguments.values_[name] = chosen[0]->remaining();
    }
    return line;
}

}  // namespace shaduf
