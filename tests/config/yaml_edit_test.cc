#include "config/yaml_edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace shaduf {
namespace {

Node json(const std::string& text) { return Node::parse_yaml(text, "value").release_value(); }

std::string edit(const std::string& text, YamlEdit::Op op, std::vector<std::string> path, const std::string& value) {
    const YamlEdit edits[] = {{op, std::move(path), value.empty() ? Node() : json(value)}};
    auto edited = edit_yaml(text, "f.yml", edits);
    return edited.ok() ? edited.value().text : "refused: " + edited.error().to_string();
}

struct Case {
    const char* name;
    const char* before;
    YamlEdit::Op op;
    std::vector<std::string> path;
    const char* value;
    const char* after;
};
constexpr auto kSet = YamlEdit::Op::set;
constexpr auto kAdd = YamlEdit::Op::add;
constexpr auto kRemove = YamlEdit::Op::remove;
constexpr auto kRename = YamlEdit::Op::rename;

void expect_all(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(edit(c.before, c.op, c.path, c.value), c.after);
    }
}

TEST(YamlEdit, SetsScalars) {
    expect_all({
        {"plain", "a: 1  # one\nb: 2\n", kSet, {"a"}, "3", "a: 3  # one\nb: 2\n"},
        {"keeps single quotes", "a: 'x'\n", kSet, {"a"}, "\"it's\"", "a: 'it''s'\n"},
        {"keeps double quotes", "a: \"x\"\n", kSet, {"a"}, "\"y\"", "a: \"y\"\n"},
        {"text that looks like a number", "a: x\n", kSet, {"a"}, "\"5\"", "a: \"5\"\n"},
        {"text that looks like a word", "a: 'x'\nb: 'y'\nc: z\n", kSet, {"c"}, "\"no\"", "a: 'x'\nb: 'y'\nc: 'no'\n"},
        {"reference", "a: x\n", kSet, {"a"}, "\"${env:SHOP}\"", "a: ${env:SHOP}\n"},
        {"reference in brackets", "a: {b: x}\n", kSet, {"a", "b"}, "\"${env:SHOP}\"", "a: {b: \"${env:SHOP}\"}\n"},
        {"empty value", "a:  # later\nb: 1\n", kSet, {"a"}, "true", "a: true  # later\nb: 1\n"},
        {"the same is no change", "a:   'x'   # c\n", kSet, {"a"}, "\"x\"", "a:   'x'   # c\n"},
        {"null", "a: 1\n", kSet, {"a"}, "null", "a: null\n"},
        {"list item", "a:\n  - x  # first\n  - y\n", kSet, {"a", "0"}, "\"z\"", "a:\n  - z  # first\n  - y\n"},
        {"several lines",
         "q: x\nr: 1\n",
         kSet,
         {"q"},
         "\"SELECT 1\\nFROM t\\n\"",
         "q: |\n  SELECT 1\n  FROM t\nr: 1\n"},
        {"block scalar", "q: |\n  SELECT 1\n\n# next\nr: 1\n", kSet, {"q"}, "\"one\"", "q: one\n\n# next\nr: 1\n"},
        {"unicode key", "данные: {ключ: 1}\nb: 2\n", kSet, {"данные", "ключ"}, "2", "данные: {ключ: 2}\nb: 2\n"},
        {"windows", "a: 1\r\nb:\r\n  c: 2\r\n", kSet, {"b", "d"}, "3", "a: 1\r\nb:\r\n  c: 2\r\n  d: 3\r\n"},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "a: 1\n",
         kSet,
         {"a"},
         "2",
         "\xEF\xBB\xBF"
         "a: 2\n"},
        {"no line end", "a: 1", kSet, {"b"}, "2", "a: 1\nb: 2"},
    });
}

