#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "jinja/value.h"

namespace shaduf::jinja {
namespace {

constexpr size_t kFewEntries = 8;
constexpr size_t kNowhere = SIZE_MAX;

}  // namespace

Dict::Dict() = default;
Dict::~Dict() = default;

template <typename Equal>
size_t Dict::position_by(size_t hash, const Equal& is_equal) const {
    if (slots_.empty()) {
        for (size_t i = 0; i < entries_.size(); ++i) {
            if (is_equal(entries_[i].key)) return i;
        }
        return kNowhere;
    }
    const size_t mask = slots_.size() - 1;
    for (size_t slot = (hash * 0x9E3779B97F4A7C15ULL >> 20U) & mask;; slot = (slot + 1) & mask) {
        if (slots_[slot] == kEmpty) return kNowhere;
        const size_t position = slots_[slot] - 1;
        if (is_equal(entries_[position].key)) return position;
    }
}

size_t Dict::position_of(const Value& key) const {
    if (key.is_string()) return position_of(std::string_view(key.string()));
    const auto hash = key.hash();
    SHADUF_ASSERT(hash.has_value());
    return position_by(*hash, [&](const Value& other) { return other.equals(key); });
}

size_t Dict::position_of(std::string_view key) const {
    const size_t hash = slots_.empty() ? 0 : std::hash<std::string_view>()(key);
    return position_by(hash, [&](const Value& other) { return other.is_string() && other.string() == key; });
}

const Value* Dict::find(const Value& key) const {
    const size_t position = position_of(key);
    return position == kNowhere ? nullptr : &entries_[position].value;
}

const Value* Dict::find(std::string_view key) const {
    const size_t position = position_of(key);
    return position == kNowhere ? nullptr : &entries_[position].value;
}

void Dict::set(Value key, Value value) {
    const size_t position = position_of(key);
    if (position != kNowhere) {
        entries_[position].value = std::move(value);
        return;
    }
    entries_.push_back({std::move(key), std::move(value)});
    if (entries_.size() <= kFewEntries) return;
    if (entries_.size() * 2 > slots_.size()) return rebuild();
    insert_slot(*entries_.back().key.hash(), static_cast<uint32_t>(entries_.size()));
}

void Dict::insert_slot(size_t hash, uint32_t position) {
    const size_t mask = slots_.size() - 1;
    size_t slot = (hash * 0x9E3779B97F4A7C15ULL >> 20U) & mask;
    while (slots_[slot] != kEmpty) slot = (slot + 1) & mask;
    slots_[slot] = position;
}

void Dict::rebuild() {
    slots_.clear();
    if (entries_.size() <= kFewEntries) return;
    size_t size = 32;
    while (size < entries_.size() * 4) size *= 2;
    slots_.assign(size, kEmpty);
    for (size_t i = 0; i < entries_.size(); ++i) insert_slot(*entries_[i].key.hash(), static_cast<uint32_t>(i + 1));
}

bool Dict::erase(const Value& key) {
    const size_t position = position_of(key);
    if (position == kNowhere) return false;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(position));
    rebuild();
    return true;
}

size_t Dict::size() const { return entries_.size(); }
const std::vector<Dict::Entry>& Dict::entries() const { return entries_; }
void Dict::clear() {
    entries_.clear();
    slots_.clear();
}

}  // namespace shaduf::jinja
