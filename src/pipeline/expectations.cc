#include "pipeline/expectations.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>

#include "base/text.h"
#include "base/time.h"

namespace shaduf {

struct Expectations::Rule {
    ExpectConfig config;
    std::unique_ptr<RowCheck> row_check;     // kinds that look at a row by itself
    std::unique_ptr<KeySet> keys;            // unique, relationships
    std::atomic<int64_t> failed{0};          // rows
    std::atomic<int64_t> newest{INT64_MIN};  // freshness: microseconds
    std::atomic<bool> column_seen{false};

    bool is_keyed() const { return keys != nullptr; }
    bool has_limit() const { return config.limit.max_rows || config.limit.max_percent; }
    bool rejects_rows() const { return config.severity != ExpectSeverity::warn; }
};

namespace {

std::string describe_limit(const ExpectConfig& config) {
    std::string text;
    if (config.limit.max_rows) text += ", at most " + format_count(*config.limit.max_rows) + " rows may fail";
    if (config.limit.max_percent) {
        std::array<char, 32> percent{};
        std::snprintf(percent.data(), percent.size(), "%g", *config.limit.max_percent);
        text += std::string(", at most ") + percent.data() + "% may fail";
    }
    return text;
}

std::string describe_bounds(const ExpectConfig& config, int64_t rows) {
    std::string text = "the load has " + format_count(rows) + " rows, expected";
    if (config.min) text += " at least " + *config.min;
    if (config.max) text += std::string(config.min ? " and" : "") + " at most " + *config.max;
    return text;
}

std::optional<std::vector<size_t>> find_columns(const RecordBatch& rows, const std::vector<std::string>& names) {
    std::vector<size_t> indexes;
    for (const auto& name : names) {
        const auto index = rows.schema()->index_of(name);
        if (!index) return std::nullopt;
        indexes.push_back(*index);
    }
    return indexes;
}

std::optional<int64_t> newest_moment(const Column& column) {
    std::optional<int64_t> newest;
    const TypeKind kind = column.type.kind();
    for (size_t row = 0; row < column.length; ++row) {
        if (column.is_null(row)) continue;
        int64_t moment = 0;
        if (kind == TypeKind::date) {
            moment = int64_t{column.date_at(row)} * 86'400'000'000;
        } else if (kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz) {
            moment = column.int64_at(row);
        } else {
            return std::nullopt;
        }
        if (!newest || moment > *newest) newest = moment;
    }
    return newest;
}

bool is_word_character(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool has_word(std::string_view text, std::string_view word) {
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const bool begins = at == 0 || !is_word_character(text[at - 1]);
        const auto end = at + word.size();
        if (begins && (end == text.size() || !is_word_character(text[end]))) return true;
    }
    return false;
}

// Whether it needs more of a treated column than whether there is a value, and whether that is another one.
bool judges_value_of(const ExpectConfig& config, const Treated& treated) {
    if (config.kind == ExpectKind::not_null) return false;
    for (const auto& [column, path] : treated.columns) {
        for (const auto& name : config.columns) {
            if (equals_ignoring_case(name, column)) return true;
        }
        if (config.kind == ExpectKind::expression && has_word(to_lower(config.expression), to_lower(column)))
            return true;
    }
    return false;
}

void raise_to(std::atomic<int64_t>& value, int64_t candidate) {
    int64_t now = value.load();
    while (now < candidate && !value.compare_exchange_weak(now, candidate)) {
    }
}

}  // namespace

Expectations::Expectations() = default;
Expectations::~Expectations() = default;

Result<std::unique_ptr<Expectations>> Expectations::create(const std::vector<ExpectConfig>& configs,
                                                           uint64_t memory_bytes) {
    std::unique_ptr<Expectations> expectations(new Expectations);
    const auto is_keyed = [](const ExpectConfig& config) {
        return config.kind == ExpectKind::unique || config.kind == ExpectKind::relationships;
    };
    const auto keyed = static_cast<uint64_t>(std::count_if(configs.begin(), configs.end(), is_keyed));
    const std::string folder = std::filesystem::temp_directory_path().string();
    const auto engine = std::make_shared<ExpressionEngine>();
    for (const auto& config : configs) {
        auto rule = std::make_unique<Rule>();
        rule->config = config;
        rule->row_check = TRY(make_row_check(config, engine));
        if (is_keyed(config)) rule->keys = std::make_unique<KeySet>(memory_bytes / keyed, folder);
        expectations->rules_.push_back(std::move(rule));
    }
    return expectations;
}

bool Expectations::any_fatal() const {
    return std::any_of(rules_.begin(), rules_.end(),
                       [](const auto& rule) { return rule->config.severity == ExpectSeverity::fatal; });
}

Result<void> Expectations::load_keys(RunContext& run, const Destination& to) {
    for (const auto& rule : rules_) {
        if (!rule->is_keyed()) continue;
        const bool references = rule->config.kind == ExpectKind::relationships;
        if (!references && (to.mode != WriteMode::append || !to.table_exists)) continue;
        if (to.reader == nullptr) {
            if (!references) continue;
            return Error(ErrorKind::invalid_config, "the sink cannot be looked into, so this cannot be checked: " +
                                                        rule->config.text + "; remove it, or check it in a model")
                .at(rule->config.place);
        }
        if (!references) {
            TRY(fill_from_table(run, *rule, *to.reader, to.schema, to.table, rule->config.columns));
            continue;
        }
        const std::string& name = rule->config.to_table;
        const auto dot = name.find('.');
        const std::string schema = dot == std::string::npos ? to.schema : name.substr(0, dot);
        const std::string table = dot == std::string::npos ? name : name.substr(dot + 1);
        TRY(fill_from_table(run, *rule, *to.reader, schema, table, {rule->config.to_column}));
    }
    return {};
}

Result<void> Expectations::fill_from_table(RunContext& run, Rule& rule, TableReader& reader, const std::string& schema,
                                           const std::string& table, const std::vector<std::string>& columns) {
    const auto add = [&](const RecordBatch& rows) -> Result<void> {
        std::vector<size_t> indexes;
        for (size_t i = 0; i < rows.columns().size(); ++i) indexes.push_back(i);
        for (const auto& key : hash_keys(rows, indexes, nullptr)) TRY(rule.keys->insert(key));
        return {};
    };
    auto scanned = reader.scan_columns(run, schema, table, columns, add);
    if (!scanned.ok()) {
        const Error& error = scanned.error();
        return Error(error.kind(), rule.config.text + ": " + error.message()).at(rule.config.place);
    }
    return {};
}

Result<CheckedRows> Expectations::check(RunContext& run, const RecordBatch& rows, const Treated* treated) {
    CheckedRows checked;
    const bool any_treated = treated != nullptr && !treated->columns.empty();
    std::vector<const Rule*> failed_by(rows.rows(), nullptr);
    std::vector<const Rule*> unjudged(any_treated ? rows.rows() : 0, nullptr);
    std::vector<uint32_t> failing;
    for (const auto& rule : rules_) {
        if (!rule->column_seen && find_columns(rows, rule->config.columns)) rule->column_seen = true;
        if (rule->config.kind == ExpectKind::freshness) {
            const auto index = rows.schema()->index_of(rule->config.columns.front());
            const auto newest = index ? newest_moment(rows.column(*index)) : std::nullopt;
            if (newest) raise_to(rule->newest, *newest);
        }
        if (rule->row_check == nullptr || rows.rows() == 0) continue;
        failing.clear();
        if (any_treated && judges_value_of(rule->config, *treated)) {
            for (size_t row = 0; row < rows.rows() && rule->rejects_rows(); ++row) unjudged[row] = rule.get();
            continue;
        }
        TRY(rule->row_check->find_failures(run, rows, failing));
        if (failing.empty()) continue;
        rule->failed += static_cast<int64_t>(failing.size());
        if (rule->config.severity == ExpectSeverity::fatal && !rule->has_limit()) {
            const std::string shown = hides_rows_ ? "" : ": row " + rows.row_as_json(failing.front());
            return Error(ErrorKind::bad_data, "expectation failed, nothing is committed: " + rule->config.text + shown)
                .at(rule->config.place);
        }
        if (!rule->rejects_rows()) continue;
        for (const uint32_t row : failing) failed_by[row] = failed_by[row] == nullptr ? rule.get() : failed_by[row];
    }
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (any_treated && failed_by[row] == nullptr && unjudged[row] != nullptr) {
            failed_by[row] = unjudged[row];
            checked.rejected.push_back(
                {row, Error(ErrorKind::bad_data,
                            "expectation cannot be judged, since a policy has "
                            "changed its column: " +
                                unjudged[row]->config.text + "; give the row anew with --text")});
            continue;
        }
        if (failed_by[row] == nullptr) continue;
        checked.rejected.push_back(
            {row, Error(ErrorKind::bad_data, "expectation failed: " + failed_by[row]->config.text)});
    }
    if (!checked.rejected.empty()) {
        for (size_t row = 0; row < rows.rows(); ++row) {
            if (failed_by[row] == nullptr) checked.kept.push_back(static_cast<uint32_t>(row));
        }
    }
    for (const auto& rule : rules_) {
        if (!rule->is_keyed()) continue;
        const auto columns = find_columns(rows, rule->config.columns);
        std::vector<bool> has_null;
        auto hashes = columns ? hash_keys(rows, *columns, &has_null) : std::vector<KeyHash>();
        if (columns && !checked.rejected.empty()) {
            std::vector<KeyHash> kept_hashes;
            std::vector<bool> kept_null;
            for (const uint32_t row : checked.kept) {
                kept_hashes.push_back(hashes[row]);
                kept_null.push_back(has_null[row]);
            }
            hashes.swap(kept_hashes);
            has_null.swap(kept_null);
        }
        checked.keys.push_back(std::move(hashes));
        checked.key_is_null.push_back(std::move(has_null));
    }
    return checked;
}