TEST(YamlEdit, SetsMapsAndLists) {
    expect_all({
        {"empty file", "", kSet, {"a", "b"}, "1", "a:\n  b: 1\n"},
        {"only comments", "# mine\n", kSet, {"a"}, "[1]", "# mine\na:\n  - 1\n"},
        {"empty map", "a: {}\n", kSet, {"a", "b"}, "1", "a: {b: 1}\n"},
        {"empty root", "{}\n", kSet, {"a"}, "1", "{a: 1}\n"},
        {"new key behind a comment",
         "a:\n  b: 1  # b\n\n# c\nc: 1\n",
         kSet,
         {"a", "d"},
         "2",
         "a:\n  b: 1  # b\n  d: 2\n\n# c\nc: 1\n"},
        {"indent of the file",
         "a:\n    b: 1\nc: 1\n",
         kSet,
         {"d"},
         "{\"e\": {\"f\": [1]}}",
         "a:\n    b: 1\nc: 1\nd:\n    e:\n        f:\n            - 1\n"},
        {"lists at the key",
         "a:\n- 1\n",
         kSet,
         {"b"},
         "[1, {\"c\": 2, \"d\": 3}]",
         "a:\n- 1\nb:\n- 1\n- c: 2\n  d: 3\n"},
        {"map for a scalar", "a: 1  # c\nb: 2\n", kSet, {"a"}, "{\"x\": 1}", "a:  # c\n  x: 1\nb: 2\n"},
        {"scalar for a map", "a:  # c\n  x: 1\n  y: 2\nb: 2\n", kSet, {"a"}, "1", "a: 1  # c\nb: 2\n"},
        {"map for a map changes what differs",
         "a:\n  # keep\n  x: 1\n  y: 2  # gone\n  z: 3  # stays\n",
         kSet,
         {"a"},
         "{\"z\": 3, \"x\": 4, \"m\": 5}",
         "a:\n  # keep\n  x: 4\n  z: 3  # stays\n  m: 5\n"},
        {"list for a list", "a: [1, 2, 3]\n", kSet, {"a"}, "[1, 3]", "a: [1, 3]\n"},
        {"list grows", "a:\n  - 1  # c\n", kSet, {"a"}, "[1, 2]", "a:\n  - 1  # c\n  - 2\n"},
        {"json", "{\"a\": 1}\n", kSet, {"b"}, "[\"x\"]", "{\"a\": 1, \"b\": [x]}\n"},
        {"brackets over lines", "a: {\n  b: 1,  # c\n}\n", kSet, {"a", "d"}, "2", "a: {\n  b: 1, d: 2,  # c\n}\n"},
    });
}

TEST(YamlEdit, AddsRemovesAndRenames) {
    expect_all({
        {"add item",
         "a:\n  - x  # c\nb: 1\n",
         kAdd,
         {"a"},
         "{\"k\": 1, \"l\": 2}",
         "a:\n  - x  # c\n  - k: 1\n    l: 2\nb: 1\n"},
        {"add item to brackets", "a: [x]\n", kAdd, {"a"}, "\"z\"", "a: [x, z]\n"},
        {"add item to none", "a: []\n", kAdd, {"a"}, "{\"k\": 1}", "a:\n  - k: 1\n"},
        {"add a key", "a: 1\n", kAdd, {"b"}, "2", "a: 1\nb: 2\n"},
        {"remove",
         "a: 1\n# about b\nb:\n  x: 1\n  y: |\n    z\n\nc: 1\n",
         kRemove,
         {"b"},
         "",
         "a: 1\n# about b\n\nc: 1\n"},
        {"remove at the end", "a: 1\nb: 2", kRemove, {"b"}, "", "a: 1"},
        {"remove the last key", "a:\n  b: 1  # c\nd: 1\n", kRemove, {"a", "b"}, "", "a: {}\nd: 1\n"},
        {"remove from brackets", "a: {b: 1, c: 2}\n", kRemove, {"a", "c"}, "", "a: {b: 1}\n"},
        {"remove the first from brackets", "a: [1, 2]\n", kRemove, {"a", "0"}, "", "a: [2]\n"},
        {"remove an item", "a:\n  - x: 1\n    y: 2\n  # two\n  - z\n", kRemove, {"a", "0"}, "", "a:\n  # two\n  - z\n"},
        {"remove the first key of an item", "a:\n  - x: 1\n    y: 2\n", kRemove, {"a", "0", "x"}, "", "a:\n  - y: 2\n"},
        {"rename", "'a': 1 # c\nb: 2\n", kRename, {"a"}, "\"new name\"", "'new name': 1 # c\nb: 2\n"},
    });
}

