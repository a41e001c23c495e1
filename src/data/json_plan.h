#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/value_append.h"

namespace shaduf {

struct JsonPlanObject;

// What to do with the value of one key.
struct JsonPlanKey {
    static constexpr size_t kTokenMax = 32;

    std::string key;
    // The key as it mostly stands in the text, with quotes and colon, so that it is known by one comparison.
    alignas(16) std::array<char, kTokenMax> token{};
    uint32_t token_size = 0;  // 0: longer than that, or with characters that are escaped
    uint32_t slot = 0;        // unique among all objects and keys of a plan
    std::vector<TargetColumn> columns;
    std::unique_ptr<JsonPlanObject> object;  // for the keys below, when any column's path goes on
    std::vector<uint32_t> columns_below;     // indices of all columns at and below this key

    // Whether `at` begins with the token. Reads kTokenMax bytes there.
    bool matches(const char* at) const;
};

// What to do with the keys of an object. Keys stand in the order of the shape, which is mostly not that of the text;
// the reader learns the text's order as it goes.
struct JsonPlanObject {
    std::vector<std::string> path;
    std::vector<JsonPlanKey> keys;
    uint32_t slot = 0;

    const JsonPlanKey* find(std::string_view key) const;

private:
    friend class JsonPlan;
    void index_keys();
    std::vector<uint32_t> table_;  // of 1 + index into keys; 0: free
};

// The tree of keys that a shape's paths make. Immutable; thread-safe.
class JsonPlan {
public:
    explicit JsonPlan(const Shape& shape);
    const JsonPlanObject& root() const { return root_; }
    uint32_t slots() const { return slots_; }

private:
    void add(const Shape& shape, size_t index);
    void finish(JsonPlanObject& object);

    JsonPlanObject root_;
    uint32_t slots_ = 0;
};

}  // namespace shaduf
