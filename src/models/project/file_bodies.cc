#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "base/text.h"
#include "io/crypto.h"
#include "models/project/source_files.h"
#include "models/python_text.h"

namespace shaduf::models {
namespace {

constexpr uint64_t kSeedBytesMax = 1 << 20;
constexpr uint64_t kFileBytesMax = 64ULL << 20;
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kFilesAtOnce = 32;

struct Failure {
    size_t file;
    std::string why;
};

}  // namespace

// One thread's part: takes files by batches, and keeps what it reads in blocks of its own.
class BodyReader {
public:
    BodyReader(const std::string& root, std::span<const SourceFile> files, std::vector<FileBody>& bodies)
        : root_(root), files_(files), bodies_(bodies) {}

    void run(std::atomic<size_t>& next) {
        const int folder = ::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (;;) {
            const size_t first = next.fetch_add(kFilesAtOnce);
            if (first >= files_.size()) break;
            for (size_t i = first; i < std::min(first + kFilesAtOnce, files_.size()); ++i) {
                if (auto failure = read(folder, files_[i], bodies_[i])) failures_.push_back({i, std::move(*failure)});
            }
        }
        if (folder >= 0) ::close(folder);
    }
    std::vector<Failure>& failures() { return failures_; }
    std::vector<std::unique_ptr<char[]>>& blocks() { return blocks_; }

private:
    std::optional<std::string> read(int folder, const SourceFile& file, FileBody& body) {
        if (file.type == FileType::seed && file.bytes > kSeedBytesMax) {
            body.checksum = file.path;
            body.checksum_name = "path";
            return std::nullopt;
        }
        if (file.bytes > kFileBytesMax) return "the file is larger than 64 MB; split it";
        const int descriptor = ::openat(folder, file.path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) return std::string("cannot read the file: ") + std::strerror(errno);
        const auto text = read_all(descriptor, file.bytes);
        const int failure = errno;
        ::close(descriptor);
        if (!text) return std::string("cannot read the file: ") + std::strerror(failure);
        if (!is_valid_utf8(*text)) return "not valid UTF-8; save the file as UTF-8";
        body.contents = python_strip(*text);
        const auto before = text->substr(0, static_cast<size_t>(body.contents.data() - text->data()));
        body.lines_before = static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
        body.checksum = to_hex(sha256(body.contents));
        body.checksum_name = "sha256";
        return std::nullopt;
    }

    // The file as it is now; one that grew since it was found is read whole up to the limit.
    std::optional<std::string_view> read_all(int descriptor, uint64_t expected) {
        size_t room = expected + 1;  // one byte more shows the end
        char* place = reserve(room);
        size_t done = 0;
        for (;;) {
            const ssize_t count = ::read(descriptor, place + done, room - done);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return std::nullopt;
            if (count == 0) break;
            done += static_cast<size_t>(count);
            if (done < room) continue;
            if (done > kFileBytesMax) {
                errno = EFBIG;
                return std::nullopt;
            }
            char* larger = reserve(room * 2);
            std::memmove(larger, place, done);  // it may be the same room, when the block has more
            place = larger;
            room *= 2;
        }
        used_ = static_cast<size_t>(place - block_) + done;
        return std::string_view(place, done);
    }

    // Room at the end of the block, which is taken only when used_ moves on.
    char* reserve(size_t bytes) {
        if (block_ == nullptr || size_ - used_ < bytes) {
            size_ = std::max(bytes, kBlockBytes);
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(size_));
            block_ = blocks_.back().get();
            used_ = 0;
        }
        return block_ + used_;
    }

    const std::string& root_;
    std::span<const SourceFile> files_;
    std::vector<FileBody>& bodies_;
    std::vector<Failure> failures_;
    std::vector<std::unique_ptr<char[]>> blocks_;
    char* block_ = nullptr;
    size_t size_ = 0;
    size_t used_ = 0;
};

FileBodies read_bodies(const std::string& root, std::span<const SourceFile> files, size_t threads, Findings& findings) {
    FileBodies bodies;
    bodies.bodies_.resize(files.size());
    std::atomic<size_t> next = 0;
    const size_t count = std::clamp<size_t>(files.size() / kFilesAtOnce, 1, std::max<size_t>(threads, 1));
    std::vector<BodyReader> readers;
    for (size_t i = 0; i < count; ++i) readers.emplace_back(root, files, bodies.bodies_);
    std::vector<std::thread> others;
    for (size_t i = 1; i < count; ++i) others.emplace_back([&, i] { readers[i].run(next); });
    readers[0].run(next);
    for (std::thread& other : others) other.join();
    std::vector<Failure> failures;
    for (BodyReader& reader : readers) {
        std::move(reader.failures().begin(), reader.failures().end(), std::back_inserter(failures));
        std::move(reader.blocks().begin(), reader.blocks().end(), std::back_inserter(bodies.blocks_));
    }
    std::sort(failures.begin(), failures.end(), [](const Failure& a, const Failure& b) { return a.file < b.file; });
    for (Failure& failure : failures) {
        findings.errors.push_back(Error(ErrorKind::invalid_config, std::move(failure.why))
                                      .at(Place::in_file(root + "/" + files[failure.file].path, 0)));
    }
    return bodies;
}

}  // namespace shaduf::models