TEST(YamlEdit, EditsAnchorsWhereTheyStand) {
    const std::string text = "base: &b\n  x: 1\n  y: 2\nuse:\n  <<: *b\n  z: 3\nalso: *b\n";
    EXPECT_EQ(edit(text, kSet, {"base", "x"}, "5"), "base: &b\n  x: 5\n  y: 2\nuse:\n  <<: *b\n  z: 3\nalso: *b\n");
    EXPECT_EQ(edit(text, kSet, {"use", "x"}, "5"),
              "base: &b\n  x: 1\n  y: 2\nuse:\n  <<: *b\n  z: 3\n  x: 5\nalso: *b\n");
    EXPECT_EQ(edit(text, kSet, {"also"}, "5"), "base: &b\n  x: 1\n  y: 2\nuse:\n  <<: *b\n  z: 3\nalso: 5\n");
    const YamlEdit edits[] = {{kSet, {"base", "x"}, json("5")}};
    EXPECT_THAT(edit_yaml(text, "f.yml", edits).release_value().notes,
                testing::ElementsAre("base.x is part of &b, which 2 other places use: it changes there as well"));
}

TEST(YamlEdit, RefusesWithTheReasonAndTheLine) {
    const std::string text = "base: &b\n  x: 1\nuse:\n  <<: *b\n  z: 3\nalso: *b\n";
    EXPECT_EQ(edit(text, kSet, {"also", "x"}, "5"),
              "refused: f.yml:6: comes from &b: also.x; change it where that anchor stands");
    EXPECT_EQ(edit(text, kRemove, {"use", "x"}, ""),
              "refused: f.yml:4: comes by << if it is there at all: use.x; change it where its anchor stands");
    EXPECT_EQ(edit(text, kRemove, {"base"}, ""),
              "refused: f.yml: base: nothing is called &b any more, which line 4 refers to");
    EXPECT_EQ(edit("a: 1\n---\nb: 1\n", kSet, {"a"}, "2"),
              "refused: f.yml:1: the file has more than one document; edit the text");
    EXPECT_EQ(edit("a: [\n", kSet, {"a"}, "2").substr(0, 15), "refused: f.yml:");
    EXPECT_EQ(edit("a:\n\tb: 1\n", kSet, {"a"}, "2").substr(0, 15), "refused: f.yml:");
    EXPECT_EQ(edit("a: 1\n", kSet, {"a", "b"}, "2"),
              "refused: f.yml:1: is a single value, not a map: what b should stand in");
    EXPECT_EQ(edit("a: 1\n", kRemove, {"b"}, ""), "refused: f.yml:1: not found: b");
    EXPECT_EQ(edit("a: 1\n", kAdd, {"a"}, "2"), "refused: f.yml:1: is there already: a");
    EXPECT_EQ(edit("a: 1\nb: 2\n", kRename, {"a"}, "\"b\""), "refused: f.yml:1: is there already: b");
}

// Documents and edits at random: each edit is refused, or means what it says and leaves all other lines alone.
class RandomYaml {
public:
    explicit RandomYaml(uint32_t seed) : random_(seed) {}

