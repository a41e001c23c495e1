#include "config/stream_rules.h"

#include <charconv>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {
namespace {

constexpr std::string_view kSeverities[] = {"error", "warn", "fatal"};
constexpr FieldSpec kRowCountFields[] = {
    {"min", FieldType::integer, "The fewest rows that a load may write."},
    {"max", FieldType::integer, "The most rows that a load may write."},
};
constexpr FieldSpec kExpectFields[] = {
    {.name = "not_null", .type = FieldType::text_list, .help = "Columns that must have a value.", .example = "[id]"},
    {.name = "unique", .type = FieldType::text_list, .help = "Columns that together name a row.", .example = "[id]"},
    {.name = "accepted_values",
     .type = FieldType::any,
     .help = "By column, the values it may have.",
     .example = "{status: [open, closed]}"},
    {.name = "range",
     .type = FieldType::any,
     .help = "By column, the least and the greatest value, as a list or as min and max.",
     .example = "{age: [0, 150]}"},
    {.name = "regex",
     .type = FieldType::text_map,
     .help = "By column, a regular expression (RE2) that must match somewhere in the text.",
     .example = "{email: \"@\"}"},
    {.name = "relationships",
     .type = FieldType::text_map,
     .help = "By column, the table.column (or schema.table.column) where each of its values must stand.",
     .example = "{user_id: users.id}"},
    {.name = "freshness",
     .type = FieldType::text_map,
     .help = "By column, how old its newest value may be.",
     .example = "{updated_at: 2d}"},
    {.name = "row_count",
     .type = FieldType::object,
     .help = "How many rows a load must write.",
     .children = kRowCountFields},
    {.name = "expression",
     .type = FieldType::text,
     .help = "A boolean SQL expression over the row; null passes. A text instead of a map is short for it.",
     .example = "\"spend >= 0\""},
    {.name = "severity",
     .type = FieldType::text,
     .help = "error: the row goes to quarantine; warn: it passes and is counted; fatal: nothing is committed.",
     .default_value = "error",
     .choices = kSeverities},
    {.name = "max_rows", .type = FieldType::integer, .help = "How many rows may fail before the run stops."},
    {.name = "max_percent",
     .type = FieldType::number,
     .help = "What share of the rows of a load may fail before the run stops, 0 to 100."},
    {.name = "name", .type = FieldType::text, .help = "How reasons in quarantine name this expectation."},
};

Error rule_error(const Place& place, std::string message) {
    return Error(ErrorKind::invalid_config, std::move(message)).at(place);
}

// Reads one entry of `expect`, which may stand for several expectations (one a column).
class ExpectReader {
public:
    ExpectReader(const ValueResolver& resolve, std::vector<Error>& errors, std::vector<ExpectConfig>& out)
        : resolve_(resolve), errors_(errors), out_(out) {}

    void read(const Node& node) {
        if (node.is_scalar()) return read_text(node);
        if (!node.is_map()) {
            errors_.push_back(rule_error(node.place(), "expect: an entry is a SQL expression or a map"));
            return;
        }
        const size_t errors_before = errors_.size();
        for (Error& error : Options::create(kExpectFields, node, resolve_, options_)) {
            errors_.push_back(std::move(error));
        }
        if (errors_.size() == errors_before) read_map(node);
    }

private:
    void read_text(const Node& node) {
        auto text = resolve_ ? resolve_(node.text(), node.place()) : Result<std::string>(node.text());
        if (!text.ok()) {
            errors_.push_back(text.error());
            return;
        }
        ExpectConfig& expect = add(ExpectKind::expression, text.value(), node.place());
        expect.expression = text.release_value();
    }

    void read_map(const Node& node) {
        std::vector<std::string> kinds;
        std::vector<std::string> known;
        for (const FieldSpec& field : std::span(kExpectFields).first(9)) {
            known.emplace_back(field.name);
            if (options_.has(field.name)) kinds.emplace_back(field.name);
        }
        if (kinds.size() != 1) {
            errors_.push_back(rule_error(
                node.place(), kinds.empty() ? "expect: nothing is expected; write one of " + join(known, ", ")
                                            : "expect: one kind an entry, found " + join(kinds, ", ")));
            return;
        }
        const size_t first = out_.size();
        place_ = options_.place_of(kinds[0]);
        read_kind(kinds[0]);
        for (size_t i = first; i < out_.size(); ++i) finish(out_[i]);
    }

    void read_kind(const std::string& kind) {
        if (kind == "not_null") {
            for (const std::string& column : options_.text_list(kind)) {
                add(ExpectKind::not_null, "not_null(" + column + ")", place_).columns = {column};
            }
        } else if (kind == "unique") {
            const auto columns = options_.text_list(kind);
            add(ExpectKind::unique, "unique(" + join(columns, ", ") + ")", place_).columns = columns;
        } else if (kind == "accepted_values") {
            each_column(kind, [&](const Node::Entry& entry) { read_accepted_values(entry); });
        } else if (kind == "range") {
            each_column(kind, [&](const Node::Entry& entry) { read_range(entry); });
        } else if (kind == "regex") {
            for (const auto& [column, pattern] : options_.text_map(kind)) {
                add_for_column(ExpectKind::regex, "regex", column).pattern = pattern;
            }
        } else if (kind == "relationships") {
            read_relationships();
        } else if (kind == "freshness") {
            read_freshness();
        } else if (kind == "row_count") {
            read_row_count();
        } else {
            const std::string text = options_.text(kind);
            add(ExpectKind::expression, text, place_).expression = text;
        }
    }

