#include "data/buffer.h"

#include <algorithm>

namespace shaduf {

void BufferBuilder::grow(size_t more) {
    const size_t wanted = std::max<size_t>({size_ + more, capacity_ + capacity_ / 2, 256});
    const size_t rounded = (wanted + Buffer::kPadding + 63) / 64 * 64;
    auto* moved = static_cast<uint8_t*>(std::aligned_alloc(64, rounded));
    if (moved == nullptr) throw std::bad_alloc();
    if (size_ > 0) std::memcpy(moved, data_, size_);
    std::memset(moved + rounded - Buffer::kPadding, 0, Buffer::kPadding);
    std::free(data_);
    data_ = moved;
    capacity_ = rounded - Buffer::kPadding;
}

BufferPtr BufferBuilder::finish() {
    reserve(1);  // even an empty buffer has an address
    const uint8_t* data = data_;
    std::shared_ptr<const void> owner(data_, [](const void* memory) { std::free(const_cast<void*>(memory)); });
    auto buffer = std::make_shared<const Buffer>(data, size_, std::move(owner));
    data_ = nullptr;
    size_ = capacity_ = 0;
    return buffer;
}

}  // namespace shaduf
