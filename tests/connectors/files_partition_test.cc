#include "connectors/files/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/builder.h"

namespace shaduf::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMarch = 1'709'210'096 * kSecond;  // 2024-02-29T12:34:56Z
constexpr int32_t kLeapDay = 19782;                  // 2024-02-29

RecordBatch make_batch(const std::vector<Field>& fields,
                       const std::vector<std::function<void(RecordBatchBuilder&)>>& rows) {
    RecordBatchBuilder builder(std::make_shared<const Schema>(fields));
    for (const auto& row : rows) {
        row(builder);
        builder.end_row();
    }
    return builder.finish();
}

RecordBatch make_texts(const std::vector<std::optional<std::string>>& texts) {
    RecordBatchBuilder builder(std::make_shared<const Schema>(std::vector<Field>{{"c", TypeKind::string}}));
    for (const auto& text : texts) {
        if (text) {
            builder.column(0).append_text(*text);
        } else {
            builder.column(0).append_null();
        }
        builder.end_row();
    }
    return builder.finish();
}

Partitioner make_partitioner(const std::vector<std::string>& levels) {
    std::vector<PartitionLevel> parsed;
    for (const auto& level : levels) parsed.push_back(PartitionLevel::parse(level).release_value());
    return Partitioner(std::move(parsed));
}

// The folder of each row.
std::vector<std::string> folders_of(Partitioner& partitioner, const RecordBatch& rows) {
    auto split = partitioner.split(rows);
    if (!split.ok()) return {split.error().to_string()};
    std::vector<std::string> folders(rows.rows(), "in no folder");
    for (size_t folder = 0; folder < split.value()->size(); ++folder) {
        for (const uint32_t row : (*split.value())[folder]) folders[row] = partitioner.folder(folder);
    }
    return folders;
}

TEST(FilesPartition, ParsesLevels) {
    struct Case {
        const char* text;
        const char* folder;  // nullptr: refused
    };
    const Case cases[] = {
        {"day", "day"},        {"event_date", "event_date"}, {"year(at)", "at_year"}, {"MONTH( at )", "at_month"},
        {"day(at)", "at_day"}, {"hour(at)", "at_hour"},      {"minute(at)", nullptr}, {"year(at", nullptr},
        {"(at)", nullptr}};
    for (const auto& [text, folder] : cases) {
        SCOPED_TRACE(text);
        auto level = PartitionLevel::parse(text);
        ASSERT_EQ(level.ok(), folder != nullptr);
        if (folder != nullptr) {
            EXPECT_EQ(level.value().folder_name(), folder);
        } else {
            EXPECT_EQ(level.error().kind(), ErrorKind::invalid_config);
            EXPECT_THAT(level.error().message(), HasSubstr(text));
        }
    }
}

TEST(FilesPartition, ValuesAreEscapedAndNullHasAName) {
    auto partitioner = make_partitioner({"c"});
    const RecordBatch rows = make_texts({"web", std::nullopt, "", "a/b", "a=b", "50% off", "..", "ü", "web", "x\ny"});
    EXPECT_THAT(folders_of(partitioner, rows),
                ElementsAre("c=web", "c=__HIVE_DEFAULT_PARTITION__", "c=__HIVE_DEFAULT_PARTITION__", "c=a%2Fb",
                            "c=a%3Db", "c=50%25%20off", "c=..", "c=%C3%BC", "c=web", "c=x%0Ay"));
}

TEST(FilesPartition, PartsOfDates) {
    const std::vector<Field> fields{{"d", TypeKind::date}, {"t", TypeKind::timestamp}, {"z", TypeKind::timestamp_tz}};
    const RecordBatch rows = make_batch(fields, {[](RecordBatchBuilder& row) {
                                                     row.column(0).append_date(kLeapDay);
                                                     row.column(1).append_int64(kMarch);
                                                     row.column(2).append_int64(kMarch);
                                                 },
                                                 [](RecordBatchBuilder& row) {
                                                     for (size_t i = 0; i < 3; ++i) row.column(i).append_null();
                                                 }});
    const std::string null = "__HIVE_DEFAULT_PARTITION__";
    const std::pair<const char*, const char*> cases[] = {
        {"d", "d=2024-02-29"},          {"year(d)", "d_year=2024"},          {"month(d)", "d_month=2024-02"},
        {"day(d)", "d_day=2024-02-29"}, {"year(t)", "t_year=2024"},          {"month(t)", "t_month=2024-02"},
        {"day(z)", "z_day=2024-02-29"}, {"hour(t)", "t_hour=2024-02-29T12"}, {"hour(z)", "z_hour=2024-02-29T12"}};
    for (const auto& [level, folder] : cases) {
        SCOPED_TRACE(level);
        auto partitioner = make_partitioner({level});
        const std::string name = std::string(folder).substr(0, std::string(folder).find('='));
        EXPECT_THAT(folders_of(partitioner, rows), ElementsAre(folder, name + "=" + null));
    }
}

TEST(FilesPartition, LevelsNestAndNumbersStay) {
    const std::vector<Field> fields{{"day", TypeKind::date}, {"site", TypeKind::string}};
    const auto row = [](int32_t day, const char* site) {
        return [=](RecordBatchBuilder& to) {
            to.column(0).append_date(day);
            to.column(1).append_text(site);
        };
    };
    auto partitioner = make_partitioner({"day", "site"});
    EXPECT_THAT(folders_of(partitioner, make_batch(fields, {row(0, "a"), row(1, "a"), row(0, "a")})),
                ElementsAre("day=1970-01-01/site=a", "day=1970-01-02/site=a", "day=1970-01-01/site=a"));
    EXPECT_THAT(folders_of(partitioner, make_batch(fields, {row(1, "a"), row(2, "b")})),
                ElementsAre("day=1970-01-02/site=a", "day=1970-01-03/site=b"));
    EXPECT_EQ(partitioner.folder(1), "day=1970-01-02/site=a");  // the number that the first batch gave it
    EXPECT_TRUE(partitioner.holds_whole("SITE"));
    EXPECT_FALSE(partitioner.holds_whole("other"));
    EXPECT_FALSE(make_partitioner({"month(day)"}).holds_whole("day"));
}

TEST(FilesPartition, RefusesColumnsThatDoNotFit) {
    const std::pair<const char*, const char*> cases[] = {
        {"cc", "column to partition by is not there: cc; did you mean c?"},
        {"year(c)", "column to partition by has no date: c is string; declare it as date or timestamp"}};
    for (const auto& [level, message] : cases) {
        auto partitioner = make_partitioner({level});
        auto split = partitioner.split(make_texts({"x"}));
        ASSERT_FALSE(split.ok());
        EXPECT_EQ(split.error().kind(), ErrorKind::invalid_config);
        EXPECT_EQ(split.error().message(), message);
    }
}

}  // namespace
}  // namespace shaduf::files
