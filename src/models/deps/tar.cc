// pubs.opengroup.org, "pax": the ustar header block and the extended header records; GNU tar's types L and K.
#include "models/deps/tar.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/text.h"
#include "io/compression.h"

namespace shaduf::models {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 512;
constexpr size_t kBytesMax = 1ULL << 30;

struct Entry {
    std::string name;
    std::string link;
    char type = '0';
    uint64_t size = 0;
    bool executable = false;
};

Error damaged(const std::string& what) {
    return Error(ErrorKind::bad_data, "the package's archive is damaged: " + what);
}

std::string_view field(std::string_view block, size_t at, size_t length) {
    const auto text = block.substr(at, length);
    return text.substr(0, text.find('\0'));
}

Result<uint64_t> number(std::string_view block, size_t at, size_t length) {
    const auto raw = block.substr(at, length);
    uint64_t value = 0;
    if ((static_cast<unsigned char>(raw[0]) & 0x80U) != 0) {  // GNU: binary, for sizes past octal
        for (const char c : raw.substr(1)) value = (value << 8U) | static_cast<unsigned char>(c);
        return value;
    }
    const auto digits = trim(field(block, at, length));
    if (digits.empty()) return value;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return damaged("a number is not octal");
    return value;
}

bool checksum_fits(std::string_view block) {
    const auto stored = number(block, 148, 8);
    uint64_t sum = 0;
    for (size_t i = 0; i < kBlock; ++i) {
        sum += i >= 148 && i < 156 ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(block[i]);
    }
    return stored.ok() && stored.value() == sum;
}

// Records "length key=value\n".
std::map<std::string, std::string> pax_records(std::string_view text) {
    std::map<std::string, std::string> records;
    while (!text.empty()) {
        size_t length = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), length);
        if (read.ec != std::errc{} || length == 0 || length > text.size()) break;
        const auto record = text.substr(0, length);
        const auto space = record.find(' ');
        const auto equals = record.find('=');
        if (space != std::string_view::npos && equals != std::string_view::npos && equals > space) {
            records[std::string(record.substr(space + 1, equals - space - 1))] =
                record.substr(equals + 1, length - equals - 2);
        }
        text.remove_prefix(length);
    }
    return records;
}

bool leads_out(const fs::path& path) {
    if (path.is_absolute()) return true;
    int depth = 0;
    for (const auto& part : path) {
        if (part == "..") --depth;
        if (part != ".." && part != "." && !part.empty()) ++depth;
        if (depth < 0) return true;
    }
    return false;
}

class Unpacker {
public:
    explicit Unpacker(const std::string& folder) : folder_(folder) {}

    Result<void> run(std::string_view archive) {
        while (archive.size() >= kBlock) {
            const auto block = archive.substr(0, kBlock);
            archive.remove_prefix(kBlock);
            if (block.find_first_not_of('\0') == std::string_view::npos) return {};  // the end
            if (!checksum_fits(block)) return damaged("a header's sum is wrong");
            Entry entry = TRY(read_header(block));
            const uint64_t padded = (entry.size + kBlock - 1) / kBlock * kBlock;
            if (entry.size > archive.size()) return damaged("it is cut short");
            TRY(take(entry, archive.substr(0, entry.size)));
            archive.remove_prefix(std::min<uint64_t>(padded, archive.size()));
        }
        return {};
    }

private:
    Result<Entry> read_header(std::string_view block) {
        Entry entry;
        entry.type = block[156];
        entry.size = TRY(number(block, 124, 12));
        entry.executable = (TRY(number(block, 100, 8)) & 0111U) != 0;
        entry.name = field(block, 0, 100);
        entry.link = field(block, 157, 100);
        const auto prefix = field(block, 345, 155);
        if (block.substr(257, 6) == std::string_view("ustar\0", 6) && !prefix.empty()) {
            entry.name = std::string(prefix) + "/" + entry.name;
        }
        const bool is_note = entry.type == 'x' || entry.type == 'g' || entry.type == 'L' || entry.type == 'K';
        if (is_note) return entry;
        if (const auto path = next_.find("path"); path != next_.end()) entry.name = path->second;
        if (const auto link = next_.find("linkpath"); link != next_.end()) entry.link = link->second;
        if (const auto size = next_.find("size"); size != next_.end()) {
            std::from_chars(size->second.data(), size->second.data() + size->second.size(), entry.size);
        }
        next_.clear();
        return entry;
    }

    Result<void> take(const Entry& entry, std::string_view content) {
        switch (entry.type) {
            case 'x': next_ = pax_records(content); return {};
            case 'L': next_["path"] = content.substr(0, content.find('\0')); return {};
            case 'K': next_["linkpath"] = content.substr(0, content.find('\0')); return {};
            case '0':
            case '\0':
            case '5':
            case '1':
            case '2': return unpack(entry, content);
            default: return {};
        }
    }

    Result<void> unpack(const Entry& entry, std::string_view content) {
        const fs::path name = fs::path(entry.name);
        if (leads_out(name)) return damaged("a name leads out of it: " + entry.name);
        const fs::path path = (folder_ / name).lexically_normal();
        std::error_code failure;
        // Nothing is written through a link that came before: it might lead out by now.
        fs::path walked = folder_;
        for (const auto& part : path.lexically_relative(folder_).parent_path()) {
            walked /= part;
            if (fs::is_symlink(walked, failure)) return damaged("a name goes through a link: " + entry.name);
        }
        fs::create_directories(entry.type == '5' ? path : path.parent_path(), failure);
        if (failure) return write_error(path, failure.message());
        if (entry.type == '5') return {};
        if (entry.type == '2' || entry.type == '1') return link(entry, name, path);
        if (fs::is_symlink(path, failure)) fs::remove(path, failure);
        std::ofstream out(path, std::ios::binary);
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        out.close();
        if (!out) return write_error(path, "the disk may be full");
        if (entry.executable) fs::permissions(path, fs::perms::owner_exec, fs::perm_options::add, failure);
        return {};
    }

    Result<void> link(const Entry& entry, const fs::path& name, const fs::path& path) {
        const bool symbolic = entry.type == '2';
        const fs::path target = symbolic ? name.parent_path() / entry.link : fs::path(entry.link);
        if (fs::path(entry.link).is_absolute() || leads_out(target))
            return damaged("a link leads out of it: " + entry.name);
        std::error_code failure;
        fs::remove(path, failure);
        if (symbolic) {
            fs::create_symlink(entry.link, path, failure);
        } else {
            fs::copy_file(folder_ / target, path, failure);
        }
        return failure ? write_error(path, failure.message()) : Result<void>();
    }

    static Result<void> write_error(const fs::path& path, const std::string& why) {
        return Error(ErrorKind::exhausted, "cannot write " + path.string() + ": " + why);
    }

    const fs::path folder_;
    std::map<std::string, std::string> next_;  // what is said of the entry that comes
};

}  // namespace

Result<void> unpack_tarball(std::string_view bytes, const std::string& folder) {
    BufferBuilder archive;
    const auto gzip = Decompressor::create(Compression::gzip);
    constexpr size_t kPiece = 1 << 20;
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
        TRY(gzip->feed(bytes.substr(at, kPiece), archive));
        if (archive.size() > kBytesMax)
            return Error(ErrorKind::bad_data, "the package's archive is larger than 1 GB unpacked");
    }
    TRY(gzip->finish());
    const auto whole = archive.finish();
    return Unpacker(fs::path(folder).lexically_normal().string()).run(whole->view());
}

}  // namespace shaduf::models
