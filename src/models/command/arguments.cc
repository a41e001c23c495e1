#include "models/command/arguments.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shaduf::models {
namespace {

using Kind = FlagSpec::Kind;

constexpr std::array kFlags = std::to_array<FlagSpec>({
    {"select", Kind::many, "The nodes to include.", 's', "models"},
    {"exclude", Kind::many, "The nodes to leave out."},
    {"selector", Kind::one, "A selector of selectors.yml."},
    {"resource-type", Kind::many, "Only resources of these types.", 0, "resource-types"},
    {"exclude-resource-type", Kind::many, "No resources of these types.", 0, "exclude-resource-types"},
    {"indirect-selection", Kind::one, "Which tests come along: eager, cautious, buildable, empty."},
    {"full-refresh", Kind::on_off, "Build incremental models and seeds anew.", 'f'},
    {"vars", Kind::one, "Variables, as YAML."},
    {"target", Kind::one, "The target of the profile.", 't'},
    {"profile", Kind::one, "The profile, instead of that of dbt_project.yml."},
    {"profiles-dir", Kind::one, "The folder of profiles.yml."},
    {"project-dir", Kind::one, "The folder of dbt_project.yml."},
    {"target-path", Kind::one, "The folder of compiled code and artifacts."},
    {"packages-install-path", Kind::one, "The folder of packages."},
    {"log-path", Kind::one, "The folder of the log."},
    {"threads", Kind::one, "How many nodes run at once."},
    {"wait", Kind::one, "How many seconds to wait for another run on the same target; 0, as by itself: none."},
    {"fail-fast", Kind::on_off, "Stop at the first failure.", 'x'},
    {"defer", Kind::on_off, "Take what is not selected from the state."},
    {"state", Kind::one, "The folder of another run's artifacts."},
    {"defer-state", Kind::one, "The folder of the artifacts to defer to."},
    {"favor-state", Kind::on_off, "Defer also what is there."},
    {"store-failures", Kind::on_off, "Keep the rows that make tests fail."},
    {"empty", Kind::on_off, "Run with inputs of no rows."},
    {"sample", Kind::one, "Run with inputs of a time only."},
    {"event-time-start", Kind::one, "Of microbatch models."},
    {"event-time-end", Kind::one, "Of microbatch models."},
    {"warn-error", Kind::on_off, "Warnings are errors."},
    {"warn-error-options", Kind::one, "Which warnings are errors, as YAML."},
    {"limit", Kind::one, "Of show: how many rows."},
    {"inline", Kind::one, "Of show and compile: a query instead of a node."},
    {"inline-direct", Kind::one, "Of show: the same without Jinja."},
    {"output", Kind::one, "Of list: json, name, path, selector; of show: text, json.", 'o'},
    {"output-keys", Kind::many, "Of list: the keys of --output json."},
    {"args", Kind::one, "Of run-operation: arguments, as YAML."},
    {"sql", Kind::one, "Of run-operation: a statement instead of a macro."},
    {"on-error", Kind::one, "skip or continue: what becomes of the descendants of a failure."},
    {"quiet", Kind::on_off, "Print errors only.", 'q'},
    {"debug", Kind::on_off, "Print more.", 'd'},
    {"print", Kind::on_off, "Whether print() prints."},
    {"log-format", Kind::one, "text, json, default."},
    {"log-format-file", Kind::one, "The same of the file."},
    {"log-level", Kind::one, "debug, info, warn, error, none."},
    {"log-level-file", Kind::one, "The same of the file."},
    {"log-file-max-bytes", Kind::one, "Of the file."},
    {"use-colors", Kind::on_off, "Colours on the terminal."},
    {"use-colors-file", Kind::on_off, "Colours in the file."},
    {"printer-width", Kind::one, "Of lines of results."},
    {"partial-parse", Kind::on_off, "Use what the last parse left."},
    {"partial-parse-file-path", Kind::one, "Where that is."},
    {"static-parser", Kind::on_off, "Without effect: all models are rendered."},
    {"version-check", Kind::on_off, "Check require-dbt-version."},
    {"write-json", Kind::on_off, "Write artifacts."},
    {"populate-cache", Kind::on_off, "List relations before the run."},
    {"cache-selected-only", Kind::on_off, "Only those of selected schemas."},
    {"introspect", Kind::on_off, "Of compile: ask the database."},
    {"inject-ephemeral-ctes", Kind::on_off, "Of compile: put CTEs of ephemeral models in."},
    {"compile", Kind::on_off, "Of docs generate."},
    {"empty-catalog", Kind::on_off, "Of docs generate."},
    {"static", Kind::on_off, "Of docs generate."},
    {"show", Kind::on_off, "Of seed: print rows."},
    {"single-threaded", Kind::on_off, "One node at a time."},
    {"macro-debugging", Kind::on_off, "Without effect."},
    {"log-cache-events", Kind::on_off, "Without effect."},
    {"send-anonymous-usage-stats", Kind::on_off, "Without effect: nothing is sent."},
    {"use-experimental-parser", Kind::on_off, "Without effect."},
    {"record-timing-info", Kind::one, "Without effect.", 'r'},
    {"show-all-deprecations", Kind::on_off, "Without effect."},
    {"clean-project-files-only", Kind::on_off, "Of clean: nothing outside of the project."},
    {"upgrade", Kind::on_off, "Of deps: newer versions."},
    {"lock", Kind::on_off, "Of deps: write the lock file only."},
    {"add-package", Kind::one, "Of deps: a package, name@version."},
    {"source", Kind::one, "Of deps: hub, git, local."},
    {"dry-run", Kind::on_off, "Of deps."},
    {"config-dir", Kind::on_off, "Of debug: where profiles.yml is."},
    {"connection", Kind::on_off, "Of debug: test the connection only."},
    {"port", Kind::one, "Of docs serve."},
    {"host", Kind::one, "Of docs serve."},
    {"browser", Kind::on_off, "Of docs serve."},
    {"json", Kind::on_off, "Of plan and lineage: as JSON."},
    {"diff", Kind::on_off, "Of plan: how the SQL differs."},
    {"exit-code", Kind::on_off, "Of plan: status 2 when something would change."},
    {"watch", Kind::on_off, "Stay, and do it again with what a saved file touches."},
    {"watch-descendants", Kind::on_off, "With --watch: what reads of it, too."},
    {"help", Kind::on_off, "This.", 'h'},
    {"version", Kind::on_off, "The version of dbt whose projects run here.", 'v'},
});

constexpr std::array kVerbs = std::to_array<VerbSpec>({
    {"build", "Seeds, models, snapshots and tests in the order of the graph."},
    {"run", "Models."},
    {"test", "Tests of data and unit tests."},
    {"seed", "Load CSV files."},
    {"snapshot", "Keep the history of tables."},
    {"compile", "Write the SQL of models, tests and analyses."},
    {"parse", "Read the project and write its manifest."},
    {"list", "The names of resources.", "ls"},
    {"show", "Rows of a query or a model."},
    {"docs generate", "Write the catalog and the manifest."},
    {"docs serve", "Show the documentation."},
    {"source freshness", "How old the rows of sources are.", "source snapshot-freshness"},
    {"run-operation", "Run a macro."},
    {"retry", "Run again what failed the last time."},
    {"clone", "Copy what the state has."},
    {"deps", "Install packages."},
    {"debug", "Check the project, the profile and the connection."},
    {"clean", "Delete the folders of clean-targets."},
    {"plan", "What a run would change, and why. Not of dbt's."},
    {"lineage", "Where columns come from, and who reads them. Not of dbt's."},
});

const FlagSpec* find_flag(std::string_view name) {
    for (const FlagSpec& flag : kFlags) {
        if (flag.name == name || (!flag.other_name.empty() && flag.other_name == name)) return &flag;
    }
    return nullptr;
}

const FlagSpec* find_letter(char letter) {
    if (letter == 'm') return find_flag("select");
    if (letter == 'V') return find_flag("version");
    for (const FlagSpec& flag : kFlags) {
        if (flag.letter == letter) return &flag;
    }
    return nullptr;
}

Error unknown_flag(std::string_view word) {
    std::vector<std::string> names;
    for (const FlagSpec& flag : kFlags) names.push_back("--" + std::string(flag.name));
    return {ErrorKind::invalid_config, "No such option: " + std::string(word) + did_you_mean(word, names)};
}

// A word behind a flag that is its value: not another flag, but for a lone minus or a negative number.
bool is_value(std::string_view word) {
    return !word.starts_with('-') || word.size() == 1 || (word[1] >= '0' && word[1] <= '9');
}

bool is_yes(std::string_view text) {
    for (const std::string_view yes : {"1", "true", "t", "yes", "y", "on"}) {
        if (equals_ignoring_case(text, yes)) return true;
    }
    return false;
}

class Parser {
public:
    explicit Parser(std::span<const std::string> words) : words_(words) {
        arguments_.line.assign(words.begin(), words.end());
    }

