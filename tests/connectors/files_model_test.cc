#include <random>

#include "connectors/files/compact.h"
#include "connectors/files/reader.h"
#include "connectors/files/settings.h"
#include "connectors/parts/checkpoint_parts.h"
#include "tests/connectors/files_world.h"
#include "tests/connectors/flaky_store.h"
#include "tests/connectors/memory_store.h"

// Writers that share a table, played from a seed: partitions move between them, also behind their backs; they die
// between any two requests; requests fail, before or after they were done; the clock leaps past what is swept. Whatever
// happened, the table's rows are in the end what was to be read, none missing and none twice.
namespace shaduf {
namespace {

using Fault = FlakyStore::Fault;

constexpr int kParts = 4;
constexpr int kWriters = 3;
constexpr int64_t kMessages = 200;  // a partition
constexpr int kSteps = 250;

struct Variant {
    const char* name;
    const char* options;
    bool compacts;
};

class Model {
public:
    Model(uint64_t seed, const Variant& variant, DuckDbInstances& databases)
        : random_(seed), variant_(variant), world_(databases) {
        for (const Error& error : read_fields(connector_files.table_fields, variant.options, target_.options)) {
            ADD_FAILURE() << error.to_string();
        }
        target_.pipeline = "p";
        target_.stream = "s";
        target_.table = "t";
        target_.shared = true;
        advance(std::chrono::seconds(0));
        for (int part = 0; part < kParts; ++part) owner_[part] = roll(kWriters);
        for (int writer = 0; writer < kWriters; ++writer) restart(writer);
    }

    void play() {
        for (int step = 0; step < kSteps; ++step) {
            const int writer = roll(kWriters);
            const int what = roll(100);
            if (what < 50) {
                read(writer);
            } else if (what < 75) {
                commit(writer);
            } else if (what < 88) {
                move(roll(kParts), writer);
            } else if (what < 93) {
                restart(writer);
            } else if (what < 96) {
                advance(std::chrono::minutes(roll(100)));
            } else if (variant_.compacts) {
                compact();
            }
        }
    }

    // One process reads what is left.
    void finish() {
        faults_ = false;
        for (auto& writer : writers_) writer = {};
        for (auto& owner : owner_) owner = 0;
        restart(0);
        Writer& last = writers_[0];
        for (int tries = 0; tries < 1000 && !is_at_end(last); ++tries) {
            read(0);
            if (tries % 7 == 0) commit(0);
        }
        commit(0);
        ASSERT_TRUE(is_at_end(last));
    }

    std::map<int64_t, int> rows() {
        std::map<int64_t, int> times;
        for (const auto& [key, file] : state().files) {
            int64_t count = 0;
            auto opened = files::open_file(world_.run, store_, key, {}, std::nullopt);
            EXPECT_TRUE(opened.ok()) << opened.error().to_string();
            if (!opened.ok()) continue;
            const auto reader = opened.release_value();
            for (;;) {
                auto batch = reader->next(world_.run);
                EXPECT_TRUE(batch.ok()) << batch.error().to_string();
                if (!batch.ok() || !batch.value()) break;
                for (size_t row = 0; row < batch.value()->row_count(); ++row, ++count)
                    ++times[id_of(*batch.value(), row)];
            }
            EXPECT_EQ(count, file.rows) << key;
        }
        return times;
    }

    // What those see who only list.
    std::vector<std::string> listed() const {
        std::vector<std::string> keys;
        for (const auto& [key, bytes] : store_.objects) {
            if (key.find("/_shaduf/") == key.npos) keys.push_back(key);
        }
        return keys;
    }
    std::vector<std::string> named() {
        std::vector<std::string> keys;
        for (const auto& [key, file] : state().files) keys.push_back(key);
        return keys;
    }
    int conflicts() const { return conflicts_; }

private:
    struct Writer {
        std::unique_ptr<Sink> sink;
        std::map<int, int64_t> next;  // of the partitions that it believes to have
    };

    int roll(int sides) { return static_cast<int>(random_() % static_cast<uint64_t>(sides)); }
    static std::string name_of(int part) { return "topic/" + std::to_string(part); }

    TableState state() {
        ManifestLog log(store_, "t");
        const auto refreshed = log.refresh(world_.run);
        EXPECT_TRUE(refreshed.ok()) << refreshed.error().to_string();
        return log.state();
    }

    static int64_t id_of(const ReadBatch& batch, size_t row) {
        if (const auto* typed = std::get_if<RecordBatch>(&batch.rows)) {
            return typed->column(*typed->schema()->index_of("id")).int64_at(row);
        }
        const std::string text(std::get<RawRows>(batch.rows).row(row));
        return std::stoll(text.substr(text.find("\"id\":") + 5));
    }

    Fault fault() {
        if (!faults_) return Fault::none;
        const int what = roll(100);
        return what < 2 ? Fault::refused : what < 4 ? Fault::answer_lost : Fault::none;
    }

    void restart(int number) {
        Writer& writer = writers_[number];
        writer = {};
        for (int tries = 0; tries < 100; ++tries) {
            auto store = std::make_unique<FlakyStore>(
                store_, [this](const std::string&, const std::string&) { return fault(); });
            auto sink = files::make_sink_in(std::move(store), target_).release_value();
            const auto opened = sink->open(world_.run);
            if (!opened.ok()) continue;
            EXPECT_TRUE(sink->prepare(world_.run, schema()).ok());
            writer.sink = std::move(sink);
            go_on_from(number, opened.value().checkpoint);
            return;
        }
        FAIL() << "cannot be opened";
    }

