#include "connectors/ads/slice_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "base/text.h"
#include "connectors/ads/window.h"
#include "tests/world.h"

// What SliceSource promises of every advertising source: order, checkpoints, failures, the archive.
namespace shaduf::ads {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr const char* kToday = "2026-01-02";  // of the world's clock

// Gives a row {"account","day"} for every day, and for each extra page one more; misbehaves as a test tells it to.
class FakeFetcher final : public SliceFetcher {
public:
    struct World {
        SliceKind kind = SliceKind::by_day;
        StreamPlan plan;
        std::map<std::string, std::vector<Error>> errors;  // by the slice's text: thrown one a fetch, at its end
        std::map<std::string, int> extra_pages;
        std::set<std::string> skipped;
        std::mutex mutex;
        std::vector<std::string> fetched;
    };
    explicit FakeFetcher(std::shared_ptr<World> world) : world_(std::move(world)) {}

    SliceKind kind() const override { return world_->kind; }
    SliceColumns columns() const override { return {"account", "day", ""}; }
    std::vector<ShapeColumn> known_columns() const override {
        return {{"account", TypeKind::string, {"account"}, true}, {"day", TypeKind::date, {"day"}, true}};
    }
    Result<StreamPlan> plan(RunContext&, Memory&) override { return world_->plan; }
    Result<void> fetch(RunContext& run, const Slice& slice, Memory& memory, SliceOutput& out) override {
        const std::string name = slice.to_string();
        std::optional<Error> error;
        int extra = 0;
        {
            const std::lock_guard lock(world_->mutex);
            world_->fetched.push_back(name);
            extra = world_->extra_pages[name];
            auto& errors = world_->errors[name];
            if (!errors.empty()) {
                error = errors.front();
                errors.erase(errors.begin());
            }
        }
        if (world_->skipped.contains(name)) {
            out.skip("closed");
            return {};
        }
        std::string body;
        if (slice.days) {
            for (Day day = slice.days->first; day <= slice.days->last; day += std::chrono::days(1))
                body += "{\"account\":\"" + slice.account.id + "\",\"day\":\"" + format_day(day) + "\"}\n";
        } else {
            body = "{\"account\":\"" + slice.account.id + "\",\"cursor\":\"" + slice.cursor + "\"}\n";
        }
        for (int page = 0; page <= extra; ++page) {
            BufferBuilder text;
            text.append(body);
            TRY(out.give(run, {text.finish(), "note"}));
        }
        if (error) return *error;
        memory.set("last", name);
        out.set_cursor("after " + slice.cursor);
        return {};
    }
    Result<ReadBatch> parse(const Slice&, const Page& page) const override {
        EXPECT_EQ(page.note, "note");
        RawRows rows;
        rows.text = page.body;
        uint32_t offset = 0;
        for (const auto line : split(page.body->view(), '\n')) {
            if (!line.empty()) rows.rows.push_back({offset, static_cast<uint32_t>(line.size())});
            offset += static_cast<uint32_t>(line.size()) + 1;
        }
        ReadBatch batch;
        batch.rows = std::move(rows);
        return batch;
    }

private:
    const std::shared_ptr<World> world_;
};

class AdsSliceSource : public testing::Test {
protected:
    AdsSliceSource() {
        scripted->plan.accounts = {{"1", "", "", "EUR", ""}, {"2", "", "", "USD", ""}};
        scripted->plan.slice_days = 2;
        settings.connection = "ads";
        settings.stream = "report";
        settings.since = "2025-12-30";
        settings.lookback = std::chrono::days(28);
    }
    struct Slices {
        std::vector<std::string> rows;  // the rows of each slice joined by " ", in the order they came
        std::vector<std::string> checkpoints;
        std::vector<TableSlice> tables;
        std::vector<Error> errors;
    };
    std::unique_ptr<Source> make() {
        return make_slice_source(std::make_unique<FakeFetcher>(scripted), settings).release_value();
    }
    // Reads to the end, or to the first error that may not be retried, or `most` slices.
    Slices read(Source& source, size_t most = 1000) {
        Slices out;
        std::vector<std::string> rows;
        while (out.rows.size() < most) {
            auto batch = source.read(world.run);
            if (!batch.ok()) {
                out.errors.push_back(batch.error());
                if (batch.error().may_retry()) continue;
                break;
            }
            if (!batch.value()) break;
            if (const auto* raw = std::get_if<RawRows>(&batch.value()->rows)) {
                for (size_t i = 0; i < raw->rows.size(); ++i) rows.emplace_back(short_row(raw->row(i)));
            }
            if (!batch.value()->next) continue;
            out.rows.push_back(join(rows, " "));
            out.checkpoints.push_back(batch.value()->next->value());
            if (batch.value()->slice != nullptr) out.tables.push_back(*batch.value()->slice);
            rows.clear();
        }
        return out;
    }
    Slices load(const std::optional<std::string>& checkpoint = {}, size_t most = 1000) {
        auto source = make();
        auto opened = source->open(world.run, checkpoint ? std::optional(Checkpoint(*checkpoint)) : std::nullopt);
        EXPECT_TRUE(opened.ok()) << opened.error().to_string();
        return read(*source, most);
    }
    // {"account":"1","day":"2026-01-02"} is 1:02
    static std::string short_row(std::string_view row) {
        const auto account = row.find("account\":\"") + 10;
        const auto day = row.find("day\":\"");
        if (day == std::string_view::npos) return std::string(row);
        return std::string(row.substr(account, row.find('"', account) - account)) + ":" +
               std::string(row.substr(day + 14, 2));
    }