    Result<DbtArguments> parse() {
        while (at_ < words_.size()) {
            const std::string& word = words_[at_++];
            if (word == "--") continue;
            if (word.size() > 1 && word[0] == '-' && !is_value(word))
                TRY(take_flag(word));
            else
                positional_.push_back(word);
        }
        TRY(find_verb());
        return std::move(arguments_);
    }

private:
    Result<void> take_flag(const std::string& word) {
        std::string name = word;
        std::optional<std::string> value;
        if (const size_t equals = word.find('='); equals != std::string::npos) {
            name = word.substr(0, equals);
            value = word.substr(equals + 1);
        }
        const FlagSpec* flag = nullptr;
        bool is_on = true;
        if (name.starts_with("--no-") && find_flag(name.substr(2)) == nullptr) {
            flag = find_flag(std::string_view(name).substr(5));
            is_on = false;
            if (flag != nullptr && flag->kind != Kind::on_off) flag = nullptr;
        } else if (name.starts_with("--")) {
            flag = find_flag(std::string_view(name).substr(2));
        } else if (name.size() == 2) {
            flag = find_letter(name[1]);
        }
        if (flag == nullptr) return unknown_flag(name);
        if (flag->kind == Kind::on_off) {
            arguments_.switches[std::string(flag->name)] = is_on;
            return {};
        }
        return take_values(*flag, name, std::move(value));
    }

