#include "models/yaml/yaml_builder.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "base/assert.h"
#include "models/yaml/yaml_index.h"
#include "models/yaml/yaml_storage.h"

namespace shaduf::models {
namespace {

constexpr size_t kFirstBlock = 1024;
constexpr size_t kLargestBlock = 256 * 1024;

struct KeyHash {
    size_t operator()(const YamlNode* key) const {
        switch (key->kind()) {
            case YamlKind::null: return 1;
            case YamlKind::boolean: return std::hash<double>()(key->boolean() ? 1.0 : 0.0);
            case YamlKind::integer: return std::hash<double>()(static_cast<double>(key->integer()));
            case YamlKind::real: return std::hash<double>()(key->real());
            default: return std::hash<std::string_view>()(key->text());
        }
    }
};
struct KeyEqual {
    bool operator()(const YamlNode* a, const YamlNode* b) const { return *a == *b; }
};

bool key_before(const YamlNode& a, const YamlNode& b) {
    if (a.is_text() != b.is_text()) return !a.is_text();
    return a.is_text() && a.text() < b.text();
}

std::string shown(const YamlNode& key) { return key.is_text() ? std::string(key.text()) : to_python_json(key); }

}  // namespace

YamlBuilder::YamlBuilder() : storage_(std::make_shared<YamlTree::Storage>()) {}
YamlBuilder::~YamlBuilder() = default;

void* YamlBuilder::allocate(size_t bytes) {
    bytes = (bytes + 7) & ~static_cast<size_t>(7);
    auto& blocks = storage_->blocks;
    if (blocks.empty() || blocks.back().size - blocks.back().used < bytes) {
        const size_t doubled = blocks.empty() ? kFirstBlock : std::min(blocks.back().size * 2, kLargestBlock);
        const size_t size = std::max(doubled, bytes);
        blocks.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size, 0});
    }
    auto& block = blocks.back();
    void* place = block.bytes.get() + block.used;
    block.used += bytes;
    return place;
}

std::string_view YamlBuilder::hold(std::string_view text) {
    if (text.empty()) return {};
    char* place = static_cast<char*>(allocate(text.size()));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
}

void YamlBuilder::push(YamlKind kind, YamlNode::Value value, uint32_t size, bool quoted) {
    YamlNode& node = stack_.emplace_back();
    node.kind_ = kind;
    node.value_ = value;
    node.size_ = size;
    node.line_ = place_.line;
    node.column_ = place_.column;
    node.quoted_ = quoted;
}

void YamlBuilder::add_null() { push(YamlKind::null, {}, 0, false); }

void YamlBuilder::add_boolean(bool value) {
    YamlNode::Value held;
    held.boolean = value;
    push(YamlKind::boolean, held, 0, false);
}

void YamlBuilder::add_integer(int64_t value) { push(YamlKind::integer, {.integer = value}, 0, false); }

void YamlBuilder::add_real(double value) {
    YamlNode::Value held;
    held.real = value;
    push(YamlKind::real, held, 0, false);
}

void YamlBuilder::add_text(std::string_view text, bool quoted) {
    YamlNode::Value held;
    held.text = hold(text).data();
    push(YamlKind::text, held, static_cast<uint32_t>(text.size()), quoted);
}

void YamlBuilder::add_text(YamlKind kind, std::string_view text) {
    SHADUF_ASSERT(kind == YamlKind::date || kind == YamlKind::datetime || kind == YamlKind::big_integer);
    YamlNode::Value held;
    held.text = hold(text).data();
    push(kind, held, static_cast<uint32_t>(text.size()), false);
}

void YamlBuilder::keep(const YamlTree& tree) {
    if (tree.storage_ != nullptr) storage_->kept.push_back(tree);
}

void YamlBuilder::begin_list() { open_.push_back({stack_.size(), place_}); }
void YamlBuilder::begin_map() { begin_list(); }

void YamlBuilder::end_list() {
    SHADUF_ASSERT(!open_.empty());
    const Open open = open_.back();
    open_.pop_back();
    const size_t count = stack_.size() - open.first;
    YamlNode::Value held;
    auto* items = static_cast<YamlNode*>(allocate(count * sizeof(YamlNode)));
    std::uninitialized_copy(stack_.begin() + static_cast<ptrdiff_t>(open.first), stack_.end(), items);
    held.items = items;
    stack_.resize(open.first);
    place_ = open.place;
    push(YamlKind::list, held, static_cast<uint32_t>(count), false);
}

size_t YamlBuilder::drop_duplicates(YamlEntry* entries, size_t count, Duplicates duplicates) {
    const auto take = [&](YamlEntry& first, const YamlEntry& again) {
        if (duplicates == Duplicates::noted) {
            storage_->duplicates.push_back({shown(again.key), again.key.line(), first.key.line()});
        }
        first.value = again.value;
    };
    size_t left = 0;
    if (count < kIndexedFrom) {
        for (size_t i = 0; i < count; ++i) {
            size_t same = 0;
            while (same < left && entries[same].key != entries[i].key) ++same;
            if (same < left) {
                take(entries[same], entries[i]);
            } else {
                entries[left++] = entries[i];
            }
        }
        return left;
    }
    std::unordered_map<const YamlNode*, size_t, KeyHash, KeyEqual> seen;
    seen.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        const auto same = seen.find(&entries[i].key);
        if (same != seen.end()) {
            take(entries[same->second], entries[i]);
            continue;
        }
        entries[left] = entries[i];
        seen.emplace(&entries[left].key, left);
        ++left;
    }
    return left;
}

void YamlBuilder::end_map(Duplicates duplicates) {
    SHADUF_ASSERT(!open_.empty());
    const Open open = open_.back();
    open_.pop_back();
    const size_t children = stack_.size() - open.first;
    SHADUF_ASSERT(children % 2 == 0);
    const size_t index_bytes = children / 2 >= kIndexedFrom ? children / 2 * sizeof(uint32_t) : 0;
    auto* entries = static_cast<YamlEntry*>(allocate(children / 2 * sizeof(YamlEntry) + index_bytes));
    for (size_t i = 0; i < children / 2; ++i) {
        std::construct_at(entries + i, YamlEntry{stack_[open.first + 2 * i], stack_[open.first + 2 * i + 1]});
    }
    const size_t count = drop_duplicates(entries, children / 2, duplicates);
    if (count >= kIndexedFrom) {
        auto* index = reinterpret_cast<uint32_t*>(entries + count);
        for (uint32_t i = 0; i < count; ++i) index[i] = i;
        std::sort(index, index + count,
                  [&](uint32_t a, uint32_t b) { return key_before(entries[a].key, entries[b].key); });
    }
    YamlNode::Value held;
    held.entries = entries;
    stack_.resize(open.first);
    place_ = open.place;
    push(YamlKind::map, held, static_cast<uint32_t>(count), false);
}

YamlNode YamlBuilder::pop() {
    SHADUF_ASSERT(!stack_.empty());
    const YamlNode node = stack_.back();
    stack_.pop_back();
    return node;
}

YamlTree YamlBuilder::finish() {
    SHADUF_ASSERT(open_.empty() && stack_.size() == 1);
    YamlTree tree;
    tree.root_ = stack_.back();
    tree.storage_ = std::move(storage_);
    return tree;
}

}  // namespace shaduf::models
