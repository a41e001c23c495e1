"""Random templates and contexts that use what real projects use, and the corners beside it."""

WORDS = [
    "a",
    "b",
    "id",
    "name",
    "Foo",
    "user_id",
    "x y",
    "ünï",
    "ß",
    "tab\tbed",
    "l1\nl2",
    "",
    " pad ",
    "a,b,c",
    "10",
    "-3.5",
    "0x1f",
    "<b>&'\"</b>",
    "it's",
    "CamelCase words-here",
    "日本",
    "%s",
    "1_000",
    "true",
    "a.b.c",
    "e\u0301",
]
NAMES = ["a", "b", "items", "d", "s", "n", "f", "rows", "flag", "nothing", "missing", "x", "y"]
TESTS = [
    "defined",
    "undefined",
    "none",
    "string",
    "number",
    "integer",
    "float",
    "boolean",
    "mapping",
    "sequence",
    "iterable",
    "odd",
    "even",
    "true",
    "false",
    "lower",
    "upper",
    "callable",
    "escaped",
]
BINARY_TESTS = [
    "divisibleby",
    "eq",
    "ne",
    "lt",
    "gt",
    "le",
    "ge",
    "in",
    "sameas",
    "equalto",
    "greaterthan",
    "lessthan",
]
FILTERS = [
    "lower",
    "upper",
    "trim",
    "length",
    "list",
    "string",
    "int",
    "float",
    "abs",
    "first",
    "last",
    "sort",
    "reverse",
    "unique|list",
    "title",
    "capitalize",
    "sum",
    "min",
    "max",
    "tojson",
    "escape",
    "e",
    "wordcount",
    "striptags",
    "urlencode",
    "safe",
    "count",
    "join",
    "default",
    "round",
    "pprint",
    "forceescape",
    "items|list",
    "dictsort",
    "filesizeformat",
    "center(9)",
    "xmlattr",
    "urlize",
    "indent",
    "wordwrap(7)",
    "truncate(6)",
    "format",
]
METHODS = {
    "s": [
        "upper()",
        "lower()",
        "strip()",
        "lstrip()",
        "rstrip()",
        "title()",
        "capitalize()",
        "swapcase()",
        "split()",
        "split({s})",
        "split({s}, {i})",
        "rsplit({s}, {i})",
        "rsplit(none, 1)",
        "splitlines()",
        "replace({s}, {s})",
        "replace({s}, {s}, {i})",
        "startswith({s})",
        "endswith(({s}, {s}))",
        "find({s})",
        "rfind({s})",
        "count({s})",
        "zfill({i})",
        "center({i})",
        "ljust({i}, '*')",
        "rjust({i})",
        "partition({s})",
        "rpartition({s})",
        "isdigit()",
        "isalpha()",
        "isalnum()",
        "isupper()",
        "islower()",
        "isspace()",
        "istitle()",
        "join({l})",
        "format({e}, {e})",
        "index({s})",
        "strip({s})",
        "isidentifier()",
        "removeprefix({s})",
        "casefold()",
        "splitlines(true)",
        "find({s}, {i}, {i})",
        "startswith({s}, {i})",
        "expandtabs({i})",
        "expandtabs()",
        "nosuch()",
    ],
    "l": [
        "append({e})",
        "extend({l})",
        "insert({i}, {e})",
        "pop()",
        "pop({i})",
        "index({e})",
        "count({e})",
        "copy()",
        "reverse()",
        "sort()",
        "remove({e})",
        "clear()",
        "nosuch()",
    ],
    "d": [
        "get({s})",
        "get({s}, {e})",
        "items()",
        "keys()",
        "values()",
        "update({d})",
        "update(a={e})",
        "pop({s}, {e})",
        "pop({s})",
        "setdefault({s}, {e})",
        "copy()",
        "items()|list",
        "keys()|list",
        "nosuch()",
    ],
}
SPECS = [
    "",
    ">8",
    "<8",
    "^9",
    "05d",
    ".2f",
    "x",
    "X",
    "o",
    "b",
    ",",
    "_",
    "+",
    "e",
    "g",
    "%",
    "*^7",
    "08.3f",
    "+,.1f",
    "#x",
    "s",
    ".2",
    "c",
    "d",
    "10",
    "n",
    "010,",
    "=+6",
    " d",
    "#o",
    ".0f",
    ".3e",
    "G",
]
PERCENTS = [
    "%s",
    "%d",
    "%5s",
    "%-5s|",
    "%05d",
    "%.2f",
    "%r",
    "%x",
    "%X",
    "%o",
    "%e",
    "%g",
    "%%",
    "%+d",
    "% d",
    "%c",
    "%5.1f",
    "%i",
    "%(a)s",
    "%.3s",
    "%#x",
    "%-8.3f|",
    "%G",
    "%u",
]