    Result<void> take_values(const FlagSpec& flag, const std::string& name, std::optional<std::string> value) {
        auto& values = arguments_.values[std::string(flag.name)];
        if (flag.kind == Kind::one) values.clear();
        if (value) {
            values.push_back(std::move(*value));
        } else if (at_ < words_.size() && (is_value(words_[at_]) || flag.kind == Kind::one)) {
            values.push_back(words_[at_++]);
        } else {
            return Error(ErrorKind::invalid_config, "Option '" + name + "' requires an argument.");
        }
        while (flag.kind == Kind::many && at_ < words_.size() && is_value(words_[at_])) {
            values.push_back(words_[at_++]);
        }
        return {};
    }

    Result<void> find_verb() {
        if (positional_.empty()) return {};
        for (const VerbSpec& verb : kVerbs) {
            for (const std::string_view name : {verb.name, verb.other_name}) {
                const auto parts = split(name, ' ');
                if (name.empty() || positional_.size() < parts.size()) continue;
                if (!std::equal(parts.begin(), parts.end(), positional_.begin())) continue;
                arguments_.verb = verb.name;
                arguments_.words.assign(positional_.begin() + static_cast<ptrdiff_t>(parts.size()), positional_.end());
                return {};
            }
        }
        std::vector<std::string> names;
        for (const VerbSpec& verb : kVerbs) names.emplace_back(verb.name);
        return Error(ErrorKind::invalid_config,
                     "No such command: " + positional_[0] + did_you_mean(positional_[0], names));
    }

    std::span<const std::string> words_;
    size_t at_ = 0;
    std::vector<std::string> positional_;
    DbtArguments arguments_;
};

std::string variable_of(std::string_view flag) {
    std::string name = "DBT_";
    for (const char c : flag) name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return name;
}

}  // namespace

std::span<const FlagSpec> dbt_flags() { return kFlags; }
std::span<const VerbSpec> dbt_verbs() { return kVerbs; }

bool DbtArguments::is_on(std::string_view flag, bool fallback) const {
    const auto found = switches.find(flag);
    return found == switches.end() ? fallback : found->second;
}

std::string DbtArguments::text(std::string_view flag) const {
    const auto found = values.find(flag);
    return found == values.end() || found->second.empty() ? std::string() : found->second.back();
}

std::vector<std::string> DbtArguments::texts(std::string_view flag) const {
    const auto found = values.find(flag);
    return found == values.end() ? std::vector<std::string>() : found->second;
}

Result<DbtArguments> parse_dbt_arguments(std::span<const std::string> words, const Environment& environment) {
    DbtArguments arguments = TRY(Parser(words).parse());
    for (const FlagSpec& flag : kFlags) {
        // Of the words that choose nodes, no variable speaks.
        const bool has_variable = flag.kind != Kind::many && flag.name != "selector" && flag.name != "help" &&
                                  flag.name != "version" && flag.name != "profiles-dir";
        if (!has_variable || arguments.has(flag.name)) continue;
        const auto value = environment(variable_of(flag.name));
        if (!value || value->empty()) continue;
        if (flag.kind == Kind::on_off)
            arguments.switches[std::string(flag.name)] = is_yes(*value);
        else
            arguments.values[std::string(flag.name)] = {*value};
    }
    return arguments;
}

}  // namespace shaduf::models
