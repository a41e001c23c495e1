#include "io/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace shaduf {
namespace {

using testing::HasSubstr;

std::string gzip(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view text) { return compress_zstd(text, 3).release_value(); }

// What comes out, fed in pieces of so many bytes; "error: ..." instead.
std::string undo(Compression compression, std::string_view bytes, size_t piece) {
    const auto decompressor = Decompressor::create(compression);
    BufferBuilder out;
    for (size_t at = 0; at < bytes.size(); at += piece) {
        const auto fed = decompressor->feed(bytes.substr(at, piece), out);
        if (!fed.ok()) return "error: " + fed.error().message();
    }
    const auto finished = decompressor->finish();
    if (!finished.ok()) return "error: " + finished.error().message();
    return std::string(reinterpret_cast<const char*>(out.data()), out.size());
}

TEST(Compression, GoesByTheEnding) {
    struct Case {
        const char* name;
        Compression compression;
        const char* plain;
    };
    const Case cases[] = {{"a.csv", Compression::none, "a.csv"},
                          {"a.csv.gz", Compression::gzip, "a.csv"},
                          {"a.CSV.GZIP", Compression::gzip, "a.CSV"},
                          {"a.ndjson.zst", Compression::zstd, "a.ndjson"},
                          {"b/a.json.zstd", Compression::zstd, "b/a.json"},
                          {".gz", Compression::none, ".gz"},
                          {"gz", Compression::none, "gz"},
                          {"", Compression::none, ""}};
    for (const auto& [name, compression, plain] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(compression_of(name), compression);
        EXPECT_EQ(without_compression(name), plain);
    }
}

TEST(Compression, ComesBackWhole) {
    std::mt19937 random(7);
    std::string noise(300'000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    const std::string texts[] = {"",
                                 "a",
                                 noise,
                                 std::string(5'000'000, 'x'),
                                 std::string(256 << 10, 'y'),         // what one step takes, to the byte
                                 std::string((256 << 10) * 2, 'z')};  // and twice of it
    for (const auto& text : texts) {
        for (const size_t piece : {1UL << 20, 4096UL, 7UL}) {
            SCOPED_TRACE(std::to_string(text.size()) + " bytes in pieces of " + std::to_string(piece));
            EXPECT_TRUE(undo(Compression::gzip, gzip(text), piece) == text);
            EXPECT_TRUE(undo(Compression::zstd, zstd(text), piece) == text);
            EXPECT_TRUE(undo(Compression::none, text, piece) == text);
        }
    }
}

TEST(Compression, TakesSeveralMembersAsOne) {
    for (const size_t piece : {1UL << 20, 3UL, 1UL}) {
        SCOPED_TRACE(piece);
        EXPECT_EQ(undo(Compression::gzip, gzip("one ") + gzip("") + gzip("two"), piece), "one two");
        EXPECT_EQ(undo(Compression::gzip, gzip("padded") + std::string(20, '\0'), piece), "padded");
        EXPECT_EQ(undo(Compression::zstd, zstd("one ") + zstd("") + zstd("two"), piece), "one two");
    }
}

TEST(Compression, SaysWhatIsWrong) {
    const std::string text(1000, 'x');
    std::string bad_sum = gzip(text);
    bad_sum[bad_sum.size() - 8] ^= 1;
    std::string bad_middle = zstd(text);
    bad_middle[6] ^= 0x55;
    struct Case {
        const char* what;
        Compression compression;
        std::string bytes;
        const char* error;
    };
    const Case cases[] = {
        {"nothing", Compression::gzip, "", "gzip data is cut short"},
        {"nothing", Compression::zstd, "", "zstd data is cut short"},
        {"cut", Compression::gzip, gzip(text).substr(0, 15), "gzip data is cut short"},
        {"cut in the sum", Compression::gzip, gzip(text).substr(0, gzip(text).size() - 1), "gzip data is cut short"},
        {"cut", Compression::zstd, zstd(text).substr(0, 10), "zstd data is cut short"},
        {"cut in the second", Compression::zstd, zstd(text) + zstd(text).substr(0, 9), "zstd data is cut short"},
        {"cut in the second", Compression::gzip, gzip(text) + gzip(text).substr(0, 9), "gzip data is cut short"},
        {"wrong sum", Compression::gzip, bad_sum, "gzip data is damaged: incorrect data check"},
        {"other format", Compression::gzip, "{\"id\": 1}", "gzip data is damaged: incorrect header check"},
        {"other format", Compression::zstd, "{\"id\": 1}", "zstd data is damaged"},
        {"more behind it", Compression::gzip, gzip(text) + "junk", "gzip data is damaged"},
        {"more behind it", Compression::zstd, zstd(text) + "junk", "zstd data is damaged"},
    };
    for (const auto& [what, compression, bytes, error] : cases) {
        for (const size_t piece : {1UL << 20, 1UL}) {
            SCOPED_TRACE(std::string(what) + ", pieces of " + std::to_string(piece));
            EXPECT_THAT(undo(compression, bytes, piece), HasSubstr(error));
        }
    }
    EXPECT_NE(undo(Compression::zstd, bad_middle, 1 << 20), text);
}

}  // namespace
}  // namespace shaduf