Result<bool> Expectations::key_fails(Rule& rule, const KeyHash& key, bool is_null) {
    if (is_null) return false;
    if (rule.config.kind == ExpectKind::relationships) return !TRY(rule.keys->contains(key));
    return !TRY(rule.keys->insert(key));
}

Result<std::vector<RejectedRow>> Expectations::check_in_order(const CheckedRows& rows) {
    std::vector<RejectedRow> rejected;
    std::vector<bool> out;
    size_t list = 0;
    for (const auto& rule : rules_) {
        if (!rule->is_keyed()) continue;
        const auto& keys = rows.keys[list];
        const auto& is_null = rows.key_is_null[list++];
        out.resize(std::max(out.size(), keys.size()), false);
        for (size_t row = 0; row < keys.size(); ++row) {
            if (out[row] || !TRY(key_fails(*rule, keys[row], is_null[row]))) continue;
            ++rule->failed;
            if (rule->config.severity == ExpectSeverity::fatal && !rule->has_limit()) {
                return Error(ErrorKind::bad_data, "expectation failed, nothing is committed: " + rule->config.text)
                    .at(rule->config.place);
            }
            if (!rule->rejects_rows()) continue;
            out[row] = true;
            rejected.push_back({row, Error(ErrorKind::bad_data, "expectation failed: " + rule->config.text)});
        }
    }
    std::sort(rejected.begin(), rejected.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
    return rejected;
}

// What is wrong with the load as a whole so far; empty: nothing.
std::string Expectations::problem_of(const RunContext& run, const Rule& rule, const Counts& counts) {
    const ExpectConfig& config = rule.config;
    if (config.kind == ExpectKind::row_count) {
        const auto bound = [](const std::optional<std::string>& text, int64_t none) {
            return text ? std::strtoll(text->c_str(), nullptr, 10) : none;
        };
        const bool fits = counts.written >= bound(config.min, 0) && counts.written <= bound(config.max, INT64_MAX);
        return !counts.at_end || fits ? "" : describe_bounds(config, counts.written);
    }
    if (config.kind == ExpectKind::freshness) {
        if (!counts.at_end || counts.read == 0) return "";
        if (rule.newest == INT64_MIN) return "no row has a value";
        const int64_t age = run.clock.now().time_since_epoch().count() - rule.newest;
        const bool fresh = age <= std::chrono::microseconds(config.within).count();
        return fresh ? ""
                     : "the newest value is " + format_timestamp(rule.newest, true) + ", older than " +
                           format_duration(config.within) + " ago";
    }
    const int64_t failed = rule.failed;
    bool exceeded = !rule.has_limit() && config.severity != ExpectSeverity::error && failed > 0;
    if (config.limit.max_rows && failed > *config.limit.max_rows) exceeded = true;
    if (config.limit.max_percent && counts.at_end) {
        exceeded |= static_cast<double>(failed) * 100 > *config.limit.max_percent * static_cast<double>(counts.read);
    }
    if (!exceeded) return "";
    return format_count(failed) + " of " + format_count(counts.read) + " rows fail" + describe_limit(config);
}

Result<void> Expectations::judge(const RunContext& run, const Counts& counts) {
    for (const auto& rule : rules_) {
        const ExpectConfig& config = rule->config;
        const bool whole_load = config.kind == ExpectKind::row_count || config.kind == ExpectKind::freshness;
        if (counts.at_end && counts.read > 0 && !rule->column_seen && !config.columns.empty()) {
            warnings_.push_back(config.text + ": the load has no such column: " + join(config.columns, ", "));
        }
        const std::string problem = problem_of(run, *rule, counts);
        if (problem.empty()) continue;
        if (config.severity == ExpectSeverity::warn) {
            if (counts.at_end) warnings_.push_back(config.text + ": " + problem);
            continue;
        }
        const Error error(ErrorKind::bad_data, "expectation failed: " + config.text + ": " + problem);
        if (config.severity == ExpectSeverity::fatal || !whole_load) return error.at(config.place);
        failures_.push_back(error.at(config.place));
    }
    return {};
}

std::vector<CheckResult> Expectations::results(const RunContext& run, const Counts& counts) const {
    std::vector<CheckResult> results;
    for (const auto& rule : rules_) {
        const ExpectConfig& config = rule->config;
        const bool is_told = counts.at_end && (counts.read > 0 || config.kind == ExpectKind::row_count);
        if (!is_told && rule->failed == 0) continue;
        CheckResult result{.text = config.text, .state = "passed", .rows = rule->failed};
        const bool has_column = rule->column_seen || config.columns.empty() || counts.read == 0;
        result.message = has_column ? problem_of(run, *rule, counts) : "the load has no such column";
        // Within a limit, or of severity error, rows that fail do not stop the load.
        const bool fails = !result.message.empty() || (result.rows > 0 && !rule->has_limit());
        if (fails || result.rows > 0) result.state = "warned";
        if (fails && has_column && config.severity != ExpectSeverity::warn) result.state = "failed";
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace shaduf