    void go_on_from(int number, const std::optional<Checkpoint>& stands) {
        const auto parts = parse_parts(stands).release_value();
        writers_[number].next.clear();
        for (int part = 0; part < kParts; ++part) {
            if (owner_[part] != number) continue;
            const auto found = parts.find(name_of(part));
            writers_[number].next[part] = found == parts.end() ? 0 : std::stoll(found->second.at);
        }
    }

    void read(int number) {
        Writer& writer = writers_[number];
        RecordBatchBuilder builder(schema());
        for (auto& [part, next] : writer.next) {
            for (int count = roll(12); count > 0 && next < kMessages; --count, ++next) {
                builder.column(0).append_int64(part * 1000 + next);
                builder.column(1).append_text("d" + std::to_string(next / 40 + next % 2));
                builder.column(2).append_text("topic");
                builder.column(3).append_int64(part);
                builder.column(4).append_int64(next);
                builder.end_row();
            }
        }
        if (builder.rows() == 0) return;
        if (!writer.sink->write(world_.run, builder.finish()).ok()) restart(number);
    }

    bool commit(int number) {
        CheckpointParts read;
        for (const auto& [part, next] : writers_[number].next) read[name_of(part)] = {std::to_string(next)};
        const auto done = writers_[number].sink->commit(world_.run, to_checkpoint(read), CommitKind::interim);
        if (done.ok()) return true;
        conflicts_ += done.error().kind() == ErrorKind::conflict ? 1 : 0;
        restart(number);
        return false;
    }

    // By agreement, or because the one that has it was taken for dead.
    void move(int part, int to) {
        const int from = owner_[part];
        if (from == to) return;
        const bool agreed = roll(2) == 0;
        if (agreed) commit(from);
        owner_[part] = to;
        if (agreed) writers_[from].next.erase(part);
        if (!commit(to)) return;  // has begun again, with the new part
        const auto stands = writers_[to].sink->refresh(world_.run);
        ASSERT_TRUE(stands.ok());
        go_on_from(to, stands.value());
    }

    void advance(std::chrono::nanoseconds time) {
        world_.clock.advance(time);
        store_.now = world_.clock.now();
    }

    void compact() {
        FlakyStore flaky(store_, [this](const std::string&, const std::string&) { return fault(); });
        ManifestLog log(flaky, "t");
        ASSERT_TRUE(log.refresh(world_.run).ok());
        CompactRequest request;
        request.table = "t";
        request.to = 5000;
        request.keep = std::chrono::minutes(roll(60));
        (void)files::compact_table(world_.run, flaky, log, request).ok();
    }

    bool is_at_end(const Writer& writer) const {
        return std::all_of(writer.next.begin(), writer.next.end(),
                           [](const auto& part) { return part.second == kMessages; });
    }

    static const SchemaPtr& schema() {
        static const SchemaPtr schema =
            std::make_shared<const Schema>(std::vector<Field>{{"id", TypeKind::int64},
                                                              {"day", TypeKind::string},
                                                              {"_kafka_topic", TypeKind::string},
                                                              {"_kafka_partition", TypeKind::int64},
                                                              {"_kafka_offset", TypeKind::int64}});
        return schema;
    }

    std::mt19937_64 random_;
    const Variant variant_;
    World world_;
    MemoryStore store_;
    TableTarget target_;
    bool faults_ = true;
    int conflicts_ = 0;
    std::array<int, kParts> owner_{};
    std::array<Writer, kWriters> writers_;
};

class FilesModelTest : public testing::Test {
protected:
    void play(uint64_t first_seed, uint64_t seeds, const Variant& variant) {
        int conflicts = 0;
        for (uint64_t seed = first_seed; seed < first_seed + seeds; ++seed) {
            SCOPED_TRACE(std::string(variant.name) + ", seed " + std::to_string(seed));
            Model model(seed, variant, databases);
            model.play();
            model.finish();
            const auto rows = model.rows();
            EXPECT_EQ(rows.size(), static_cast<size_t>(kParts * kMessages));
            for (const auto& [id, times] : rows) EXPECT_EQ(times, 1) << id;
            if (variant.name == std::string("offsets")) {
                EXPECT_EQ(model.listed(), model.named());
            }
            conflicts += model.conflicts();
            if (testing::Test::HasFailure()) return;
        }
        EXPECT_GT(conflicts, 0);  // else nothing of this was tried
    }

    DuckDbInstances databases;
};

TEST_F(FilesModelTest, EachRowIsThereOnce) {
    play(1, 8, {"load", "{format: ndjson, partition_by: [day], file_size: 300B, sweep_after: 1h}", false});
}

TEST_F(FilesModelTest, EachRowIsListedOnce) {
    play(1001, 8, {"offsets", "{format: ndjson, partition_by: [day], file_size: 300B, naming: offsets}", false});
}

TEST_F(FilesModelTest, EachRowIsThereOnceWhileFilesAreJoined) {
    play(2001, 1, {"joined", "{partition_by: [day]}", true});
}

}  // namespace
}  // namespace shaduf
