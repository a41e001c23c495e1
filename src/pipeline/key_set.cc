#include "pipeline/key_set.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace shaduf {
namespace {

constexpr size_t kSlotsFirst = 1024;
constexpr size_t kRunsMax = 8;
constexpr int kFilterProbes = 5;
constexpr uint64_t kFilterBitsPerKey = 8;
constexpr size_t kKeysPerBlock = 4096;  // 64 KiB a read when runs are merged
constexpr size_t kKeysPerProbe = 256;   // 4 KiB a read when a key is looked up

// Finalizer of MurmurHash3 (public domain): each input bit changes each output bit with a chance of one half.
uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

// 64 x 64 -> 128 bits, folded.
uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ using uint128 = unsigned __int128;
    const uint128 product = static_cast<uint128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

constexpr uint64_t kSeedHigh = 0x9e3779b97f4a7c15ULL;
constexpr uint64_t kSeedLow = 0xd6e8feb86659fd93ULL;

void add_word(KeyHash& hash, uint64_t word) {
    hash.high = fold(hash.high ^ word, kSeedLow);
    hash.low = mix(hash.low * 0x2545f4914f6cdd1dULL + word + kSeedHigh);
}

void add_bytes(KeyHash& hash, std::string_view bytes) {
    add_word(hash, bytes.size());
    while (bytes.size() >= 8) {
        uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        add_word(hash, word);
        bytes.remove_prefix(8);
    }
    uint64_t rest = 0;
    if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
    add_word(hash, rest);
}

void add_value(KeyHash& hash, const Column& column, size_t row) {
    if (column.is_null(row)) return add_word(hash, 0x6e756c6cULL);
    switch (column.type.kind()) {
        case TypeKind::boolean: return add_word(hash, column.boolean_at(row) ? 1 : 2);
        case TypeKind::int64:
        case TypeKind::time:
        case TypeKind::timestamp:
        case TypeKind::timestamp_tz: return add_word(hash, static_cast<uint64_t>(column.int64_at(row)));
        case TypeKind::date: return add_word(hash, static_cast<uint64_t>(int64_t{column.date_at(row)}));
        case TypeKind::float64: {
            const double value = column.float64_at(row) == 0 ? 0.0 : column.float64_at(row);  // -0.0 equals 0.0
            uint64_t word;
            std::memcpy(&word, &value, sizeof word);
            return add_word(hash, word);
        }
        case TypeKind::string:
        case TypeKind::bytes:
        case TypeKind::json: return add_bytes(hash, column.text_at(row));
        default: return add_bytes(hash, format_value(column, row));
    }
}

Error disk_error(const char* what, const std::string& folder) {
    const auto kind =
        errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ErrorKind::exhausted : ErrorKind::unavailable;
    return Error(kind, std::string("cannot ") + what + " the spill file of a uniqueness check in " + folder + ": " +
                           std::strerror(errno) + "; free disk space there or set TMPDIR");
}

}  // namespace

std::vector<KeyHash> hash_keys(const RecordBatch& rows, const std::vector<size_t>& columns,
                               std::vector<bool>* has_null) {
    std::vector<KeyHash> hashes(rows.rows(), KeyHash{kSeedHigh, kSeedLow});
    if (has_null != nullptr) has_null->assign(rows.rows(), false);
    for (const size_t index : columns) {
        const Column& column = rows.column(index);
        for (size_t row = 0; row < rows.rows(); ++row) {
            add_value(hashes[row], column, row);
            if (has_null != nullptr && column.is_null(row)) (*has_null)[row] = true;
        }
    }
    for (auto& hash : hashes) hash = {mix(hash.high ^ (hash.low >> 7)), mix(hash.low ^ (hash.high >> 9))};
    return hashes;
}

// Sorted keys in an unlinked file.
class KeySet::Run {
public:
    static Result<std::unique_ptr<Run>> create(const std::string& folder) {
        std::string path = folder + "/shaduf-keys-XXXXXX";
        const int file = ::mkostemp(path.data(), O_CLOEXEC);
        if (file < 0) return disk_error("create", folder);
        ::unlink(path.c_str());
        return std::unique_ptr<Run>(new Run(file, folder));
    }
    ~Run() { ::close(file_); }

