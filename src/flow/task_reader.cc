#include "flow/task_reader.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "flow/json_values.h"
#include "flow/pipeline_tables.h"
#include "jinja/template.h"

namespace shaduf {
namespace {

constexpr std::string_view kRules[] = {"all_success",  "all_done", "all_failed",  "one_success",
                                       "one_failed",   "one_done", "none_failed", "none_failed_min_one_success",
                                       "none_skipped", "always"};
constexpr std::string_view kBackoffs[] = {"constant", "exponential", "random"};
constexpr std::string_view kLost[] = {"again", "fail"};
constexpr FieldSpec kForEachFields[] = {
    {.name = "items", .type = FieldType::any, .help = "A list, or a template that gives one.", .required = true},
    {.name = "parallel", .type = FieldType::integer, .help = "How many at the same time.", .default_value = "1"},
};
constexpr FieldSpec kTaskFields[] = {
    {.name = "depends_on", .type = FieldType::text_list, .help = "The tasks right before it."},
    {.name = "when", .help = "How those before it must have ended.", .default_value = "all_success", .choices = kRules},
    {.name = "if", .help = "A Jinja expression over inputs and outputs; where it is false, the task is skipped."},
    {.name = "allow_failure", .type = FieldType::boolean, .help = "Whether its failure counts as a warning."},
    {.name = "approval", .type = FieldType::boolean, .help = "Whether somebody must approve it first."},
    {.name = "timeout", .type = FieldType::duration, .help = "How long a try may take."},
    {.name = "retries", .type = FieldType::integer, .help = "Tries after the first one.", .default_value = "0"},
    {.name = "retry_delay", .type = FieldType::duration, .help = "Before the next try.", .default_value = "10s"},
    {.name = "retry_delay_max", .type = FieldType::duration, .help = "The longest such time.", .default_value = "1h"},
    {.name = "backoff",
     .help = "How the time before the next try grows.",
     .default_value = "exponential",
     .choices = kBackoffs},
    {.name = "retry_within", .type = FieldType::duration, .help = "No try begins later behind the first."},
    {.name = "lost",
     .help = "What becomes of a try whose process is gone, so that nobody knows how far it came: it is made again, or "
             "it has failed.",
     .default_value = "again",
     .choices = kLost},
    {.name = "pool",
     .type = FieldType::any,
     .help = "A pool of shaduf.yml that it takes a place of, or a map of pools to places."},
    {.name = "mutex", .help = "Only one task of that word runs at a time, in all flows."},
    {.name = "priority", .type = FieldType::integer, .help = "A higher one goes first.", .default_value = "0"},
    {.name = "for_each", .type = FieldType::object, .help = "Runs it once for each item.", .children = kForEachFields},
};
constexpr int64_t kRetriesMax = 1000;
constexpr int64_t kPlacesMax = 100'000;

bool is_task_name(std::string_view name) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !name.empty() && name.size() <= 100 && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// What stands for a template or a reference while types are checked; nullopt: the field takes any text.
std::optional<std::string_view> stand_in(const FieldSpec& field) {
    switch (field.type) {
        case FieldType::integer:
        case FieldType::number: return "1";
        case FieldType::boolean: return "true";
        case FieldType::duration: return "1s";
        case FieldType::bytes: return "1MB";
        case FieldType::text: return field.choices.empty() ? std::nullopt : std::optional(field.choices.front());
        default: return std::nullopt;
    }
}

// A template may stand for a list or a map as a whole, too.
std::optional<Node> stand_in_for(const FieldSpec& field, const Node& value) {
    if (!value.is_scalar() || !jinja::has_tags(value.text())) return std::nullopt;
    if (const auto text = stand_in(field)) return Node::scalar(std::string(*text), false, value.place());
    if (field.type == FieldType::text_map || field.type == FieldType::object_map) return Node::map({}, value.place());
    if (field.type == FieldType::object_list) return Node::list({}, value.place());
    return std::nullopt;
}

}  // namespace

std::span<const FieldSpec> task_fields() { return kTaskFields; }
bool only_waits(std::string_view type) { return type == "wait" || type == "flow"; }

TasksReader::TasksReader(const std::string& flow, const FlowReaderParts& parts, std::vector<Error>& errors)
    : flow_(flow), parts_(parts), errors_(errors), fields_(std::begin(kTaskFields), std::end(kTaskFields)) {
    for (const TaskTypeSpec* type : parts.types.all()) {
        fields_.push_back({.name = type->name, .type = FieldType::any, .help = type->summary});
    }
}

void TasksReader::fail(const Place& place, std::string message) {
    errors_.push_back(Error(ErrorKind::invalid_config, std::move(message)).at(place));
}

void TasksReader::read(const Node& tasks, const Node& defaults) {
    if (!tasks.is_map() || tasks.entries().empty()) {
        return fail(tasks.place(), "tasks: expected a map of names to tasks, one at least");
    }
    for (const auto& entry : defaults.entries()) {
        if (entry.key == "depends_on") fail(entry.key_place, "defaults: depends_on is of each task alone");
    }
    for (const auto& entry : tasks.entries()) {
        if (!is_task_name(entry.key)) {
            fail(entry.key_place, "task name: expected letters, digits, _ and -, found " + entry.key);
        } else if (!entry.value.is_map()) {
            fail(entry.key_place, "task " + entry.key + ": expected a map");
        } else {
            read_task(entry.key, with_defaults(entry.value, defaults), entry.value);
        }
    }
}

Node TasksReader::with_defaults(const Node& task, const Node& defaults) const {
    std::vector<Node::Entry> entries = task.entries();
    for (const auto& entry : defaults.entries()) {
        if (!task.has(entry.key)) entries.push_back(entry);
    }
    return Node::map(std::move(entries), task.place());
}

void TasksReader::read_task(const std::string& name, const Node& task, const Node& given) {
    Options options;
    auto wrong = Options::create(fields_, task, {}, options);
    const bool is_readable = wrong.empty();
    std::move(wrong.begin(), wrong.end(), std::back_inserter(errors_));
    if (!is_readable) return;
    TaskNode node;
    node.name = name;
    read_node(options, node);
    TaskSpec spec;
    never_ends_ = false;
    read_type(given, options, spec);
    read_spec(task, options, spec);
    nodes.push_back(std::move(node));
    specs.push_back(std::move(spec));
}

void TasksReader::read_node(const Options& options, TaskNode& node) {
    node.after = options.text_list("depends_on");
    const auto* rule = std::find(std::begin(kRules), std::end(kRules), options.text("when"));
    node.rule = static_cast<TriggerRule>(rule - std::begin(kRules));
    node.allows_failure = options.boolean("allow_failure");
    node.needs_approval = options.boolean("approval");
}

void TasksReader::read_spec(const Node& task, const Options& options, TaskSpec& spec) {
    spec.timeout = options.duration("timeout");
    spec.mutex = options.text("mutex");
    spec.priority = static_cast<int>(std::clamp<int64_t>(options.integer("priority"), -1000, 1000));
    const int64_t retries = options.integer("retries");
    if (retries < 0 || retries > kRetriesMax) {
        fail(options.place_of("retries"), "retries: expected 0 to 1000, found " + std::to_string(retries));
    }
    spec.retry.tries_more = static_cast<int>(std::clamp<int64_t>(retries, 0, kRetriesMax));
    spec.retry.first = options.duration("retry_delay");
    spec.retry.longest = options.duration("retry_delay_max");
    spec.retry.within = options.duration("retry_within");
    spec.retry.lost_comes_again = options.text("lost") == "again";
    const auto* delay = std::find(std::begin(kBackoffs), std::end(kBackoffs), options.text("backoff"));
    spec.retry.delay = static_cast<TaskRetry::Delay>(delay - std::begin(kBackoffs));
    read_places(task, options, spec);
}

void TasksReader::read_places(const Node& task, const Options& options, TaskSpec& spec) {
    if (!never_ends_ && !only_waits(spec.type)) spec.uses.push_back({std::string(kTasksPool), 1});
    if (!options.has("pool")) return;
    const Node& pool = task["pool"];
    const auto use = [&](const std::string& name, const std::string& places, const Place& place) {
        if (!parts_.pools.contains(name)) {
            std::vector<std::string> known;
            for (const auto& [other, count] : parts_.pools) known.push_back(other);
            return fail(place, "pool not found: " + name + did_you_mean(name, known));
        }
        int64_t count = 0;
        std::from_chars(places.data(), places.data() + places.size(), count);
        if (count < 1 || count > kPlacesMax) return fail(place, "pool " + name + ": expected places, found " + places);
        spec.uses.push_back({name, static_cast<uint32_t>(count)});
    };
    if (pool.is_scalar()) return use(pool.text(), "1", pool.place());
    if (!pool.is_map()) return fail(pool.place(), "pool: expected a name, or a map of names to places");
    for (const auto& entry : pool.entries()) use(entry.key, entry.value.text(), entry.key_place);
}

void TasksReader::read_type(const Node& task, const Options& options, TaskSpec& spec) {
    std::vector<std::string> given;
    for (const std::string& type : parts_.types.names()) {
        if (task.has(type)) given.push_back(type);
    }
    if (given.size() != 1) {
        const auto known = parts_.types.names();
        return fail(task.place(), given.empty() ? "task without a type; give one of " + join(known, ", ")
                                                : "task of several types: " + join(given, ", ") + "; give one");
    }
    const TaskTypeSpec& type = *parts_.types.find(given.front());
    spec.type = type.name;
    Node written = task[given.front()];
    // A text or a list means the first of the type's keys.
    if (!written.is_map() && !written.is_null() && !type.fields.empty()) {
        const Place place = written.place();
        written = Node::map({{std::string(type.fields.front().name), place, written}}, place);
    }
    check_options(type, written);
    TaskConfig config;
    const auto options_value = parse_json_value(written.is_null() ? "{}" : written.to_json());
    if (!options_value.ok()) return errors_.push_back(options_value.error().at(written.place()));
    config.options = options_value.value();
    config.condition = options.text("if");
    if (!config.condition.empty()) {
        if (const auto made = check_condition(config.condition); !made.ok()) {
            fail(options.place_of("if"), "if: " + made.error().message());
        }
    }
    for (const Error& error : check_templates(config.options)) {
        fail(written.place(), std::string(type.name) + ": " + error.message());
    }
    if (options.has("for_each")) {
        const Node& each = task["for_each"];
        const auto items = parse_json_value(each["items"].to_json());
        const bool may_be_list =
            items.ok() && (items.value().kind() == jinja::Kind::list || jinja::has_tags(text_of(&items.value())));
        if (!may_be_list) fail(options.place_of("for_each"), "for_each.items: expected a list, or a template");
        config.items = items.ok() ? items.value() : jinja::Value::list({});
        config.parallel = options.object("for_each").integer("parallel");
        if (config.parallel < 1) fail(options.place_of("for_each"), "for_each.parallel: expected 1 or more");
    }
    spec.config = config.to_json();
    if (spec.type == "pipeline") {
        const std::string& pipeline = written["pipeline"].text();
        for (std::string& table : tables_of(parts_.project, pipeline)) writes.push_back(std::move(table));
        never_ends_ = shaduf::is_endless(parts_.project, pipeline);
        is_endless = is_endless || never_ends_;
    }
}

// Values that are known only when it runs are not looked at.
void TasksReader::check_options(const TaskTypeSpec& type, const Node& written) {
    std::vector<Node::Entry> entries;
    for (const auto& entry : written.entries()) {
        const FieldSpec* field = nullptr;
        for (const FieldSpec& candidate : type.fields) {
            if (candidate.name == entry.key) field = &candidate;
        }
        const auto other = field == nullptr ? std::nullopt : stand_in_for(*field, entry.value);
        entries.push_back({entry.key, entry.key_place, other.value_or(entry.value)});
    }
    Options options;
    auto wrong =
        Options::create(type.fields, Node::map(std::move(entries), written.place()), parts_.project.resolve, options);
    const bool is_readable = wrong.empty();
    std::move(wrong.begin(), wrong.end(), std::back_inserter(errors_));
    if (!is_readable || type.check == nullptr) return;
    auto more = type.check(options, parts_.project);
    std::move(more.begin(), more.end(), std::back_inserter(errors_));
}

}  // namespace shaduf
