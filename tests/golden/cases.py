"""The golden matrix of types: by name of a table, the type of its column v, and its values as SQL expressions."""

SETUP = """SET client_min_messages = warning;
CREATE TYPE mood AS ENUM ('sad', 'ok''s', 'a,b', '');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nest AS (p pair, n numeric(5, 2)[]);
CREATE DOMAIN price AS numeric(10, 2) CHECK (value >= 0);
CREATE DOMAIN dear_price AS price;
CREATE DOMAIN names AS text[];
CREATE TABLE other ("it's" int);
"""

ALL_UNICODE = ("(SELECT string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 1114111) i "
               "WHERE i NOT BETWEEN 55296 AND 57343)")


def texts(*values):
    return [value if value.startswith(("E'", "(SELECT")) else "'" + value.replace("'", "''") + "'" for value in values]


RANGES = {
    "int4range": texts("[1,10)", "empty", "(,)", "[-2147483648,2147483647)", "[5,5]", "(,0]"),
    "int8range": texts("[1,10)", "empty", "(,)", "[-9223372036854775808,9223372036854775807)"),
    "numrange": texts("(,1.50]", "empty", "[NaN,NaN]", "[-Infinity,0.10)", "(,)", "[1.0,1.00]"),
    "tsrange": texts("[2024-01-01,infinity]", "empty", "(0044-03-15 BC,2024-02-29 23:59:59.999999)", "(,)"),
    "tstzrange": texts("(2024-01-01 00:00+02,)", "empty", "[-infinity,infinity]"),
    "daterange": texts("[2024-01-01,2024-01-31]", "empty", "[0001-01-01 BC,)", "[2024-01-01,infinity]"),
}
MULTIRANGES = {
    "int4multirange": texts("{[1,3),[5,7)}", "{}", "{(,)}", "{[1,3),[2,9)}"),
    "int8multirange": texts("{[1,3),[9223372036854775806,9223372036854775807)}", "{}"),
    "nummultirange": texts("{[1.5,2.50]}", "{}", "{(,NaN]}"),
    "tsmultirange": texts("{[2024-01-01,2024-01-02),[2025-01-01,infinity)}", "{}"),
    "tstzmultirange": texts("{[2024-01-01 00:00+02,2024-01-02 00:00+02)}", "{}"),
    "datemultirange": texts("{[2024-01-01,2024-01-02],[2024-02-29,2024-03-01)}", "{}"),
}
FLOATS = texts("NaN", "Infinity", "-Infinity", "0", "-0", "1", "-1.5", "0.1")

