#include "models/project/version.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/models/python_oracle.h"

namespace shaduf::models {
namespace {

std::string combined(std::string_view text) {
    auto bounds = parse_versions(text);
    if (!bounds.ok()) return bounds.error().message();
    auto range = VersionRange::all_of(bounds.value());
    return range.ok() ? range.value().to_string() : range.error().message();
}

TEST(Version, RangesAreJoined) {
    constexpr std::pair<std::string_view, std::string_view> kCases[] = {
        {"1.2.3", "=1.2.3"},
        {">=1.3.0,<2.0.0", ">=1.3.0, <2.0.0"},
        {">=1.3.0, <2.0.0", ">=1.3.0, <2.0.0"},
        {">=1.0.0,>=1.3.0", ">=1.3.0"},
        {">1.0.0,>=1.0.0", ">1.0.0"},
        {"<2.0.0,<=2.0.0", "<2.0.0"},
        {"1.0.0rc1", "=1.0.0-rc1"},
        {">=1.0.0-beta.2,<1.0.0", ">=1.0.0-beta.2, <1.0.0"},
        {">=2.0.0,<1.0.0", "no version is both <1.0.0 and >=2.0.0"},
        {"1.0.0,1.0.1", "no version is both =1.0.1 and =1.0.0"},
        {"=1.0.0,>1.0.0", "no version is both >1.0.0 and =1.0.0"},
        {"1.2", "not a version: \"1.2\"; write three numbers, as 1.2.0 or \">=1.2.0\""},
        {"^1.2.0", "not a version: \"^1.2.0\"; write three numbers, as 1.2.0 or \">=1.2.0\""},
        {"01.2.0", "not a version: \"01.2.0\"; write three numbers, as 1.2.0 or \">=1.2.0\""},
    };
    for (const auto& [text, expected] : kCases) EXPECT_EQ(combined(text), expected) << text;
}

TEST(Version, TheHighestOfARangeIsTaken) {
    const std::vector<std::string> all = {"1.10.0", "0.9.0", "1.9.0", "2.0.0-rc1", "1.2.0", "nonsense", "2.0.0b2"};
    EXPECT_THAT(installable_versions(all, Prereleases::left_out),
                testing::ElementsAre("0.9.0", "1.2.0", "1.9.0", "1.10.0"));
    EXPECT_THAT(installable_versions(all, Prereleases::wanted),
                testing::ElementsAre("0.9.0", "1.2.0", "1.9.0", "1.10.0", "2.0.0b2", "2.0.0-rc1"));
    const auto highest = [&](std::string_view range) {
        return highest_in(VersionRange::all_of(parse_versions(range).value()).value(), all);
    };
    EXPECT_EQ(highest(">=1.0.0,<2.0.0"), "1.10.0");  // not 2.0.0-rc1
    EXPECT_EQ(highest(">=1.0.0,<=2.0.0"), "2.0.0-rc1");
    EXPECT_EQ(highest("<1.0.0"), "0.9.0");
    EXPECT_EQ(highest("2.0.0-b2"), "2.0.0b2");
    EXPECT_EQ(highest(">3.0.0"), "");
}

// Lines of specifiers; for each, dbt's own parsing, joining and comparing of the first two.
constexpr std::string_view kOracle = R"py(
import sys
try:
    from dbt_common.semver import VersionSpecifier, reduce_versions
    from dbt_common.exceptions import VersionsNotCompatibleError
except ImportError:
    sys.exit(77)
for line in sys.stdin.read().split('\n'):
    try:
        specs = [VersionSpecifier.from_version_string(v) for v in line.split(',')]
    except Exception:
        print('invalid')
        continue
    order = specs[0].compare(specs[1]) if len(specs) > 1 else 0
    try:
        r = reduce_versions(*specs)
        start = '' if r.start.is_unbounded else r.start.to_version_string()
        end = '' if r.end.is_unbounded else r.end.to_version_string()
        print(order, start, end)
    except VersionsNotCompatibleError:
        print(order, 'none')
)py";

std::string ours(const std::string& line) {
    const auto bounds = parse_versions(line);
    if (!bounds.ok()) return "invalid";
    const auto& all = bounds.value();
    std::string out = std::to_string(all.size() > 1 ? all[0].compare(all[1]) : 0);
    const auto range = VersionRange::all_of(all);
    if (!range.ok()) return out + " none";
    out += " " + (range.value().start.empty() ? "" : range.value().start[0].to_string());
    return out + " " + (range.value().end.empty() ? "" : range.value().end[0].to_string());
}

TEST(DbtOracle, VersionsAreReadAndJoinedAsDbtDoes) {
    const char* python = std::getenv("SHADUF_DBT_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "SHADUF_DBT_PYTHON names no Python with dbt: versions are not compared";
    std::mt19937 engine(11);
    const auto below = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine); };
    constexpr std::string_view kMatches[] = {"", "=", ">", ">=", "<", "<="};
    constexpr std::string_view kTails[] = {"",     "",   "",      "-rc1", "rc.2", "-rc.10", "-1",
                                           "-a.b", "+x", "-b1+y", "-",    ".1",   "0.1",    "--"};
    std::vector<std::string> lines;
    std::string input;
    for (int i = 0; i < 20'000; ++i) {
        std::string line;
        for (size_t count = 1 + below(3); count > 0; --count) {
            line += kMatches[below(6)];
            line += std::to_string(below(3)) + "." + std::to_string(below(2)) + "." + std::to_string(below(12));
            line += kTails[below(std::size(kTails))];
            if (count > 1) line += ",";
        }
        lines.push_back(line);
        input += (input.empty() ? "" : "\n") + line;
    }
    const auto expected = run_python(kOracle, input, python);
    if (!expected) GTEST_SKIP() << "SHADUF_DBT_PYTHON has no dbt: versions are not compared";
    ASSERT_EQ(expected->size(), lines.size());
    for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(ours(lines[i]), (*expected)[i]) << lines[i];
}

}  // namespace
}  // namespace shaduf::models
