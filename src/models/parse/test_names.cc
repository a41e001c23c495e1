#include "models/parse/test_names.h"

#include <algorithm>
#include <vector>

#include "io/crypto.h"

namespace shaduf::models {
namespace {

using jinja::Dict;
using jinja::Kind;
using jinja::Value;

constexpr size_t kLongName = 64;
constexpr size_t kKeptOfLongName = 30;
constexpr size_t kHashDigits = 10;

std::vector<const Dict::Entry*> sorted_entries(const Dict& dict) {
    std::vector<const Dict::Entry*> entries;
    for (const Dict::Entry& entry : dict.entries()) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(),
              [](const auto* a, const auto* b) { return a->key.text() < b->key.text(); });
    return entries;
}

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Runs of what has no place in a name become one underscore.
void append_clean(const std::string& text, std::string& name) {
    bool in_run = false;
    for (const char c : text) {
        if (is_word(c)) {
            name += c;
        } else if (!in_run) {
            name += '_';
        }
        in_run = !is_word(c);
    }
}

size_t code_points(std::string_view text) {
    return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                             [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string first_code_points(const std::string& text, size_t count) {
    size_t at = 0;
    while (at < text.size()) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
        if (begins && count-- == 0) break;
        ++at;
    }
    return text.substr(0, at);
}

// Python's repr of what dbt hashes: keys in order, all that is no dict or list as text.
void append_hashed(const Value& value, std::string& out) {
    if (value.kind() == Kind::dict) {
        out += '{';
        bool is_first = true;
        for (const Dict::Entry* entry : sorted_entries(value.dict())) {
            if (!std::exchange(is_first, false)) out += ", ";
            entry->key.append_repr(out);
            out += ": ";
            append_hashed(entry->value, out);
        }
        out += '}';
    } else if (value.kind() == Kind::list) {
        out += '[';
        bool is_first = true;
        for (const Value& item : value.items()) {
            if (!std::exchange(is_first, false)) out += ", ";
            append_hashed(item, out);
        }
        out += ']';
    } else {
        Value(value.text()).append_repr(out);
    }
}

}  // namespace

TestName generic_test_name(const std::string& kind, const std::string& target, const Value& arguments) {
    std::string parts;
    bool is_first = true;
    const auto add = [&](const Value& part) {
        if (!std::exchange(is_first, false)) parts += "__";
        append_clean(part.text(), parts);
    };
    if (arguments.kind() == Kind::dict) {
        for (const Dict::Entry* entry : sorted_entries(arguments.dict())) {
            if (entry->key.text() == "model") continue;
            const Value& value = entry->value;
            if (value.kind() == Kind::dict) {
                for (const auto& [key, item] : value.dict().entries()) add(item);
            } else if (value.kind() == Kind::list || value.kind() == Kind::tuple) {
                for (const Value& item : value.items()) add(item);
            } else {
                add(value);
            }
        }
    }
    const std::string identifier = kind + "_" + target;
    TestName name;
    name.full = identifier + "_" + parts;
    name.brief = name.full;
    if (code_points(name.full) >= kLongName) {
        name.brief = first_code_points(identifier, kKeptOfLongName) + "_" + to_hex(md5(name.full));
    }
    return name;
}

std::string generic_test_hash(const std::string& full_name, const std::string& macro,
                              const std::optional<std::string>& macro_namespace, const Value& arguments) {
    std::string hashed = full_name + "{'kwargs': ";
    append_hashed(arguments, hashed);
    hashed += ", 'name': ";
    Value(macro).append_repr(hashed);
    hashed += ", 'namespace': ";
    Value(macro_namespace.value_or("None")).append_repr(hashed);
    hashed += "}";
    const std::string digest = to_hex(md5(hashed));
    return digest.substr(digest.size() - kHashDigits);
}

}  // namespace shaduf::models
