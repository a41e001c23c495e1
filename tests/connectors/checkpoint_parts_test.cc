#include "connectors/parts/checkpoint_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf {
namespace {

using testing::HasSubstr;

// "a:1 b:2"
CheckpointParts parts_of(const std::string& text) {
    CheckpointParts parts;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(' ', at), text.size());
        const size_t colon = text.find(':', at);
        parts[text.substr(at, colon - at)] = {text.substr(colon + 1, end - colon - 1)};
        at = end + 1;
    }
    return parts;
}

std::string print(const CheckpointParts& parts) {
    std::string text;
    for (const auto& [name, part] : parts) text += (text.empty() ? "" : " ") + name + ":" + part.at;
    return text;
}

TEST(CheckpointParts, AreReadAsTheyWereWritten) {
    CheckpointParts parts = parts_of("orders/0:42 orders/1:7");
    parts["orders/0"].seen = Timestamp(std::chrono::seconds(1'767'323'045));
    const Checkpoint written = to_checkpoint(parts);
    EXPECT_EQ(written.value(),
              R"({"parts":{"orders/0":{"at":"42","seen":"2026-01-02T03:04:05Z"},"orders/1":{"at":"7"}}})");
    EXPECT_EQ(parse_parts(written).release_value(), parts);
    EXPECT_TRUE(parse_parts(std::nullopt).release_value().empty());
    for (const char* foreign : {"", "{}", "12", R"({"parts": {"a": {"at": 1}}})", R"({"parts": {"a": {}}})"}) {
        SCOPED_TRACE(foreign);
        const auto parsed = parse_parts(Checkpoint(foreign));
        ASSERT_FALSE(parsed.ok());
        EXPECT_EQ(parsed.error().kind(), ErrorKind::bad_data);
    }
}

TEST(CheckpointParts, AdvanceWhatWasReadAndNothingElse) {
    struct Case {
        const char* stored;
        const char* known;
        const char* read;
        const char* next;  // nullptr: a conflict
        const char* known_after;
    };
    const Case cases[] = {
        {"", "", "a:1", "a:1", "a:1"},
        {"a:1 b:1", "a:1 b:1", "a:2", "a:2 b:1", "a:2 b:1"},
        // Another process has read on in b, which this one has not.
        {"a:1 b:5", "a:1 b:1", "a:2", "a:2 b:5", "a:2 b:1"},
        // This one has b as well, but read nothing of it: that says nothing of the other's rows, nor are they known.
        {"a:1 b:5", "a:1 b:1", "a:2 b:1", "a:2 b:5", "a:2 b:1"},
        // Both have read on in a.
        {"a:5", "a:1", "a:2", nullptr, ""},
        {"a:5", "", "a:2", nullptr, ""},
        // The position was forgotten.
        {"", "a:1", "a:2", nullptr, ""},
        {"", "a:1", "a:1", "", "a:1"},
    };
    for (const auto& [stored, known, read, next, after] : cases) {
        SCOPED_TRACE(std::string(stored) + " | " + known + " | " + read);
        const auto advanced = advance_parts(parts_of(stored), parts_of(known), parts_of(read));
        ASSERT_EQ(advanced.ok(), next != nullptr);
        if (next == nullptr) {
            EXPECT_EQ(advanced.error().kind(), ErrorKind::conflict);
            EXPECT_THAT(advanced.error().message(), HasSubstr("part a stands at"));
            continue;
        }
        EXPECT_EQ(print(advanced.value()), next);
        EXPECT_EQ(print(known_after(parts_of(known), parts_of(read), advanced.value())), after);
    }
}

TEST(CheckpointParts, AreSeenAsFarAsTheLeast) {
    CheckpointParts parts;
    EXPECT_FALSE(seen_of_all(parts).has_value());
    parts["a"] = {"1", Timestamp(std::chrono::seconds(20))};
    parts["b"] = {"1", Timestamp(std::chrono::seconds(10))};
    EXPECT_EQ(seen_of_all(parts), Timestamp(std::chrono::seconds(10)));
    parts["c"] = {"1"};
    EXPECT_FALSE(seen_of_all(parts).has_value());
}

}  // namespace
}  // namespace shaduf
