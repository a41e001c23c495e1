// Which streams of a source are loaded, and how. Looking for streams anew never changes what was picked: new ones come
// unpicked, those that went stay and say so. Saving edits the pipeline's file, or makes one.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { ApiError, call } from "../api/client";
import { discovery, file, pipeline, pipelines } from "../api/queries";
import type { ConnectionDetail, Connector, Discovery, Edit, FoundStream, Rows } from "../api/types";
import { type FileChange, ReviewDialog } from "../app/review";
import { useWhyNot } from "../app/session";
import { at, useGo, useUrl } from "../app/url";
import { Button, Dialog, Go, Input, SearchInput, Select, Tag } from "../kit/controls";
import { ConnectorForm, FieldFrame } from "../kit/form";
import { type FormErrors, type FormValues, formOf, optionsOf, secretNameOf, validate } from "../kit/form_model";
import { formatExact, plural } from "../kit/format";
import { Section } from "../kit/page";
import { ScheduleInput } from "../kit/schedule";
import { Empty, ErrorBox, Skeleton } from "../kit/states";
import { DataTable, ResultTable, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";
import { writeYaml } from "../kit/yaml_write";

export interface Choice {
  mode: string;
  contract: string;
  options?: Record<string, unknown>;
}
export interface StreamRow {
  name: string;
  found: FoundStream | null;
  loaded: Choice | null;
  choice: Choice | null;
}

export const kContracts = ["evolve", "freeze", "discard_row", "discard_column"];
const modesOf = (stream: FoundStream | null): string[] =>
  stream?.modes?.length ? stream.modes : ["full_refresh", "incremental"];
export const startOf = (stream: FoundStream | null): Choice => ({
  mode:
    stream?.modes?.includes("incremental") && stream.cursor_field
      ? "incremental"
      : (modesOf(stream)[0] ?? "full_refresh"),
  contract: "evolve",
});

// What is known of a stream, from three sides: the system, the file, and what was chosen on the page.
export function mergeStreams(
  found: FoundStream[],
  loaded: Map<string, Choice>,
  choices: Map<string, Choice | null>,
): StreamRow[] {
  const rows = new Map<string, StreamRow>();
  const put = (name: string, stream: FoundStream | null) => {
    const own = loaded.get(name) ?? null;
    const choice = choices.has(name) ? (choices.get(name) ?? null) : own;
    rows.set(name, { name, found: stream, loaded: own, choice });
  };
  for (const stream of found) put(stream.name, stream);
  for (const name of [...loaded.keys(), ...choices.keys()]) if (!rows.has(name)) put(name, null);
  return [...rows.values()];
}

export function streamEdits(rows: StreamRow[]): Edit[] {
  const edits: Edit[] = [];
  for (const row of rows) {
    const path = ["streams", row.name];
    if (row.choice && !row.loaded) edits.push({ path, op: "add", value: entryOf(row.choice) });
    else if (!row.choice && row.loaded) edits.push({ path, op: "remove" });
    else if (row.choice && row.loaded) {
      if (row.choice.mode !== row.loaded.mode)
        edits.push({ path: [...path, "mode"], op: "set", value: row.choice.mode });
      if (row.choice.contract !== row.loaded.contract)
        edits.push({ path: [...path, "contract"], op: "set", value: row.choice.contract });
    }
  }
  return edits;
}
// A contract that is the default is not written.
export function entryOf(choice: Choice): Record<string, unknown> {
  return {
    mode: choice.mode,
    ...(choice.contract !== "evolve" ? { contract: choice.contract } : {}),
    ...choice.options,
  };
}

export function Streams({ detail, connector }: { detail: ConnectionDetail; connector: Connector }) {
  const client = useQueryClient();
  const go = useGo();
  const [url, setUrl] = useUrl();
  const found = useQuery(discovery(detail.name));
  const all = useQuery(pipelines());
  const own = all.data?.items.find((item) => item.source === detail.name);
  const held = useQuery({ ...pipeline(own?.name ?? ""), enabled: own !== undefined });
  const [newName, setNewName] = useState(detail.name);
  const path = own?.file ?? `pipelines/${newName}.yml`;
  const text = useQuery({ ...file(path), enabled: own !== undefined });
  const [choices, setChoices] = useState<Map<string, Choice | null>>(new Map());
  const [schema, setSchema] = useState(`raw_${detail.name}`);
  const [schedule, setSchedule] = useState("");
  const [looking, setLooking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [change, setChange] = useState<FileChange | null>(null);
  const [byHand, setByHand] = useState(false);
  const [preview, setPreview] = useState<StreamRow | null>(null);
  const why = useWhyNot("editor", "change it");

  const loaded = useMemo(
    () =>
      new Map(
        (held.data?.streams ?? []).map((stream) => [
          stream.name,
          { mode: stream.mode ?? "full_refresh", contract: stream.contract ?? "evolve" },
        ]),
      ),
    [held.data],
  );
  const rows = useMemo(() => mergeStreams(found.data?.streams ?? [], loaded, choices), [found.data, loaded, choices]);
  const q = useDeferredValue((url.q ?? "").toLowerCase());
  const shown = useMemo(() => rows.filter((row) => row.name.toLowerCase().includes(q)), [rows, q]);
  const picked = rows.filter((row) => row.choice !== null);
  const edits = streamEdits(rows);

  const look = async () => {
    setLooking(true);
    setError(null);
    try {
      const answer = await call<Discovery>("POST", "/connections/{name}/discover", { name: detail.name }, { body: {} });
      client.setQueryData(["discovery", detail.name], answer);
    } catch (cause) {
      setError(cause);
    } finally {
      setLooking(false);
    }
  };
  const choose = (names: string[], pick: (row: StreamRow) => Choice | null) => {
    const next = new Map(choices);
    for (const row of rows) if (names.includes(row.name)) next.set(row.name, pick(row));
    setChoices(next);
  };
  const setPicked = (names: Set<string>) => {
    const next = new Map(choices);
    for (const row of shown) {
      if (names.has(row.name) && !row.choice) next.set(row.name, row.loaded ?? startOf(row.found));
      if (!names.has(row.name) && row.choice) next.set(row.name, null);
    }
    setChoices(next);
  };
  const review = () => {
    const added = edits.filter((edit) => edit.op === "add").length;
    if (own) {
      setChange({ file: path, base: text.data?.sha ?? null, edits, summary: `Change which streams ${own.name} loads` });
    } else {
      const streams = Object.fromEntries(picked.map((row) => [row.name, entryOf(row.choice!)]));
      setChange({
        file: path,
        base: null,
        text: writeYaml({
          source: detail.name,
          sink: "warehouse",
          schema: schema || undefined,
          schedule: schedule || undefined,
          streams,
        }),
        summary: `Load ${plural(added, "stream")} of ${detail.name}`,
      });
    }
  };
  const discovers = connector.discovers !== false;
  const neverLooked = found.isError && found.error instanceof ApiError && found.error.status === 404;
  return (
    <div className="stack wide">
      <Section
        title="Streams"
        note={
          <>
            {rows.length > 0 && `${formatExact(picked.length)} of ${formatExact(rows.length)} loaded · `}
            {found.data ? (
              <>
                looked for <Ago at={found.data.at} />
              </>
            ) : (
              "never looked for"
            )}
          </>
        }
        actions={
          <>
            {rows.length > 8 && (
              <SearchInput
                label="Filter streams"
                value={url.q ?? ""}
                onChange={(value) => setUrl({ q: value })}
                isPageFilter
              />
            )}
            <Button
              small
              busy={looking}
              why={!discovers && "This system cannot tell of its streams: add them by hand."}
              onClick={() => void look()}
            >
              {looking ? "Looking" : found.data ? "Look again" : "Look for streams"}
            </Button>
            {(connector.stream_fields ?? []).length > 0 && (
              <Button small why={why} onClick={() => setByHand(true)}>
                Add a stream by hand
              </Button>
            )}
          </>
        }
      >
        {error !== null && (
          <ErrorBox error={error} what={`list the streams of ${detail.name}`} onRetry={() => void look()} />
        )}
        {found.isError && !neverLooked && error === null && (
          <ErrorBox compact error={found.error} what="read what was found before" />
        )}
        {looking && rows.length === 0 && <Skeleton />}
        {rows.length === 0 && !looking ? (
          <Empty
            title={
              found.data
                ? "The system told of no streams."
                : discovers
                  ? "Which streams are there?"
                  : "Which streams are to be loaded?"
            }
          >
            {found.data
              ? "Add one by hand: its name, and where its rows are."
              : discovers
                ? "Look for streams asks the system which there are."
                : "This system cannot tell of its streams. Add each by hand: its name, and where its rows are."}
          </Empty>
        ) : (
          <StreamTable
            rows={shown}
            picked={new Set(picked.map((row) => row.name))}
            onPick={setPicked}
            choose={choose}
            onPreview={setPreview}
            disabled={Boolean(why)}
          />
        )}
      </Section>
      {(picked.length > 0 || own) && (
        <Section title={own ? "Pipeline" : "New pipeline"}>
          {own ? (
            <p>
              They are loaded by pipeline <Go target={at.pipeline(own.name)}>{own.name}</Go> into{" "}
              <code>{own.schema ?? own.sink}</code>.
            </p>
          ) : (
            <div className="inline-fields">
              <FieldFrame id="pipeline-name" title="Name" help={path}>
                <Input
                  id="pipeline-name"
                  value={newName}
                  onChange={(event) => setNewName(event.target.value.replace(/[^\w-]/g, "_"))}
                />
              </FieldFrame>
              <FieldFrame id="pipeline-schema" title="Into schema" help="Of the warehouse; made when it is not there.">
                <Input id="pipeline-schema" value={schema} onChange={(event) => setSchema(event.target.value)} />
              </FieldFrame>
              <FieldFrame id="pipeline-schedule" title="When">
                <ScheduleInput id="pipeline-schedule" value={schedule} onChange={setSchedule} />
              </FieldFrame>
            </div>
          )}
          <div className="row wrap">
            <Button
              kind="primary"
              data-key="save"
              why={
                why ??
                (edits.length === 0
                  ? "Nothing has changed."
                  : own && text.data === undefined
                    ? "The file is being read."
                    : null)
              }
              onClick={review}
            >
              Review and save
            </Button>
            {choices.size > 0 && (
              <Button kind="ghost" onClick={() => setChoices(new Map())}>
                Undo my changes
              </Button>
            )}
          </div>
        </Section>
      )}
      {byHand && (
        <StreamByHand
          detail={detail}
          connector={connector}
          known={rows.map((row) => row.name)}
          onClose={() => setByHand(false)}
          onAdd={(name, choice) => {
            setChoices(new Map(choices).set(name, choice));
            setByHand(false);
          }}
        />
      )}
      {preview && (
        <Preview
          connection={detail.name}
          stream={preview.name}
          options={preview.choice?.options}
          onClose={() => setPreview(null)}
        />
      )}
      {change && (
        <ReviewDialog
          change={change}
          onClose={() => setChange(null)}
          onSaved={() => {
            setChange(null);
            setChoices(new Map());
            go(at.pipeline(own?.name ?? newName));
          }}
        />
      )}
    </div>
  );
}

function StreamTable({
  rows,
  picked,
  onPick,
  choose,
  onPreview,
  disabled,
}: {
  rows: StreamRow[];
  picked: Set<string>;
  onPick: (names: Set<string>) => void;
  choose: (names: string[], pick: (row: StreamRow) => Choice | null) => void;
  onPreview: (row: StreamRow) => void;
  disabled: boolean;
}) {
  const inSight = rows.filter((row) => row.choice).map((row) => row.name);
  const columns: TableColumn<StreamRow>[] = [
    {
      id: "name",
      head: "Stream",
      narrow: "main",
      cell: (row) => (
        <span className="row">
          <span className="clip strong" title={row.name}>
            {row.name}
          </span>
          {row.choice && !row.loaded && <Tag>new</Tag>}
          {row.loaded && !row.choice && <Tag>will stop</Tag>}
          {row.loaded && !row.found && rows.some((other) => other.found) && (
            <Tag title="The system does not tell of it any more">gone</Tag>
          )}
        </span>
      ),
    },
    {
      id: "key",
      head: "Key",
      width: 120,
      cell: (row) => (
        <span className="mono small clip block">{row.found?.key?.join(", ") || <span className="muted">–</span>}</span>
      ),
    },
    {
      id: "cursor",
      head: "Cursor",
      width: 130,
      cell: (row) => (
        <span className="mono small clip block" title="The column by whose value only new rows are read">
          {row.found?.cursor_field || <span className="muted">–</span>}
        </span>
      ),
    },
    {
      id: "columns",
      head: "Columns",
      width: 80,
      align: "right",
      narrow: "figure",
      cell: (row) => row.found?.columns?.length ?? "–",
    },
    {
      id: "mode",
      head: "Mode",
      width: 160,
      narrow: "figure",
      cell: (row) =>
        row.choice ? (
          <Select
            aria-label={`Mode of ${row.name}`}
            value={row.choice.mode}
            disabled={disabled}
            onChange={(event) => choose([row.name], (one) => ({ ...one.choice!, mode: event.target.value }))}
          >
            {[...new Set([...modesOf(row.found), row.choice.mode])].map((mode) => (
              <option key={mode}>{mode}</option>
            ))}
          </Select>
        ) : (
          <span className="muted">not loaded</span>
        ),
    },
    {
      id: "contract",
      head: "Contract",
      width: 160,
      cell: (row) =>
        row.choice ? (
          <Select
            aria-label={`Contract of ${row.name}`}
            value={row.choice.contract}
            disabled={disabled}
            onChange={(event) => choose([row.name], (one) => ({ ...one.choice!, contract: event.target.value }))}
          >
            {kContracts.map((contract) => (
              <option key={contract}>{contract}</option>
            ))}
          </Select>
        ) : null,
    },
    {
      id: "preview",
      head: <span className="visually-hidden">Rows</span>,
      width: 90,
      align: "right",
      cell: (row) => (
        <button
          type="button"
          className="link-button small"
          aria-label={`Rows of ${row.name}`}
          onClick={() => onPreview(row)}
        >
          Rows
        </button>
      ),
    },
  ];
  return (
    <>
      {inSight.length > 1 && !disabled && (
        <div className="row wrap bulk">
          <span className="small muted num">For all {formatExact(inSight.length)} that are loaded here:</span>
          <Select
            aria-label="Mode of all"
            value=""
            onChange={(event) =>
              choose(inSight, (row) =>
                modesOf(row.found).includes(event.target.value)
                  ? { ...row.choice!, mode: event.target.value }
                  : row.choice,
              )
            }
          >
            <option value="">set mode</option>
            <option>full_refresh</option>
            <option>incremental</option>
          </Select>
          <Select
            aria-label="Contract of all"
            value=""
            onChange={(event) => choose(inSight, (row) => ({ ...row.choice!, contract: event.target.value }))}
          >
            <option value="">set contract</option>
            {kContracts.map((contract) => (
              <option key={contract}>{contract}</option>
            ))}
          </Select>
        </div>
      )}
      <DataTable
        label="Streams"
        columns={columns}
        rows={rows}
        keyOf={(row) => row.name}
        selected={disabled ? undefined : picked}
        onSelect={disabled ? undefined : onPick}
        height="max(360px, calc(100dvh - 420px))"
      />
    </>
  );
}

function Preview({
  connection,
  stream,
  options,
  onClose,
}: {
  connection: string;
  stream: string;
  options?: Record<string, unknown>;
  onClose: () => void;
}) {
  return (
    <Dialog title={`First rows of ${stream}`} wide onClose={onClose}>
      <PreviewRows connection={connection} stream={stream} options={options} />
    </Dialog>
  );
}

function PreviewRows({
  connection,
  stream,
  options,
}: {
  connection: string;
  stream: string;
  options?: Record<string, unknown>;
}) {
  const query = useQuery({
    queryKey: ["preview", connection, stream, options],
    queryFn: ({ signal }) =>
      call<Rows>(
        "POST",
        "/connections/{name}/preview",
        { name: connection },
        { body: { stream, options, limit: 20 }, signal },
      ),
    retry: false,
    staleTime: 60_000,
  });
  // Below a long form nobody would see that rows have come.
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (query.data) box.current?.scrollIntoView({ block: "end" });
  }, [query.data]);
  if (query.isError)
    return <ErrorBox error={query.error} what={`read rows of ${stream}`} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton rows={8} />;
  if (query.data.rows.length === 0) return <p className="muted">The system gave no rows.</p>;
  return (
    <div className="stack tight" ref={box}>
      <p className="small muted num">
        First {plural(query.data.rows.length, "row")}, {plural(query.data.columns.length, "column")}. Nothing was
        written.
      </p>
      <ResultTable label={`Rows of ${stream}`} columns={query.data.columns} rows={query.data.rows} height="360px" />
    </div>
  );
}

