#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "io/object_store.h"

namespace shaduf {

// Another store through a line that fails when it is told to. The store outlives it.
class FlakyStore final : public ObjectStore {
public:
    enum class Fault : uint8_t {
        none,
        refused,      // nothing was done
        answer_lost,  // it was done, and an error came back
        told_taken,   // put_if_absent: it was done, and then told as another's, as a library does that sends twice
    };
    using Faults = std::function<Fault(const std::string& operation, const std::string& key)>;

    std::function<void()> after_told_taken;

    FlakyStore(ObjectStore& store, Faults faults) : store_(store), faults_(std::move(faults)) {}

    std::string name_of(std::string_view key) const override { return store_.name_of(key); }
    std::string local_path(std::string_view key) const override { return store_.local_path(key); }
    Result<std::optional<ObjectInfo>> head(RunContext& run, std::string_view key) override {
        return store_.head(run, key);
    }
    Result<BufferPtr> get(RunContext& run, std::string_view key) override { return store_.get(run, key); }
    Result<std::unique_ptr<ObjectReader>> open(RunContext& run, std::string_view key) override {
        return store_.open(run, key);
    }
    Result<void> list(RunContext& run, std::string_view prefix, const ListPage& each) override {
        return store_.list(run, prefix, each);
    }
    Result<void> put(RunContext& run, std::string_view key, std::string_view bytes) override {
        return faulty<void>("put", key, [&] { return store_.put(run, key, bytes); });
    }
    Result<bool> put_if_absent(RunContext& run, std::string_view key, std::string_view bytes) override {
        const Fault fault = faults_("put_if_absent", std::string(key));
        const Error lost(ErrorKind::unavailable, "put_if_absent failed: " + std::string(key));
        if (fault == Fault::refused) return lost;
        auto done = store_.put_if_absent(run, key, bytes);
        if (fault == Fault::answer_lost) return lost;
        if (fault != Fault::told_taken) return done;
        if (after_told_taken) after_told_taken();
        return false;
    }
    using ObjectStore::start_upload;
    Result<std::unique_ptr<ObjectUpload>> start_upload(RunContext& run, std::string_view key,
                                                       UploadMode mode) override {
        return std::unique_ptr<ObjectUpload>(
            std::make_unique<Upload>(*this, std::string(key), TRY(store_.start_upload(run, key, mode))));
    }
    Result<void> remove(RunContext& run, std::string_view key) override {
        return faulty<void>("remove", key, [&] { return store_.remove(run, key); });
    }
    Result<int64_t> remove_unfinished(RunContext& run, std::string_view prefix, Timestamp begun_before) override {
        return store_.remove_unfinished(run, prefix, begun_before);
    }

private:
    class Upload final : public ObjectUpload {
    public:
        Upload(FlakyStore& store, std::string key, std::unique_ptr<ObjectUpload> upload)
            : store_(store), key_(std::move(key)), upload_(std::move(upload)) {}
        Result<void> write(RunContext& run, std::string_view bytes) override { return upload_->write(run, bytes); }
        Result<void> finish(RunContext& run) override {
            return store_.faulty<void>("upload", key_, [&] { return upload_->finish(run); });
        }

    private:
        FlakyStore& store_;
        const std::string key_;
        std::unique_ptr<ObjectUpload> upload_;
    };

    template <typename T, typename F>
    Result<T> faulty(const std::string& operation, std::string_view key, F&& call) {
        const Fault fault = faults_(operation, std::string(key));
        const Error lost(ErrorKind::unavailable, operation + " failed: " + std::string(key));
        if (fault == Fault::refused) return lost;
        Result<T> done = call();
        return fault == Fault::answer_lost ? Result<T>(lost) : std::move(done);
    }

    ObjectStore& store_;
    const Faults faults_;
};

}  // namespace shaduf
