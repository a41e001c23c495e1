#include "flow/redaction.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr std::string_view kShown = "********";

bool is_reference_to_secret(std::string_view reference) {
    if (reference.starts_with("${secret:")) return true;
    if (!reference.starts_with("${env:")) return false;
    constexpr std::array<std::string_view, 7> kWords = {"pass", "pwd", "secret", "token", "key", "dsn", "credential"};
    const std::string name = to_lower(reference);
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return name.find(word) != std::string::npos; });
}

void add_secrets(std::span<const FieldSpec> fields, const Options& options, Redaction& redaction) {
    for (const FieldSpec& field : fields) {
        if (field.type == FieldType::object && options.has(field.name)) {
            add_secrets(field.children, options.object(field.name), redaction);
        } else if (field.secret && field.type == FieldType::text) {
            redaction.add(options.text(field.name));
        } else if (field.secret && field.type == FieldType::text_map) {
            for (const auto& [name, value] : options.text_map(field.name)) redaction.add(value);
        } else if (field.type == FieldType::text_map) {
            for (const std::string& value : options.referenced_texts(field.name)) redaction.add(value);
        }
    }
}

}  // namespace

void Redaction::add(std::string_view secret) {
    if (secret.size() < kBytesMin || std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
    secrets_.emplace_back(secret);
    std::stable_sort(secrets_.begin(), secrets_.end(),
                     [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Redaction::add_connections(const Project& project, const Registry<ConnectorSpec>& connectors) {
    for (const auto& [name, connection] : project.connections) {
        const ConnectorSpec* spec = connectors.find(connection.type);
        if (spec != nullptr) add_secrets(spec->fields, connection.options, *this);
    }
}

ValueResolver Redaction::watch(ValueResolver resolve) {
    if (!resolve) return resolve;
    return [this, resolve = std::move(resolve)](std::string_view text, const Place& place) -> Result<std::string> {
        for (size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
            const size_t end = text.find('}', at);
            if (end == std::string_view::npos) break;
            const std::string_view reference = text.substr(at, end - at + 1);
            if (!is_reference_to_secret(reference)) continue;
            if (const auto value = resolve(reference, place); value.ok()) add(value.value());
        }
        return resolve(text, place);
    };
}

std::string Redaction::apply(std::string_view text) const {
    std::string out(text);
    for (const std::string& secret : secrets_) {
        for (size_t at = out.find(secret); at != std::string::npos; at = out.find(secret, at + kShown.size())) {
            out.replace(at, secret.size(), kShown);
        }
    }
    return out;
}

}  // namespace shaduf
