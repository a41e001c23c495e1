import { describe, expect, it } from "vitest";
import connectors from "../../mock/connectors.json";
import type { Connector, Field } from "../api/types";
import {
  editsOf,
  type FormValues,
  formOf,
  optionsOf,
  secretNameOf,
  testOptionsOf,
  typedSecrets,
  validate,
  withoutSecrets,
} from "./form_model";

const all = connectors.items as unknown as Connector[];
const named = (path: string) => secretNameOf("conn", path);

// A value of each kind that a person could type.
function filled(fields: Field[]): FormValues {
  const values: FormValues = {};
  for (const field of fields) {
    if (field.secret) {
      values[field.name] =
        field.type === "text_map"
          ? { secret: true, held: null, typed: "", map: { "X-Key": "hush-map" } }
          : { secret: true, held: null, typed: field.type === "text" ? `hush-${field.name}` : '{"a": 1}' };
      continue;
    }
    switch (field.type) {
      case "integer":
        values[field.name] = "7";
        break;
      case "number":
        values[field.name] = "2.5";
        break;
      case "boolean":
        values[field.name] = true;
        break;
      case "duration":
        values[field.name] = "30s";
        break;
      case "bytes":
        values[field.name] = "256MB";
        break;
      case "text_list":
        values[field.name] = field.choices?.length ? [field.choices[0]!] : ["a", "b"];
        break;
      case "text_map":
        values[field.name] = { name: "value" };
        break;
      case "object":
        values[field.name] = filled(field.children ?? []);
        break;
      case "object_list":
        values[field.name] = [filled(field.children ?? [])];
        break;
      case "object_map":
        values[field.name] = { one: filled(field.children ?? []) };
        break;
      case "any":
      case "json":
        values[field.name] = '{"a": [1, 2]}';
        break;
      default:
        values[field.name] = field.choices?.[0] ?? "text";
    }
  }
  return values;
}

describe("every connector's form", () => {
  for (const connector of all) {
    for (const [group, fields] of [
      ["connection", connector.fields],
      ["stream", connector.stream_fields ?? []],
      ["table", connector.table_fields ?? []],
    ] as const) {
      if (fields.length === 0) continue;
      it(`${connector.name}, ${group}: takes a value of each field, and writes it without a secret`, () => {
        const values = filled(fields);
        expect(validate(fields, values)).toEqual({});
        const written = optionsOf(fields, values, named);
        expect(Object.keys(written).sort()).toEqual(
          fields
            .filter((field) => field.type !== "object" || (field.children ?? []).length > 0)
            .map((field) => field.name)
            .sort(),
        );
        expect(JSON.stringify(written)).not.toContain("hush");
        expect(JSON.stringify(withoutSecrets(fields, values))).not.toContain("hush");
        const typed = typedSecrets(fields, values, named);
        for (const secret of typed) {
          expect(secret.name).toMatch(/^\w+$/);
          expect(JSON.stringify(written)).toContain(`\${secret:${secret.name}}`);
        }
        // A test is given what was typed, since nothing is stored yet.
        for (const secret of typed) expect(JSON.stringify(testOptionsOf(fields, values))).toContain(secret.value);
      });
      it(`${connector.name}, ${group}: untouched, it writes nothing and asks for what is needed`, () => {
        const values = formOf(fields, {});
        expect(optionsOf(fields, values, named)).toEqual({});
        expect(Object.keys(validate(fields, values)).sort()).toEqual(
          fields
            .filter((field) => field.required && !field.default)
            .map((field) => field.name)
            .sort(),
        );
      });
    }
    it(`${connector.name}: what the server has comes back without an edit`, () => {
      const written = optionsOf(connector.fields, filled(connector.fields), named);
      const shown = Object.fromEntries(
        Object.entries(written).map(([name, value]) => [
          name,
          connector.fields.find((field) => field.name === name)?.secret
            ? { set: true, from: `secret:${named(name)}` }
            : value,
        ]),
      );
      const values = formOf(connector.fields, shown);
      const again = optionsOf(connector.fields, values, named);
      expect(
        editsOf(["connections", "conn"], again, optionsOf(connector.fields, formOf(connector.fields, shown), named)),
      ).toEqual([]);
      for (const field of connector.fields.filter(
        (one) => !one.secret && one.type !== "object" && one.type !== "object_list",
      ))
        expect(again[field.name]).toEqual(written[field.name]);
    });
  }
});

