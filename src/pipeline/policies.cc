#include "pipeline/policies.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "data/builder.h"
#include "io/crypto.h"
#include "io/token_cipher.h"

namespace shaduf {
namespace {

// The byte at which code point number `count` starts, or the end.
size_t byte_of_character(std::string_view text, int64_t count) {
    size_t at = 0;
    while (at < text.size() && count > 0) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
        --count;
    }
    return at;
}

int64_t count_characters(std::string_view text) {
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

// A value too short to hide anything between its kept ends is hidden whole.
std::string mask(std::string_view text, const PolicyConfig& policy) {
    const int64_t characters = count_characters(text);
    const bool too_short = characters <= policy.keep_first + policy.keep_last;
    const int64_t first = too_short ? 0 : policy.keep_first;
    const int64_t last = too_short ? 0 : policy.keep_last;
    std::string masked(text.substr(0, byte_of_character(text, first)));
    for (int64_t i = first + last; i < characters; ++i) masked += policy.mask_character;
    return masked.append(text.substr(byte_of_character(text, characters - last)));
}

// Characters of an ISO 8601 text that are kept for a unit, and what stands for the others.
std::string truncate_moment(const std::string& text, std::string_view unit) {
    constexpr std::string_view kStart = "0000-01-01T00:00:00";
    size_t kept = text.size();
    if (unit == "year") kept = 4;
    if (unit == "month") kept = 7;
    if (unit == "day") kept = 10;
    if (unit == "hour") kept = 13;
    const size_t seconds_end = std::min(text.size(), kStart.size());
    std::string cut = text.substr(0, std::min(kept, text.size()));
    if (cut.size() < seconds_end) cut += kStart.substr(cut.size(), seconds_end - cut.size());
    return cut;
}

Result<Column> truncate_moments(const Column& column, const PolicyConfig& policy) {
    ColumnBuilder builder(column.type);
    for (size_t row = 0; row < column.length; ++row) {
        if (column.is_null(row)) {
            builder.append_null();
            continue;
        }
        const std::string text = truncate_moment(format_value(column, row), policy.unit);
        if (column.type.kind() == TypeKind::date) {
            builder.append_date(parse_date(text).value_or(column.date_at(row)));
        } else {
            const auto moment = parse_timestamp(text);
            builder.append_int64(moment ? moment->microseconds : column.int64_at(row));
        }
    }
    return builder.finish();
}

bool is_moment(const DataType& type) {
    return type.kind() == TypeKind::date || type.kind() == TypeKind::timestamp || type.kind() == TypeKind::timestamp_tz;
}

}  // namespace

struct Policies::Policy {
    PolicyConfig config;
    std::unique_ptr<TokenCipher> cipher;  // tokenize

    Result<std::string> change(std::string_view value) const {
        switch (config.kind) {
            case PolicyKind::hash: return to_hex(hmac_sha256(config.key, value));
            case PolicyKind::mask: return mask(value, config);
            case PolicyKind::truncate: return std::string(value.substr(0, byte_of_character(value, config.length)));
            case PolicyKind::tokenize: return cipher->tokenize(value);
            case PolicyKind::drop: break;
        }
        return std::string();
    }

    Result<Column> change_all(const Column& column) const {
        if (config.kind == PolicyKind::truncate && !config.unit.empty() && is_moment(column.type)) {
            return truncate_moments(column, config);
        }
        ColumnBuilder builder(TypeKind::string);
        for (size_t row = 0; row < column.length; ++row) {
            if (column.is_null(row)) {
                builder.append_null();
            } else {
                builder.append_text(TRY(change(format_value(column, row))));
            }
        }
        return builder.finish();
    }
};

Policies::Policies(std::vector<std::unique_ptr<Policy>> policies) : policies_(std::move(policies)) {}
Policies::~Policies() = default;

Result<std::unique_ptr<Policies>> Policies::create(const std::vector<PolicyConfig>& configs) {
    std::set<std::string> seen;
    std::vector<std::unique_ptr<Policy>> policies;
    for (const auto& config : configs) {
        if (!seen.insert(to_lower(config.column)).second) {
            return Error(ErrorKind::invalid_config, "column has two policies: " + config.column).at(config.place);
        }
        auto policy = std::make_unique<Policy>();
        policy->config = config;
        if (config.kind == PolicyKind::tokenize) policy->cipher = TRY(TokenCipher::create(config.key));
        policies.push_back(std::move(policy));
    }
    return std::unique_ptr<Policies>(new Policies(std::move(policies)));
}

Result<RecordBatch> Policies::apply(const RecordBatch& rows) const {
    if (policies_.empty()) return rows;
    std::vector<Field> fields;
    std::vector<Column> columns;
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        const auto policy = std::find_if(policies_.begin(), policies_.end(), [&](const auto& candidate) {
            return equals_ignoring_case(candidate->config.column, field.name);
        });
        if (policy != policies_.end() && (*policy)->config.kind == PolicyKind::drop) continue;
        columns.push_back(policy == policies_.end() ? rows.column(i) : TRY((*policy)->change_all(rows.column(i))));
        fields.push_back({field.name, columns.back().type, field.nullable});
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

std::set<std::string> Policies::retyped() const {
    std::set<std::string> names;
    for (const auto& policy : policies_) names.insert(policy->config.column);
    return names;
}

}  // namespace shaduf