    // Keys come in ascending order; `finish` after the last.
    Result<void> append(const KeyHash& key) {
        pending_.push_back(key);
        ++count_;
        if (pending_.size() < kKeysPerBlock) return {};
        return flush();
    }
    Result<void> flush() {
        const auto* bytes = reinterpret_cast<const char*>(pending_.data());
        size_t left = pending_.size() * sizeof(KeyHash);
        while (left > 0) {
            const ssize_t written = ::write(file_, bytes, left);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return disk_error("write", folder_);
            bytes += written;
            left -= static_cast<size_t>(written);
        }
        pending_.clear();
        return {};
    }
    Result<std::vector<KeyHash>> read(uint64_t first, size_t count) const {
        std::vector<KeyHash> keys(std::min<uint64_t>(count, count_ - std::min(first, count_)));
        auto* bytes = reinterpret_cast<char*>(keys.data());
        size_t left = keys.size() * sizeof(KeyHash);
        auto offset = static_cast<off_t>(first * sizeof(KeyHash));
        while (left > 0) {
            const ssize_t got = ::pread(file_, bytes, left, offset);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return disk_error("read", folder_);
            bytes += got;
            offset += got;
            left -= static_cast<size_t>(got);
        }
        return keys;
    }

    void make_filter(uint64_t keys) { filter_.assign((keys * kFilterBitsPerKey + 63) / 64 + 1, 0); }
    void add_to_filter(const KeyHash& key) {
        for (int i = 0; i < kFilterProbes; ++i) filter_[filter_bit(key, i) / 64] |= 1ULL << (filter_bit(key, i) % 64);
    }
    void drop_filter() { filter_ = {}; }
    uint64_t filter_bytes() const { return filter_.size() * 8; }
    uint64_t count() const { return count_; }

    Result<bool> contains(const KeyHash& key) const {
        if (!filter_.empty() && !may_contain(key)) return false;
        uint64_t low = 0;
        uint64_t high = count_;
        bool guess = true;  // by interpolation first, then halving: a skewed run still ends soon
        while (low < high) {
            uint64_t at = (low + high) / 2;
            if (guess)
                at = std::min(high - 1, static_cast<uint64_t>(static_cast<double>(key.high) / 0x1p64 *
                                                              static_cast<double>(count_)));
            guess = false;
            at = std::max(low, at - std::min<uint64_t>(at, kKeysPerProbe / 2));
            const auto keys = TRY(read(at, kKeysPerProbe));
            if (key < keys.front()) {
                high = at;
            } else if (keys.back() < key) {
                low = at + keys.size();
            } else {
                return std::binary_search(keys.begin(), keys.end(), key);
            }
        }
        return false;
    }

private:
    Run(int file, std::string folder) : file_(file), folder_(std::move(folder)) {}
    uint64_t filter_bit(const KeyHash& key, int probe) const {
        return (key.low + static_cast<uint64_t>(probe) * (key.high | 1)) % (filter_.size() * 64);
    }
    bool may_contain(const KeyHash& key) const {
        for (int i = 0; i < kFilterProbes; ++i) {
            const uint64_t bit = filter_bit(key, i);
            if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return false;
        }
        return true;
    }

    const int file_;
    const std::string folder_;
    uint64_t count_ = 0;
    std::vector<KeyHash> pending_;
    std::vector<uint64_t> filter_;
};

KeySet::KeySet(uint64_t memory_bytes, std::string folder)
    : memory_bytes_(std::max<uint64_t>(memory_bytes, 1 << 16)), folder_(std::move(folder)), table_(kSlotsFirst) {
    // Half of the memory is the table's (and, for a moment, its sorted copy is the same memory); the rest the filters'.
    table_slots_max_ = kSlotsFirst;
    while (table_slots_max_ * 2 * sizeof(KeyHash) <= memory_bytes_ / 2) table_slots_max_ *= 2;
}

