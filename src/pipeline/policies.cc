#include "pipeline/policies.h"

#include <algorithm>
#include <atomic>

#include "base/assert.h"
#include "base/text.h"
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

// A value too short to hide anything before its kept end is hidden whole.
std::string mask(std::string_view text, int64_t keep) {
    const int64_t characters = count_characters(text);
    const int64_t hidden = characters > keep ? characters - keep : characters;
    return std::string(static_cast<size_t>(hidden), '*').append(text.substr(byte_of_character(text, hidden)));
}

}  // namespace

struct Policies::Policy {
    PolicyConfig config;
    std::string key;                      // hash
    std::unique_ptr<TokenCipher> cipher;  // tokenize
    std::atomic<bool> met = false;

    Result<std::string> change(std::string_view value) const {
        switch (config.kind) {
            case PolicyKind::hash: return to_hex(hmac_sha256(key, value));
            case PolicyKind::mask: return mask(value, config.keep);
            case PolicyKind::truncate: return std::string(value.substr(0, byte_of_character(value, config.keep)));
            case PolicyKind::tokenize: return cipher->tokenize(value);
            case PolicyKind::drop: break;
        }
        return std::string();
    }

    Result<Column> change_all(const Column& column) const {
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

Result<std::unique_ptr<Policies>> Policies::create(const std::vector<PolicyConfig>& configs, const std::string& key) {
    std::set<std::string> seen;
    std::vector<std::unique_ptr<Policy>> policies;
    for (const auto& config : configs) {
        if (!seen.insert(to_lower(config.column)).second) {
            return Error(ErrorKind::invalid_config, "column has two policies: " + config.column).at(config.place);
        }
        const bool needs_key = config.kind == PolicyKind::hash || config.kind == PolicyKind::tokenize;
        if (needs_key && key.empty()) {
            return Error(ErrorKind::invalid_config, "policy needs a key: " + config.column +
                                                        "; set policy_key: ${secret:policy_key} in shaduf.yml")
                .at(config.place);
        }
        auto policy = std::make_unique<Policy>();
        policy->config = config;
        policy->key = key;
        if (config.kind == PolicyKind::tokenize) policy->cipher = TRY(TokenCipher::create(key));
        policies.push_back(std::move(policy));
    }
    return std::unique_ptr<Policies>(new Policies(std::move(policies)));
}

Result<RecordBatch> Policies::apply(const RecordBatch& rows, const Treated* treated) const {
    if (policies_.empty()) return rows;
    // What comes from quarantine is without the dropped columns already.
    for (const auto& policy : policies_) policy->met = policy->met || treated != nullptr;
    std::vector<Field> fields;
    std::vector<Column> columns;
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        const auto policy = std::find_if(policies_.begin(), policies_.end(), [&](const auto& candidate) {
            return equals_ignoring_case(candidate->config.column, field.name);
        });
        if (policy != policies_.end()) (*policy)->met = true;
        if (policy != policies_.end() && (*policy)->config.kind == PolicyKind::drop) continue;
        const bool as_it_is = policy == policies_.end() ||
                              (treated != nullptr && treated->columns.contains(to_lower((*policy)->config.column)));
        columns.push_back(as_it_is ? rows.column(i) : TRY((*policy)->change_all(rows.column(i))));
        fields.push_back({field.name, columns.back().type, field.nullable});
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

std::vector<std::string> Policies::unmet() const {
    std::vector<std::string> names;
    for (const auto& policy : policies_) {
        if (!policy->met) names.push_back(policy->config.column);
    }
    return names;
}

std::vector<std::string> Policies::columns() const {
    std::vector<std::string> names;
    for (const auto& policy : policies_) names.push_back(policy->config.column);
    return names;
}

Result<std::optional<std::string>> Policies::change(const std::string& column, std::string_view value) const {
    for (const auto& policy : policies_) {
        if (policy->config.column != column) continue;
        if (policy->config.kind == PolicyKind::drop) return std::optional<std::string>();
        return std::optional<std::string>(TRY(policy->change(value)));
    }
    SHADUF_ASSERT(false);
    return std::optional<std::string>();
}

std::set<std::string> Policies::retyped() const {
    std::set<std::string> names;
    for (const auto& policy : policies_) names.insert(policy->config.column);
    return names;
}

}  // namespace shaduf
