#include "connectors/files/open_files.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/thread_name.h"

namespace shaduf::files {
namespace {

// Below this a row group is not worth ending: the file is, when memory is short.
constexpr size_t kSmallestFlush = 1 << 20;

// Of a load into one or two partitions, the parts on their way must not end the file.
constexpr size_t kUploadsAtLeast = 32 << 20;

constexpr size_t kUploadsAtOnce = 8;

}  // namespace

Result<void> OpenFiles::write(RunContext& run, const Slot& slot, const std::function<std::string()>& key,
                              const RecordBatch& batch, std::span<const uint32_t> rows) {
    const auto file = files_.try_emplace(slot).first;
    FileWriter* writer = file->second.writer.get();
    if (writer == nullptr) {
        auto opened = open_writer(run, store_, key(), batch.schema(), settings_, mode_);
        if (!opened.ok()) {
            files_.erase(file);
            return opened.release_error();
        }
        file->second.writer = opened.release_value();
        writer = file->second.writer.get();
    }
    TRY(writer->write(batch, rows));
    measure(file->second);
    if (writer->bytes_written() + writer->buffered_bytes() >= settings_.file_bytes) return finish(file);
    return {};
}

void OpenFiles::measure(OpenFile& file) {
    memory_held_ -= std::exchange(file.memory_bytes, file.writer->memory_bytes());
    uploads_held_ -= std::exchange(file.upload_bytes, file.writer->upload_bytes());
    memory_held_ += file.memory_bytes;
    uploads_held_ += file.upload_bytes;
}

Result<void> OpenFiles::finish(Files::iterator file) {
    memory_held_ -= file->second.memory_bytes;
    uploads_held_ -= file->second.upload_bytes;
    auto node = files_.extract(file);
    finished_.push_back(TRY(node.mapped().writer->finish()));
    return {};
}

Result<void> OpenFiles::finish_all() {
    std::vector<std::unique_ptr<FileWriter>> writers;
    while (!files_.empty()) {
        TRY(files_.begin()->second.writer->end());
        writers.push_back(std::move(files_.extract(files_.begin()).mapped().writer));
    }
    memory_held_ = uploads_held_ = 0;
    std::vector<std::optional<Result<DataFile>>> files(writers.size());
    std::atomic<size_t> next = 0;
    std::atomic<bool> failed = false;
    const auto finish_some = [&] {
        for (size_t i = next++; i < writers.size() && !failed; i = next++) {
            files[i] = writers[i]->finish();
            if (!files[i]->ok()) failed = true;
        }
    };
    std::vector<std::thread> threads;
    for (size_t i = 1; i < std::min(writers.size(), kUploadsAtOnce); ++i) {
        threads.emplace_back([&] {
            name_thread("upload");
            finish_some();
        });
    }
    finish_some();
    for (auto& thread : threads) thread.join();
    std::optional<Error> error;
    for (auto& file : files) {
        if (!file) continue;
        if (file->ok())
            finished_.push_back(file->release_value());
        else if (!error)
            error = file->release_error();
    }
    return error ? Result<void>(std::move(*error)) : Result<void>();
}

OpenFiles::Files::iterator OpenFiles::largest(size_t OpenFile::*bytes) {
    return std::max_element(files_.begin(), files_.end(),
                            [bytes](const auto& a, const auto& b) { return a.second.*bytes < b.second.*bytes; });
}

Result<void> OpenFiles::stay_in_memory() {
    while (memory_held_ > memory_bytes_ && !files_.empty()) {
        const auto file = largest(&OpenFile::memory_bytes);
        const size_t before = file->second.memory_bytes;
        if (before >= kSmallestFlush) {
            TRY(file->second.writer->flush());
            measure(file->second);
        }
        // A writer that keeps its memory has nothing to end but the file: so each round frees some.
        if (file->second.memory_bytes > before / 2) TRY(finish(file));
    }
    // What waits to be sent to the object store has to fit as well: only the end of a file frees it.
    while (uploads_held_ > std::max(memory_bytes_, kUploadsAtLeast)) TRY(finish(largest(&OpenFile::upload_bytes)));
    return {};
}

}  // namespace shaduf::files
