#pragma once

#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace shaduf::models {

struct TarEntry {
    std::string name;
    std::string content;
    char type = '0';
    std::string link = {};
};

// A .tar.gz in the plain ustar form.
inline std::string make_tarball(const std::vector<TarEntry>& entries) {
    std::string tar;
    for (const TarEntry& entry : entries) {
        std::string block(512, '\0');
        const auto put = [&](size_t at, std::string_view text) { block.replace(at, text.size(), text); };
        std::array<char, 16> size{};
        std::snprintf(size.data(), size.size(), "%011zo", entry.content.size());
        put(0, entry.name);
        put(100, "0000644");
        put(124, size.data());
        put(148, "        ");
        block[156] = entry.type;
        put(157, entry.link);
        put(257, std::string_view("ustar\0"
                                  "00",
                                  8));
        unsigned sum = 0;
        for (const char c : block) sum += static_cast<unsigned char>(c);
        std::snprintf(size.data(), size.size(), "%06o", sum);
        put(148, std::string_view(size.data(), 7));
        tar += block + entry.content + std::string((512 - entry.content.size() % 512) % 512, '\0');
    }
    tar += std::string(1024, '\0');
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, tar.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(tar.data());
    stream.avail_in = static_cast<uInt>(tar.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

}  // namespace shaduf::models