    template <typename Read>
    void each_column(const std::string& kind, const Read& read_entry) {
        const Node& node = options_.node(kind);
        if (!node.is_map()) {
            errors_.push_back(rule_error(node.place(), kind + ": expected a map by column"));
            return;
        }
        for (const auto& entry : node.entries()) read_entry(entry);
    }

    void read_accepted_values(const Node::Entry& entry) {
        std::vector<std::string> values;
        for (const Node& item : entry.value.items()) {
            if (item.is_scalar()) values.push_back(item.text());
        }
        if (values.empty() || values.size() != entry.value.items().size()) {
            errors_.push_back(rule_error(entry.key_place, "accepted_values: expected a list of values: " + entry.key));
            return;
        }
        ExpectConfig& expect = add_for_column(ExpectKind::accepted_values, "accepted_values", entry.key);
        expect.values = std::move(values);
        expect.place = entry.key_place;
    }

    void read_range(const Node::Entry& entry) {
        const bool is_pair = entry.value.is_list() && entry.value.items().size() == 2;
        const Node& min = is_pair ? entry.value.items()[0] : entry.value["min"];
        const Node& max = is_pair ? entry.value.items()[1] : entry.value["max"];
        size_t limits = (min.is_null() ? 0U : 1U) + (max.is_null() ? 0U : 1U);
        const bool well_formed = is_pair || (entry.value.is_map() && entry.value.entries().size() == limits);
        if (!well_formed || limits == 0 || min.is_list() || min.is_map() || max.is_list() || max.is_map()) {
            errors_.push_back(
                rule_error(entry.key_place, "range: expected [min, max] or {min: , max: }: " + entry.key));
            return;
        }
        ExpectConfig& expect = add_for_column(ExpectKind::range, "range", entry.key);
        if (!min.is_null()) expect.min = min.text();
        if (!max.is_null()) expect.max = max.text();
        expect.place = entry.key_place;
    }

    void read_relationships() {
        for (const auto& [column, target] : options_.text_map("relationships")) {
            const auto dot = target.rfind('.');
            if (dot == std::string::npos || dot == 0 || dot + 1 == target.size()) {
                errors_.push_back(rule_error(place_, "relationships: expected table.column: " + target));
                continue;
            }
            ExpectConfig& expect = add_for_column(ExpectKind::relationships, "relationships", column);
            expect.to_table = target.substr(0, dot);
            expect.to_column = target.substr(dot + 1);
        }
    }

    void read_freshness() {
        for (const auto& [column, age] : options_.text_map("freshness")) {
            const auto within = parse_duration(age);
            if (!within) {
                errors_.push_back(rule_error(place_, "freshness: expected a duration such as 2d, found " + age));
                continue;
            }
            add_for_column(ExpectKind::freshness, "freshness", column).within = *within;
        }
    }

    void read_row_count() {
        const Options& limits = options_.object("row_count");
        if (!limits.has("min") && !limits.has("max")) {
            errors_.push_back(rule_error(place_, "row_count: expected min, max or both"));
            return;
        }
        ExpectConfig& expect = add(ExpectKind::row_count, "row_count", place_);
        if (limits.has("min")) expect.min = std::to_string(limits.integer("min"));
        if (limits.has("max")) expect.max = std::to_string(limits.integer("max"));
    }

    ExpectConfig& add_for_column(ExpectKind kind, const std::string& name, const std::string& column) {
        ExpectConfig& expect = add(kind, name + "(" + column + ")", place_);
        expect.columns = {column};
        return expect;
    }

    ExpectConfig& add(ExpectKind kind, std::string text, const Place& place) {
        ExpectConfig expect;
        expect.kind = kind;
        expect.text = std::move(text);
        expect.place = place;
        return out_.emplace_back(std::move(expect));
    }

    void finish(ExpectConfig& expect) {
        const std::string severity = options_.text("severity");
        expect.severity = severity == "warn"    ? ExpectSeverity::warn
                          : severity == "fatal" ? ExpectSeverity::fatal
                                                : ExpectSeverity::error;
        if (options_.has("max_rows")) expect.limit.max_rows = options_.integer("max_rows");
        if (options_.has("max_percent")) {
            const double percent = options_.number("max_percent");
            if (percent < 0 || percent > 100) errors_.push_back(options_.error("max_percent", "expected 0 to 100"));
            expect.limit.max_percent = percent;
        }
        if (options_.has("name")) expect.text = options_.text("name");
    }

