#include "connectors/files/glob.h"

#include <gtest/gtest.h>

namespace shaduf::files {
namespace {

TEST(FilesGlob, Matches) {
    struct Case {
        const char* pattern;
        const char* key;
        bool expected;
    };
    const Case cases[] = {
        {"a.csv", "a.csv", true},
        {"a.csv", "A.csv", false},
        {"a.csv", "b/a.csv", false},
        {"a.csv", "a.csv.gz", false},
        {"", "", true},
        {"", "a", false},
        // one folder
        {"*.csv", "a.csv", true},
        {"*.csv", ".csv", true},
        {"*.csv", ".hidden.csv", true},
        {"*.csv", "in/a.csv", false},
        {"in/*", "in/a", true},
        {"in/*", "in/a/b", false},
        {"in/*", "in", false},
        {"*/*", "in/a", true},
        {"a*b*c", "a__b__c", true},
        {"a*b*c", "a__c__b", false},
        {"*", "", true},
        {"a?c", "abc", true},
        {"a?c", "a/c", false},
        {"a?c", "ac", false},
        // any depth
        {"**", "a/b/c", true},
        {"**/*.csv", "a.csv", true},
        {"**/*.csv", "in/a/b.csv", true},
        {"**/*.csv", "in/a/b.json", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "ab", false},
        {"a/**/b", "a/x/yb", false},
        {"a/**", "a/b/c", true},
        {"a/**", "b/a", false},
        // sets
        {"[a-c].csv", "b.csv", true},
        {"[a-c].csv", "d.csv", false},
        {"[!a-c].csv", "d.csv", true},
        {"[^a-c].csv", "b.csv", false},
        {"[!a]", "/", false},
        {"x[]]y", "x]y", true},
        {"x[a-]y", "x-y", true},
        {"[0-9][0-9]", "42", true},
        {"[ab", "a", false},
        // what stands for itself when it is put into a set
        {"x[[]1].csv", "x[1].csv", true},
        {"x[1].csv", "x[1].csv", false},
        {"a[*]b", "a*b", true},
        {"a[*]b", "axb", false},
        {"a[?]b", "a?b", true},
        {"a[?]b", "axb", false},
        // choices
        {"{a,b}.csv", "b.csv", true},
        {"{a,b}.csv", "c.csv", false},
        {"a{,.gz}", "a", true},
        {"a{,.gz}", "a.gz", true},
        {"{a,b}/{1,2}", "b/2", true},
        {"{a,b/**}/x", "b/c/d/x", true},
        {"{a", "{a", true},
        {"a}", "a}", true},
    };
    for (const auto& [pattern, key, expected] : cases) {
        SCOPED_TRACE(std::string(pattern) + " on " + key);
        EXPECT_EQ(matches_glob(pattern, key), expected);
    }
}

// What a listing is asked for is in front of every key that matches, and as long as it can be.
TEST(FilesGlob, FixedPrefixIsWhatComesBeforeTheFirstPattern) {
    const std::pair<const char*, const char*> cases[] = {{"in/a.csv", "in/a.csv"},       {"in/*.csv", "in/"},
                                                         {"in/2024-??.csv", "in/2024-"}, {"in/x[12]/a", "in/x"},
                                                         {"in/{a,b}.csv", "in/"},        {"**/a", ""}};
    for (const auto& [pattern, prefix] : cases) EXPECT_EQ(fixed_prefix(pattern), prefix) << pattern;
}

}  // namespace
}  // namespace shaduf::files
