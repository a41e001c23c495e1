#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "connectors/files/reader.h"
#include "io/duckdb.h"

namespace shaduf::files {
namespace {

constexpr uint64_t kCopyBytes = 8 << 20;
constexpr size_t kRowsAtOnce = 32 << 10;

// A local copy of an object, unlinked with its owner.
class LocalCopy {
public:
    ~LocalCopy() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    const std::string& path() const { return path_; }

    Result<void> fill(RunContext& run, ObjectReader& object) {
        std::string path = (std::filesystem::temp_directory_path() / "shaduf-parquet-XXXXXX").string();
        const int file = ::mkstemp(path.data());
        if (file < 0) return Error(ErrorKind::exhausted, "cannot create a temporary file: " + path);
        path_ = path;
        auto copied = copy(run, object, file);
        ::close(file);
        return copied;
    }

private:
    static Result<void> copy(RunContext& run, ObjectReader& object, int file) {
        for (uint64_t at = 0; at < object.info().size;) {
            TRY(run.cancellation.check());
            const BufferPtr bytes = TRY(object.read_at(run, at, kCopyBytes));
            const auto size = static_cast<ssize_t>(bytes->size());
            if (size == 0) return Error(ErrorKind::unavailable, "file became shorter while it was read");
            if (::write(file, bytes->data(), bytes->size()) != size) {
                return Error(ErrorKind::exhausted, "no room for a temporary copy of " + object.info().key);
            }
            at += bytes->size();
        }
        return {};
    }

    std::string path_;
};

// The name by which the engine opens a file. It would take some characters for a pattern or a home folder: such a file
// is opened here, and named by its number.
class EnginePath {
public:
    ~EnginePath() {
        if (file_ >= 0) ::close(file_);
    }
    const std::string& text() const { return text_; }

    Result<void> open(const std::string& path) {
        text_ = path;
        if (path.find_first_of("*?[\\") == std::string::npos && !path.starts_with('~')) return {};
        file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file_ < 0) return Error(ErrorKind::unavailable, "file cannot be opened: " + path);
        text_ = "/dev/fd/" + std::to_string(file_);
        return {};
    }

private:
    int file_ = -1;
    std::string text_;
};

// Read by the embedded engine. One that is not a local file is copied first: the footer is at its end, and the engine
// reads files only.
class ParquetReader final : public FileReader {
public:
    ParquetReader(std::string name, std::string local_path, std::unique_ptr<ObjectReader> object, uint64_t first_row)
        : name_(std::move(name)), local_path_(std::move(local_path)), object_(std::move(object)), row_(first_row) {}

    Result<std::optional<ReadBatch>> next(RunContext& run) override {
        if (cursor_ == nullptr) TRY(open(run));
        auto rows = cursor_->next();
        if (!rows.ok()) return named(rows.release_error());
        auto batch = rows.release_value();
        if (!batch) return std::optional<ReadBatch>();
        row_ += batch->rows();
        return std::optional<ReadBatch>(ReadBatch{std::move(*batch), std::nullopt, name_});
    }
    uint64_t offset() const override { return row_; }

private:
    Result<void> open(RunContext& run) {
        if (local_path_.empty()) {
            TRY(copy_.fill(run, *object_));
            local_path_ = copy_.path();
        }
        TRY(path_.open(local_path_));
        database_ = TRY(run.databases.open_in_memory({}));
        connection_ = TRY(database_->connect(run.cancellation));
        // Only what is in the file: folders named name=value would add columns.
        const std::string sql = "SELECT * FROM read_parquet(" + quote_literal(path_.text()) +
                                ", hive_partitioning = false) OFFSET " + std::to_string(row_);
        auto cursor = connection_->open_cursor(sql, {}, kRowsAtOnce);
        if (!cursor.ok()) return named(cursor.release_error());
        cursor_ = cursor.release_value();
        return {};
    }

    Error named(const Error& error) const {
        if (error.kind() == ErrorKind::canceled) return error;
        return Error(ErrorKind::bad_data, "file is no whole Parquet file: " + name_ + "; write or fetch it anew")
            .caused_by(error);
    }

    const std::string name_;
    std::string local_path_;
    std::unique_ptr<ObjectReader> object_;
    uint64_t row_;
    LocalCopy copy_;
    EnginePath path_;
    std::shared_ptr<DuckDbDatabase> database_;
    std::unique_ptr<DuckDbConnection> connection_;
    std::unique_ptr<DuckDbCursor> cursor_;
};

}  // namespace

std::unique_ptr<FileReader> make_parquet_reader(ObjectStore& store, std::unique_ptr<ObjectReader> object,
                                                uint64_t first_row) {
    const std::string key = object->info().key;
    return std::make_unique<ParquetReader>(store.name_of(key), store.local_path(key), std::move(object), first_row);
}

}  // namespace shaduf::files
