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
    words_.push_back(word);
    page_.append(&word, width);
    return occupy(hash, slot);
}

uint32_t ParquetDictionary::occupy(uint64_t hash, size_t slot) {
    const uint32_t index = count_++;
    slots_[slot] = {static_cast<uint32_t>(hash >> 32), index};
    hashes_.push_back(hash);
    if (size_t{count_} * 2 > slots_.size()) grow();
    return index;
}

void ParquetDictionary::grow() {
    slots_.assign(slots_.size() * 2, Slot{});
    mask_ = slots_.size() - 1;
    for (uint32_t index = 0; index < count_; ++index) {
        size_t at = hashes_[index] & mask_;
        while (slots_[at].index != kFree) at = (at + 1) & mask_;
        slots_[at] = {static_cast<uint32_t>(hashes_[index] >> 32), index};
    }
}

void ParquetDictionary::clear() { *this = ParquetDictionary(); }

}  // namespace shaduf
