#include "models/adapters/duckdb/credentials.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Value;

// As the engine itself would take, were it asked for nothing.
constexpr double kMemoryShare = 0.8;

Error wrong(std::string_view key, std::string_view wanted, const Value& found) {
    return {ErrorKind::invalid_config, "profiles.yml: " + std::string(key) + " of a duckdb output must be " +
                                           std::string(wanted) + ", found: " + found.repr()};
}

const Value* setting(const Dict& output, std::string_view key) {
    const Value* value = output.find(key);
    return value == nullptr || value->is_none() ? nullptr : value;
}

Result<std::vector<std::pair<std::string, std::string>>> read_pairs(const Dict& output, std::string_view key) {
    std::vector<std::pair<std::string, std::string>> pairs;
    const Value* value = setting(output, key);
    if (value == nullptr) return pairs;
    if (value->kind() != Kind::dict) return wrong(key, "a map", *value);
    for (const auto& [name, entry] : value->dict().entries()) pairs.emplace_back(name.text(), entry.text());
    return pairs;
}

// {path, alias, type, secret, read_only, options} as an ATTACH statement.
Result<std::string> attach_sql(const Value& entry) {
    if (entry.kind() != Kind::dict || entry.dict().find("path") == nullptr)
        return wrong("attach", "a list of maps with a path", entry);
    const Dict& attachment = entry.dict();
    std::string sql = "ATTACH IF NOT EXISTS " + quote_literal(attachment.find("path")->text());
    if (const Value* alias = setting(attachment, "alias")) sql += " AS " + quote_identifier(alias->text());
    std::vector<std::string> options;
    if (const Value* type = setting(attachment, "type")) options.push_back("TYPE " + type->text());
    if (const Value* secret = setting(attachment, "secret")) options.push_back("SECRET " + secret->text());
    if (const Value* read_only = setting(attachment, "read_only"); read_only != nullptr && read_only->truth()) {
        options.emplace_back("READ_ONLY");
    }
    for (const auto& [name, value] : TRY(read_pairs(attachment, "options"))) {
        if (value == "False") continue;
        options.push_back(value == "True" ? name : name + " " + quote_literal(value));
    }
    if (!options.empty()) sql += " (" + join(options, ", ") + ")";
    return sql;
}

// {type, name, provider, scope, ...} as a CREATE SECRET statement; all else are its parameters.
Result<std::string> secret_sql(const Value& entry, size_t number) {
    if (entry.kind() != Kind::dict || entry.dict().find("type") == nullptr)
        return wrong("secrets", "a list of maps with a type", entry);
    const Value* name = setting(entry.dict(), "name");
    std::vector<std::string> parts;
    bool is_persistent = false;
    for (const auto& [key, value] : entry.dict().entries()) {
        const std::string word = key.text();
        if (word == "name" || value.is_none()) continue;
        if (word == "persistent")
            is_persistent = value.truth();
        else if (word == "type" || word == "provider")
            parts.push_back(word + " " + value.text());
        else
            parts.push_back(word + " " + quote_literal(value.text()));
    }
    const std::string known = name != nullptr ? name->text() : "__shaduf_secret_" + std::to_string(number);
    return std::string("CREATE OR REPLACE ") + (is_persistent ? "PERSISTENT " : "") + "SECRET " +
           quote_identifier(known) + " (" + join(parts, ", ") + ")";
}

Result<void> read_lists(const Dict& output, DuckDbCredentials& credentials) {
    const auto items = [&](std::string_view key) -> Result<std::vector<Value>> {
        const Value* value = setting(output, key);
        if (value == nullptr) return std::vector<Value>();
        if (value->kind() != Kind::list) return wrong(key, "a list", *value);
        return value->items();
    };
    for (const Value& item : TRY(items("attach"))) credentials.attachments.push_back(TRY(attach_sql(item)));
    for (const Value& item : TRY(items("secrets"))) {
        credentials.secrets.push_back(TRY(secret_sql(item, credentials.secrets.size())));
    }
    for (const Value& item : TRY(items("extensions"))) {
        if (item.kind() != Kind::dict) {
            credentials.extensions.push_back(item.text());
        } else if (const Value* name = item.dict().find("name")) {
            credentials.extensions.push_back(name->text());
        }
    }
    return {};
}

}  // namespace

Result<DuckDbCredentials> DuckDbCredentials::read(const Dict& output) {
    DuckDbCredentials credentials;
    for (const std::string_view key : {"plugins", "remote", "motherduck_token"}) {
        if (setting(output, key) == nullptr) continue;
        return Error(ErrorKind::invalid_config, "profiles.yml: a duckdb output cannot have " + std::string(key) +
                                                    " here, since it needs Python or another service; take it out");
    }
    if (const Value* path = setting(output, "path")) credentials.path = path->text();
    if (credentials.path.starts_with("md:") || credentials.path.starts_with("motherduck:")) {
        return Error(ErrorKind::invalid_config,
                     "profiles.yml: MotherDuck cannot be reached: " + credentials.path + "; give the path of a file");
    }
    if (const Value* database = setting(output, "database")) credentials.database = database->text();
    if (const Value* root = setting(output, "external_root")) credentials.external_root = root->text();
    if (const Value* disable = setting(output, "disable_transactions")) {
        credentials.disable_transactions = disable->truth();
    }
    credentials.config_options = TRY(read_pairs(output, "config_options"));
    credentials.settings = TRY(read_pairs(output, "settings"));
    TRY(read_lists(output, credentials));
    return credentials;
}

std::string DuckDbCredentials::default_database() const {
    if (!database.empty()) return database;
    return is_in_memory() ? "memory" : std::filesystem::path(path).stem().string();
}

DuckDbOptions DuckDbCredentials::engine_options() const {
    DuckDbOptions options;
    const auto bytes = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
    options.memory_bytes = static_cast<uint64_t>(bytes * kMemoryShare);
    return options;
}

std::vector<std::string> DuckDbCredentials::database_statements() const {
    std::vector<std::string> statements;
    for (const std::string& extension : extensions) statements.push_back("LOAD " + extension);
    for (const auto& [name, value] : config_options)
        statements.push_back("SET GLOBAL " + name + " = " + quote_literal(value));
    statements.insert(statements.end(), secrets.begin(), secrets.end());
    statements.insert(statements.end(), attachments.begin(), attachments.end());
    return statements;
}

std::vector<std::string> DuckDbCredentials::session_statements() const {
    std::vector<std::string> statements;
    for (const auto& [name, value] : settings) statements.push_back("SET " + name + " = " + quote_literal(value));
    return statements;
}

}  // namespace shaduf::models
