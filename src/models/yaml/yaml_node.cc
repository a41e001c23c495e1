#include "models/yaml/yaml_node.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "models/yaml/yaml_index.h"
#include "models/yaml/yaml_storage.h"

namespace shaduf::models {
namespace {

bool is_number(const YamlNode& node) {
    return node.kind() == YamlKind::boolean || node.kind() == YamlKind::integer || node.kind() == YamlKind::real;
}

bool numbers_equal(const YamlNode& a, const YamlNode& b) {
    const auto whole = [](const YamlNode& node) {
        return node.is_boolean() ? static_cast<int64_t>(node.boolean()) : node.integer();
    };
    if (a.kind() != YamlKind::real && b.kind() != YamlKind::real) return whole(a) == whole(b);
    if (a.kind() == YamlKind::real && b.kind() == YamlKind::real) return a.real() == b.real();
    const double real = a.kind() == YamlKind::real ? a.real() : b.real();
    const int64_t integer = whole(a.kind() == YamlKind::real ? b : a);
    // A double past 2^63 is none of ours; below, the cast is exact for whole values.
    return std::trunc(real) == real && std::abs(real) < 0x1p63 && static_cast<int64_t>(real) == integer;
}

bool maps_equal(const YamlNode& a, const YamlNode& b) {
    if (a.entries().size() != b.entries().size()) return false;
    return std::all_of(a.entries().begin(), a.entries().end(), [&](const YamlEntry& entry) {
        return std::any_of(b.entries().begin(), b.entries().end(), [&](const YamlEntry& other) {
            return entry.key == other.key && entry.value == other.value;
        });
    });
}

}  // namespace

std::string_view to_string(YamlKind kind) {
    switch (kind) {
        case YamlKind::null: return "nothing";
        case YamlKind::boolean: return "a boolean";
        case YamlKind::integer:
        case YamlKind::big_integer: return "a whole number";
        case YamlKind::real: return "a number";
        case YamlKind::text: return "a text";
        case YamlKind::date: return "a date";
        case YamlKind::datetime: return "a time";
        case YamlKind::list: return "a list";
        case YamlKind::map: return "a map";
    }
    return "";
}

std::string_view YamlNode::text() const {
    switch (kind_) {
        case YamlKind::text:
        case YamlKind::date:
        case YamlKind::datetime:
        case YamlKind::big_integer: return {value_.text, size_};
        default: return {};
    }
}

std::span<const YamlNode> YamlNode::items() const {
    return is_list() ? std::span<const YamlNode>(value_.items, size_) : std::span<const YamlNode>();
}

std::span<const YamlEntry> YamlNode::entries() const {
    return is_map() ? std::span<const YamlEntry>(value_.entries, size_) : std::span<const YamlEntry>();
}

const YamlEntry* YamlNode::find_entry(std::string_view key) const {
    if (!is_map()) return nullptr;
    if (size_ >= kIndexedFrom) {
        const auto* index = reinterpret_cast<const uint32_t*>(value_.entries + size_);
        const auto* found = std::lower_bound(index, index + size_, key, [this](uint32_t at, std::string_view wanted) {
            const YamlNode& other = value_.entries[at].key;
            return !other.is_text() || other.text() < wanted;
        });
        if (found == index + size_ || value_.entries[*found].key.text() != key) return nullptr;
        return &value_.entries[*found];
    }
    for (const YamlEntry& entry : entries()) {
        if (entry.key.is_text() && entry.key.text() == key) return &entry;
    }
    return nullptr;
}

const YamlNode* YamlNode::find(std::string_view key) const {
    const YamlEntry* entry = find_entry(key);
    return entry == nullptr ? nullptr : &entry->value;
}

const YamlNode* YamlNode::find_key(std::string_view key) const {
    const YamlEntry* entry = find_entry(key);
    return entry == nullptr ? nullptr : &entry->key;
}

const YamlNode& YamlNode::operator[](std::string_view key) const {
    static const YamlNode kNone{};
    const YamlNode* value = find(key);
    return value == nullptr ? kNone : *value;
}

bool operator==(const YamlNode& a, const YamlNode& b) {
    if (is_number(a) && is_number(b)) return numbers_equal(a, b);
    if (a.kind() != b.kind()) return false;
    switch (a.kind()) {
        case YamlKind::null: return true;
        case YamlKind::list: return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end());
        case YamlKind::map: return maps_equal(a, b);
        default: return a.text() == b.text();
    }
}

const std::vector<YamlDuplicate>& YamlTree::duplicates() const {
    static const std::vector<YamlDuplicate> kNone;
    return storage_ == nullptr ? kNone : storage_->duplicates;
}

size_t YamlTree::bytes() const {
    if (storage_ == nullptr) return 0;
    size_t sum = sizeof(Storage);
    for (const auto& block : storage_->blocks) sum += block.size;
    return sum;
}

}  // namespace shaduf::models
