#include "connectors/ads/waiting_batch.h"

#include <utility>

#include "io/compression.h"

namespace shaduf::ads {
namespace {

constexpr int kFastest = 1;
constexpr size_t kWorthPacking = 16 << 10;

size_t bytes_of(const ReadBatch& batch) {
    if (const auto* raw = std::get_if<RawRows>(&batch.rows)) return raw->byte_size();
    return std::get<RecordBatch>(batch.rows).byte_size();
}

}  // namespace

WaitingBatch::WaitingBatch(ReadBatch batch) : batch_(std::move(batch)), bytes_(bytes_of(batch_)) {}

Result<void> WaitingBatch::pack() {
    auto* raw = std::get_if<RawRows>(&batch_.rows);
    if (raw == nullptr || raw->text == nullptr || raw->text->size() < kWorthPacking || !packed_.empty()) return {};
    packed_ = TRY(compress_zstd(raw->text->view(), kFastest));
    packed_.shrink_to_fit();
    text_bytes_ = raw->text->size();
    raw->text = nullptr;
    bytes_ = bytes_ - text_bytes_ + packed_.size();
    return {};
}

Result<ReadBatch> WaitingBatch::unpack() && {
    if (packed_.empty()) return std::move(batch_);
    BufferBuilder text;
    text.reserve(text_bytes_);
    const auto decompressor = Decompressor::create(Compression::zstd);
    TRY(decompressor->feed(packed_, text));
    TRY(decompressor->finish());
    std::get<RawRows>(batch_.rows).text = text.finish();
    return std::move(batch_);
}

}  // namespace shaduf::ads