KeySet::~KeySet() = default;

Result<bool> KeySet::contains(const KeyHash& key) {
    if (table_contains(key)) return true;
    return runs_contain(key);
}

Result<bool> KeySet::insert(const KeyHash& key) {
    if (table_contains(key)) return false;
    if (TRY(runs_contain(key))) return false;
    if (table_used_ * 10 >= table_slots_max_ * 7) TRY(spill());
    table_insert(key);
    ++size_;
    return true;
}

bool KeySet::table_contains(const KeyHash& key) const {
    if (key == KeyHash{}) return has_zero_;
    const size_t mask = table_.size() - 1;
    for (size_t slot = key.low & mask;; slot = (slot + 1) & mask) {
        if (table_[slot] == key) return true;
        if (table_[slot] == KeyHash{}) return false;
    }
}

void KeySet::table_insert(const KeyHash& key) {
    if (key == KeyHash{}) {
        has_zero_ = true;
        return;
    }
    if (table_used_ * 10 >= table_.size() * 7) {
        std::vector<KeyHash> old(table_.size() * 2);
        old.swap(table_);
        table_used_ = 0;
        for (const auto& moved : old) {
            if (moved != KeyHash{}) table_insert(moved);
        }
    }
    const size_t mask = table_.size() - 1;
    size_t slot = key.low & mask;
    while (table_[slot] != KeyHash{}) slot = (slot + 1) & mask;
    table_[slot] = key;
    ++table_used_;
}

Result<bool> KeySet::runs_contain(const KeyHash& key) {
    for (const auto& run : runs_) {
        if (TRY(run->contains(key))) return true;
    }
    return false;
}

Result<void> KeySet::spill() {
    if (runs_.size() >= kRunsMax) TRY(merge_runs());
    auto run = TRY(Run::create(folder_));
    std::sort(table_.begin(), table_.end());
    run->make_filter(table_used_);
    for (const auto& key : table_) {
        if (key == KeyHash{}) continue;
        run->add_to_filter(key);
        TRY(run->append(key));
    }
    TRY(run->flush());
    runs_.push_back(std::move(run));
    drop_large_filters();
    table_.assign(kSlotsFirst, KeyHash{});
    table_used_ = 0;
    return {};
}

Result<void> KeySet::merge_runs() {
    struct Cursor {
        const Run* run;
        uint64_t next = 0;
        std::vector<KeyHash> block{};
        size_t at = 0;
    };
    uint64_t total = 0;
    std::vector<Cursor> cursors;
    for (const auto& run : runs_) {
        total += run->count();
        cursors.push_back({run.get()});
    }
    auto merged = TRY(Run::create(folder_));
    if (total * kFilterBitsPerKey / 8 <= memory_bytes_ / 2) merged->make_filter(total);
    const bool has_filter = merged->filter_bytes() > 0;
    for (;;) {
        Cursor* least = nullptr;
        for (auto& cursor : cursors) {
            if (cursor.at == cursor.block.size()) {
                cursor.block = TRY(cursor.run->read(cursor.next, kKeysPerBlock));
                cursor.next += cursor.block.size();
                cursor.at = 0;
            }
            if (cursor.block.empty()) continue;
            if (least == nullptr || cursor.block[cursor.at] < least->block[least->at]) least = &cursor;
        }
        if (least == nullptr) break;
        const KeyHash key = least->block[least->at++];
        if (has_filter) merged->add_to_filter(key);
        TRY(merged->append(key));
    }
    TRY(merged->flush());
    runs_.clear();
    runs_.push_back(std::move(merged));
    return {};
}

void KeySet::drop_large_filters() {
    const auto total = [&] {
        uint64_t bytes = 0;
        for (const auto& run : runs_) bytes += run->filter_bytes();
        return bytes;
    };
    while (total() > memory_bytes_ / 2) {
        const auto largest = std::max_element(runs_.begin(), runs_.end(), [](const auto& a, const auto& b) {
            return a->filter_bytes() < b->filter_bytes();
        });
        (*largest)->drop_filter();
    }
}

}  // namespace shaduf
