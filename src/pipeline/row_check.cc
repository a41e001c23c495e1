#include "pipeline/row_check.h"

#include <re2/re2.h>

#include <charconv>
#include <mutex>
#include <set>

#include "base/time.h"
#include "io/duckdb_expression.h"

namespace shaduf {
namespace {

Error config_error(const ExpectConfig& config, const std::string& message) {
    return Error(ErrorKind::invalid_config, message).at(config.place);
}

void fail_all(const RecordBatch& rows, std::vector<uint32_t>& failing) {
    for (size_t row = 0; row < rows.rows(); ++row) failing.push_back(static_cast<uint32_t>(row));
}

class NotNull final : public RowCheck {
public:
    explicit NotNull(std::vector<std::string> columns) : columns_(std::move(columns)) {}

    Result<void> find_failures(RunContext&, const RecordBatch& rows, std::vector<uint32_t>& failing) override {
        std::vector<const Column*> nullable;
        for (const auto& name : columns_) {
            const auto index = rows.schema()->index_of(name);
            if (!index) {
                fail_all(rows, failing);
                return {};
            }
            if (rows.column(*index).null_count > 0) nullable.push_back(&rows.column(*index));
        }
        for (size_t row = 0; row < rows.rows() && !nullable.empty(); ++row) {
            for (const Column* column : nullable) {
                if (!column->is_null(row)) continue;
                failing.push_back(static_cast<uint32_t>(row));
                break;
            }
        }
        return {};
    }

private:
    const std::vector<std::string> columns_;
};

// Checks of the values of one column; null passes.
class ColumnCheck : public RowCheck {
public:
    explicit ColumnCheck(const ExpectConfig& config) : config_(config) {}

    Result<void> find_failures(RunContext&, const RecordBatch& rows, std::vector<uint32_t>& failing) final {
        const auto index = rows.schema()->index_of(config_.columns.front());
        if (!index) return {};
        return check(rows.column(*index), failing);
    }

protected:
    virtual Result<void> check(const Column& column, std::vector<uint32_t>& failing) = 0;
    const ExpectConfig& config() const { return config_; }

private:
    const ExpectConfig config_;
};

bool has_text(const Column& column) {
    const TypeKind kind = column.type.kind();
    return kind == TypeKind::string || kind == TypeKind::bytes || kind == TypeKind::json;
}

class AcceptedValues final : public ColumnCheck {
public:
    explicit AcceptedValues(const ExpectConfig& config)
        : ColumnCheck(config), accepted_(config.values.begin(), config.values.end()) {}

private:
    Result<void> check(const Column& column, std::vector<uint32_t>& failing) override {
        const bool text = has_text(column);
        for (size_t row = 0; row < column.length; ++row) {
            if (column.is_null(row)) continue;
            const bool found =
                text ? accepted_.contains(column.text_at(row)) : accepted_.contains(format_value(column, row));
            if (!found) failing.push_back(static_cast<uint32_t>(row));
        }
        return {};
    }

    const std::set<std::string, std::less<>> accepted_;
};

class Regex final : public ColumnCheck {
public:
    explicit Regex(const ExpectConfig& config) : ColumnCheck(config), pattern_(config.pattern, RE2::Quiet) {}
    bool is_valid() const { return pattern_.ok(); }
    std::string problem() const { return pattern_.error(); }

private:
    Result<void> check(const Column& column, std::vector<uint32_t>& failing) override {
        const bool text = has_text(column);
        for (size_t row = 0; row < column.length; ++row) {
            if (column.is_null(row)) continue;
            const std::string printed = text ? std::string() : format_value(column, row);
            const std::string_view value = text ? column.text_at(row) : std::string_view(printed);
            if (!RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), pattern_)) {
                failing.push_back(static_cast<uint32_t>(row));
            }
        }
        return {};
    }

    const RE2 pattern_;
};

