#include "data/json_plan.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "data/hash.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace shaduf {
namespace {

void make_token(JsonPlanKey& key) {
    const std::string token = '"' + key.key + "\":";
    const bool plain =
        std::all_of(key.key.begin(), key.key.end(), [](char c) { return c >= 0x20 && c != '"' && c != '\\'; });
    if (!plain || token.size() > JsonPlanKey::kTokenMax) return;
    std::copy(token.begin(), token.end(), key.token.begin());
    key.token_size = static_cast<uint32_t>(token.size());
}

JsonPlanKey& ensure_key(JsonPlanObject& object, const std::string& name) {
    for (auto& key : object.keys) {
        if (key.key == name) return key;
    }
    object.keys.emplace_back();
    object.keys.back().key = name;
    return object.keys.back();
}

}  // namespace

bool JsonPlanKey::matches(const char* at) const {
#if defined(__SSE2__)
    const auto equal_at = [&](size_t offset) {
        const __m128i theirs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + offset));
        const __m128i mine = _mm_load_si128(reinterpret_cast<const __m128i*>(token.data() + offset));
        return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(theirs, mine)));
    };
    const uint32_t equal = token_size <= 16 ? equal_at(0) : equal_at(0) | equal_at(16) << 16;
    const uint32_t wanted = token_size == 0 ? 0 : ~uint32_t{0} >> (32 - token_size);
    return token_size > 0 && (equal & wanted) == wanted;
#else
    return token_size > 0 && std::memcmp(at, token.data(), token_size) == 0;
#endif
}

const JsonPlanKey* JsonPlanObject::find(std::string_view key) const {
    if (table_.empty()) return nullptr;
    const size_t mask = table_.size() - 1;
    for (size_t at = hash_bytes(key.data(), key.size()) & mask; table_[at] != 0; at = (at + 1) & mask) {
        const JsonPlanKey& candidate = keys[table_[at] - 1U];
        if (candidate.key == key) return &candidate;
    }
    return nullptr;
}

void JsonPlanObject::index_keys() {
    size_t size = 8;
    while (size < keys.size() * 2) size *= 2;
    table_.assign(size, 0);
    for (size_t i = 0; i < keys.size(); ++i) {
        size_t at = hash_bytes(keys[i].key.data(), keys[i].key.size()) & (size - 1);
        while (table_[at] != 0) at = (at + 1) & (size - 1);
        table_[at] = static_cast<uint32_t>(i + 1);
    }
}

JsonPlan::JsonPlan(const Shape& shape) {
    for (size_t i = 0; i < shape.columns.size(); ++i) add(shape, i);
    finish(root_);
}

void JsonPlan::add(const Shape& shape, size_t index) {
    const auto& path = shape.columns[index].path;
    SHADUF_ASSERT(!path.empty());
    JsonPlanObject* object = &root_;
    for (size_t level = 0;; ++level) {
        JsonPlanKey& key = ensure_key(*object, path[level]);
        key.columns_below.push_back(static_cast<uint32_t>(index));
        if (level + 1 == path.size()) {
            key.columns.push_back(make_target(shape, index));
            return;
        }
        if (key.object == nullptr) {
            key.object = std::make_unique<JsonPlanObject>();
            key.object->path = object->path;
            key.object->path.push_back(path[level]);
        }
        object = key.object.get();
    }
}

void JsonPlan::finish(JsonPlanObject& object) {
    object.slot = slots_++;
    for (auto& key : object.keys) {
        key.slot = slots_++;
        make_token(key);
        if (key.object != nullptr) finish(*key.object);
    }
    object.index_keys();
}

}  // namespace shaduf
