#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/buffer.h"

namespace shaduf {

enum class Compression : uint8_t { none, gzip, zstd };

// By the ending of a file's name: .gz, .gzip, .zst, .zstd.
Compression compression_of(std::string_view name);
// The name without that ending.
std::string_view without_compression(std::string_view name);

// Undoes compression piece by piece, with bounded memory; several members or frames in a row are one stream, as gzip
// and zstd have it. Not thread-safe.
class Decompressor {
public:
    virtual ~Decompressor() = default;
    // Takes the next compressed bytes, appends what comes out. bad_data: not of that format, or damaged.
    virtual Result<void> feed(std::string_view bytes, BufferBuilder& out) = 0;
    // bad_data when the stream is cut short. Call behind the last byte.
    virtual Result<void> finish() = 0;

    static std::unique_ptr<Decompressor> create(Compression compression);
};

// One member, as Content-Encoding: gzip and .gz files have it.
Result<std::string> compress_gzip(std::string_view bytes);
Result<std::string> compress_zstd(std::string_view bytes, int level);

}  // namespace shaduf
