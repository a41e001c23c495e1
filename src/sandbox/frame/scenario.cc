#include "sandbox/frame/scenario.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "data/hash.h"
#include "sandbox/frame/faults.h"
#include "sandbox/world/dice.h"

namespace shaduf::sandbox {
namespace {

constexpr FieldSpec kRuleFields[] = {
    {.name = "fault", .help = "What happens.", .required = true},
    {.name = "platform", .help = "Only calls of this platform."},
    {.name = "method", .help = "Only calls of this method."},
    {.name = "path", .help = "Only calls of paths that fit; * is anything.", .example = "*/insights"},
    {.name = "nth", .type = FieldType::integer, .help = "Only this one of the calls that fit."},
    {.name = "from", .type = FieldType::integer, .help = "Only from this one on."},
    {.name = "every", .type = FieldType::integer, .help = "Only each so many."},
    {.name = "probability", .type = FieldType::number, .help = "Only so often, by chance.", .default_value = "1"},
    {.name = "times", .type = FieldType::integer, .help = "At most so often."},
};
constexpr FieldSpec kFileFields[] = {
    {.name = "faults", .type = FieldType::any, .help = "The rules.", .required = true}};

bool is_rule_field(std::string_view name) {
    return std::any_of(std::begin(kRuleFields), std::end(kRuleFields),
                       [&](const FieldSpec& field) { return field.name == name; });
}

// All kinds that a rule may name, and whose they are.
struct KnownFault {
    const FaultSpec* spec;
    std::string_view platform;  // "": any
};

class RuleReader {
public:
    RuleReader(const Registry<PlatformSpec>& platforms, std::vector<Error>& errors)
        : platforms_(platforms), errors_(errors) {
        for (const FaultSpec& fault : general_faults()) known_.push_back({&fault, {}});
        for (const PlatformSpec* platform : platforms.all()) {
            for (const FaultSpec& fault : platform->faults) known_.push_back({&fault, platform->name});
        }
    }

    void read(const Node& node, std::vector<FaultRule>& rules) {
        std::vector<Node::Entry> of_rule;
        std::vector<Node::Entry> of_kind;
        for (const Node::Entry& entry : node.entries()) (is_rule_field(entry.key) ? of_rule : of_kind).push_back(entry);
        Options options;
        const Node rule_node = node.is_map() ? Node::map(of_rule, node.place()) : node;
        if (!check(Options::create(kRuleFields, rule_node, {}, options))) return;
        FaultRule rule{.kind = options.text("fault"),
                       .platform = options.text("platform"),
                       .method = options.text("method"),
                       .path = options.text("path"),
                       .nth = options.integer("nth"),
                       .from = options.integer("from"),
                       .every = options.integer("every"),
                       .probability = options.number("probability"),
                       .times = options.integer("times"),
                       .place = node.place()};
        for (const char* name : {"nth", "from", "every", "times"}) {
            if (options.has(name) && options.integer(name) < 1) {
                errors_.push_back(options.error(
                    name, "is not a count: " + std::to_string(options.integer(name)) + "; give 1 or more"));
            }
        }
        const FaultSpec* spec = find(options, rule);
        if (spec == nullptr ||
            !check(Options::create(spec->options, Node::map(of_kind, node.place()), {}, rule.options)))
            return;
        // What changes the world does so once, unless it is said how often.
        if (changes_world(rule.kind) && rule.times == 0 && rule.every == 0) rule.times = 1;
        rules.push_back(std::move(rule));
    }

private:
    bool check(std::vector<Error> found) {
        const bool ok = found.empty();
        for (Error& error : found) errors_.push_back(std::move(error));
        return ok;
    }

    const FaultSpec* find(const Options& options, FaultRule& rule) {
        if (!rule.platform.empty() && platforms_.find(rule.platform) == nullptr) {
            errors_.push_back(options.error(
                "platform", "platform not found: " + rule.platform + did_you_mean(rule.platform, platforms_.names())));
            return nullptr;
        }
        std::vector<std::string> names;
        for (const KnownFault& known : known_) {
            if (!rule.platform.empty() && !known.platform.empty() && known.platform != rule.platform) continue;
            names.emplace_back(known.spec->name);
            if (known.spec->name != rule.kind) continue;
            if (!known.platform.empty()) rule.platform = known.platform;
            return known.spec;
        }
        errors_.push_back(options.error("fault", "fault not found: " + rule.kind + did_you_mean(rule.kind, names)));
        return nullptr;
    }

    const Registry<PlatformSpec>& platforms_;
    std::vector<Error>& errors_;
    std::vector<KnownFault> known_;
};

}  // namespace

bool fits_glob(std::string_view pattern, std::string_view text) {
    size_t p = 0;
    size_t t = 0;
    size_t star = std::string_view::npos;  // the last one met, and where the text was then
    size_t mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<Error> Scenario::parse(const Node& node, const Registry<PlatformSpec>& platforms, uint64_t seed,
                                   std::unique_ptr<Scenario>& out) {
    std::vector<Error> errors;
    std::vector<FaultRule> rules;
    Options file;
    errors = Options::create(kFileFields, node, {}, file);
    if (!errors.empty()) return errors;
    const Node& list = file.node("faults");
    if (!list.is_list()) {
        errors.push_back(file.error("faults", "is not a list; begin each rule with \"- fault:\""));
        return errors;
    }
    RuleReader reader(platforms, errors);
    for (const Node& rule : list.items()) reader.read(rule, rules);
    if (errors.empty()) out = std::make_unique<Scenario>(std::move(rules), seed);
    return errors;
}

Scenario::Scenario(std::vector<FaultRule> rules, uint64_t seed)
    : rules_(std::move(rules)), seed_(seed), counts_(rules_.size()) {}

std::vector<Fault> Scenario::hits(std::string_view platform, std::string_view method, std::string_view path) {
    std::vector<Fault> faults;
    if (rules_.empty()) return faults;
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < rules_.size(); ++i) {
        const FaultRule& rule = rules_[i];
        if ((!rule.platform.empty() && rule.platform != platform) || (!rule.method.empty() && rule.method != method) ||
            (!rule.path.empty() && !fits_glob(rule.path, path))) {
            continue;
        }
        Count& count = counts_[i];
        ++count.fitting;
        if ((rule.nth > 0 && count.fitting != rule.nth) || count.fitting < rule.from ||
            (rule.every > 0 && count.fitting % rule.every != 0) || (rule.times > 0 && count.hit >= rule.times) ||
            unit(dice(seed_, i, static_cast<uint64_t>(count.fitting))) >= rule.probability) {
            continue;
        }
        ++count.hit;
        faults.push_back({rule.kind, &rule.options});
    }
    return faults;
}

void Scenario::reset() {
    std::lock_guard lock(mutex_);
    counts_.assign(rules_.size(), {});
}

}  // namespace shaduf::sandbox