describe("validation", () => {
  const field = (type: string, more: Partial<Field> = {}): Field => ({ name: "f", type, ...more });
  it.each([
    ["integer", "7", true],
    ["integer", "7.5", false],
    ["integer", "seven", false],
    ["integer", "${env:N}", true],
    ["number", "2.5", true],
    ["number", "x", false],
    ["duration", "90s", true],
    ["duration", "28d", true],
    ["duration", "1h 30m", true],
    ["duration", "5", false],
    ["duration", "5 parsecs", false],
    ["bytes", "256MB", true],
    ["bytes", "10", true],
    ["bytes", "big", false],
    ["json", '{"a":1}', true],
    ["json", '{"a":', false],
  ])("%s %s: %s", (type, text, good) => {
    expect(Object.keys(validate([field(type)], { f: text }))).toEqual(good ? [] : ["f"]);
  });
  it("names what is wrong inside by its path", () => {
    const fields: Field[] = [
      {
        name: "auth",
        type: "object",
        children: [
          { name: "token", type: "text", required: true },
          { name: "ttl", type: "duration" },
        ],
      },
    ];
    expect(validate(fields, { auth: { ttl: "soon" } })).toMatchObject({
      "auth.token": expect.any(String),
      "auth.ttl": expect.any(String),
    });
    expect(validate(fields, {})).toEqual({});
  });
  it("knows the choices", () => {
    expect(validate([field("text", { choices: ["a", "b"] })], { f: "c" }).f).toContain("a, b");
  });
});

describe("secrets", () => {
  const fields: Field[] = [
    { name: "key", type: "text", secret: true },
    { name: "url", type: "text" },
  ];
  const shown = { key: { set: true, from: "secret:crm_key" }, url: "https://a" };
  it("that are untouched are no edit", () => {
    const before = optionsOf(fields, formOf(fields, shown), named);
    expect(before.key).toBe("${secret:crm_key}");
    const values = { ...formOf(fields, shown), url: "https://b" };
    expect(editsOf(["connections", "crm"], before, optionsOf(fields, values, named))).toEqual([
      { path: ["connections", "crm", "url"], op: "set", value: "https://b" },
    ]);
    expect(typedSecrets(fields, values, named)).toEqual([]);
    // Nor are they sent along with a test: the server takes its own.
    expect(testOptionsOf(fields, values)).toEqual({ url: "https://b" });
  });
  it("that are replaced go to the store, and removed ones out of the file", () => {
    const values = formOf(fields, shown);
    const before = optionsOf(fields, values, named);
    const replaced: FormValues = { ...values, key: { secret: true, held: { from: "secret:crm_key" }, typed: "new" } };
    expect(typedSecrets(fields, replaced, named)).toEqual([{ name: "conn_key", value: "new" }]);
    const removed: FormValues = {
      ...values,
      key: { secret: true, held: { from: "secret:crm_key" }, typed: null, removed: true },
    };
    expect(editsOf([], before, optionsOf(fields, removed, named))).toEqual([{ path: ["key"], op: "remove" }]);
  });
  it("that name the environment are written as they are typed", () => {
    const values: FormValues = { key: { secret: true, held: null, typed: "${env:CRM}" } };
    expect(optionsOf(fields, values, named)).toEqual({ key: "${env:CRM}" });
    expect(typedSecrets(fields, values, named)).toEqual([]);
  });
});
