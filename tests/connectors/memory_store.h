#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/object_store.h"

namespace shaduf {

// Objects in memory, as a bucket keeps them. One thread at a time, but for ends of uploads.
class MemoryStore final : public ObjectStore {
public:
    struct Upload {
        std::string key;
        Timestamp begun;
        bool operator==(const Upload&) const = default;
    };

    std::map<std::string, std::string> objects;
    std::vector<Upload> unfinished;                                     // of processes that died
    std::function<void(const std::string& key)> before_put;             // what another writer does just then, once
    std::function<Result<void>(const std::string& key)> before_finish;  // of each upload
    std::optional<Error> remove_unfinished_fails;
    int full_pages = 0;  // that were listed
    Timestamp now{};     // what is put is of this time

    std::vector<std::string> keys() const {
        std::vector<std::string> keys;
        for (const auto& [key, bytes] : objects) keys.push_back(key);
        return keys;
    }

    std::string name_of(std::string_view key) const override { return "memory:" + std::string(key); }
    std::string local_path(std::string_view) const override { return ""; }
    Result<std::optional<ObjectInfo>> head(RunContext&, std::string_view key) override {
        const auto found = objects.find(std::string(key));
        if (found == objects.end()) return std::nullopt;
        return info_of(found->first, found->second);
    }
    Result<BufferPtr> get(RunContext&, std::string_view key) override {
        const auto found = objects.find(std::string(key));
        return found == objects.end() ? BufferPtr() : make_buffer(found->second);
    }
    Result<std::unique_ptr<ObjectReader>> open(RunContext&, std::string_view key) override {
        const auto found = objects.find(std::string(key));
        if (found == objects.end()) return std::unique_ptr<ObjectReader>();
        return std::unique_ptr<ObjectReader>(
            std::make_unique<Reader>(info_of(found->first, found->second), found->second));
    }
    Result<void> list(RunContext&, std::string_view prefix, const ListPage& each) override {
        std::vector<ObjectInfo> page;
        for (const auto& [key, bytes] : objects) {
            if (!key.starts_with(prefix)) continue;
            page.push_back(info_of(key, bytes));
            if (page.size() < 1000) continue;
            ++full_pages;
            TRY(each(page));
            page.clear();
        }
        return page.empty() ? Result<void>() : each(page);
    }
    Result<void> put(RunContext&, std::string_view key, std::string_view bytes) override {
        set(std::string(key), bytes);
        return {};
    }
    Result<bool> put_if_absent(RunContext&, std::string_view key, std::string_view bytes) override {
        if (const auto hook = std::exchange(before_put, nullptr)) hook(std::string(key));
        if (objects.contains(std::string(key))) return false;
        set(std::string(key), bytes);
        return true;
    }
    using ObjectStore::start_upload;
    Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext&, std::string_view key, UploadMode mode) override {
        return std::unique_ptr<ObjectUpload>(std::make_unique<NewObject>(*this, std::string(key), mode));
    }
    Result<void> remove(RunContext&, std::string_view key) override {
        objects.erase(std::string(key));
        return {};
    }
    Result<int64_t> remove_unfinished(RunContext&, std::string_view prefix, Timestamp begun_before) override {
        if (remove_unfinished_fails) return *remove_unfinished_fails;
        return static_cast<int64_t>(std::erase_if(unfinished, [&](const Upload& upload) {
            return upload.key.starts_with(prefix) && upload.begun < begun_before;
        }));
    }

private:
    class Reader final : public ObjectReader {
    public:
        Reader(ObjectInfo info, std::string bytes) : ObjectReader(std::move(info)), bytes_(std::move(bytes)) {}
        Result<BufferPtr> read_at(RunContext&, uint64_t offset, uint64_t length) override {
            return make_buffer(std::string_view(bytes_).substr(std::min<uint64_t>(offset, bytes_.size()), length));
        }

    private:
        const std::string bytes_;
    };

    static BufferPtr make_buffer(std::string_view bytes) {
        BufferBuilder buffer;
        buffer.append(bytes);
        return buffer.finish();
    }
    class NewObject final : public ObjectUpload {
    public:
        NewObject(MemoryStore& store, std::string key, UploadMode mode)
            : store_(store), key_(std::move(key)), mode_(mode) {}
        Result<void> write(RunContext&, std::string_view bytes) override {
            bytes_ += bytes;
            return {};
        }
        Result<void> finish(RunContext&) override {
            if (store_.before_finish) TRY(store_.before_finish(key_));
            const std::lock_guard lock(store_.mutex_);
            if (mode_ == UploadMode::create && store_.objects.contains(key_)) {
                return Error(ErrorKind::conflict, "there is an object of that name already: " + key_);
            }
            store_.set(key_, bytes_);
            return {};
        }

    private:
        MemoryStore& store_;
        const std::string key_;
        const UploadMode mode_;
        std::string bytes_;
    };

    void set(const std::string& key, std::string_view bytes) {
        objects[key] = bytes;
        modified_[key] = now;
    }
    ObjectInfo info_of(const std::string& key, const std::string& bytes) const {
        const auto modified = modified_.find(key);
        return {key, bytes.size(), std::to_string(std::hash<std::string>()(bytes)),
                modified == modified_.end() ? Timestamp{} : modified->second};
    }

    std::mutex mutex_;  // of what ends of uploads touch
    std::map<std::string, Timestamp> modified_;
};

}  // namespace shaduf
