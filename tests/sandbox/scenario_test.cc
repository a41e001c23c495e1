#include "sandbox/frame/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaduf::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr FieldSpec kJamFields[] = {{.name = "minutes", .type = FieldType::integer, .help = "How long."}};
constexpr FaultSpec kFaults[] = {{"jam", "Nothing goes.", kJamFields}};
constexpr PlatformSpec kPlatform{.name = "trains", .faults = kFaults};

Registry<PlatformSpec> platforms() { return Registry<PlatformSpec>({&kPlatform}); }

std::unique_ptr<Scenario> parse(const std::string& yaml, uint64_t seed = 1) {
    std::unique_ptr<Scenario> scenario;
    const auto errors = Scenario::parse(Node::parse_yaml(yaml, "s.yml").value(), platforms(), seed, scenario);
    for (const Error& error : errors) ADD_FAILURE() << error.to_string();
    return scenario;
}

// Which of the first twelve calls are hit.
std::vector<int> hit_calls(const std::string& yaml, uint64_t seed = 1) {
    const auto scenario = parse(yaml, seed);
    std::vector<int> hit;
    for (int call = 1; call <= 12; ++call) {
        if (!scenario->hits("trains", "GET", "/a/insights").empty()) hit.push_back(call);
    }
    return hit;
}

TEST(SandboxScenario, HitsTheCallsThatItNames) {
    const std::string begin = "faults:\n- fault: jam\n  minutes: 3\n";
    EXPECT_THAT(hit_calls(begin + "  nth: 3\n"), ElementsAre(3));
    EXPECT_THAT(hit_calls(begin + "  every: 5\n"), ElementsAre(5, 10));
    EXPECT_THAT(hit_calls(begin + "  from: 11\n"), ElementsAre(11, 12));
    EXPECT_THAT(hit_calls(begin + "  from: 4\n  every: 2\n  times: 2\n"), ElementsAre(4, 6));
    EXPECT_THAT(hit_calls(begin + "  times: 1\n  path: \"*/insights\"\n  method: GET\n"), ElementsAre(1));
    EXPECT_THAT(hit_calls(begin + "  path: /b*\n"), ElementsAre());
    EXPECT_THAT(hit_calls(begin + "  method: POST\n"), ElementsAre());
    EXPECT_EQ(hit_calls(begin + "  probability: 0.5\n"), hit_calls(begin + "  probability: 0.5\n"));
    EXPECT_NE(hit_calls(begin + "  probability: 0.5\n", 1), hit_calls(begin + "  probability: 0.5\n", 2));
    EXPECT_THAT(hit_calls("faults:\n- fault: restate\n"), ElementsAre(1)) << "once, unless it is said how often";
}

TEST(SandboxScenario, HandsOverTheOptionsOfAFault) {
    const auto scenario =
        parse("faults:\n- {fault: jam, minutes: 3}\n- {fault: status, status: 503, platform: trains}\n");
    const auto faults = scenario->hits("trains", "GET", "/");
    ASSERT_EQ(faults.size(), 2U);
    EXPECT_EQ(faults[0].kind, "jam");
    EXPECT_EQ(faults[0].options->integer("minutes"), 3);
    EXPECT_EQ(faults[1].options->integer("status"), 503);
    EXPECT_TRUE(scenario->hits("ships", "GET", "/").empty()) << "jam is of trains";
    scenario->reset();
    EXPECT_EQ(scenario->hits("trains", "GET", "/").size(), 2U);
}

TEST(SandboxScenario, SaysWhatIsWrongAndWhere) {
    struct Case {
        const char* yaml;
        const char* error;
    };
    constexpr Case kCases[] = {
        {"fault: jam\n", "s.yml:1"},
        {"faults: 3\n", "is not a list"},
        {"faults:\n- fault: jamm\n", "did you mean jam"},
        {"faults:\n- platform: trains\n", "fault"},
        {"faults:\n- fault: jam\n  minuts: 3\n", "did you mean minutes"},
        {"faults:\n- fault: jam\n  minutes: three\n", "s.yml:3"},
        {"faults:\n- fault: jam\n  platform: ships\n", "platform not found: ships"},
        {"faults:\n- fault: jam\n  nth: 0\n", "give 1 or more"},
        {"faults:\n- fault: status\n", "status"},
        {"faults:\n- jam\n", "s.yml:2"},
    };
    for (const auto& [yaml, expected] : kCases) {
        SCOPED_TRACE(yaml);
        std::unique_ptr<Scenario> scenario;
        const auto errors = Scenario::parse(Node::parse_yaml(yaml, "s.yml").value(), platforms(), 1, scenario);
        ASSERT_FALSE(errors.empty());
        EXPECT_EQ(scenario, nullptr);
        EXPECT_EQ(errors[0].kind(), ErrorKind::invalid_config);
        EXPECT_THAT(errors[0].to_string(), HasSubstr(expected));
    }
}

TEST(SandboxScenario, GlobsTakeAnythingForAStar) {
    struct Case {
        const char* pattern;
        const char* text;
        bool fits;
    };
    constexpr Case kCases[] = {{"*", "", true},
                               {"", "", true},
                               {"", "a", false},
                               {"a*", "abc", true},
                               {"*c", "abc", true},
                               {"a*c", "abbc", true},
                               {"a*c", "ab", false},
                               {"*a*a", "aba", true},
                               {"*ab", "aab", true},
                               {"a**b", "ab", true},
                               {"/x/*/y", "/x/1/2/y", true}};
    for (const auto& [pattern, text, fits] : kCases) {
        EXPECT_EQ(fits_glob(pattern, text), fits) << pattern << " on " << text;
    }
}

}  // namespace
}  // namespace shaduf::sandbox
