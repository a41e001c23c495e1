#include "connectors/parts/checkpoint_parts.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace shaduf {
namespace {

using namespace std::chrono_literals;

const Timestamp kNoon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h};

TEST(CheckpointParts, AreTextAndComeBack) {
    const CheckpointParts parts{{"orders/0", {"42", kNoon}}, {"orders/1", {"7"}}};
    EXPECT_EQ(to_checkpoint(parts).value(),
              R"({"parts":{"orders/0":{"at":"42","seen":"2026-11-21T12:00:00Z"},"orders/1":{"at":"7"}}})");
    EXPECT_EQ(parse_parts(to_checkpoint(parts)).value(), parts);
    EXPECT_TRUE(parse_parts(std::nullopt).value().empty());
}

TEST(CheckpointParts, OfAnotherFormAreRefused) {
    for (const char* text :
         {"", "17", "{}", R"({"parts":[1]})", R"({"parts":{"a":{}}})", R"({"parts":{"a":{"at":1}}})"}) {
        SCOPED_TRACE(text);
        const auto parts = parse_parts(Checkpoint(text));
        ASSERT_FALSE(parts.ok());
        EXPECT_EQ(parts.error().kind(), ErrorKind::bad_data);
    }
}

TEST(CheckpointParts, AdvanceByThemselves) {
    const CheckpointParts stored{{"a/0", {"5"}}, {"a/1", {"9"}}};
    struct Case {
        CheckpointParts known;
        CheckpointParts read;
        std::optional<CheckpointParts> expected;
    };
    const Case cases[] = {
        {{{"a/0", {"5"}}, {"a/1", {"1"}}}, {{"a/0", {"8"}}}, CheckpointParts{{"a/0", {"8"}}, {"a/1", {"9"}}}},
        {{{"a/0", {"5"}}}, {{"b/0", {"1"}}}, CheckpointParts{{"a/0", {"5"}}, {"a/1", {"9"}}, {"b/0", {"1"}}}},
        {stored, {}, stored},
        {{{"a/0", {"4"}}}, {{"a/0", {"8"}}}, std::nullopt},  // another has read on
        {{}, {{"a/1", {"8"}}}, std::nullopt},                // another was first
        {{{"b/0", {"3"}}}, {{"b/0", {"8"}}}, std::nullopt},  // it was forgotten meanwhile
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(to_checkpoint(c.known).value() + " -> " + to_checkpoint(c.read).value());
        const auto next = advance_parts(stored, c.known, c.read);
        ASSERT_EQ(next.ok(), c.expected.has_value());
        if (next.ok()) {
            EXPECT_EQ(next.value(), *c.expected);
        } else {
            EXPECT_EQ(next.error().kind(), ErrorKind::conflict);
        }
    }
}

TEST(CheckpointParts, AllAreSeenWhenTheLastOneIs) {
    EXPECT_EQ(seen_of_all({}), std::nullopt);
    EXPECT_EQ(seen_of_all({{"a/0", {"5", kNoon}}, {"a/1", {"5"}}}), std::nullopt);
    EXPECT_EQ(seen_of_all({{"a/0", {"5", kNoon}}, {"a/1", {"5", kNoon - 1h}}}), kNoon - 1h);
}

}  // namespace
}  // namespace shaduf