std::optional<double> parse_number(const std::string& text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int64_t> parse_integer(const std::string& text) {
    int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int64_t> parse_moment(const std::string& text) {
    if (const auto stamp = parse_timestamp(text)) return stamp->microseconds;
    if (const auto day = parse_date(text)) return int64_t{*day} * 86'400'000'000;
    return std::nullopt;
}

class Range final : public ColumnCheck {
public:
    using ColumnCheck::ColumnCheck;

private:
    Result<void> check(const Column& column, std::vector<uint32_t>& failing) override {
        switch (column.type.kind()) {
            case TypeKind::int64: return check_integers(column, failing);
            case TypeKind::float64:
                return compare(column, failing, parse_number, [&](size_t row) { return column.float64_at(row); });
            case TypeKind::decimal: return check_decimals(column, failing);
            case TypeKind::date:
                return compare(column, failing, parse_moment,
                               [&](size_t row) { return int64_t{column.date_at(row)} * 86'400'000'000; });
            case TypeKind::timestamp:
            case TypeKind::timestamp_tz:
                return compare(column, failing, parse_moment, [&](size_t row) { return column.int64_at(row); });
            case TypeKind::time:
                return compare(
                    column, failing, [](const std::string& text) { return parse_time_of_day(text); },
                    [&](size_t row) { return column.int64_at(row); });
            default:
                return compare(
                    column, failing, [](const std::string& text) { return std::optional<std::string>(text); },
                    [&](size_t row) { return format_value(column, row); });
        }
    }

    Result<void> check_integers(const Column& column, std::vector<uint32_t>& failing) {
        const auto is_integer = [](const std::optional<std::string>& bound) { return !bound || parse_integer(*bound); };
        if (is_integer(config().min) && is_integer(config().max)) {
            return compare(column, failing, parse_integer, [&](size_t row) { return column.int64_at(row); });
        }
        return compare(column, failing, parse_number,
                       [&](size_t row) { return static_cast<double>(column.int64_at(row)); });
    }

    // As wide floating-point numbers: 64 bits of mantissa, so bounds of up to 19 digits are exact.
    Result<void> check_decimals(const Column& column, std::vector<uint32_t>& failing) {
        long double unit = 1;
        for (int i = 0; i < column.type.scale(); ++i) unit *= 10;
        const auto scaled = [&](const std::string& text) -> std::optional<long double> {
            long double value = 0;
            const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
            if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
            const long double at_scale = value * unit;
            const long double nearest = __builtin_roundl(at_scale);
            return __builtin_fabsl(at_scale - nearest) < 1e-6L ? nearest : at_scale;
        };
        return compare(column, failing, scaled,
                       [&](size_t row) { return static_cast<long double>(column.decimal_at(row)); });
    }

    template <typename Parse, typename Value>
    Result<void> compare(const Column& column, std::vector<uint32_t>& failing, Parse parse, Value value) {
        const auto read_bound = [&](const std::optional<std::string>& text) -> Result<decltype(parse(*text))> {
            if (!text) return decltype(parse(*text)){};
            auto bound = parse(*text);
            if (bound) return bound;
            return config_error(config(), "bound does not fit the column: " + *text + ", " + config().columns.front() +
                                              " is " + column.type.to_string());
        };
        const auto min = TRY(read_bound(config().min));
        const auto max = TRY(read_bound(config().max));
        for (size_t row = 0; row < column.length; ++row) {
            if (column.is_null(row)) continue;
            const auto now = value(row);
            if ((min && !(now >= *min)) || (max && !(now <= *max))) failing.push_back(static_cast<uint32_t>(row));
        }
        return {};
    }
};

// Evaluated by the embedded engine, over a batch at a time; one batch at a time, since the engine uses all cores
// itself.
class Expression final : public RowCheck {
public:
    Expression(const ExpectConfig& config, std::shared_ptr<ExpressionEngine> engine)
        : config_(config), engine_(std::move(engine)) {}

    Result<void> find_failures(RunContext& run, const RecordBatch& rows, std::vector<uint32_t>& failing) override {
        std::lock_guard lock(mutex_);
        if (compiled_ == nullptr || *compiled_for_ != *rows.schema()) {
            auto compiled = SqlExpression::create(TRY(engine_->open(run)), run.cancellation, rows.schema(),
                                                  config_.expression, SqlExpression::OnNull::passes);
            if (!compiled.ok()) return compiled.release_error().at(config_.place);
            compiled_ = compiled.release_value();
            compiled_for_ = rows.schema();
        }
        failing = TRY(compiled_->failing_rows(rows));
        return {};
    }

private:
    const ExpectConfig config_;
    const std::shared_ptr<ExpressionEngine> engine_;
    std::mutex mutex_;
    std::unique_ptr<SqlExpression> compiled_;
    SchemaPtr compiled_for_;
};

}  // namespace

Result<std::shared_ptr<DuckDbDatabase>> ExpressionEngine::open(RunContext& run) {
    std::lock_guard lock(mutex_);
    if (database_ == nullptr) database_ = TRY(open_expression_engine(run.databases));
    return database_;
}

Result<std::unique_ptr<RowCheck>> make_row_check(const ExpectConfig& config,
                                                 const std::shared_ptr<ExpressionEngine>& engine) {
    switch (config.kind) {
        case ExpectKind::not_null: return std::make_unique<NotNull>(config.columns);
        case ExpectKind::accepted_values: return std::make_unique<AcceptedValues>(config);
        case ExpectKind::range: return std::make_unique<Range>(config);
        case ExpectKind::expression: return std::make_unique<Expression>(config, engine);
        case ExpectKind::regex: {
            auto check = std::make_unique<Regex>(config);
            if (!check->is_valid()) {
                return config_error(config,
                                    "regular expression is broken: " + config.pattern + ": " + check->problem());
            }
            return check;
        }
        default: return std::unique_ptr<RowCheck>();
    }
}

}  // namespace shaduf
