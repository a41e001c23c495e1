#include "models/command/invocation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "models/command/event_time.h"
#include "models/context/native.h"
#include "models/context/query_comment.h"
#include "models/context/secrets.h"
#include "models/context/yaml_scope.h"
#include "models/parse/parse_project.h"
#include "models/project/packages.h"
#include "models/python/values.h"
#include "models/run/batch_warnings.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/value.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Ref;
using jinja::Value;

Error first_error(const Findings& findings) { return findings.errors.front(); }

std::string new_invocation_id() {
    std::random_device random;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string id = "xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx";
    for (char& c : id) {
        if (c == 'x') c = kDigits[random() % kDigits.size()];
    }
    return id;
}

RelationPolicy quoting_of(const Project& root, const Adapter& adapter) {
    RelationPolicy policy = adapter.relation_style().quoted;
    if (root.quoting.database) policy.database = *root.quoting.database;
    if (root.quoting.schema) policy.schema = *root.quoting.schema;
    if (root.quoting.identifier) policy.identifier = *root.quoting.identifier;
    return policy;
}

Ref<Dict> flags_of(const DbtArguments& arguments) {
    auto flags = jinja::make<Dict>();
    std::string which = arguments.verb;
    if (which == "docs generate") which = "generate";
    if (which == "source freshness") which = "freshness";
    flags->set("WHICH", which);
    flags->set("FULL_REFRESH", arguments.is_on("full-refresh"));
    flags->set("STORE_FAILURES", arguments.is_on("store-failures"));
    flags->set("EMPTY", arguments.is_on("empty"));
    flags->set("FAIL_FAST", arguments.is_on("fail-fast"));
    flags->set("WARN_ERROR", arguments.is_on("warn-error"));
    flags->set("DEFER", arguments.is_on("defer"));
    flags->set("FAVOR_STATE", arguments.is_on("favor-state"));
    flags->set("QUIET", arguments.is_on("quiet"));
    flags->set("DEBUG", arguments.is_on("debug"));
    flags->set("PRINT", arguments.is_on("print", true));
    flags->set("USE_COLORS", arguments.is_on("use-colors", true));
    flags->set("INTROSPECT", arguments.is_on("introspect", true));
    flags->set("WRITE_JSON", arguments.is_on("write-json", true));
    flags->set("INDIRECT_SELECTION",
               arguments.has("indirect-selection") ? arguments.text("indirect-selection") : "eager");
    return flags;
}

Ref<Dict> arguments_value(const DbtArguments& arguments, const Ref<Dict>& cli_vars) {
    auto dict = jinja::make<Dict>();
    const auto name_of = [](std::string name) {
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    };
    for (const auto& [name, is_on] : arguments.switches) dict->set(name_of(name), is_on);
    for (const auto& [name, texts] : arguments.values) {
        const bool is_list = name == "select" || name == "exclude" || name.ends_with("resource-type");
        if (is_list)
            dict->set(name_of(name), Value::list(std::vector<Value>(texts.begin(), texts.end())));
        else
            dict->set(name_of(name), texts.empty() ? Value::none() : Value(texts.back()));
    }
    dict->set("which", arguments.verb == "docs generate" ? "generate" : arguments.verb);
    if (arguments.verb == "run-operation" && !arguments.words.empty()) dict->set("macro", arguments.words.front());
    dict->set("vars", cli_vars);
    std::string line = "dbt";
    for (const std::string& word : arguments.line) line += " " + word;
    dict->set("invocation_command", line);
    return dict;
}

Result<Patience> read_patience(const DbtArguments& arguments, MessageSink& messages) {
    Patience patience;
    const std::string given = arguments.text("wait");
    int64_t seconds = 0;
    const auto end = std::from_chars(given.data(), given.data() + given.size(), seconds);
    if (!given.empty() && (end.ec != std::errc() || end.ptr != given.data() + given.size() || seconds < 0)) {
        return Error(ErrorKind::invalid_config, "--wait takes a number of seconds, not " + given);
    }
    patience.wait = std::chrono::seconds(seconds);
    patience.tell = [&messages](const std::string& text) { messages.message(MessageSink::Level::warning, text); };
    return patience;
}

InvocationWorld noting(InvocationWorld world, const std::shared_ptr<ReadNotes>& notes) {
    world.environment = [notes, read = std::move(world.environment)](const std::string& name) {
        auto value = read(name);
        notes->note_variable(name, value);
        return value;
    };
    return world;
}

}  // namespace