class Generator:
    """Makes requests for jinja_render; the same random numbers give the same ones."""

    def __init__(self, rng):
        self.rng = rng
        self.depth = 0
        self.loops = 0
        self.macros = []

    def pick(self, choices):
        return self.rng.choice(choices)

    def chance(self, of_hundred):
        return self.rng.randrange(100) < of_hundred

    # --- contexts

    def value(self, depth=0):
        kind = self.rng.randrange(10 if depth < 2 else 6)
        if kind == 0:
            return self.rng.randrange(-20, 100)
        if kind == 1:
            return self.pick([0.5, -2.25, 3.0, 1e16, 1e-5, 2.675, 100.0, -0.0])
        if kind in (2, 3):
            return self.pick(WORDS)
        if kind == 4:
            return self.pick([True, False])
        if kind == 5:
            return self.pick([None, 0, 1, "", 7])
        if kind in (6, 7):
            if self.chance(50):
                return [self.rng.randrange(9) for _ in range(self.rng.randrange(5))]
            return [self.value(depth + 1) for _ in range(self.rng.randrange(4))]
        return {self.pick(WORDS[:6]): self.value(depth + 1) for _ in range(self.rng.randrange(4))}

    def context(self):
        context = {
            "a": self.value(),
            "b": self.value(),
            "n": self.rng.randrange(-9, 30),
            "s": self.pick(WORDS),
            "f": self.pick([0.5, 2.5, -1.25, 1234.5678]),
            "flag": self.chance(50),
            "nothing": None,
            "items": [self.value(1) for _ in range(self.rng.randrange(5))],
            "d": {self.pick(WORDS[:6]): self.value(1) for _ in range(self.rng.randrange(4))},
            "rows": [
                {"id": self.rng.randrange(5), "name": self.pick(WORDS), "on": self.chance(50)}
                for _ in range(self.rng.randrange(5))
            ],
        }
        return {name: value for name, value in context.items() if not self.chance(5)}

    # --- expressions

    def flag(self):
        return self.pick(["true", "false"])

    def string(self):
        text = self.pick(WORDS[:12] + [",", "a", " ", ".", "_"])
        escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        return f"'{escaped}'"

    def integer(self):
        return str(self.pick([0, 1, 2, 3, 5, 7, 10, -1, -2, 12]))

    def listing(self):
        if self.chance(40):
            return self.pick(
                [
                    "items",
                    "rows",
                    "[1, 2, 3]",
                    "['b', 'A', 'c']",
                    "range(4)",
                    "(1, 2)",
                    "rows|map(attribute='id')",
                    "d",
                    "s",
                    "[[1, 'a'], [2, 'b']]",
                    "d.items()",
                    "[]",
                    "range(5, 0, -2)",
                ]
            )
        return "[" + ", ".join(self.expression() for _ in range(self.rng.randrange(4))) + "]"

    def mapping(self):
        if self.chance(40):
            return self.pick(["d", "{'a': 1}", "{'b': 2, 'a': [1]}", "dict(a=1, b='x')", "{}", "rows[0]"])
        return "{" + ", ".join(f"{self.string()}: {self.expression()}" for _ in range(self.rng.randrange(3))) + "}"

    def atom(self):
        kind = self.rng.randrange(14)
        if kind < 4:
            return self.pick(NAMES)
        if kind == 4 and self.loops:
            return "loop." + self.pick(
                [
                    "index",
                    "index0",
                    "first",
                    "last",
                    "length",
                    "revindex",
                    "revindex0",
                    "depth",
                    "previtem",
                    "nextitem",
                    "cycle('a', 'b')",
                    "changed(n)",
                ]
            )
        if kind < 6:
            return self.string()
        if kind < 8:
            return self.integer()
        if kind == 8:
            return self.pick(
                ["true", "false", "none", "True", "None", "1.5", "2.0", "1e3", "0x10", "1_000", ".5", "'a' 'b'"]
            )
        if kind == 9:
            return self.listing()
        if kind == 10:
            return self.mapping()
        if kind == 11:
            return self.pick(
                [
                    "rows[0].id",
                    "rows[0]['name']",
                    "items[0]",
                    "d.a",
                    "d['a']",
                    "s[0]",
                    "s[-1]",
                    "items[-1]",
                    "d.missing",
                    "missing.x",
                    "s[1:]",
                    "items[::2]",
                    "items[:-1]",
                    "s[::-1]",
                    "items[1:3]",
                    "a.b",
                    "rows|length",
                    "s.1",
                    "items.0",
                    "d['items']",
                    "a[b]",
                    "items[n]",
                ]
            )
        if kind == 12 and self.macros:
            return self.macro_call()
        return self.pick(
            ["range(3)|list", "namespace(a=1).a", "joiner('-')()", "cycler(1, 2).next()", "dict(a=1)", "dict()"]
        )

    def macro_call(self):
        name, count = self.pick(self.macros)
        arguments = [self.expression() for _ in range(self.rng.randrange(count + 2))]
        if self.chance(30):
            arguments.append(f"p{self.rng.randrange(count + 1)}={self.expression()}")
        if self.chance(5):
            arguments.append("*[1, 2]")
        if self.chance(5):
            arguments.append("**{'p0': 1}")
        return f"{name}({', '.join(arguments)})"

    def fill(self, pattern):
        for mark, make in (
            ("{s}", self.string),
            ("{i}", self.integer),
            ("{l}", self.listing),
            ("{d}", self.mapping),
            ("{e}", self.atom),
        ):
            while mark in pattern:
                pattern = pattern.replace(mark, make(), 1)
        return pattern

    def method_call(self):
        kind = self.pick("sssld")
        base = {
            "s": lambda: self.pick(["s", self.string(), "(" + self.expression() + "|string)"]),
            "l": self.listing,
            "d": self.mapping,
        }[kind]()
        return f"{base}.{self.fill(self.pick(METHODS[kind]))}"

    def filtered(self):
        kind = self.rng.randrange(16)
        base = self.pick(["s", self.string(), "items", "n", "f", self.operand()])
        if kind < 7:
            return f"{base}|{self.pick(FILTERS)}"
        listing = self.listing()
        return self.pick(
            [
                lambda: f"{listing}|join({self.string()})",
                lambda: f"{base}|default({self.atom()})",
                lambda: f"{base}|default({self.atom()}, true)",
                lambda: f"{base}|replace({self.string()}, {self.string()})",
                lambda: f"rows|map(attribute='{self.pick(['id', 'name', 'on', 'zz'])}')|list",
                lambda: f"{listing}|map('{self.pick(['upper', 'string', 'int', 'length', 'lower', 'abs'])}')|list",
                lambda: f"rows|selectattr('{self.pick(['on', 'id'])}')|list",
                lambda: f"rows|selectattr('id', '{self.pick(['eq', 'gt', 'ne'])}', {self.pick(['2', '3'])})|list",
                lambda: "rows|selectattr('id', 'in', [1, 2])|list",
                lambda: f"rows|rejectattr('on')|map(attribute='id')|join(',')",
                lambda: f"{listing}|select('{self.pick(TESTS)}')|list",
                lambda: f"{listing}|reject('{self.pick(TESTS)}')|list",
                lambda: f"rows|groupby('{self.pick(['id', 'name', 'on'])}')",
                lambda: f"rows|sort(attribute='{self.pick(['id', 'name', 'id,name'])}')",
                lambda: f"{listing}|sort(reverse={self.pick(['true', 'false'])})",
                lambda: f"{listing}|batch({self.integer()}, {self.atom()})|list",
                lambda: f"{listing}|slice({self.integer()})|list",
                lambda: f"{base}|round({self.integer()})",
                lambda: f"{base}|round(1, '{self.pick(['floor', 'ceil', 'common'])}')",
                lambda: f"{base}|int({self.integer()})",
                lambda: f"{base}|indent({self.integer()}, {self.pick(['true', 'false'])})",
                lambda: f"{base}|tojson({self.pick(['2', 'none', '4'])})",
                lambda: f"{base}|truncate({self.pick('583')}, {self.flag()}, '{self.pick(['', '..', '…'])}', 0)",
                lambda: f"{base}|attr('{self.pick(['id', 'upper', 'x'])}')",
                lambda: f"{base}|center({self.integer()})",
                lambda: f"{listing}|sum(start={self.integer()})",
                lambda: f"rows|sum(attribute='id')",
                lambda: f"{listing}|unique|join('-')",
                lambda: f"{self.mapping()}|dictsort({self.flag()}, '{self.pick(['key', 'value'])}')",
                lambda: f"{self.string()}|format({self.atom()})",
                lambda: f"{base}|wordwrap({self.pick(['5', '10', '20'])})",
                lambda: f"{base}|trim({self.string()})",
                lambda: f"{listing}|min",
                lambda: f"rows|max(attribute='id')",
                lambda: f"{base}|filesizeformat({self.pick(['true', 'false'])})",
                lambda: f"{base}|urlize({self.integer()})",
            ]
        )()

    def formatted(self):
        if self.chance(50):
            spec = self.pick(SPECS)
            conversion = self.pick(["", "", "", "!r", "!s"])
            field = self.pick(["", "0", "k"]) + conversion + (":" + spec if spec else "")
            return f"'{{{field}}}'.format({self.atom()}, k={self.atom()})"
        marks = "".join(self.pick(PERCENTS) for _ in range(self.rng.randrange(1, 3)))
        one, two = self.atom(), self.atom()
        return f"'{marks}' % {self.pick([one, f'({one}, {two})', f'({one},)', self.mapping()])}"

    def operand(self):
        return self.atom() if self.chance(70) else f"({self.expression()})"

    def expression(self):
        self.depth += 1
        try:
            if self.depth > 4 or self.chance(30):
                return self.atom()
            return self.composed()
        finally:
            self.depth -= 1

    def composed(self):
        kind = self.rng.randrange(16)
        if kind == 0 and self.chance(20):  # no towers of powers: jinja2 would work them out
            return f"{self.pick(['n', 'f', '2', '-3', '1.5'])} ** {self.integer()}"
        if kind < 3:
            operator = self.pick(["+", "-", "*", "/", "//", "%", "~", "~", "+"])
            if self.chance(75):
                number = lambda: self.pick(["n", "f", self.integer(), "2.5", "rows|length", "(n * 2)", "true"])
                return f"{number()} {operator} {number()}"
            return f"{self.operand()} {operator} {self.operand()}"
        if kind == 3:
            if self.chance(60):
                return self.pick(
                    [
                        "n > 3",
                        "s in d",
                        "'a' in s",
                        "flag == true",
                        "n == 1.0",
                        "items == []",
                        "s != 'a'",
                        "1 in items",
                    ]
                )
            return (
                f"{self.operand()} {self.pick(['==', '!=', '<', '>', '<=', '>=', 'in', 'not in'])} {self.operand()}"
            )
        if kind == 4:
            first, second = self.pick(["<", "==", "<="]), self.pick(["<", ">=", "!="])
            return f"{self.operand()} {first} {self.operand()} {second} {self.operand()}"
        if kind == 5:
            return f"{self.operand()} {self.pick(['and', 'or'])} {self.expression()}"
        if kind == 6:
            return f"{self.pick(['not ', '-', '+'])}{self.operand()}"
        if kind == 7:
            rest = f" else {self.expression()}" if self.chance(70) else ""
            return f"{self.operand()} if {self.expression()}{rest}"
        if kind == 8:
            negated = self.pick(["", "not "])
            return f"{self.operand()} is {negated}{self.pick(TESTS)}"
        if kind == 9:
            if self.chance(50):
                return f"{self.operand()} is {self.pick(BINARY_TESTS)}({self.atom()})"
            return (
                f"{self.operand()} is {self.pick(BINARY_TESTS)} {self.pick(['1', 'n', '[1, 2]', self.string(), 'd'])}"
            )
        if kind < 12:
            return self.filtered()
        if kind < 14:
            return self.method_call()
        if kind == 14:
            return self.formatted()
        return f"{self.operand()} ~ {self.operand()} ~ {self.operand()}"

    # --- statements

    def tag(self, text):
        before = self.pick(["", "", "", "-", "+"])
        after = self.pick(["", "", "", "-", "+"])
        return "{%" + before + " " + text + " " + after + "%}"

    def text(self):
        return self.pick(
            ["", " ", "\n", "text ", "\n  ", "  line\n", "<a>\n\n", "{ }", "}}", "\t", "é ", "\n\n    x", "%}"]
        )

    def output(self):
        before = self.pick(["", "", "", "-", "+"])
        after = self.pick(["", "", "-"])
        return "{{" + before + " " + self.expression() + " " + after + "}}"

    def body(self, count=3):
        return "".join(self.statement() for _ in range(self.rng.randrange(count + 1)))

    def statement(self):
        self.depth += 1
        try:
            if self.depth > 4 or self.chance(55):
                return self.text() + (self.output() if self.chance(70) else "")
            return self.text() + self.tagged()
        finally:
            self.depth -= 1

    def target(self):
        return self.pick(["x", "y", "x", "a", "n", "x, y"])

    def tagged(self):
        kind = self.rng.randrange(17)
        if kind < 3:
            middle = ""
            if self.chance(30):
                middle += self.tag(f"elif {self.expression()}") + self.body()
            if self.chance(50):
                middle += self.tag("else") + self.body()
            return self.tag(f"if {self.expression()}") + self.body() + middle + self.tag("endif")
        if kind < 7:
            return self.loop()
        if kind < 10:
            target = self.pick(["x", "y", "a", "n", "x, y"])
            value = self.expression() if "," not in target else f"{self.expression()}, {self.expression()}"
            return self.tag(f"set {target} = {value}")
        if kind == 10:
            chained = self.pick(["", "", " | upper", " | trim | length"])
            return self.tag(f"set {self.pick(['x', 'y'])}{chained}") + self.body() + self.tag("endset")
        if kind == 11:
            return self.macro()
        if kind == 12 and self.macros:
            name, _ = self.pick(self.macros)
            parameters = self.pick(["", "", "(v)", "(v, w=1)"])
            return self.tag(f"call{parameters} {name}({self.atom()})") + self.body() + self.tag("endcall")
        if kind == 13:
            return self.pick(
                [
                    lambda: self.tag(f"do items.append({self.atom()})"),
                    lambda: self.tag(f"do d.update({self.mapping()})"),
                    lambda: "{#" + self.pick(["", "-"]) + " note " + self.pick(["", "-", "+"]) + "#}",
                    lambda: self.tag("raw") + "{{ raw }}{% x %}" + self.tag("endraw"),
                ]
            )()
        if kind == 14:
            return (
                self.tag(f"filter {self.pick(['upper', 'trim', 'replace(1, 2)', 'indent(2)', 'title'])}")
                + self.body()
                + self.tag("endfilter")
            )
        if kind == 15:
            return (
                self.tag(f"with {self.pick(['x', 'y', 'n'])} = {self.expression()}, b = {self.atom()}")
                + self.body()
                + self.tag("endwith")
            )
        return (
            self.tag("set ns = namespace(v=0, w='')")
            + self.tag(f"for q in {self.listing()}")
            + self.tag(f"set ns.v = ns.v ~ {self.pick(['q', '1', 'loop.index'])}")
            + self.tag("endfor")
            + "{{ ns.v }}"
        )

    def loop(self):
        target = self.target()
        source = (
            self.pick(["d.items()", "[[1, 2], ['a', 'b']]", "rows|groupby('id')"])
            if "," in target
            else self.listing()
        )
        condition = f" if {self.expression()}" if self.chance(25) else ""
        recursive = " recursive" if self.chance(8) else ""
        head = self.tag(f"for {target} in {source}{condition}{recursive}")
        self.loops += 1
        body = self.body()
        if recursive and self.chance(70):
            body += "{{ loop(" + self.pick(["[]", "x[:1]", "[1]", "x"]) + ") if loop.depth < 3 }}"
        if self.chance(12):
            body += (
                self.tag(f"if {self.expression()}")
                + self.tag(self.pick(["break", "continue"]))
                + self.tag("endif")
                + self.body(1)
            )
        self.loops -= 1
        other = self.tag("else") + self.body(1) if self.chance(20) else ""
        return head + body + other + self.tag("endfor")

    def macro(self):
        name = self.pick(["m", "k", "mac"])
        count = self.rng.randrange(3)
        parameters = []
        has_default = False
        for number in range(count):
            has_default = has_default or self.chance(40)
            parameters.append(f"p{number}" + (f"={self.atom()}" if has_default else ""))
        loops, self.loops = self.loops, 0
        macros, self.macros = self.macros, []
        body = self.body() + "".join("{{ p%d }}" % number for number in range(count))
        body += self.pick(
            [
                "",
                "",
                "{{ varargs }}",
                "{{ caller() }}",
                "{{ kwargs|list }}",
                "{{ caller(1) if caller else 'no' }}",
                "{{ x }}",
            ]
        )
        self.loops, self.macros = loops, macros + [(name, count)]
        return self.tag(f"macro {name}({', '.join(parameters)})") + body + self.tag("endmacro")

    def request(self, number):
        self.depth, self.loops, self.macros = 0, 0, []
        template = "".join(self.statement() for _ in range(self.rng.randrange(1, 4)))
        if self.chance(4):
            at = self.rng.randrange(len(template) + 1)
            template = (
                template[:at]
                + self.pick(["{%", "}}", "(", "'", "|", "{{", "%}", "-", "\n", " is ", "["])
                + template[at + 1 :]
            )
        return {
            "name": f"t{number}",
            "template": template,
            "context": self.context(),
            "trim_blocks": self.chance(25),
            "lstrip_blocks": self.chance(25),
            "keep_trailing_newline": self.chance(25),
            "undefined": self.pick(["plain", "plain", "chainable", "chainable", "strict"]),
        }
