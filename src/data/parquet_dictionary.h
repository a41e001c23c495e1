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
        return index_of_text(text, length_prefixed, hash_of(text));
    }
    static uint64_t hash_of(std::string_view text) { return hash_bytes(text.data(), text.size()); }
    uint32_t index_of_text(std::string_view text, bool length_prefixed, uint64_t hash) {
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
    uint32_t index_of_word(uint64_t word, size_t width) { return index_of_word(word, width, hash_of(word)); }
    static uint64_t hash_of(uint64_t word) { return mix_hash(word, 0); }
    uint32_t index_of_word(uint64_t word, size_t width, uint64_t hash) {
        for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot slot = slots_[at];
            if (slot.index == kFree) return add_word(word, width, hash, at);
            if (slot.tag == static_cast<uint32_t>(hash >> 32) && word_at(slot.index, width) == word) {
                return slot.index;
            }
        }
    }

    // A dictionary that is larger than the cache waits for memory three times a text, one after the other. Asked for
    // some texts beforehand, in this order, it waits for all of them at once.
    bool exceeds_cache() const { return count_ > 4096; }
    void prefetch_slot(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
    void prefetch_entry(uint64_t hash) const {
        const uint32_t index = slots_[hash & mask_].index;
        if (index != kFree) __builtin_prefetch(&texts_[index]);
    }
    void prefetch_word(uint64_t hash, size_t width) const {
        const uint32_t index = slots_[hash & mask_].index;
        if (index != kFree) __builtin_prefetch(page_.data() + index * width);
    }
    void prefetch_text(uint64_t hash) const {
        const uint32_t index = slots_[hash & mask_].index;
        if (index != kFree) __builtin_prefetch(page_.data() + texts_[index].offset);
    }

    size_t size() const { return count_; }
    const BufferBuilder& page() const { return page_; }
    size_t memory_bytes() const {
        return page_.capacity() + slots_.capacity() * sizeof(Slot) + texts_.capacity() * sizeof(Span);
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
    uint64_t word_at(size_t index, size_t width) const {
        uint64_t word = 0;
        std::memcpy(&word, page_.data() + index * width, width);
        return word;
    }
    void grow();
    uint64_t hash_at(uint32_t index) const;

    std::vector<Slot> slots_ = std::vector<Slot>(64);
    size_t mask_ = 63;
    uint32_t count_ = 0;
    std::vector<Span> texts_;
    size_t word_width_ = 0;  // 0: texts
    BufferBuilder page_;
};

}  // namespace shaduf
