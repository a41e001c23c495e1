#include "pipeline/policies.h"

#include <algorithm>

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

std::string mask(std::string_view text, int64_t keep) {
    const int64_t hidden = std::max<int64_t>(0, count_characters(text) - keep);
    return std::string(static_cast<size_t>(hidden), '*') + std::string(text.substr(byte_of_character(text, hidden)));
}

}  // namespace

struct Policies::Keys {
    std::string secret;
    std::unique_ptr<TokenCipher> cipher;
};

Policies::Policies(std::vector<PolicyConfig> configs, std::unique_ptr<Keys> keys)
    : configs_(std::move(configs)), keys_(std::move(keys)) {}
Policies::~Policies() = default;

Result<std::unique_ptr<Policies>> Policies::create(const std::vector<PolicyConfig>& configs, const std::string& key) {
    auto keys = std::make_unique<Keys>();
    keys->secret = key;
    std::set<std::string> seen;
    for (const auto& policy : configs) {
        if (!seen.insert(to_lower(policy.column)).second) {
            return Error(ErrorKind::invalid_config, "column has two policies: " + policy.column).at(policy.place);
        }
        const bool needs_key = policy.kind == PolicyKind::hash || policy.kind == PolicyKind::tokenize;
        if (needs_key && key.empty()) {
            return Error(ErrorKind::invalid_config, "policy needs a key: " + policy.column +
                                                        "; set policy_key: ${secret:policy_key} in shaduf.yml")
                .at(policy.place);
        }
        if (policy.kind == PolicyKind::tokenize && keys->cipher == nullptr)
            keys->cipher = TRY(TokenCipher::create(key));
    }
    return std::unique_ptr<Policies>(new Policies(configs, std::move(keys)));
}

Result<RecordBatch> Policies::apply(const RecordBatch& rows) const {
    if (configs_.empty()) return rows;
    std::vector<Field> fields;
    std::vector<Column> columns;
    for (size_t i = 0; i < rows.columns().size(); ++i) {
        const Field& field = (*rows.schema())[i];
        const auto policy = std::find_if(configs_.begin(), configs_.end(), [&](const PolicyConfig& config) {
            return equals_ignoring_case(config.column, field.name);
        });
        if (policy == configs_.end()) {
            fields.push_back(field);
            columns.push_back(rows.column(i));
            continue;
        }
        if (policy->kind == PolicyKind::drop) continue;
        const Column& column = rows.column(i);
        ColumnBuilder builder(TypeKind::string);
        for (size_t row = 0; row < column.length; ++row) {
            if (column.is_null(row)) {
                builder.append_null();
            } else {
                builder.append_text(TRY(changed(*policy, format_value(column, row))));
            }
        }
        fields.push_back({field.name, TypeKind::string, field.nullable});
        columns.push_back(builder.finish());
    }
    return RecordBatch(std::make_shared<const Schema>(std::move(fields)), std::move(columns), rows.rows());
}

Result<std::string> Policies::changed(const PolicyConfig& policy, std::string_view value) const {
    switch (policy.kind) {
        case PolicyKind::hash: return to_hex(hmac_sha256(keys_->secret, value));
        case PolicyKind::mask: return mask(value, policy.keep);
        case PolicyKind::truncate: return std::string(value.substr(0, byte_of_character(value, policy.keep)));
        case PolicyKind::tokenize: return keys_->cipher->tokenize(value);
        case PolicyKind::drop: break;
    }
    return std::string();
}

std::set<std::string> Policies::retyped() const {
    std::set<std::string> names;
    for (const auto& policy : configs_) names.insert(policy.column);
    return names;
}

}  // namespace shaduf