Result<std::string> project_folder(const InvocationWorld& world, const DbtArguments& arguments) {
    const std::string given = arguments.text("project-dir");
    if (!given.empty()) return (std::filesystem::path(world.working_folder) / given).lexically_normal().string();
    const std::string found = find_project_root(world.working_folder);
    return found.empty() ? world.working_folder : found;
}

Result<Ref<Dict>> read_cli_vars(const DbtArguments& arguments) {
    const std::string text = arguments.text("vars");
    if (text.empty()) return jinja::make<Dict>();
    const auto vars = TRY(parse_yaml(text, "--vars"));
    if (vars.root().is_null()) return jinja::make<Dict>();
    if (!vars.root().is_map()) {
        return Error(ErrorKind::invalid_config,
                     "--vars must be a YAML map, found: " + text + "; write --vars '{name: value}'");
    }
    const Value value = value_of_yaml(vars.root());
    return Ref<Dict>(&value.dict());
}

// vars of dbt_project.yml: those of a package stand under its name, in the root project's file or in its own.
class Invocation::ProjectVars final : public VarLookup {
public:
    ProjectVars(Ref<Dict> cli, const std::vector<Project>& packages)
        : cli_(std::move(cli)), root_(packages.front().name) {
        for (const Project& package : packages) own_.emplace(package.name, value_of_yaml(package.vars()));
    }
    std::optional<Value> find(std::string_view package, std::string_view name) const override {
        if (const Value* value = cli_->find(name)) return *value;
        if (auto value = in(root_, package, name)) return value;
        return package == root_ ? std::nullopt : in(package, package, name);
    }

private:
    std::optional<Value> in(std::string_view owner, std::string_view package, std::string_view name) const {
        const auto vars = own_.find(owner);
        if (vars == own_.end() || vars->second.kind() != Kind::dict) return std::nullopt;
        const Dict& all = vars->second.dict();
        const Value* scoped = all.find(package);
        if (scoped != nullptr && scoped->kind() == Kind::dict) {
            if (const Value* value = scoped->dict().find(name)) return *value;
        }
        const Value* value = all.find(name);
        return value == nullptr ? std::nullopt : std::optional(*value);
    }

    const Ref<Dict> cli_;
    const std::string root_;
    std::map<std::string, Value, std::less<>> own_;
};

Invocation::Invocation(const InvocationWorld& world, DbtArguments arguments)
    : notes_(std::make_shared<ReadNotes>()),
      world_(noting(world, notes_)),
      arguments_(std::move(arguments)),
      cli_vars_(jinja::make<Dict>()) {}

Invocation::~Invocation() {
    finish_beside();
#ifndef __SANITIZE_ADDRESS__
    if (world_.ends_with_command) static_cast<void>(new Manifest(std::move(manifest_)));
#endif
}

Result<std::unique_ptr<Invocation>> Invocation::open(const InvocationWorld& world, const DbtArguments& arguments) {
    auto invocation = std::unique_ptr<Invocation>(new Invocation(world, arguments));
    invocation->cli_vars_ = TRY(read_cli_vars(arguments));
    for (const auto& [name, value] : invocation->cli_vars_->entries()) {
        if (world.secrets && Secrets::is_secret_name(name.text())) world.secrets->add(value.text());
    }
    const std::string root = TRY(project_folder(world, arguments));
    YamlTree raw = TRY(load_project_file(root));
    TRY(invocation->read_profile(root, raw));
    TRY(invocation->read_packages(root, std::move(raw)));
    invocation->take_project_flags();
    invocation->make_services();
    invocation->services_->comment =
        std::make_shared<const StatementComment>(TRY(StatementComment::create(invocation->root().query_comment)));
    TRY(invocation->read_times());
    return invocation;
}

std::optional<std::string> Invocation::wanted_target() const {
    std::string name = arguments_.text("target");
    return name.empty() ? std::nullopt : std::optional(std::move(name));
}

Result<std::optional<ProfileTarget>> Invocation::other_target() const {
    if (!world_.other_target) return std::optional<ProfileTarget>();
    return world_.other_target(wanted_target());
}

