#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace shaduf {

// Immutable bytes, shared by the columns that use them. Memory is 64-byte aligned when it came from a BufferBuilder,
// and readable (not meaningful) for kPadding bytes behind its end, so that SIMD code may over-read.
class Buffer {
public:
    static constexpr size_t kPadding = 64;

    // Memory owned by something else (an imported Arrow array, a mapped file), kept alive by `owner`. No padding
    // promised.
    Buffer(const void* data, size_t size, std::shared_ptr<const void> owner)
        : data_(static_cast<const uint8_t*>(data)), size_(size), owner_(std::move(owner)) {}

    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
    template <typename T>
    const T* as() const {
        return reinterpret_cast<const T*>(data_);
    }

private:
    const uint8_t* data_;
    size_t size_;
    std::shared_ptr<const void> owner_;
};
using BufferPtr = std::shared_ptr<const Buffer>;

// Growable memory that ends as a Buffer, without a copy. Not thread-safe.
class BufferBuilder {
public:
    BufferBuilder() = default;
    BufferBuilder(BufferBuilder&& other) noexcept { swap(other); }
    BufferBuilder& operator=(BufferBuilder&& other) noexcept {
        swap(other);
        return *this;
    }
    ~BufferBuilder() { std::free(data_); }

    uint8_t* data() { return data_; }
    const uint8_t* data() const { return data_; }
    size_t size() const { return size_; }
    size_t capacity() const { return capacity_; }
    template <typename T>
    T* as() {
        return reinterpret_cast<T*>(data_);
    }

    void reserve(size_t more) {
        if (size_ + more > capacity_) [[unlikely]]
            grow(more);
    }
    void append(const void* bytes, size_t count) {
        reserve(count);
        if (count > 0) std::memcpy(data_ + size_, bytes, count);
        size_ += count;
    }
    void append(std::string_view bytes) { append(bytes.data(), bytes.size()); }
    // As append, quicker for short pieces. REQUIRES: `bytes` is readable for 15 bytes behind its end.
    void append_padded(std::string_view bytes) {
        reserve(bytes.size() + 1);  // so that there is memory even for nothing; its padding takes what is too much
        uint8_t* to = data_ + size_;
        const char* from = bytes.data();
        size_t done = 0;
        do {
            std::memcpy(to + done, from + done, 16);
            done += 16;
        } while (done < bytes.size());
        size_ += bytes.size();
    }
    template <typename T>
    void append_value(T value) {
        reserve(sizeof value);
        std::memcpy(data_ + size_, &value, sizeof value);
        size_ += sizeof value;
    }
    void append_zeros(size_t count) {
        reserve(count);
        if (count > 0) std::memset(data_ + size_, 0, count);
        size_ += count;
    }
    // New bytes are not initialised.
    void resize(size_t size) {
        if (size > size_) reserve(size - size_);
        size_ = size;
    }
    // Leaves the builder empty.
    BufferPtr finish();

private:
    void grow(size_t more);
    void swap(BufferBuilder& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    uint8_t* data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

inline bool get_bit(const uint8_t* bits, size_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
inline void set_bit(uint8_t* bits, size_t i) { bits[i >> 3] = static_cast<uint8_t>(bits[i >> 3] | (1U << (i & 7))); }
inline void clear_bit(uint8_t* bits, size_t i) { bits[i >> 3] = static_cast<uint8_t>(bits[i >> 3] & ~(1U << (i & 7))); }

}  // namespace shaduf