    std::shared_ptr<FakeFetcher::World> scripted = std::make_shared<FakeFetcher::World>();
    SourceSettings settings;
    World world;
};

TEST_F(AdsSliceSource, EachSliceComesWholeAndEndsInACheckpoint) {
    const Slices out = load();
    EXPECT_THAT(out.rows, UnorderedElementsAre("1:01 1:02", "2:01 2:02", "1:30 1:31", "2:30 2:31"));
    EXPECT_THAT(out.errors, IsEmpty());
    ASSERT_THAT(out.tables, SizeIs(4));
    EXPECT_EQ(out.tables[0].day_column, "day");
    EXPECT_EQ(out.tables[0].last_day - out.tables[0].first_day, 1);
    const Position end = parse_position(Checkpoint(out.checkpoints.back())).value();
    EXPECT_FALSE(end.begun) << "the load has ended";
    EXPECT_THAT(end.memory, SizeIs(1));
}

TEST_F(AdsSliceSource, ALoadThatWasKilledGoesOnBehindItsCheckpoint) {
    const Slices first = load({}, 3);
    ASSERT_THAT(first.rows, SizeIs(3));
    const Slices rest = load(first.checkpoints.back());
    ASSERT_THAT(rest.rows, SizeIs(1));
    EXPECT_THAT(first.rows, testing::Not(testing::Contains(rest.rows[0])));
    // What was loaded within the lookback comes again in the next load, and after a day of standing still as well.
    EXPECT_THAT(load(rest.checkpoints.back()).rows, SizeIs(4));
    world.clock.advance(std::chrono::hours(25));
    EXPECT_THAT(load(first.checkpoints.back()).rows, SizeIs(6));
}

TEST_F(AdsSliceSource, AFailureThatMayPassFetchesTheSliceAgain) {
    const std::string name = "account 2, 2025-12-30 to 2025-12-31";
    scripted->errors[name] = {Error(ErrorKind::unavailable, "cut"), Error(ErrorKind::unavailable, "cut again")};
    scripted->extra_pages[name] = 2;
    const Slices out = load();
    EXPECT_THAT(out.rows, UnorderedElementsAre("1:01 1:02", "2:01 2:02", "1:30 1:31", "2:30 2:31 2:30 2:31 2:30 2:31"));
    ASSERT_THAT(out.errors, SizeIs(2));
    EXPECT_THAT(out.errors[0].to_string(), HasSubstr(name));
}

TEST_F(AdsSliceSource, ASliceThatFailsForGoodComesBehindAllOthers) {
    scripted->errors["account 1, 2026-01-01 to 2026-01-02"] = {Error(ErrorKind::auth, "no permission")};
    const Slices out = load();
    EXPECT_THAT(out.rows, UnorderedElementsAre("2:01 2:02", "1:30 1:31", "2:30 2:31"));
    ASSERT_THAT(out.errors, SizeIs(1));
    EXPECT_EQ(out.errors[0].kind(), ErrorKind::auth);
    // The next load has only that one left.
    EXPECT_THAT(load(out.checkpoints.back()).rows, ElementsAre("1:01 1:02"));
}

TEST_F(AdsSliceSource, ASliceThatCannotBeHadIsToldAndNotSettled) {
    scripted->skipped = {"account 1, 2026-01-01 to 2026-01-02", "account 1, 2025-12-30 to 2025-12-31"};
    const Slices out = load();
    EXPECT_THAT(out.errors, IsEmpty());
    EXPECT_THAT(out.tables, SizeIs(2)) << "nothing of it is replaced";
    EXPECT_THAT(world.events.messages(), testing::Contains(HasSubstr("is left out: closed")));
    EXPECT_FALSE(parse_position(Checkpoint(out.checkpoints.back())).value().begun);
}

TEST_F(AdsSliceSource, MemoryIsBoundedHoweverLargeASliceIs) {
    settings.memory_bytes = 2000;
    scripted->extra_pages["account 1, 2026-01-01 to 2026-01-02"] = 300;
    scripted->extra_pages["account 2, 2025-12-30 to 2025-12-31"] = 300;
    const Slices out = load();
    EXPECT_THAT(out.rows, SizeIs(4));
    size_t rows = 0;
    for (const std::string& text : out.rows) rows += split(text, ' ').size();
    EXPECT_EQ(rows, 2 * 301 * 2 + 2 * 2);
}

TEST_F(AdsSliceSource, ASliceWhoseRowsHaveLeftIsNotFetchedAgain) {
    settings.memory_bytes = 1000;
    settings.slices_at_once = 1;
    const std::string name = "account 1, 2026-01-01 to 2026-01-02";
    scripted->extra_pages[name] = 100;
    scripted->errors[name] = {Error(ErrorKind::unavailable, "cut")};
    const Slices out = load();
    ASSERT_THAT(out.errors, SizeIs(1));
    EXPECT_FALSE(out.errors[0].may_retry()) << "its rows stand in the open transaction";
    EXPECT_THAT(out.rows, IsEmpty());
}

TEST_F(AdsSliceSource, StopsWithinASliceWhenCanceled) {
    settings.memory_bytes = 500;
    scripted->extra_pages["account 1, 2026-01-01 to 2026-01-02"] = 100'000;
    auto source = make();
    ASSERT_TRUE(source->open(world.run, {}).ok());
    ASSERT_TRUE(source->read(world.run).ok());
    world.cancellation.cancel();
    for (int i = 0; i < 10; ++i) {
        auto batch = source->read(world.run);
        if (batch.ok()) break;
        EXPECT_EQ(batch.error().kind(), ErrorKind::canceled);
    }
}

TEST_F(AdsSliceSource, AFullRefreshThatHadEndedGivesNothingMore) {
    settings.mode = ReadMode::full_refresh;
    const Slices out = load();
    EXPECT_THAT(out.rows, SizeIs(4));
    EXPECT_THAT(load(out.checkpoints.back()).rows, IsEmpty());
    EXPECT_THAT(load(out.checkpoints[1]).rows, SizeIs(2));
}

TEST_F(AdsSliceSource, ChangesGoOnFromTheCursor) {
    scripted->kind = SliceKind::changes;
    const Slices first = load();
    EXPECT_THAT(first.rows, UnorderedElementsAre(R"({"account":"1","cursor":""})", R"({"account":"2","cursor":""})"));
    EXPECT_THAT(first.tables, IsEmpty());
    EXPECT_THAT(load(first.checkpoints.back()).rows,
                UnorderedElementsAre(R"({"account":"1","cursor":"after "})", R"({"account":"2","cursor":"after "})"));
}

class AdsArchive : public AdsSliceSource {
protected:
    AdsArchive() { settings.archive = ArchiveSettings{{.url = folder / "archive"}, std::chrono::days(90)}; }
    Slices replay(const ReplayRange& range = {}) {
        auto source = make_archive_source(std::make_unique<FakeFetcher>(scripted), settings, range);
        EXPECT_TRUE(source.ok());
        auto opened = source.value()->open(world.run, {});
        if (!opened.ok()) {
            Slices out;
            out.errors.push_back(opened.error());
            return out;
        }
        return read(*source.value());
    }
    TempFolder folder;
};

TEST_F(AdsArchive, GivesTheSameRowsAgainWithoutAFetch) {
    scripted->extra_pages["account 2, 2025-12-30 to 2025-12-31"] = 3;
    const Slices loaded = load();
    const size_t fetched = scripted->fetched.size();
    const Slices again = replay();
    EXPECT_EQ(scripted->fetched.size(), fetched);
    EXPECT_THAT(again.rows, testing::UnorderedElementsAreArray(loaded.rows));
    EXPECT_THAT(again.tables, testing::UnorderedElementsAreArray(loaded.tables));
}

TEST_F(AdsArchive, TakesTheNewestFetchOfEachDay) {
    load();
    world.clock.advance(std::chrono::days(1));
    const Slices second = load();  // other boundaries: 2026-01-02 to 03, 2025-12-31 to 01, 2025-12-30
    EXPECT_THAT(replay().rows, testing::UnorderedElementsAreArray(second.rows));
    const int32_t new_year = static_cast<int32_t>(parse_day("2026-01-01")->time_since_epoch().count());
    EXPECT_THAT(replay({new_year + 1, std::nullopt}).rows, UnorderedElementsAre("1:02 1:03", "2:02 2:03"));
    const Slices none = replay({new_year + 100, std::nullopt});
    ASSERT_THAT(none.errors, SizeIs(1));
    EXPECT_THAT(none.errors[0].to_string(), HasSubstr("nothing is archived"));
}

TEST_F(AdsArchive, LeavesOutFetchesThatFailed) {
    scripted->errors["account 1, 2026-01-01 to 2026-01-02"] = {Error(ErrorKind::auth, "no permission")};
    const Slices loaded = load();
    EXPECT_THAT(replay().rows, testing::UnorderedElementsAreArray(loaded.rows));
}

TEST_F(AdsArchive, ForgetsWhatIsOlderThanTheRetention) {
    load();
    world.clock.advance(std::chrono::days(91));
    scripted->plan.accounts = {{"3", "", "", "EUR", ""}};
    settings.since = "1d";
    load();
    EXPECT_THAT(replay().rows, ElementsAre("3:02 3:03"));
}

}  // namespace
}  // namespace shaduf::ads
