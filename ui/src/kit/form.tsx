// Draws a form of form_model.ts. Every control has its label, its sentence of help, and its error right below.
import { Plus, Trash2 } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { Field } from "../api/types";
import { Button, Checkbox, IconButton, Input, Select } from "./controls";
import {
  controlOf,
  type FormErrors,
  type FormValue,
  type FormValues,
  isSecretValue,
  isUnset,
  type SecretValue,
  titleOf,
} from "./form_model";

interface FieldProps {
  field: Field;
  value: FormValue;
  path: string;
  errors: FormErrors;
  onChange: (value: FormValue) => void;
  onBlur: (path: string) => void;
  disabled?: boolean;
}

export const fieldId = (path: string): string => `field-${path.replaceAll(/[^\w-]/g, "-")}`;

export function FieldFrame({
  id,
  title,
  required,
  help,
  error,
  children,
  group,
}: {
  id: string;
  title: string;
  required?: boolean;
  help?: string;
  error?: string;
  children: ReactNode;
  group?: boolean;
}) {
  const label = (
    <>
      {title}
      {required && (
        <span className="required" title="needed">
          {" "}
          *<span className="visually-hidden"> needed</span>
        </span>
      )}
    </>
  );
  const notes = (
    <>
      {error && (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {help && (
        <p className="field-help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </>
  );
  // The control says that it is wrong and what is said about it, whoever draws it.
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const control = group ? null : box.current?.querySelector(`[id="${CSS.escape(id)}"]`);
    if (!control) return;
    const notes = [error && `${id}-error`, help && `${id}-help`].filter(Boolean).join(" ");
    if (notes) control.setAttribute("aria-describedby", notes);
    else control.removeAttribute("aria-describedby");
    if (error) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  });
  if (group) {
    return (
      <fieldset className="field" data-wrong={error ? true : undefined}>
        <legend className="field-label">{label}</legend>
        {children}
        {notes}
      </fieldset>
    );
  }
  return (
    <div className="field" ref={box} data-wrong={error ? true : undefined}>
      <label className="field-label" htmlFor={id}>
        {label}
      </label>
      {children}
      {notes}
    </div>
  );
}

function FormField(props: FieldProps) {
  const { field, value, path, errors, onChange, onBlur, disabled } = props;
  const id = fieldId(path);
  const error = errors[path];
  const describe = {
    "aria-describedby": [error && `${id}-error`, field.help && `${id}-help`].filter(Boolean).join(" ") || undefined,
    "aria-invalid": error ? true : undefined,
  };
  const frame = (children: ReactNode, group = false) => (
    <FieldFrame
      id={id}
      title={titleOf(field)}
      required={field.required && !field.default}
      help={plainHelp(field.help)}
      error={error}
      group={group}
    >
      {children}
    </FieldFrame>
  );
  if (isSecretValue(value) || field.secret) {
    const held: SecretValue = isSecretValue(value) ? value : { secret: true, held: null, typed: null };
    return frame(
      <SecretControl field={field} id={id} value={held} onChange={onChange} describe={describe} disabled={disabled} />,
      controlOf(field) === "text_map",
    );
  }
  const text = typeof value === "string" ? value : "";
  const placeholder = field.default ? `${field.default} (default)` : (field.example ?? undefined);
  switch (controlOf(field)) {
    case "boolean":
      return frame(
        <Select
          id={id}
          {...describe}
          disabled={disabled}
          value={value === undefined ? "" : String(value)}
          onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value === "true")}
        >
          <option value="">{field.default ? `${field.default} (default)` : "not set"}</option>
          <option value="true">yes</option>
          <option value="false">no</option>
        </Select>,
      );
    case "text_list":
      return frame(<ListControl {...props} id={id} placeholder={field.example ?? undefined} />, true);
    case "text_map":
      return frame(<MapControl {...props} />, true);
    case "object":
      return <ObjectControl {...props} frame={frame} />;
    case "object_list":
      return frame(<ObjectListControl {...props} />, true);
    case "object_map":
      return frame(<ObjectMapControl {...props} />, true);
    case "any":
    case "json":
      return frame(
        <textarea
          id={id}
          {...describe}
          className="input mono area"
          rows={text ? Math.min(12, text.split("\n").length + 1) : 3}
          placeholder={placeholder}
          readOnly={disabled}
          spellCheck={false}
          value={text}
          onChange={(event) => onChange(event.target.value)}
          onBlur={() => onBlur(path)}
        />,
      );
    default:
      if (field.choices?.length) {
        return frame(
          <Select
            id={id}
            {...describe}
            value={text}
            disabled={disabled}
            onChange={(event) => onChange(event.target.value || undefined)}
          >
            <option value="">{field.default ? `${field.default} (default)` : "not set"}</option>
            {field.choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
            {text && !field.choices.includes(text) && <option value={text}>{text}</option>}
          </Select>,
        );
      }
      return frame(
        <Input
          id={id}
          {...describe}
          className={controlOf(field) === "text" ? "" : "short num"}
          inputMode={controlOf(field) === "integer" ? "numeric" : controlOf(field) === "number" ? "decimal" : undefined}
          value={text}
          readOnly={disabled}
          placeholder={placeholder}
          onChange={(event) => onChange(event.target.value)}
          onBlur={() => onBlur(path)}
        />,
      );
  }
}

const plainHelp = (help: string | undefined): string | undefined => help?.replaceAll("`", "");

function SecretControl({
  field,
  id,
  value,
  onChange,
  describe,
  disabled,
}: {
  field: Field;
  id: string;
  value: SecretValue;
  onChange: (value: FormValue) => void;
  describe: Record<string, unknown>;
  disabled?: boolean;
}) {
  if (value.held && value.typed === null && !value.removed) {
    return (
      <div className="row wrap secret-held" id={id} tabIndex={-1}>
        <span className="tag mono">{value.held.from || "set in the file"}</span>
        <span className="small muted">set, never shown</span>
        {!disabled && (
          <>
            <Button
              small
              onClick={() =>
                onChange(controlOf(field) === "text_map" ? { ...value, typed: "", map: {} } : { ...value, typed: "" })
              }
            >
              Replace
            </Button>
            <Button small kind="ghost" onClick={() => onChange({ ...value, removed: true })}>
              Remove
            </Button>
          </>
        )}
      </div>
    );
  }
  const keep = value.held && (
    <Button small kind="ghost" onClick={() => onChange({ secret: true, held: value.held, typed: null })}>
      Keep the old one
    </Button>
  );
  if (controlOf(field) === "text_map") {
    return (
      <div className="stack tight">
        <MapControl
          field={field}
          value={value.map}
          isSecret
          disabled={disabled}
          onChange={(map) => onChange({ ...value, map: (map ?? {}) as Record<string, string>, removed: false })}
        />
        {keep && <div>{keep}</div>}
      </div>
    );
  }
  if (controlOf(field) !== "text") {
    return (
      <div className="stack tight">
        <textarea
          id={id}
          {...describe}
          className="input mono area"
          rows={3}
          placeholder={`JSON; what is secret in it as $${"{secret:NAME}"}`}
          readOnly={disabled}
          spellCheck={false}
          value={value.typed ?? ""}
          onChange={(event) => onChange({ ...value, typed: event.target.value, removed: false })}
        />
        {keep && <div>{keep}</div>}
      </div>
    );
  }
  return (
    <div className="row">
      <Input
        id={id}
        {...describe}
        type="password"
        autoComplete="new-password"
        readOnly={disabled}
        placeholder="typed values are kept in the secret store"
        value={value.typed ?? ""}
        onChange={(event) => onChange({ ...value, typed: event.target.value, removed: false })}
      />
      {keep}
    </div>
  );
}

// One value a line: what people paste from elsewhere comes as lines.
function ListControl({
  value,
  path,
  onChange,
  onBlur,
  id,
  placeholder,
  disabled,
}: FieldProps & { id: string; placeholder?: string }) {
  const items = Array.isArray(value) ? value.map(String) : [];
  const [text, setText] = useState(items.join("\n"));
  const shown =
    items.join("\n") ===
    text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .join("\n")
      ? text
      : items.join("\n");
  return (
    <textarea
      id={id}
      aria-label="One a line"
      className="input area"
      rows={Math.min(8, Math.max(2, shown.split("\n").length))}
      placeholder={placeholder ? `${placeholder}\none a line` : "one a line"}
      value={shown}
      readOnly={disabled}
      spellCheck={false}
      onChange={(event) => {
        setText(event.target.value);
        onChange(
          event.target.value
            .split("\n")
            .map((line) => line.trim())
            .filter((line) => line !== ""),
        );
      }}
      onBlur={() => onBlur(path)}
    />
  );
}

function MapControl({
  field,
  value,
  onChange,
  disabled,
  isSecret,
}: Pick<FieldProps, "field" | "value" | "onChange" | "disabled"> & { isSecret?: boolean }) {
  const map = (value ?? {}) as Record<string, FormValue>;
  const [rows, setRows] = useState<[string, string][]>(() =>
    Object.entries(map).map(([name, item]) => [name, String(item)]),
  );
  const change = (next: [string, string][]) => {
    setRows(next);
    const filled = next.filter(([name]) => name !== "");
    onChange(filled.length ? Object.fromEntries(filled) : undefined);
  };
  return (
    <div className="stack tight">
      {rows.map(([name, item], i) => (
        <div className="row" key={i}>
          <Input
            aria-label={`${titleOf(field)}, name ${i + 1}`}
            placeholder="name"
            value={name}
            readOnly={disabled}
            onChange={(event) => change(rows.map((row, j) => (i === j ? [event.target.value, row[1]] : row)))}
          />
          <Input
            aria-label={`${titleOf(field)}, value ${i + 1}`}
            placeholder={isSecret ? "kept in the secret store" : "value"}
            type={isSecret ? "password" : "text"}
            value={item}
            readOnly={disabled}
            onChange={(event) => change(rows.map((row, j) => (i === j ? [row[0], event.target.value] : row)))}
          />
          {!disabled && (
            <IconButton
              label={`Remove ${name || `entry ${i + 1}`}`}
              onClick={() => change(rows.filter((_, j) => i !== j))}
            >
              <Trash2 size={14} />
            </IconButton>
          )}
        </div>
      ))}
      {!disabled && (
        <div>
          <Button small kind="ghost" onClick={() => setRows([...rows, ["", ""]])}>
            <Plus size={14} aria-hidden="true" /> Add an entry
          </Button>
        </div>
      )}
    </div>
  );
}

function ObjectControl({
  field,
  value,
  path,
  errors,
  onChange,
  onBlur,
  disabled,
  frame,
}: FieldProps & { frame: (children: ReactNode, group?: boolean) => ReactNode }) {
  const values = (value ?? {}) as FormValues;
  const wrong = Object.keys(errors).some((key) => key.startsWith(`${path}.`));
  return frame(
    <details className="object" open={!isUnset(value) || field.required || wrong}>
      <summary>{isUnset(value) ? "not set" : summaryOf(values)}</summary>
      <FormFields
        fields={field.children ?? []}
        values={values}
        prefix={`${path}.`}
        errors={errors}
        onBlur={onBlur}
        disabled={disabled}
        onChange={(next) => onChange(next)}
      />
    </details>,
    true,
  );
}

function summaryOf(values: FormValues): string {
  const set = Object.entries(values).filter(([, value]) => !isUnset(value));
  return set
    .map(([name, value]) => (typeof value === "string" && value.length < 24 ? `${name}: ${value}` : name))
    .join(" · ");
}

function ObjectListControl({ field, value, path, errors, onChange, onBlur, disabled }: FieldProps) {
  const items = Array.isArray(value) ? (value as FormValues[]) : [];
  return (
    <div className="stack tight">
      {items.map((item, i) => (
        <div className="object item" key={i}>
          <div className="row between">
            <span className="small muted">
              {titleOf(field)} {i + 1}
            </span>
            {!disabled && (
              <IconButton
                label={`Remove ${titleOf(field)} ${i + 1}`}
                onClick={() => onChange(items.filter((_, j) => j !== i))}
              >
                <Trash2 size={14} />
              </IconButton>
            )}
          </div>
          <FormFields
            fields={field.children ?? []}
            values={item}
            prefix={`${path}.${i}.`}
            errors={errors}
            onBlur={onBlur}
            disabled={disabled}
            onChange={(next) => onChange(items.map((other, j) => (j === i ? next : other)))}
          />
        </div>
      ))}
      {!disabled && (
        <div>
          <Button small kind="ghost" onClick={() => onChange([...items, {}])}>
            <Plus size={14} aria-hidden="true" /> Add one
          </Button>
        </div>
      )}
    </div>
  );
}

function ObjectMapControl({ field, value, path, errors, onChange, onBlur, disabled }: FieldProps) {
  const map = (value ?? {}) as Record<string, FormValues>;
  const [name, setName] = useState("");
  return (
    <div className="stack tight">
      {Object.entries(map).map(([key, item]) => (
        <div className="object item" key={key}>
          <div className="row between">
            <code>{key}</code>
            {!disabled && (
              <IconButton
                label={`Remove ${key}`}
                onClick={() => onChange(Object.fromEntries(Object.entries(map).filter(([other]) => other !== key)))}
              >
                <Trash2 size={14} />
              </IconButton>
            )}
          </div>
          <FormFields
            fields={field.children ?? []}
            values={item}
            prefix={`${path}.${key}.`}
            errors={errors}
            onBlur={onBlur}
            disabled={disabled}
            onChange={(next) => onChange({ ...map, [key]: next })}
          />
        </div>
      ))}
      {!disabled && (
        <div className="row">
          <Input
            aria-label={`Name of a new entry of ${titleOf(field)}`}
            placeholder="name"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button
            small
            kind="ghost"
            why={name.trim() === "" ? "Type its name first." : name in map ? "There is one of this name." : null}
            onClick={() => {
              onChange({ ...map, [name.trim()]: {} });
              setName("");
            }}
          >
            Add
          </Button>
        </div>
      )}
    </div>
  );
}

export function FormFields({
  fields,
  values,
  errors,
  prefix = "",
  onChange,
  onBlur,
  disabled,
}: {
  fields: Field[];
  values: FormValues;
  errors: FormErrors;
  prefix?: string;
  onChange: (values: FormValues) => void;
  onBlur: (path: string) => void;
  disabled?: boolean;
}) {
  return (
    <div className="fields">
      {fields.map((field) => (
        <FormField
          key={field.name}
          field={field}
          value={values[field.name]}
          path={`${prefix}${field.name}`}
          errors={errors}
          disabled={disabled}
          onBlur={onBlur}
          onChange={(value) => onChange({ ...values, [field.name]: value })}
        />
      ))}
    </div>
  );
}

// What is needed first; what has a default or may be left out behind a fold, with the number of those that are set.
export function ConnectorForm(props: {
  fields: Field[];
  values: FormValues;
  errors: FormErrors;
  onChange: (values: FormValues) => void;
  onBlur: (path: string) => void;
  disabled?: boolean;
}) {
  const { fields, values, errors } = props;
  const needed = fields.filter((field) => field.required);
  const first =
    needed.length > 0
      ? [...needed, ...fields.filter((field) => !field.required && (field.secret || field.name === "auth"))]
      : fields.slice(0, 4);
  const rest = fields.filter((field) => !first.includes(field));
  const set = rest.filter((field) => !isUnset(values[field.name])).length;
  const wrong = rest.some((field) =>
    Object.keys(errors).some((path) => path === field.name || path.startsWith(`${field.name}.`)),
  );
  return (
    <>
      <FormFields {...props} fields={first} />
      {rest.length > 0 && (
        <details className="advanced" open={wrong || undefined}>
          <summary>
            More options{" "}
            <span className="small muted">
              {set > 0 ? `${set} of ${rest.length} set` : `${rest.length}, all at their defaults`}
            </span>
          </summary>
          <FormFields {...props} fields={rest} />
        </details>
      )}
    </>
  );
}

// On top of a form: what is wrong, each a link to its control.
export function ErrorSummary({ errors }: { errors: FormErrors }) {
  const id = useId();
  const entries = Object.entries(errors);
  if (entries.length === 0) return null;
  return (
    <div className="notice fail" role="alert" aria-labelledby={id}>
      <div>
        <p className="strong" id={id}>
          {entries.length === 1 ? "One value is to be mended" : `${entries.length} values are to be mended`}
        </p>
        <ul>
          {entries.map(([path, text]) => (
            <li key={path}>
              <a
                href={`#${fieldId(path)}`}
                onClick={(event) => {
                  event.preventDefault();
                  document.getElementById(fieldId(path))?.focus();
                }}
              >
                {text}
              </a>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

export { Checkbox };
