// Forms made from a connector's own table of fields: what is typed, what is wrong with it, and what of it becomes edits
// of the YAML. Nothing here draws.
import type { Edit, Field } from "../api/types";

export type FormValue = string | boolean | FormValue[] | { [name: string]: FormValue } | SecretValue | undefined;

// A secret the server has: its value is never sent, so it is never shown and, untouched, never written.
export interface SecretValue {
  secret: true;
  held: { from: string } | null;
  typed: string | null;
  // Of a field that is a map: each value is a secret of its own.
  map?: Record<string, string>;
  removed?: boolean;
}
// A secret that is a whole document is written as it is typed: what is secret in it stands there as a reference.
const isDocument = (field: Field): boolean => !["text", "text_map"].includes(controlOf(field));
export type FormValues = Record<string, FormValue>;
export type FormErrors = Record<string, string>;

export const isSecretValue = (value: unknown): value is SecretValue =>
  typeof value === "object" && value !== null && (value as SecretValue).secret === true;
const isMap = (value: unknown): value is Record<string, FormValue> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isSecretValue(value);

const kKnown = new Set([
  "text",
  "integer",
  "number",
  "boolean",
  "duration",
  "bytes",
  "text_list",
  "text_map",
  "object",
  "object_list",
  "object_map",
  "any",
  "json",
]);
// What the renderer has no own control for is written as YAML, never left out.
export const controlOf = (field: Field): string => (kKnown.has(field.type) ? field.type : "any");

export const titleOf = (field: Field): string =>
  field.title || (field.name.charAt(0).toUpperCase() + field.name.slice(1)).replaceAll("_", " ");

// By which name a typed secret is kept: a file's name, so only plain letters.
export const secretNameOf = (owner: string, path: string): string =>
  `${owner}_${path}`.replaceAll(/[^A-Za-z0-9_]/g, "_");

// What a form shows of what the server knows.
export function formOf(fields: Field[], options: Record<string, unknown>): FormValues {
  const values: FormValues = {};
  for (const field of fields) values[field.name] = shownOf(field, options[field.name]);
  return values;
}

function shownOf(field: Field, value: unknown): FormValue {
  if (field.secret) {
    const held = value as { set?: boolean; from?: string } | undefined;
    if (held && typeof held === "object" && held.set)
      return { secret: true, held: { from: held.from ?? "" }, typed: null };
    if (typeof value === "string" && value !== "") return { secret: true, held: { from: value }, typed: null };
    return { secret: true, held: null, typed: null };
  }
  if (value === undefined || value === null) return undefined;
  switch (controlOf(field)) {
    case "boolean":
      return value === true || value === "true";
    case "text_list":
      return (Array.isArray(value) ? value : [value]).map(String);
    case "text_map":
      return isMap(value)
        ? Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
        : undefined;
    case "object":
      return isMap(value) ? formOf(field.children ?? [], value) : undefined;
    case "object_list":
      return (Array.isArray(value) ? value : [value]).map((item) =>
        formOf(field.children ?? [], (item ?? {}) as Record<string, unknown>),
      );
    case "object_map":
      return isMap(value)
        ? Object.fromEntries(
            Object.entries(value).map(([name, item]) => [
              name,
              formOf(field.children ?? [], item as Record<string, unknown>),
            ]),
          )
        : undefined;
    case "any":
    case "json":
      return typeof value === "string" ? value : JSON.stringify(value, null, 2);
    default:
      return String(value);
  }
}

const kDuration = /^\d+(\.\d+)?\s*(ms|s|m|h|d|w)(\s*\d+\s*(ms|s|m|h|d))*$/;
const kBytes = /^\d+(\.\d+)?\s*([KMGT]i?B|B|[kKMGT])?$/;
// A value may come from the environment or the secrets instead; the server resolves it.
const isReference = (text: string): boolean => /\$\{(env|secret):[^}]+\}/.test(text);