Result<ProfileTarget> Invocation::choose_target(const std::string& root, const YamlTree& raw) const {
    YamlScope scope(cli_vars_, world_.environment, YamlScope::Secrets::allowed);
    ProfilesSearch search;
    if (arguments_.has("profiles-dir")) {
        search.flag = (std::filesystem::path(world_.working_folder) / arguments_.text("profiles-dir")).string();
    }
    search.variable = world_.environment("DBT_PROFILES_DIR");
    search.working_folder = world_.working_folder;
    search.project_folder = root;
    search.home_folder = world_.home_folder;
    const auto path = find_profiles(search);
    if (!path.ok() && !search.flag && !search.variable) {
        if (auto other = TRY(other_target())) return std::move(*other);
    }
    const ProfilesFile profiles = TRY(load_profiles(TRY(Result<std::string>(path))));
    std::string name = arguments_.text("profile");
    if (name.empty()) {
        const YamlNode& written = raw.root()["profile"];
        if (!written.is_text()) {
            return Error(ErrorKind::invalid_config,
                         "dbt_project.yml names no profile; add `profile: name`, or give --profile")
                .at(Place::in_file(root + "/dbt_project.yml", 1));
        }
        name = TRY(render_native(written.text(), "dbt_project.yml", scope)).text();
    }
    // That of the home folder is for all projects: what it lacks may stand in this one.
    const bool is_of_all = profiles.path.starts_with(world_.home_folder + "/.dbt/");
    if (is_of_all && !search.flag && !search.variable && profiles.tree.root().find(name) == nullptr) {
        if (auto other = TRY(other_target())) return std::move(*other);
    }
    return models::choose_target(profiles, name, wanted_target(), scope.renderer(profiles.path));
}

Result<void> Invocation::read_profile(const std::string& root, const YamlTree& raw) {
    const auto chosen = TRY(choose_target(root, raw));
    const AdapterSpec* spec = world_.adapters.find(chosen.type);
    if (spec == nullptr) {
        return Error(ErrorKind::invalid_config, "not a type of database that models can run on: " + chosen.type +
                                                    did_you_mean(chosen.type, world_.adapters.names()))
            .at(Place::in_file(chosen.file, static_cast<int>(chosen.line)));
    }
    const Value output = value_of_yaml(chosen.credentials.root());
    target_.profile = chosen.profile_name;
    target_.name = chosen.target_name;
    target_.type = chosen.type;
    target_.place = Place::in_file(chosen.file, static_cast<int>(chosen.line));
    target_.threads = static_cast<int>(chosen.threads);
    target_.output = Ref<Dict>(&output.dict());
    target_.project_root = root;
    target_.patience = TRY(read_patience(arguments_, world_.messages));
    const Value* schema = output.dict().find("schema");
    target_.schema = schema != nullptr && !schema->is_none() ? schema->text() : "main";
    target_.database = spec->default_database(output.dict());
    adapter_ = TRY(spec->make(target_));
    target_value_ = adapter_->connection_facts(target_);
    target_value_->set("profile_name", target_.profile);
    target_value_->set("name", target_.name);
    target_value_->set("target_name", target_.name);
    target_value_->set("type", target_.type);
    target_value_->set("schema", target_.schema);
    target_value_->set("database", target_.database);
    target_value_->set("threads", static_cast<int64_t>(threads()));
    return {};
}

int Invocation::threads() const {
    if (arguments_.is_on("single-threaded")) return 1;
    const std::string given = arguments_.text("threads");
    const int threads = given.empty() ? target_.threads : std::atoi(given.c_str());
    return std::max(1, threads);
}

Result<Project> Invocation::read_package(const std::string& root, YamlTree raw) {
    YamlScope scope(cli_vars_, world_.environment, YamlScope::Secrets::refused);
    scope.set_target(target_value_);
    YamlTree rendered = TRY(render_tree(raw, scope.renderer(root + "/dbt_project.yml"), renders_in_project));
    Findings findings;
    const auto check = arguments_.is_on("version-check", true) ? VersionCheck::on : VersionCheck::off;
    Project project = read_project(root, std::move(raw), std::move(rendered), check, findings);
    for (const Error& warning : findings.warnings) {
        world_.messages.message(MessageSink::Level::warning, warning.to_string());
    }
    if (!findings.ok()) return first_error(findings);
    return project;
}

