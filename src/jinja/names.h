#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace shaduf::jinja {

// Numbers for names, so that they are compared as such.
class Names {
public:
    explicit Names(std::vector<std::string_view>& names) : names_(names), slots_(kSlotsMin, 0) {}

    // `name` lives as long as the vector.
    uint32_t id_of(std::string_view name) {
        size_t slot = find(name);
        if (slots_[slot] != 0) return slots_[slot] - 1;
        names_.push_back(name);
        slots_[slot] = static_cast<uint32_t>(names_.size());
        if (names_.size() * 2 > slots_.size()) grow();
        return static_cast<uint32_t>(names_.size()) - 1;
    }
    std::string_view operator[](uint32_t id) const { return names_[id]; }

private:
    static constexpr size_t kSlotsMin = 64;

    size_t find(std::string_view name) const {
        const size_t mask = slots_.size() - 1;
        size_t slot = std::hash<std::string_view>()(name) & mask;
        while (slots_[slot] != 0 && names_[slots_[slot] - 1] != name) slot = (slot + 1) & mask;
        return slot;
    }
    void grow() {
        slots_.assign(slots_.size() * 4, 0);
        for (size_t i = 0; i < names_.size(); ++i) slots_[find(names_[i])] = static_cast<uint32_t>(i + 1);
    }

    std::vector<std::string_view>& names_;
    std::vector<uint32_t> slots_;  // a hash table: id + 1
};

}  // namespace shaduf::jinja
