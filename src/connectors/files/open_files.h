#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/run_context.h"
#include "connectors/files/file_writer.h"
#include "connectors/files/manifest.h"

namespace shaduf::files {

// The files that a load writes at the same time, within a budget of memory: when it is spent, row groups end, the
// largest first, and where only small ones are left, whole files. What a batch costs goes by the files that it has rows
// for, however many are open. One thread at a time; the store outlives it.
class OpenFiles {
public:
    // A folder, and whose rows of it: of one partition of a topic, or all (0).
    using Slot = std::pair<size_t, size_t>;

    OpenFiles(ObjectStore& store, WriterSettings settings, size_t memory_bytes, UploadMode mode)
        : store_(store), settings_(std::move(settings)), memory_bytes_(memory_bytes), mode_(mode) {}

    // `key` gives the name of the file, when there is none open for `slot`. A file that has grown to its size ends.
    Result<void> write(RunContext& run, const Slot& slot, const std::function<std::string()>& key,
                       const RecordBatch& batch, std::span<const uint32_t> rows);
    // To be called behind the rows of a batch.
    Result<void> stay_in_memory();
    // Several files are handed to the store side by side, in threads of this call.
    Result<void> finish_all();
    // Ended since the last call.
    std::vector<DataFile> take_finished() { return std::exchange(finished_, {}); }
    size_t count() const { return files_.size(); }
    size_t memory_bytes() const { return memory_held_; }

private:
    struct OpenFile {
        std::unique_ptr<FileWriter> writer;
        size_t memory_bytes = 0;  // as they are in the sums
        size_t upload_bytes = 0;
    };
    using Files = std::map<Slot, OpenFile>;

    void measure(OpenFile& file);
    Result<void> finish(Files::iterator file);
    Files::iterator largest(size_t OpenFile::*bytes);

    ObjectStore& store_;
    const WriterSettings settings_;
    const size_t memory_bytes_;
    const UploadMode mode_;
    Files files_;
    std::vector<DataFile> finished_;
    size_t memory_held_ = 0;  // sums over all open files
    size_t uploads_held_ = 0;
};

}  // namespace shaduf::files