function StreamByHand({
  detail,
  connector,
  known,
  onClose,
  onAdd,
}: {
  detail: ConnectionDetail;
  connector: Connector;
  known: string[];
  onClose: () => void;
  onAdd: (name: string, choice: Choice) => void;
}) {
  const fields = connector.stream_fields ?? [];
  const [name, setName] = useState("");
  const [mode, setMode] = useState("full_refresh");
  const [values, setValues] = useState<FormValues>(() => formOf(fields, {}));
  const [errors, setErrors] = useState<FormErrors>({});
  const [shown, setShown] = useState<{ stream: string; options: Record<string, unknown> } | null>(null);
  const check = (): boolean => {
    const found = validate(fields, values);
    if (name === "") found["stream-name"] = "Name is needed.";
    else if (known.includes(name)) found["stream-name"] = `There is a stream called ${name} already.`;
    setErrors(found);
    return Object.keys(found).length === 0;
  };
  const options = () => optionsOf(fields, values, (path) => secretNameOf(`${detail.name}_${name}`, path));
  return (
    <Dialog
      title={`A stream of ${detail.name}`}
      wide
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave
          </Button>
          <Button onClick={() => check() && setShown({ stream: name, options: options() })}>Show first rows</Button>
          <Button
            kind="primary"
            onClick={() => check() && onAdd(name, { mode, contract: "evolve", options: options() })}
          >
            Add {name || "stream"}
          </Button>
        </>
      }
    >
      <FieldFrame
        id="stream-name"
        title="Name"
        required
        help="Of the stream, and of its table."
        error={errors["stream-name"]}
      >
        <Input
          id="stream-name"
          value={name}
          onChange={(event) => setName(event.target.value.replace(/[^\w-]/g, "_"))}
        />
      </FieldFrame>
      <FieldFrame
        id="stream-mode"
        title="Mode"
        help="full_refresh reads all rows each time; incremental only what is new."
      >
        <Select id="stream-mode" value={mode} onChange={(event) => setMode(event.target.value)}>
          <option>full_refresh</option>
          <option>incremental</option>
        </Select>
      </FieldFrame>
      <ConnectorForm fields={fields} values={values} errors={errors} onChange={setValues} onBlur={() => {}} />
      {shown && <PreviewRows connection={detail.name} stream={shown.stream} options={shown.options} />}
    </Dialog>
  );
}
