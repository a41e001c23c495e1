#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/buffer.h"
#include "data/hash.h"

namespace shaduf {

// Distinct values of a column chunk in the order they came, laid out as a PLAIN dictionary page; open addressing, 8
// bytes a slot. Holds either words (numbers, by `index_of_word`) or texts, not both. Not thread-safe.
class ParquetDictionary {
public:
    // The index of a value; one that is new is added (then size() has grown). `length_prefixed`: as BYTE_ARRAY.
    uint32_t index_of_text(std::string_view text, bool length_prefixed) {
        const uint64_t hash = hash_bytes(text.data(), text.size());
        for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot slot = slots_[at];
            if (slot.index == kFree) return add_text(text, length_prefixed, hash, at);
            if (slot.tag != static_cast<uint32_t>(hash >> 32)) continue;
            const Span& entry = texts_[slot.index];
            if (entry.length == text.size() &&
                equal_bytes(reinterpret_cast<const char*>(page_.data()) + entry.offset, text.data(), text.size())) {
                return slot.index;
            }
        }
    }
    // `width` bytes of the word stand in the page.
    uint32_t index_of_word(uint64_t word, size_t width) {
        const uint64_t hash = mix_hash(word, 0);
        for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot slot = slots_[at];
            if (slot.index == kFree) return add_word(word, width, hash, at);
            if (slot.tag == static_cast<uint32_t>(hash >> 32) && words_[slot.index] == word) return slot.index;
        }
    }

    size_t size() const { return count_; }
    const BufferBuilder& page() const { return page_; }
    size_t memory_bytes() const {
        return page_.size() + slots_.size() * sizeof(Slot) +
               count_ * (texts_.empty() ? sizeof(uint64_t) : sizeof(Span));
    }
    void clear();

private:
    static constexpr uint32_t kFree = ~uint32_t{0};
    struct Slot {
        uint32_t tag = 0;
        uint32_t index = kFree;
    };
    struct Span {
        uint32_t offset;
        uint32_t length;
    };

    uint32_t add_text(std::string_view text, bool length_prefixed, uint64_t hash, size_t slot);
    uint32_t add_word(uint64_t word, size_t width, uint64_t hash, size_t slot);
    uint32_t occupy(uint64_t hash, size_t slot);
    void grow();

    std::vector<Slot> slots_ = std::vector<Slot>(64);
    size_t mask_ = 63;
    uint32_t count_ = 0;
    std::vector<Span> texts_;
    std::vector<uint64_t> words_;
    std::vector<uint64_t> hashes_;  // by index, to grow without looking at the values
    BufferBuilder page_;
};

}  // namespace shaduf