    std::string document() {
        std::string out;
        write_map(out, 0, 0);
        return out;
    }
    std::vector<std::string> path(const Node& node) {
        std::vector<std::string> out;
        const Node* at = &node;
        while (at->is_map() || at->is_list()) {
            const size_t size = at->entries().size() + at->items().size();
            if (size == 0 || below(5) == 0) {
                out.push_back("new" + std::to_string(below(3)));
                break;
            }
            const size_t i = below(static_cast<uint32_t>(size));
            out.push_back(at->is_map() ? at->entries()[i].key : std::to_string(i));
            at = at->is_map() ? &at->entries()[i].value : &at->items()[i];
            if (below(4) == 0) break;
        }
        return out;
    }
    std::string value() {
        static const char* const kValues[] = {"1",    "true",   "\"x\"", "\"5\"",        "\"a: b # c\"",
                                              "null", "[]",     "{}",    "[1, [2]]",     "\"l1\\nl2\\n\"",
                                              "\"\"", "\" s\"", "1.5",   "{\"p\": [1]}", "[{\"q\":1}]"};
        return kValues[below(std::size(kValues))];
    }
    uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

private:
    void write_map(std::string& out, size_t indent, int depth) {
        const uint32_t count = 1 + below(4);
        for (uint32_t i = 0; i < count; ++i) {
            if (below(5) == 0) out += std::string(indent, ' ') + "# comment\n";
            if (below(8) == 0) out += "\n";
            out += std::string(indent, ' ') +
                   (below(4) == 0 ? "'k" + std::to_string(i) + "'" : "k" + std::to_string(i)) + ":";
            write_value(out, indent, depth);
        }
    }
    void write_value(std::string& out, size_t indent, int depth) {
        static const char* const kScalars[] = {" 1",  " 'one # x'", " \"two\"", "", " plain text", " {a: 1, b: [x, y]}",
                                               " []", " ~",         " {}"};
        const uint32_t kind = depth > 3 ? 0 : below(5);
        const std::string comment = below(3) == 0 ? "  # why" : "";
        if (kind == 1) {
            out += comment + "\n";
            write_map(out, indent + 2, depth + 1);
        } else if (kind == 2) {
            out += comment + "\n";
            const size_t at = indent + (below(2) == 0 ? 0 : 2);
            for (uint32_t i = 0; i <= below(3); ++i) {
                out += std::string(at, ' ') + "-";
                if (below(3) == 0) {
                    out += " x: 1\n" + std::string(at, ' ') + "  y: 2" + comment + "\n";
                } else {
                    out += std::string(kScalars[below(std::size(kScalars))]) + comment + "\n";
                }
            }
        } else if (kind == 3) {
            out += " |" + std::string(below(3) == 0 ? "+" : "") + "\n" + std::string(indent + 2, ' ') + "text\n";
        } else {
            out += std::string(kScalars[below(std::size(kScalars))]) + comment + "\n";
        }
    }
    std::mt19937 random_;
};

TEST(YamlEdit, RandomEditsMeanWhatTheySayAndKeepComments) {
    size_t refused = 0;
    for (uint32_t seed = 1; seed <= 4000; ++seed) {
        RandomYaml random(seed);
        const std::string before = random.document();
        const auto parsed = Node::parse_yaml(before, "f.yml");
        ASSERT_TRUE(parsed.ok()) << before << parsed.error().to_string();
        const auto op = static_cast<YamlEdit::Op>(random.below(4));
        const YamlEdit edits[] = {{op, random.path(parsed.value()), json(op == kRename ? "\"r\"" : random.value())}};
        SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + before);
        const auto edited = edit_yaml(before, "f.yml", edits);
        if (!edited.ok()) {
            ++refused;
            // Blank lines that a block scalar keeps are part of it, whatever stood before them.
            if (before.find("|+") != std::string::npos) continue;
            EXPECT_EQ(edited.error().message().find("without touching"), std::string::npos)
                << edited.error().to_string() << " op " << static_cast<int>(op) << " path "
                << testing::PrintToString(edits[0].path) << " value " << edits[0].value.to_json();
            continue;
        }
        if (op != kSet) continue;
        const auto after = Node::parse_yaml(edited.value().text, "f.yml");
        ASSERT_TRUE(after.ok());
        const Node* at = &after.value();
        for (const std::string& part : edits[0].path) {
            at = at->is_list() ? &at->items()[std::stoul(part)] : &(*at)[part];
        }
        EXPECT_TRUE(mean_same(*at, edits[0].value)) << edited.value().text;
    }
    EXPECT_LT(refused, 1600U) << "most edits can be made";
}

}  // namespace
}  // namespace shaduf