    const ValueResolver& resolve_;
    std::vector<Error>& errors_;
    std::vector<ExpectConfig>& out_;
    Options options_;
    Place place_;
};

std::optional<PolicyKind> parse_policy(std::string_view name) {
    if (name == "drop") return PolicyKind::drop;
    if (name == "hash") return PolicyKind::hash;
    if (name == "mask") return PolicyKind::mask;
    if (name == "truncate") return PolicyKind::truncate;
    if (name == "tokenize") return PolicyKind::tokenize;
    return std::nullopt;
}

void read_policy(const Node::Entry& entry, std::vector<Error>& errors, std::vector<PolicyConfig>& out) {
    const bool has_argument = entry.value.is_map() && entry.value.entries().size() == 1;
    const std::string name = has_argument ? entry.value.entries()[0].key : entry.value.text();
    const std::vector<std::string> known{"drop", "hash", "mask", "truncate", "tokenize"};
    const auto kind = parse_policy(name);
    if (!kind) {
        errors.push_back(rule_error(entry.key_place,
                                    "unknown policy of column " + entry.key + ": " + name + did_you_mean(name, known)));
        return;
    }
    PolicyConfig policy{entry.key, *kind, 0, entry.key_place};
    if (has_argument) {
        const std::string& text = entry.value.entries()[0].value.text();
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), policy.keep);
        const bool takes_keep = policy.kind == PolicyKind::mask || policy.kind == PolicyKind::truncate;
        if (!takes_keep || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || policy.keep < 0) {
            errors.push_back(rule_error(entry.key_place, "policy of column " + entry.key + ": expected " +
                                                             (takes_keep ? "a number of characters" : "no argument")));
            return;
        }
    } else if (policy.kind == PolicyKind::truncate) {
        errors.push_back(rule_error(entry.key_place,
                                    "policy of column " + entry.key + " needs a number of characters: {truncate: 10}"));
        return;
    }
    out.push_back(std::move(policy));
}

std::vector<std::string> read_path(const Node& node) {
    std::vector<std::string> path;
    for (const Node& item : node.items()) path.push_back(item.text());
    if (node.is_scalar()) {
        for (const auto part : split(node.text(), '.')) path.emplace_back(part);
    }
    return path;
}

void read_column(const Node::Entry& entry, std::vector<Error>& errors, std::vector<ColumnConfig>& out) {
    ColumnConfig column{entry.key, {entry.key}, std::nullopt, entry.key_place};
    const Node& from = entry.value.is_map() ? entry.value["from"] : entry.value;
    if (!from.is_null()) column.path = read_path(from);
    bool well_formed = !column.path.empty();
    for (const std::string& key : column.path) well_formed = well_formed && !key.empty();
    if (!well_formed) {
        errors.push_back(rule_error(entry.key_place, "column " + entry.key + ": expected a path such as user.id"));
    }
    for (const auto& option : entry.value.entries()) {
        if (option.key == "from" || option.key == "type") continue;
        const std::vector<std::string> known{"from", "type"};
        errors.push_back(rule_error(option.key_place, "unknown key: " + option.key + did_you_mean(option.key, known)));
    }
    if (entry.value.has("type")) {
        const Node& type = entry.value["type"];
        column.type = DataType::parse(type.text());
        if (!column.type) {
            errors.push_back(rule_error(type.place(), "column " + entry.key + ": not a type: " + type.text() +
                                                          "; write one such as int64, decimal(38,2) or timestamp_tz"));
        }
    }
    for (const ColumnConfig& other : out) {
        if (!equals_ignoring_case(other.name, column.name)) continue;
        errors.push_back(rule_error(entry.key_place, "column given twice (case does not count): " + column.name));
    }
    out.push_back(std::move(column));
}

}  // namespace

std::span<const FieldSpec> expectation_fields() { return kExpectFields; }

std::vector<ExpectConfig> read_expectations(const Node& node, const ValueResolver& resolve,
                                            std::vector<Error>& errors) {
    std::vector<ExpectConfig> out;
    if (!node.is_null() && !node.is_list()) {
        errors.push_back(rule_error(node.place(), "expect: expected a list of expectations"));
    }
    for (const Node& item : node.items()) ExpectReader(resolve, errors, out).read(item);
    return out;
}

std::vector<PolicyConfig> read_policies(const Node& node, std::vector<Error>& errors) {
    std::vector<PolicyConfig> out;
    if (!node.is_null() && !node.is_map()) {
        errors.push_back(rule_error(node.place(), "policies: expected a map by column, such as {email: hash}"));
    }
    for (const auto& entry : node.entries()) read_policy(entry, errors, out);
    return out;
}

std::vector<ColumnConfig> read_columns(const Node& node, std::vector<Error>& errors) {
    std::vector<ColumnConfig> out;
    if (node.is_scalar()) {
        errors.push_back(rule_error(node.place(), "columns: expected a map by name, or a list of names"));
    }
    for (const Node& item : node.items()) {
        if (item.is_scalar()) {
            read_column({item.text(), item.place(), Node()}, errors, out);
        } else {
            errors.push_back(rule_error(item.place(), "columns: expected a name"));
        }
    }
    for (const auto& entry : node.entries()) read_column(entry, errors, out);
    return out;
}

}  // namespace shaduf