function wrongText(field: Field, text: string): string | null {
  if (isReference(text)) return null;
  switch (controlOf(field)) {
    case "integer":
      return /^-?\d+$/.test(text)
        ? null
        : `${titleOf(field)} is a whole number, such as ${field.example || field.default || "10"}.`;
    case "number":
      return text.trim() !== "" && Number.isFinite(Number(text))
        ? null
        : `${titleOf(field)} is a number, such as ${field.example || field.default || "2.5"}.`;
    case "duration":
      return kDuration.test(text.trim())
        ? null
        : `${titleOf(field)} is a time with its unit, such as ${field.default || field.example || "30s"}.`;
    case "bytes":
      return kBytes.test(text.trim())
        ? null
        : `${titleOf(field)} is a size with its unit, such as ${field.default || field.example || "256MB"}.`;
    case "json":
      if (!/^[[{"]/.test(text.trim())) return null;
      try {
        JSON.parse(text);
        return null;
      } catch (error) {
        return `${titleOf(field)} is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`;
      }
    default:
      return null;
  }
}

export const isUnset = (value: FormValue): boolean => {
  if (value === undefined || value === "") return true;
  if (isSecretValue(value)) {
    if (value.map) return Object.keys(value.map).length === 0;
    return value.typed === null ? value.held === null || value.removed === true : value.typed === "";
  }
  if (Array.isArray(value)) return value.every((item) => isUnset(item));
  if (isMap(value)) return Object.values(value).every((item) => isUnset(item));
  return false;
};

// By path, "auth.token" or "paginate.0.next"; the paths of the server's own errors are the same.
export function validate(fields: Field[], values: FormValues, prefix = ""): FormErrors {
  const errors: FormErrors = {};
  for (const field of fields) {
    const path = `${prefix}${field.name}`;
    const value = values[field.name];
    if (isUnset(value)) {
      if (field.required && !field.default) errors[path] = `${titleOf(field)} is needed.`;
      continue;
    }
    if (typeof value === "string") {
      const wrong = wrongText(field, value);
      if (wrong) errors[path] = wrong;
      else if (field.choices?.length && !isReference(value) && !field.choices.includes(value)) {
        errors[path] = `${titleOf(field)} is one of ${field.choices.join(", ")}.`;
      }
    } else if (controlOf(field) === "object" && isMap(value)) {
      Object.assign(errors, validate(field.children ?? [], value, `${path}.`));
    } else if (controlOf(field) === "object_list" && Array.isArray(value)) {
      value.forEach((item, i) => {
        if (isMap(item)) Object.assign(errors, validate(field.children ?? [], item, `${path}.${i}.`));
      });
    } else if (controlOf(field) === "object_map" && isMap(value)) {
      for (const [name, item] of Object.entries(value)) {
        if (isMap(item)) Object.assign(errors, validate(field.children ?? [], item, `${path}.${name}.`));
      }
    }
  }
  return errors;
}

// A value as the file has it. Secrets become references; `secretName` says by which name one is kept.
function writtenOf(field: Field, value: FormValue, secretName: (path: string) => string, path: string): unknown {
  if (isUnset(value)) return undefined;
  if (isSecretValue(value)) {
    const keep = (name: string, text: string) => (isReference(text) ? text : `\${secret:${secretName(name)}}`);
    if (value.map)
      return Object.fromEntries(Object.entries(value.map).map(([name, text]) => [name, keep(`${path}_${name}`, text)]));
    if (value.typed === null) return value.held ? `\${${value.held.from}}` : undefined;
    return isDocument(field) ? parseJson(value.typed) : keep(path, value.typed);
  }
  switch (controlOf(field)) {
    case "integer":
    case "number": {
      const text = String(value);
      return isReference(text) ? text : Number(text);
    }
    case "text_list":
      return Array.isArray(value) ? value.filter((item) => item !== "") : [String(value)];
    case "object":
      return objectOf(field.children ?? [], value as FormValues, secretName, path);
    case "object_list":
      return (value as FormValues[]).map(
        (item, i) => objectOf(field.children ?? [], item, secretName, `${path}_${i}`) ?? {},
      );
    case "object_map":
      return Object.fromEntries(
        Object.entries(value as Record<string, FormValues>).map(([name, item]) => [
          name,
          objectOf(field.children ?? [], item, secretName, `${path}_${name}`) ?? {},
        ]),
      );
    case "any":
    case "json":
      return parseJson(String(value));
    default:
      return value;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function objectOf(
  fields: Field[],
  values: FormValues,
  secretName: (path: string) => string,
  path: string,
): Record<string, unknown> | undefined {
  const entries: [string, unknown][] = [];
  for (const field of fields) {
    const written = writtenOf(field, values[field.name], secretName, path ? `${path}_${field.name}` : field.name);
    if (written !== undefined) entries.push([field.name, written]);
  }
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

// What the file would say: only what is set, defaults left out.
export function optionsOf(
  fields: Field[],
  values: FormValues,
  secretName: (path: string) => string,
): Record<string, unknown> {
  return objectOf(fields, values, secretName, "") ?? {};
}

// What a test of the connection is given: typed secrets as they are, since nothing is stored yet; those that the server
// has are left out, and it takes its own.
export function testOptionsOf(fields: Field[], all: FormValues): Record<string, unknown> {
  const values = withoutHeld(all);
  const typed = new Map(typedSecrets(fields, values, (path) => path).map((secret) => [secret.name, secret.value]));
  const replace = (value: unknown): unknown => {
    if (typeof value === "string") {
      const name = /^\$\{secret:(.*)\}$/.exec(value)?.[1];
      return name !== undefined && typed.has(name) ? typed.get(name) : value;
    }
    if (Array.isArray(value)) return value.map(replace);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]));
    }
    return value;
  };
  return replace(optionsOf(fields, values, (path) => path)) as Record<string, unknown>;
}

function withoutHeld(values: FormValues): FormValues {
  const strip = (value: FormValue): FormValue => {
    if (isSecretValue(value)) return { ...value, held: null };
    if (Array.isArray(value)) return value.map(strip);
    return isMap(value) ? withoutHeld(value) : value;
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, strip(value)]));
}

// Secrets that were typed, to be put into the secret store before the file is written.
export function typedSecrets(
  fields: Field[],
  values: FormValues,
  secretName: (path: string) => string,
  path = "",
): { name: string; value: string }[] {
  const found: { name: string; value: string }[] = [];
  for (const field of fields) {
    const value = values[field.name];
    const own = path ? `${path}_${field.name}` : field.name;
    if (isSecretValue(value)) {
      for (const [name, text] of Object.entries(value.map ?? {})) {
        if (text !== "" && !isReference(text)) found.push({ name: secretName(`${own}_${name}`), value: text });
      }
      if (!value.map && value.typed && !isDocument(field) && !isReference(value.typed)) {
        found.push({ name: secretName(own), value: value.typed });
      }
    } else if (controlOf(field) === "object" && isMap(value)) {
      found.push(...typedSecrets(field.children ?? [], value, secretName, own));
    } else if (controlOf(field) === "object_list" && Array.isArray(value)) {
      value.forEach((item, i) => {
        if (isMap(item)) found.push(...typedSecrets(field.children ?? [], item, secretName, `${own}_${i}`));
      });
    } else if (controlOf(field) === "object_map" && isMap(value)) {
      for (const [name, item] of Object.entries(value)) {
        if (isMap(item)) found.push(...typedSecrets(field.children ?? [], item, secretName, `${own}_${name}`));
      }
    }
  }
  return found;
}

// One edit for each option that differs: the server writes those lines and no others.
export function editsOf(
  base: (string | number)[],
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Edit[] {
  const edits: Edit[] = [];
  for (const [name, value] of Object.entries(after)) {
    if (!(name in before)) edits.push({ path: [...base, name], op: "add", value });
    else if (JSON.stringify(before[name]) !== JSON.stringify(value))
      edits.push({ path: [...base, name], op: "set", value });
  }
  for (const name of Object.keys(before)) {
    if (!(name in after)) edits.push({ path: [...base, name], op: "remove" });
  }
  return edits;
}

// Drafts are kept over a reload, without anything secret.
export function withoutSecrets(fields: Field[], values: FormValues): FormValues {
  const kept: FormValues = {};
  for (const field of fields) {
    const value = values[field.name];
    if (field.secret || value === undefined || isSecretValue(value)) continue;
    if (controlOf(field) === "object" && isMap(value)) kept[field.name] = withoutSecrets(field.children ?? [], value);
    else if (controlOf(field) === "object_list" && Array.isArray(value)) {
      kept[field.name] = value.map((item) => (isMap(item) ? withoutSecrets(field.children ?? [], item) : item));
    } else if (controlOf(field) === "object_map" && isMap(value)) {
      kept[field.name] = Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          isMap(item) ? withoutSecrets(field.children ?? [], item) : item,
        ]),
      );
    } else kept[field.name] = value;
  }
  return kept;
}
