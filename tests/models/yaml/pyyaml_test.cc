// The same documents read by us and by PyYAML, the loader of dbt: the same values, or both refuse.
#include <gtest/gtest.h>

#include <random>

#include "models/python_text.h"
#include "models/yaml/parse_yaml.h"
#include "models/yaml/yaml_builder.h"
#include "tests/models/python_oracle.h"
#include "tests/models/yaml/typed_text.h"

namespace shaduf::models {
namespace {

// Reads a JSON list of documents, prints one line of typed text for each.
constexpr std::string_view kReader = R"py(
import sys, json, datetime
try:
    import yaml
    from yaml import CSafeLoader as Loader
except ImportError:
    sys.exit(77)
def typed(v):
    if v is None: return 'n'
    if isinstance(v, bool): return 'b1' if v else 'b0'
    if isinstance(v, int): return 'i' + str(v)
    if isinstance(v, float): return 'f' + repr(v)
    if isinstance(v, str): return json.dumps(v)
    if isinstance(v, datetime.datetime): return 't' + v.isoformat()
    if isinstance(v, datetime.date): return 'd' + v.isoformat()
    if isinstance(v, list): return '[' + ','.join(typed(i) for i in v) + ']'
    if isinstance(v, dict): return '{' + ','.join(typed(k) + '=' + typed(i) for k, i in v.items()) + '}'
    return 'unsupported'
for document in json.load(sys.stdin):
    try:
        print(typed(yaml.load(document.strip(), Loader)))
    except Exception as e:
        print('error')
)py";

void expect_same(const std::vector<std::string>& documents) {
    YamlBuilder builder;
    builder.begin_list();
    for (const auto& document : documents) builder.add_text(document);
    builder.end_list();
    const auto lines = run_python(kReader, to_python_json(builder.finish().root()));
    if (!lines) GTEST_SKIP() << "python3-yaml is not installed: reading YAML is not compared with PyYAML";
    ASSERT_EQ(lines->size(), documents.size());
    for (size_t i = 0; i < documents.size(); ++i) {
        const auto tree = parse_yaml(documents[i], "f.yml");
        // Python can hold a value that contains itself; of no use to dbt, it is refused here.
        if (!tree.ok() && tree.error().message().find("contains itself") != std::string::npos) continue;
        const std::string ours = tree.ok() ? typed_text(tree.value().root()) : "error";
        EXPECT_EQ(ours, (*lines)[i]) << "document: " << documents[i]
                                     << (tree.ok() ? "" : "\nerror: " + tree.error().to_string());
    }
}

class Random {
public:
    explicit Random(uint32_t seed) : engine_(seed) {}
    size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_); }
    std::string_view pick(std::span<const std::string_view> words) { return words[below(words.size())]; }
    std::string letters(std::string_view alphabet, size_t at_most) {
        std::string text;
        for (size_t left = below(at_most + 1); left > 0; --left) text += alphabet[below(alphabet.size())];
        return text;
    }

private:
    std::mt19937 engine_;
};

TEST(PyYamlOracle, PlainScalars) {
    Random random(20240131);
    std::vector<std::string> documents;
    constexpr std::string_view kAlphabets[] = {"0123456789",  "01_",          "0123456789:._-+",    "+-.0123456789eE_",
                                               "0xXbBoO1fF_", "yYeEsSnNoOfF", "tTrRuUeE",           "fFaAlLsSeE",
                                               "nNuUlL~",     ".infINFaA-+",  "0123456789-:TtZ .+", "<=~"};
    while (documents.size() < 20'000) documents.push_back("[" + random.letters(random.pick(kAlphabets), 12) + "]");
    constexpr std::string_view kYears[] = {"2024", "1999", "0001", "0000", "9999", "202"};
    constexpr std::string_view kDays[] = {"-01-31", "-2-29", "-02-30", "-12-1", "-13-01", "-1-1", "-00-10", "-10-31"};
    constexpr std::string_view kTimes[] = {"",           "T10:20:30", "t1:02:03",   " 23:59:59",
                                           " 24:00:00",  "T10:20",    "T10:60:00",  "\t1:00:00",
                                           "   1:00:60", "T1:00:00.", "T1:00:00.5", "T1:00:00.1234567"};
    constexpr std::string_view kZones[] = {"",       "Z",      " Z",   "+01:00",  "-5",
                                           "+24:00", "-23:59", "+5:3", " +05:30", "-00:00"};
    while (documents.size() < 24'000) {
        std::string text(random.pick(kYears));
        text += random.pick(kDays);
        text += random.pick(kTimes);
        text += random.pick(kZones);
        documents.push_back("- " + text);
    }
    expect_same(documents);
}

// A random value in block or flow style, with anchors, aliases, merges and comments.
std::string random_value(Random& random, int depth, size_t indent, int& anchors) {
    constexpr std::string_view kScalars[] = {"a",          "1",    "1.5",         "yes",
                                             "~",          "''",   "\"x: y\"",    "'{{ v }}'",
                                             "2024-01-01", "*a0",  "*a1",         "x # c",
                                             "[]",         "{}",   "[1, {b: 2}]", "{a: 1, 'b': [x]}",
                                             "|\n",        ">-\n", "!!str 5",     "\"\\t\\x41\\u263a\"",
                                             "http://x:1"};
    const std::string pad(indent, ' ');
    std::string anchor;
    if (random.below(6) == 0) anchor = " &a" + std::to_string(anchors++);
    if (depth == 0 || random.below(3) == 0) {
        std::string scalar(random.pick(kScalars));
        if (scalar.back() == '\n') scalar += pad + " line one\n" + pad + "   two\n\n" + pad + " three";
        if (scalar[0] == '*') anchor.clear();
        return anchor + " " + scalar + "\n";
    }
    std::string text = anchor + "\n";
    const size_t count = 1 + random.below(4);
    const bool is_list = random.below(3) == 0;
    for (size_t i = 0; i < count; ++i) {
        constexpr std::string_view kKeys[] = {"name", "a",  "b", "'c d'", "yes",   "1",
                                              "1.0",  "<<", "~", "+tags", "\"<<\""};
        text += pad + (is_list ? "-" : std::string(random.pick(kKeys)) + ":");
        text += random_value(random, depth - 1, indent + 1 + random.below(3), anchors);
    }
    return text;
}

TEST(PyYamlOracle, Documents) {
    Random random(4);
    std::vector<std::string> documents;
    while (documents.size() < 6'000) {
        int anchors = 0;
        std::string document = random_value(random, 4, 0, anchors);
        if (random.below(4) == 0) {  // spoiled
            const size_t at = random.below(document.size());
            document[at] = "{}[]:,&*-\n \"'#|"[random.below(15)];
        }
        documents.push_back(document);
    }
    expect_same(documents);
}

}  // namespace
}  // namespace shaduf::models
