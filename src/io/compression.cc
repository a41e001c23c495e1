#include "io/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <array>

#include "base/text.h"

namespace shaduf {
namespace {

constexpr size_t kStepBytes = 256 << 10;

struct Ending {
    std::string_view text;
    Compression compression;
};
constexpr std::array<Ending, 4> kEndings{{{".gz", Compression::gzip},
                                          {".gzip", Compression::gzip},
                                          {".zst", Compression::zstd},
                                          {".zstd", Compression::zstd}}};

const Ending* ending_of(std::string_view name) {
    for (const auto& ending : kEndings) {
        if (name.size() <= ending.text.size()) continue;
        if (equals_ignoring_case(name.substr(name.size() - ending.text.size()), ending.text)) return &ending;
    }
    return nullptr;
}

class PassThrough final : public Decompressor {
public:
    Result<void> feed(std::string_view bytes, BufferBuilder& out) override {
        out.append(bytes);
        return {};
    }
    Result<void> finish() override { return {}; }
};

class GzipDecompressor final : public Decompressor {
public:
    GzipDecompressor() { inflateInit2(&stream_, 16 + MAX_WBITS); }
    ~GzipDecompressor() override { inflateEnd(&stream_); }

    Result<void> feed(std::string_view bytes, BufferBuilder& out) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream_.avail_in = static_cast<uInt>(bytes.size());
        while (stream_.avail_in > 0) {
            if (ended_) {
                // Zeros behind the last member are padding, as gzip itself has it.
                if (*stream_.next_in == 0) {
                    ++stream_.next_in;
                    --stream_.avail_in;
                    continue;
                }
                inflateReset(&stream_);
                ended_ = false;
            }
            TRY(step(out));
        }
        return {};
    }

    Result<void> finish() override {
        if (ended_) return {};
        return Error(ErrorKind::bad_data, "gzip data is cut short; write or fetch the file anew");
    }

private:
    Result<void> step(BufferBuilder& out) {
        int code = Z_OK;
        do {
            const size_t before = out.size();
            out.resize(before + kStepBytes);
            stream_.next_out = out.data() + before;
            stream_.avail_out = kStepBytes;
            code = inflate(&stream_, Z_NO_FLUSH);
            out.resize(before + kStepBytes - stream_.avail_out);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
                const char* text = stream_.msg == nullptr ? "unknown format" : stream_.msg;
                return Error(ErrorKind::bad_data, std::string("gzip data is damaged: ") + text);
            }
        } while (code == Z_OK && stream_.avail_out == 0);
        ended_ = code == Z_STREAM_END;
        return {};
    }

    z_stream stream_{};
    bool ended_ = false;
};

class ZstdDecompressor final : public Decompressor {
public:
    ZstdDecompressor() : stream_(ZSTD_createDStream()) {}
    ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

    Result<void> feed(std::string_view bytes, BufferBuilder& out) override {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        bool more = true;
        while (in.pos < in.size || more) {
            const size_t before = out.size();
            out.resize(before + kStepBytes);
            ZSTD_outBuffer to{out.data() + before, kStepBytes, 0};
            const size_t code = ZSTD_decompressStream(stream_, &to, &in);
            out.resize(before + to.pos);
            if (ZSTD_isError(code) != 0) {
                return Error(ErrorKind::bad_data, std::string("zstd data is damaged: ") + ZSTD_getErrorName(code));
            }
            left_ = code;
            // Behind a whole frame, a call without input would ask for the next one.
            more = to.pos == kStepBytes && code != 0;
        }
        return {};
    }

    Result<void> finish() override {
        if (left_ == 0) return {};
        return Error(ErrorKind::bad_data, "zstd data is cut short; write or fetch the file anew");
    }

private:
    ZSTD_DStream* stream_;
    size_t left_ = 1;
};

}  // namespace

Compression compression_of(std::string_view name) {
    const Ending* ending = ending_of(name);
    return ending == nullptr ? Compression::none : ending->compression;
}

std::string_view without_compression(std::string_view name) {
    const Ending* ending = ending_of(name);
    return ending == nullptr ? name : name.substr(0, name.size() - ending->text.size());
}

std::unique_ptr<Decompressor> Decompressor::create(Compression compression) {
    switch (compression) {
        case Compression::gzip: return std::make_unique<GzipDecompressor>();
        case Compression::zstd: return std::make_unique<ZstdDecompressor>();
        case Compression::none: break;
    }
    return std::make_unique<PassThrough>();
}

Result<std::string> compress_gzip(std::string_view bytes) {
    constexpr int kGzipWindowBits = 15 + 16;
    constexpr int kMemoryLevel = 8;
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
        return Error(ErrorKind::exhausted, "gzip could not begin: no memory; free some");
    }
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = bytes.size() > UINT32_MAX ? Z_DATA_ERROR : deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (status == Z_STREAM_END) return out;
    return Error(ErrorKind::internal, "gzip could not compress " + std::to_string(bytes.size()) + " bytes");
}

Result<std::string> compress_zstd(std::string_view bytes, int level) {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level);
    if (ZSTD_isError(size) != 0) {
        return Error(ErrorKind::internal, std::string("zstd could not compress: ") + ZSTD_getErrorName(size));
    }
    out.resize(size);
    return out;
}

}  // namespace shaduf