Result<void> Invocation::read_packages(const std::string& root, YamlTree raw) {
    packages_.push_back(TRY(read_package(root, std::move(raw))));
    if (const std::string path = arguments_.text("packages-install-path"); !path.empty()) {
        packages_.front().packages_install_path = path;
    }
    const YamlScope scope(cli_vars_, world_.environment, YamlScope::Secrets::allowed);
    Findings findings;
    const PackageList wanted = models::read_packages(root, scope.renderer(root + "/packages.yml"), findings);
    if (!findings.ok()) return first_error(findings);
    if (arguments_.verb == "debug") return {};  // of itself alone
    for (const std::string& folder : TRY(installed_packages(packages_.front(), wanted))) {
        packages_.push_back(TRY(read_package(folder, TRY(load_project_file(folder)))));
    }
    return {};
}

void Invocation::make_services() {
    vars_ = std::make_unique<ProjectVars>(cli_vars_, packages_);
    services_ = std::unique_ptr<ContextServices>(new ContextServices{.run = world_.run,
                                                                     .adapter = *adapter_,
                                                                     .relations = relations_,
                                                                     .vars = *vars_,
                                                                     .messages = world_.messages,
                                                                     .macros = manifest_.macro_index,
                                                                     .manifest = manifest_});
    ContextServices& services = *services_;
    services.root_package = root().name;
    services.project_root = root().root;
    services.target_path = arguments_.has("target-path") ? arguments_.text("target-path") : root().target_path;
    for (const Project& package : packages_) services.packages.push_back(package.name);
    for (const DispatchRule& rule : root().dispatch) services.dispatch[rule.macro_namespace] = rule.search_order;
    services.quoting = quoting_of(root(), *adapter_);
    services.target = target_value_;
    services.flags = flags_of(arguments_);
    const Value project_flags = value_of_yaml(root().flags());
    services.project_flags =
        project_flags.kind() == Kind::dict ? Ref<Dict>(&project_flags.dict()) : jinja::make<Dict>();
    services.invocation_args = arguments_value(arguments_, cli_vars_);
    services.invocation_id = new_invocation_id();
    const auto now = world_.run.clock.now().time_since_epoch();
    services.run_started_at = datetime_value(std::chrono::duration_cast<std::chrono::microseconds>(now).count(), 0);
    services.threads = threads();
    services.is_empty_run = arguments_.is_on("empty");
    services.env = world_.environment;
    services.secrets = world_.secrets;
    manifest_.root_package = root().name;
}

// The call and its environment go before the project.
void Invocation::take_project_flags() {
    constexpr std::array<std::string_view, 3> kSwitches = {"fail-fast", "write-json", "warn-error"};
    const auto given = [&](std::string name) -> const YamlNode& {
        std::replace(name.begin(), name.end(), '-', '_');
        return root().flags()[name];
    };
    for (const std::string_view name : kSwitches) {
        const YamlNode& value = given(std::string(name));
        if (value.is_boolean() && !arguments_.has(name)) arguments_.switches[std::string(name)] = value.boolean();
    }
    const YamlNode& indirect = given("indirect-selection");
    if (indirect.is_text() && !arguments_.has("indirect-selection")) {
        arguments_.values["indirect-selection"] = {std::string(indirect.text())};
    }
}

Result<void> Invocation::read_times() {
    const auto now = world_.run.clock.now().time_since_epoch();
    const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    services_->event_time = TRY(read_event_time(arguments_));
    services_->sample = TRY(read_sample(arguments_, micros));
    return {};
}

Result<YamlTree> Invocation::render(const YamlTree& tree, const std::string& file) const {
    YamlScope scope(cli_vars_, world_.environment, YamlScope::Secrets::refused);
    scope.set_target(target_value_);
    return render_tree(tree, scope.renderer(file));
}

Result<void> Invocation::parse(Findings& findings) {
    services_->notes = notes_.get();
    const auto parsed = parse_project(*this, findings);
    services_->notes = nullptr;
    if (parsed.ok() && findings.ok()) warn_of_batches_at_once(*services_, manifest(), findings);
    return parsed;
}

bool Invocation::parses_partially() const {
    const YamlNode& flag = root().flags()["partial_parse"];
    return arguments_.is_on("partial-parse", !flag.is_boolean() || flag.boolean());
}

void Invocation::run_beside(std::function<void()> work) {
    finish_beside();
    beside_ = std::thread(std::move(work));
}

void Invocation::finish_beside() {
    if (beside_.joinable()) beside_.join();
}

}  // namespace shaduf::models