CASES = {
    # numbers
    "boolean": ["true", "false"],
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647", "0"],
    "bigint": texts("-9223372036854775808", "9223372036854775807", "9007199254740993", "0"),
    "oid": ["0", "4294967295"],
    "real": FLOATS + texts("3.4028235e38", "-3.4028235e38", "1e-45", "1.17549435e-38", "16777217"),
    "double precision": FLOATS + texts("1.7976931348623157e308", "-1.7976931348623157e308", "5e-324",
                                       "9007199254740993", "0.30000000000000004", "1e21"),
    "numeric": texts("NaN", "Infinity", "-Infinity", "0", "0.00", "-0.10", "1e-16383", "9007199254740993",
                     "12345678901234567890123456789012345678901234567890.1")
               + ["('1' || repeat('0', 131071))::numeric",
                  "(repeat('9', 131072) || '.' || repeat('9', 16383))::numeric"],
    "numeric(38,10)": texts("9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
                            "0.0000000001", "NaN"),
    "numeric(38,0)": ["repeat('9', 38)::numeric", "-(repeat('9', 38)::numeric)", "0"],
    "numeric(39,0)": ["repeat('9', 39)::numeric", "-1"],
    "numeric(1000,500)": ["(repeat('9', 500) || '.' || repeat('9', 500))::numeric", "0.5"],
    "numeric(5,-2)": ["9999900", "-9999900", "49", "50"],
    "numeric(3,5)": ["0.00999", "-0.00001", "0"],
    "money": texts("-92233720368547758.08", "92233720368547758.07", "0"),
    # texts
    "text": texts("", " ", "NULL", "\\N", "it's", "tab\tline\nreturn\r\"quote\" \\ back", "${env:X}",
                  "e\u0301 \u00e9 \U0001F600 \uFFFD \u202Eabc", ALL_UNICODE) + ["repeat('x', 100000)"],
    "varchar(5)": texts("", "ünïcö", "  "),
    "character(5)": texts("", "é", "abc  ", "     "),
    '"char"': texts("x", "", "E'\\\\303'")[:2] + ["E'\\\\303'", "E'\\\\001'"],
    "name": texts("n", "") + ["repeat('é', 31)"],
    "bytea": ["''", "'\\x00'", "decode(repeat('00', 1000), 'hex')",
              "(SELECT decode(string_agg(lpad(to_hex(i), 2, '0'), '' ORDER BY i), 'hex') "
              "FROM generate_series(0, 255) i)"],
    "uuid": texts("00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff"),
    "json": texts('{"a": 9007199254740993, "a": 1e400}', "null", '""', "[]", "{}", ' {"b" :1.0 } ', "-0", "0.10",
                  '"\\u0000"', '"\\ud83d\\ude00 \\" é"', "18446744073709551616", '{"a": {"b": [1, null, {"c": []}]}}'),
    "jsonb": texts('{"b": 9007199254740993.5, "a": null}', "null", '""', "[]", "{}", "1e400", "0.10", "-0",
                   "18446744073709551616", '{"é": "\U0001F600"}')
             + ["('[' || repeat('[', 500) || repeat(']', 500) || ']')::jsonb"],
    "jsonpath": texts("$.a[*] ? (@ > 1)"),
    "xml": texts("<a>é</a>", "text", ""),
    "mood": texts("sad", "ok's", "a,b", ""),
    "price": texts("0", "99999999.99"),
    "dear_price": texts("0.10"),
    # times
    "date": texts("4713-11-24 BC", "0001-12-31 BC", "0001-01-01", "1582-10-10", "1969-12-31", "1970-01-01",
                  "2024-02-29", "9999-12-31", "5874897-12-31", "infinity", "-infinity"),
    "time": texts("00:00:00", "24:00:00", "23:59:59.999999", "12:00:00.000001"),
    "time(0)": texts("23:59:59"),
    "timetz": texts("00:00:00+15:59:59", "24:00:00-15:59:59", "12:34:56.789+05:30"),
    "timestamp": texts("4713-11-24 00:00:00 BC", "0001-12-31 23:59:59.999999 BC", "0001-01-01 00:00:00",
                       "1969-12-31 23:59:59.999999", "2024-02-29 12:00:00.000001", "9999-12-31 23:59:59.999999",
                       "294246-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999", "infinity", "-infinity"),
    "timestamptz": texts("4713-11-24 00:00:00+00 BC", "0001-01-01 00:00:00+00", "2024-02-29 12:00:00+05:30",
                         "2024-03-31 01:30:00 Europe/Vienna", "294246-12-31 23:59:59.999999+00", "infinity",
                         "-infinity"),
    "timestamp(0)": texts("2024-12-31 23:59:59"),
    "interval": texts("0", "-178000000 years", "178000000 years 11 mons 2147483647 days 2147483647:59:59.999999",
                      "-1 day +02:03:04.5", "1 mon -1 day", "-0.000001 s", "1 year 2 mons 3 days 04:05:06.789"),
    "interval year to month": texts("1 year 2 mons"),
    # arrays
    "boolean[]": texts("{}", "{t,NULL,f}"),
    "integer[]": texts("{}", "{NULL}", "{1,NULL,-3}", "[5:6]={5,6}", "{{1,2},{3,4}}", "{-2147483648,2147483647}"),
    "bigint[]": texts("{9007199254740993,NULL}"),
    "text[]": texts("{}", '{"a,b","",NULL,"NULL","{x}","\\"q\\"","\\\\","é\U0001F600"}', '{" a "}'),
    "numeric(5,2)[]": texts("{1.50,NULL,-999.99}", "{NaN}"),
    "numeric[]": texts("{1.50,NaN,Infinity,1e-20}"),
    "double precision[]": texts("{NaN,Infinity,-0,0.1}"),
    "date[]": texts("{2024-02-29,NULL}", "{infinity}", "{0001-01-01 BC}"),
    "timestamptz[]": texts('{"2024-01-01 00:00:00+02",NULL}'),
    "bytea[]": ["ARRAY['\\x00ff'::bytea, NULL, '']"],
    "uuid[]": texts("{00000000-0000-0000-0000-000000000000}"),
    "json[]": ["ARRAY['{\"a\": 1}'::json, 'null', NULL]"],
    "jsonb[]": ["ARRAY['{\"a\": 9007199254740993}'::jsonb, 'null', NULL]"],
    "integer[][]": texts("{}", "{{1,2},{3,NULL}}", "{{{1}}}", "{1}"),
    "interval[]": texts('{"1 day",NULL}'),
    "inet[]": texts("{::1,10.0.0.1/8}"),
    "mood[]": texts('{sad,NULL,"a,b"}'),
    "pair[]": ["ARRAY[ROW(1, 'x,y')::pair, NULL, ROW(NULL, '')::pair]"],
    "int4range[]": texts('{"[1,3)",empty,NULL}'),
    "price[]": texts("{1,NULL}"),
    "names": texts('{a,NULL,""}'),
    # ranges
    **RANGES,
    **MULTIRANGES,
    # network, bits, geometry, search
    "inet": texts("::1/128", "10.0.0.1/8", "255.255.255.255", "::ffff:1.2.3.4", "::/0"),
    "cidr": texts("10.0.0.0/8", "::/0", "2001:db8::/32"),
    "macaddr": texts("08:00:2b:01:02:03"),
    "macaddr8": texts("08:00:2b:01:02:03:04:05"),
    "bit(3)": ["B'101'", "B'000'"],
    "bit varying": ["B''", "repeat('10', 500)::varbit"],
    "point": texts("(1.5,-2)", "(NaN,Infinity)"),
    "line": texts("{1,-1,0.1}"),
    "lseg": texts("[(0,0),(1,1)]"),
    "box": texts("(1,1),(0,0)"),
    "path": texts("[(0,0),(1,1)]", "((0,0),(1,1))"),
    "polygon": texts("((0,0),(1,1),(2,0))"),
    "circle": texts("<(0,0),1.5>"),
    "tsvector": texts("a:1 b:2A,3B 'it''s' ", ""),
    "tsquery": texts("a & !b | 'c d':*AB", ""),
    # composites
    "pair": ["ROW(1, 'x \"y\"')::pair", "ROW(NULL, NULL)::pair", "ROW(1, '')::pair"],
    "nest": ["ROW(ROW(1, 'a,b')::pair, '{1.5,NULL}')::nest"],
    # the server's own
    "pg_lsn": texts("0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"),
    "pg_snapshot": texts("10:20:10,14,15"),
    "txid_snapshot": texts("10:20:10,14,15"),
    "xid": texts("4294967295"),
    "xid8": texts("18446744073709551615"),
    "cid": texts("1"),
    "tid": texts("(4294967294,65535)"),
    "regclass": texts("pg_class", "other"),
    "regtype": texts("integer", "pair"),
    "regproc": texts("pg_catalog.now"),
    "regnamespace": texts("public"),
    "regrole": texts("pg_monitor"),
    "oidvector": texts("1 2 4294967295", ""),
    "int2vector": texts("1 -2", ""),
    "refcursor": texts("c"),
}
