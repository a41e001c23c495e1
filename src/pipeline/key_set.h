#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/batch.h"

namespace shaduf {

// 128 bits that stand for a key; two different keys share them with a chance of about n^2 / 2^129.
struct KeyHash {
    uint64_t high;
    uint64_t low;
    auto operator<=>(const KeyHash&) const = default;  // NOLINT(modernize-use-nullptr): of `<=>` itself
};

// One hash a row over the columns `columns` of `rows`; equal values of equal types give equal hashes, in any process.
// `has_null`, when given, gets a flag a row: some column of the key is null.
std::vector<KeyHash> hash_keys(const RecordBatch& rows, const std::vector<size_t>& columns,
                               std::vector<bool>* has_null);

// A set of keys that may outgrow memory: up to `memory_bytes` are held in a hash table; when it is full it is sorted
// and written as a run to an unlinked file under `folder`, with a Bloom filter kept in memory. Look-ups in a run are by
// interpolation, since hashes are spread evenly: about one read each. Runs merge when there are many, so the number of
// reads stays small; filters of the largest runs are dropped when they take more than half of the memory.
// Not thread-safe.
class KeySet {
public:
    KeySet(uint64_t memory_bytes, std::string folder);
    ~KeySet();
    KeySet(const KeySet&) = delete;
    KeySet& operator=(const KeySet&) = delete;

    // True when the key was not there before. Errors: exhausted (disk).
    Result<bool> insert(const KeyHash& key);
    Result<bool> contains(const KeyHash& key);
    uint64_t size() const { return size_; }

private:
    class Run;

    bool table_contains(const KeyHash& key) const;
    void table_insert(const KeyHash& key);
    Result<bool> runs_contain(const KeyHash& key);
    Result<void> spill();
    Result<void> merge_runs();
    void drop_large_filters();

    const uint64_t memory_bytes_;
    const std::string folder_;
    uint64_t size_ = 0;
    size_t table_used_ = 0;
    bool has_zero_ = false;       // the key {0, 0} marks an empty slot, so it is remembered apart
    std::vector<KeyHash> table_;  // open addressing, linear probing; a power of two
    size_t table_slots_max_;
    std::vector<std::unique_ptr<Run>> runs_;
};

}  // namespace shaduf
