#!/usr/bin/env python3
"""The checks of tools/tidy.py, one by one, on texts that they must and must not find fault with."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import tidy  # noqa: E402


def found(check, path, text):
    return [(line, what) for line, _, what in check(path, text)]


class Layers(unittest.TestCase):
    def test_cases(self):
        cases = [
            ("src/data/batch.h", "pipeline/run.h", False),
            ("src/data/batch.h", "base/error.h", True),
            ("src/io/http.h", "config/node.h", False),
            ("src/config/node.cc", "connectors/connector.h", False),
            ("src/connectors/rest.cc", "connectors/rest/paging.h", True),
            ("src/connectors/rest/paging.cc", "connectors/duckdb/table.h", False),
            ("src/connectors/rest.cc", "connectors/connector.h", True),
            ("src/pipeline/run.cc", "connectors/connector.h", True),
            ("src/pipeline/run.cc", "connectors/rest/paging.h", False),
            ("src/jinja/vm.cc", "data/batch.h", False),
            ("src/cli/run.cc", "pipeline/run.h", True),
        ]
        for path, other, allowed in cases:
            with self.subTest(path=path, other=other):
                self.assertEqual(not found(tidy.check_layers, path, f'\n#include "{other}"\n'), allowed)


class Builtins(unittest.TestCase):
    def test_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "src/jinja").mkdir(parents=True)
            (root / "docs").mkdir()
            (root / "src/jinja/filters_a.cc").write_text('Builtin{"upper", f}, Builtin{"lower", g},')
            (root / "src/jinja/methods.cc").write_text('Method{"pop", f}, Method{"get", g},')
            page = "## Filters\n| `upper` | |\n| `gone` | |\n## Methods\n| `list` | `pop` |\n"
            (root / "docs/jinja.md").write_text(page)
            self.assertEqual([what for _, _, _, what in tidy.check_builtins(root)],
                             ["Filters: gone: there is none", "Filters: lower: no row", "Methods: get: no row"])


class Banned(unittest.TestCase):
    def test_cases(self):
        cases = [
            ("src/io/x.cc", "std::this_thread::sleep_for(1s);", 1),
            ("src/base/clock.cc", "std::this_thread::sleep_for(1s);", 0),
            ("src/io/x.cc", '// sleep_for in a comment, "strcpy(" in a text', 0),
            ("src/io/x.cc", 'const char* a = "strcpy(b)";', 0),
            ("src/cli/run.cc", "std::cout << 1;", 1),
            ("src/main.cc", "std::cout << 1;", 0),
            ("src/io/x.cc", "std::snprintf(a, b, c);", 0),
            ("src/io/x.cc", "printf(a);", 1),
            ("src/io/x.cc", "strcpy(a, b); int c = rand();", 2),
            ("src/io/x.cc", "operand(1); my_rand();", 0),
            ("src/config/x.cc", "auto* a = new Thing(1);", 1),
            ("src/config/x.cc", "return std::unique_ptr<Thing>(new Thing(1));", 0),
        ]
        for path, text, count in cases:
            with self.subTest(path=path, text=text):
                self.assertEqual(len(found(tidy.check_banned, path, text)), count)


class Lengths(unittest.TestCase):
    def test_finds_functions_by_name_and_length(self):
        text = """namespace a {
struct S { int x = {}; };
int plain(int a) {
    if (a) { return 1; }
    return 2;
}
class C {
    C() : x_{1}, y_(2) { init(); }
    bool is() const noexcept override {
        return true;
    }
    int x_;
};
constexpr int kTable[] = {1, 2};
auto f = [](int a) { return a; };
template <typename T>
Result<T> C::get(const T& a) {
    for (;;) {
    }
}
}
"""
        self.assertEqual([(name, last - first + 1) for name, first, last in tidy.functions_of(text)],
                         [("plain", 4), ("C", 1), ("is", 3), ("lambda", 1), ("C::get", 4)])

    def test_long_functions_and_files(self):
        body = "void long_one() {\n" + "    a();\n" * 70 + "}\n"
        self.assertEqual(found(tidy.check_function_length, "src/io/x.cc", body),
                         [(1, "long_one: 72 lines of 70")])
        short = "void short_one() {\n" + "    a();\n" * 68 + "}\n"
        self.assertEqual(found(tidy.check_function_length, "src/io/x.cc", short), [])
        self.assertEqual(len(found(tidy.check_file_length, "src/io/x.cc", "\n" * 601)), 1)
        self.assertEqual(len(found(tidy.check_file_length, "src/io/x.h", "\n" * 300)), 0)

    def test_exceptions_only_shrink(self):
        finding = ("src/a.cc", 3, "function-length", "f: 80 lines of 70")
        self.assertEqual(tidy.apply_exceptions([finding], {"src/a.cc: function-length: f"}), [])
        left = tidy.apply_exceptions([finding], {"src/b.cc: file-length"})
        self.assertEqual(len(left), 2)
        self.assertIn("not needed any more: src/b.cc: file-length", left[1][3])


class Texts(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(len(found(tidy.check_lines, "src/a.cc", "x" * 121)), 1)
        self.assertEqual(len(found(tidy.check_lines, "src/a.cc", "x" * 120)), 0)
        self.assertEqual(len(found(tidy.check_lines, "src/a.cc", "\tx \n// TO" + "DO: later")), 3)

    def test_names(self):
        for name, good in [("src/io/string_utils.h", False), ("src/io/http.h", True), ("src/io/Common.h", False),
                           ("src/io/common.h", False), ("src/io/uncommon_case.h", True)]:
            with self.subTest(name=name):
                self.assertEqual(not found(tidy.check_name, name, ""), good)

    def test_tests_must_expect_something(self):
        empty = "TEST(A, B) {\n    run();\n}\n"
        self.assertEqual(len(found(tidy.check_tests_assert, "tests/a_test.cc", empty)), 1)
        direct = "TEST(A, B) {\n    EXPECT_TRUE(run());\n}\n"
        self.assertEqual(found(tidy.check_tests_assert, "tests/a_test.cc", direct), [])
        indirect = "void check(int a) {\n    ASSERT_EQ(a, 1);\n}\nTEST(A, B) {\n    check(1);\n}\n"
        self.assertEqual(found(tidy.check_tests_assert, "tests/a_test.cc", indirect), [])


if __name__ == "__main__":
    unittest.main()
