#include "flow/shared/log_store.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/thread_name.h"

namespace shaduf::shared {
namespace {

constexpr std::chrono::milliseconds kSendEvery{500};
constexpr int64_t kChunkBytes = 256 << 10;
constexpr int64_t kBatchBytes = 1 << 20;
constexpr int64_t kChunkOverhead = 256;  // of a chunk beside its text

int64_t number_of(const std::optional<std::string>& text) {
    int64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

// As PostgreSQL takes it, byte for byte: offsets count bytes.
std::string as_text(std::string text) {
    std::replace(text.begin(), text.end(), '\0', ' ');
    if (is_valid_utf8(text)) return text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return text;
}

class SharedLogStore final : public LogStore {
public:
    SharedLogStore(std::string folder, const Clock& clock, Sessions& sessions)
        : folder_(std::move(folder)),
          files_(make_file_log_store(folder_, clock)),
          sessions_(sessions),
          sender_([this] { send_now_and_then(); }) {}
    ~SharedLogStore() override {
        stop_.cancel();
        sender_.join();
    }

    Result<std::unique_ptr<Writer>> open(const TryId& id) override {
        auto writer = TRY(files_->open(id));
        const std::lock_guard lock(mutex_);
        own_[id] = {};
        return std::unique_ptr<Writer>(std::make_unique<SharedWriter>(*this, id, std::move(writer)));
    }

    Result<std::optional<LogPage>> read(const TryId& id, const LogRequest& request) override {
        const bool is_complete = TRY(get(id));
        auto page = TRY(files_->read(id, request));
        if (page && !is_own(id)) page->is_complete = is_complete;
        return page;
    }
    Result<std::string> read_text(const TryId& id, int64_t offset, int64_t bytes_max) override {
        TRY(get(id));
        return files_->read_text(id, offset, bytes_max);
    }
    Result<void> forget(const RunId& run) override {
        Sessions::Loan session = TRY(sessions_.lend());
        TRY(session->query("DELETE FROM shaduf.log WHERE run = $1", {run}));
        return files_->forget(run);
    }

private:
    struct Own {
        int64_t sent = 0;  // bytes
        bool is_over = false;
    };
    class SharedWriter final : public Writer {
    public:
        SharedWriter(SharedLogStore& of, TryId id, std::unique_ptr<Writer> file)
            : of_(of), id_(std::move(id)), file_(std::move(file)) {}
        ~SharedWriter() override {
            file_.reset();
            const std::lock_guard lock(of_.mutex_);
            of_.own_[id_].is_over = true;
        }
        SharedWriter(const SharedWriter&) = delete;
        SharedWriter& operator=(const SharedWriter&) = delete;
        void write(Severity severity, std::string_view place, std::string_view text) override {
            file_->write(severity, place, text);
        }
        int64_t lines() const override { return file_->lines(); }

    private:
        SharedLogStore& of_;
        const TryId id_;
        std::unique_ptr<Writer> file_;
    };

    bool is_own(const TryId& id) {
        const std::lock_guard lock(mutex_);
        return own_.contains(id);
    }

    // What of a try is to be sent next.
    struct Chunk {
        TryId id;
        int64_t offset = 0;
        bool is_last = false;
        std::string text;
    };

    void send_now_and_then() {
        name_thread("logs");
        bool goes_on = true;
        while (goes_on) {
            goes_on = stop_.wait_for(kSendEvery);
            for (;;) {
                const std::vector<Chunk> chunks = next_chunks();
                if (chunks.empty() || !send(chunks).ok()) break;  // the rest comes with the next time
            }
        }
    }

    // Of all tries in turn, about as much as one statement should carry.
    std::vector<Chunk> next_chunks() {
        std::vector<std::pair<TryId, Own>> tries;
        {
            const std::lock_guard lock(mutex_);
            tries.assign(own_.begin(), own_.end());
        }
        std::vector<Chunk> chunks;
        int64_t bytes = 0;
        for (const auto& [id, own] : tries) {
            auto text = files_->read_text(id, own.sent, kChunkBytes);
            if (!text.ok()) continue;
            Chunk chunk{id, own.sent, own.is_over && static_cast<int64_t>(text.value().size()) < kChunkBytes,
                        text.release_value()};
            if (!chunk.is_last) chunk.text.resize(chunk.text.rfind('\n') + 1);  // whole lines; npos + 1 is 0
            if (chunk.text.empty() && !chunk.is_last) continue;
            bytes += static_cast<int64_t>(chunk.text.size()) + kChunkOverhead;
            chunks.push_back(std::move(chunk));
            if (bytes >= kBatchBytes) break;
        }
        return chunks;
    }

    Result<void> send(const std::vector<Chunk>& chunks) {
        JsonWriter json;
        json.begin_array();
        for (const Chunk& chunk : chunks) {
            const auto add = [&](int64_t offset, bool is_last, const std::string& text) {
                json.begin_array().text(chunk.id.run).text(chunk.id.task).integer(chunk.id.attempt);
                json.integer(offset).boolean(is_last).text(text).end_array();
            };
            if (!chunk.text.empty()) add(chunk.offset, false, as_text(chunk.text));
            if (chunk.is_last) add(chunk.offset + static_cast<int64_t>(chunk.text.size()), true, "");
        }
        json.end_array();
        Sessions::Loan session = TRY(sessions_.lend());
        TRY(
            session->query("INSERT INTO shaduf.log SELECT e->>0, e->>1, (e->>2)::integer, (e->>3)::bigint, "
                           "(e->>4)::boolean, e->>5 FROM json_array_elements($1::json) AS e ON CONFLICT DO NOTHING",
                           {json.str()}));
        const std::lock_guard lock(mutex_);
        for (const Chunk& chunk : chunks) {
            if (chunk.is_last) {
                own_.erase(chunk.id);
            } else {
                own_[chunk.id].sent = chunk.offset + static_cast<int64_t>(chunk.text.size());
            }
        }
        return {};
    }

    // Brings the file up to what the store has; whether nothing more will come. One at a time, so that two readers do
    // not write the same twice.
    Result<bool> get(const TryId& id) {
        if (is_own(id)) return false;
        const std::lock_guard lock(getting_);
        const std::string path = log_path(folder_, id);
        std::error_code error;
        const auto size = std::filesystem::file_size(path, error);
        int64_t have = error ? 0 : static_cast<int64_t>(size);
        for (;;) {
            Sessions::Loan session = TRY(sessions_.lend());
            const auto found = TRY(session->query(
                "SELECT \"offset\", is_last, text FROM shaduf.log WHERE run = $1 AND task = $2 AND attempt = "
                "$3::integer AND \"offset\" >= $4::bigint ORDER BY \"offset\" LIMIT 16",
                {id.run, id.task, std::to_string(id.attempt), std::to_string(have)}));
            if (found.rows.empty()) return false;
            for (const auto& row : found.rows) {
                if (row[1].value_or("") == "t") return true;
                if (number_of(row[0]) != have) return false;  // its process was killed while it wrote here as well
                const std::string text = row[2].value_or("");
                std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
                std::ofstream file(path, std::ios::app | std::ios::binary);
                if (!file.write(text.data(), static_cast<std::streamsize>(text.size())).flush()) {
                    return Error(ErrorKind::exhausted, "cannot keep a log: " + path + "; check the disk");
                }
                have += static_cast<int64_t>(text.size());
            }
        }
    }

    const std::string folder_;
    const std::unique_ptr<LogStore> files_;
    Sessions& sessions_;
    Cancellation stop_;
    std::mutex getting_;
    std::mutex mutex_;
    std::map<TryId, Own> own_;
    std::thread sender_;
};

}  // namespace

std::unique_ptr<LogStore> make_shared_log_store(std::string folder, const Clock& clock, Sessions& sessions) {
    return std::make_unique<SharedLogStore>(std::move(folder), clock, sessions);
}

}  // namespace shaduf::shared
