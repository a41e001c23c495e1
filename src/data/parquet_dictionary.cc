#include "data/parquet_dictionary.h"

namespace shaduf {

uint32_t ParquetDictionary::add_text(std::string_view text, bool length_prefixed, uint64_t hash, size_t slot) {
    if (length_prefixed) page_.append_value(static_cast<uint32_t>(text.size()));
    texts_.push_back({static_cast<uint32_t>(page_.size()), static_cast<uint32_t>(text.size())});
    page_.append(text);
    page_.reserve(1);  // even an empty entry has an address
    return occupy(hash, slot);
}

uint32_t ParquetDictionary::add_word(uint64_t word, size_t width, uint64_t hash, size_t slot) {
    word_width_ = width;
    page_.append(&word, width);
    return occupy(hash, slot);
}

uint32_t ParquetDictionary::occupy(uint64_t hash, size_t slot) {
    const uint32_t index = count_++;
    slots_[slot] = {static_cast<uint32_t>(hash >> 32), index};
    if (size_t{count_} * 4 > slots_.size() * 3) grow();
    return index;
}

uint64_t ParquetDictionary::hash_at(uint32_t index) const {
    if (word_width_ > 0) return hash_of(word_at(index, word_width_));
    const Span& entry = texts_[index];
    return hash_of(std::string_view(reinterpret_cast<const char*>(page_.data()) + entry.offset, entry.length));
}

void ParquetDictionary::grow() {
    slots_.assign(slots_.size() * 2, Slot{});
    mask_ = slots_.size() - 1;
    for (uint32_t index = 0; index < count_; ++index) {
        const uint64_t hash = hash_at(index);
        size_t at = hash & mask_;
        while (slots_[at].index != kFree) at = (at + 1) & mask_;
        slots_[at] = {static_cast<uint32_t>(hash >> 32), index};
    }
}

void ParquetDictionary::clear() { *this = ParquetDictionary(); }

}  // namespace shaduf
