// Rows that were refused, by reason: mend them here, replay them, or let them go. Nothing happens before one presses.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { quarantine, quarantineRows } from "../api/queries";
import type { QuarantineGroup, QuarantineRow } from "../api/types";
import { useAct } from "../app/acts";
import { useMe, useWhyNot } from "../app/session";
import { at, useUrl } from "../app/url";
import { Button, Dialog, Go, Input, SearchInput } from "../kit/controls";
import { FieldFrame } from "../kit/form";
import { formatCount, formatExact, formatValue, plural } from "../kit/format";
import { PageHead, Section } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { StatusShape } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago, Stamp } from "../kit/time";
import { QualityTabs } from "./quality";
import { shortId } from "./runs";

// The loader names a load by itself when no flow asked for it; then the runs of that name are all that can be shown.
const runOf = (run: string, pipeline: string | undefined) =>
  /\.\d+Z-/.test(run) ? at.run(run) : at.runs({ flow: pipeline });

// What was typed, in the type that the row has there: a number stays a number.
export function typedLike(before: unknown, text: string): unknown {
  if (typeof before === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (typeof before === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (text === "null") return null;
  if (typeof before === "object" && before !== null) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text;
}

export function parseRaw(raw: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(raw);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

type Edits = Record<string, Record<string, unknown>>;

export function Quarantine() {
  const [url, setUrl] = useUrl();
  const groups = useQuery(quarantine());
  const all = groups.data?.items ?? [];
  const total = all.reduce((sum, group) => sum + group.rows, 0);
  const oldest = all
    .map((group) => group.oldest)
    .filter((time): time is string => Boolean(time))
    .sort()[0];
  const shown = all.filter(
    (group) => (!url.pipeline || group.pipeline === url.pipeline) && (!url.stream || group.stream === url.stream),
  );
  const chosen = shown.find((group) => group.reason === url.reason) ?? (shown.length === 1 ? shown[0] : undefined);
  return (
    <>
      <PageHead
        title="Quarantine"
        name="Quarantine"
        verdict={
          groups.data &&
          (total === 0 ? (
            <span className="status">
              <StatusShape state="ok" /> No row waits
            </span>
          ) : (
            <>
              <span className="status">
                <StatusShape state="quarantined" />
                <strong className="num">{formatCount(total)}</strong> {total === 1 ? "row waits" : "rows wait"}
              </span>
              {oldest && (
                <span className="muted small">
                  oldest <Ago at={oldest} />
                </span>
              )}
            </>
          ))
        }
      >
        <QualityTabs active="quarantine" />
      </PageHead>
      <QueryView
        query={groups}
        what="read the quarantine"
        isEmpty={() => shown.length === 0}
        empty={
          url.pipeline || url.stream ? (
            <Empty
              title={`No row of ${url.pipeline ?? ""}${url.stream ? ` · ${url.stream}` : ""} is in quarantine.`}
              actions={<Button onClick={() => setUrl({ pipeline: null, stream: null, reason: null })}>Show all</Button>}
            />
          ) : (
            <Empty title="No row is in quarantine.">
              Rows that do not keep what is promised of them wait here, with the reason, until somebody mends or
              discards them.
            </Empty>
          )
        }
      >
        {() => (
          <>
            <GroupTable groups={shown} chosen={chosen} />
            {(url.pipeline || url.stream) && (
              <div>
                <Button small kind="ghost" onClick={() => setUrl({ pipeline: null, stream: null, reason: null })}>
                  Show all pipelines
                </Button>
              </div>
            )}
            {chosen ? (
              <Rows key={`${chosen.pipeline} ${chosen.stream} ${chosen.reason}`} group={chosen} />
            ) : (
              <p className="muted">Choose a reason to see its rows.</p>
            )}
          </>
        )}
      </QueryView>
    </>
  );
}

function GroupTable({ groups, chosen }: { groups: QuarantineGroup[]; chosen: QuarantineGroup | undefined }) {
  const columns: TableColumn<QuarantineGroup>[] = [
    {
      id: "reason",
      head: "Reason",
      narrow: "main",
      cell: (group) => (
        <Go
          target={at.quarantine({ pipeline: group.pipeline, stream: group.stream, reason: group.reason })}
          className="row cell-link"
        >
          <StatusShape state="quarantined" size={13} />
          <span className="clip strong" title={group.reason}>
            {group.reason}
          </span>
        </Go>
      ),
    },
    {
      id: "where",
      head: "Stream",
      narrow: "figure",
      cell: (group) => (
        <span className="clip block">
          {group.pipeline} · {group.stream}
        </span>
      ),
    },
    {
      id: "rows",
      head: "Rows",
      width: 100,
      align: "right",
      narrow: "status",
      cell: (group) => <span title={formatExact(group.rows)}>{formatCount(group.rows)}</span>,
    },
    { id: "newest", head: "Newest", width: 110, align: "right", cell: (group) => <Ago at={group.newest} none="–" /> },
    {
      id: "oldest",
      head: "Oldest",
      width: 110,
      align: "right",
      narrow: "figure",
      cell: (group) => <Ago at={group.oldest} none="–" />,
    },
  ];
  return (
    <DataTable
      label="Reasons"
      columns={columns}
      rows={groups}
      keyOf={(group) => `${group.pipeline} ${group.stream} ${group.reason}`}
      rowState={(group) => (group === chosen ? "chosen" : undefined)}
    />
  );
}

function Rows({ group }: { group: QuarantineGroup }) {
  const [url, setUrl] = useUrl();
  const query = useQuery(
    quarantineRows({ pipeline: group.pipeline, stream: group.stream, reason: group.reason, q: url.q }),
  );
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [edits, setEdits] = useState<Edits>({});
  const [open, setOpen] = useState<QuarantineRow | null>(null);
  const [discards, setDiscards] = useState<string[] | "all" | null>(null);
  const why = useWhyNot("operator", "replay or discard rows");
  const edited = Object.keys(edits).filter((id) => Object.keys(edits[id]!).length > 0);
  const replay = useAct(
    (ids: string[] | null) =>
      call<{ replayed: number; again_quarantined: number; error?: string | null }>(
        "POST",
        "/quarantine/replay",
        {},
        {
          body: {
            pipeline: group.pipeline,
            stream: group.stream,
            ...(ids ? { ids } : { reason: group.reason }),
            edits: Object.fromEntries(edited.filter((id) => !ids || ids.includes(id)).map((id) => [id, edits[id]])),
          },
        },
      ),
    (answer) => {
      setEdits({});
      setSelected(new Set());
      if (answer.error) return `Replay stopped: ${answer.error}`;
      return `${plural(answer.replayed, "row")} replayed${answer.again_quarantined ? `, ${formatExact(answer.again_quarantined)} refused again` : ""}`;
    },
    "quarantine",
    "quarantine-rows",
    "overview",
    "pipeline",
    "pipelines",
    "tables",
  );
  const columns: TableColumn<QuarantineRow>[] = [
    {
      id: "raw",
      head: "Row as it came",
      narrow: "main",
      cell: (row) => (
        <button
          type="button"
          className="link-button mono small clip"
          onClick={() => setOpen(row)}
          title={(row.raw ?? "").slice(0, 300)}
        >
          {edits[row.id] && Object.keys(edits[row.id]!).length > 0 ? "edited · " : ""}
          {row.raw}
        </button>
      ),
    },
    {
      id: "position",
      head: "Position",
      width: 170,
      narrow: "figure",
      cell: (row) => (
        <span className="clip block muted" title={row.position}>
          {row.position}
        </span>
      ),
    },
    { id: "at", head: "Refused", width: 110, align: "right", narrow: "status", cell: (row) => <Ago at={row.at} /> },
    {
      id: "run",
      head: "Run",
      width: 110,
      cell: (row) =>
        row.run ? (
          <Go target={runOf(row.run, row.pipeline)} className="mono small" title={row.run}>
            {shortId(row.run)}
          </Go>
        ) : (
          <span className="muted">–</span>
        ),
    },
  ];
  const chosen = [...selected];
  const primary = edited.length > 0 ? edited : chosen.length > 0 ? chosen : null;
  return (
    <Section
      title={<span className="wrap-any">{group.reason}</span>}
      note={`${group.pipeline} · ${group.stream} · ${plural(group.rows, "row")}`}
      actions={
        <>
          <SearchInput
            label="Find in rows"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
          <Button small kind="danger" why={why} onClick={() => setDiscards(chosen.length > 0 ? chosen : "all")}>
            Discard {chosen.length > 0 ? plural(chosen.length, "row") : `all ${formatCount(group.rows)}`}
          </Button>
          <Button small kind="primary" why={why} busy={replay.isPending} onClick={() => replay.mutate(primary)}>
            Replay{" "}
            {edited.length > 0
              ? `${formatExact(edited.length)} edited`
              : chosen.length > 0
                ? plural(chosen.length, "row")
                : plural(group.rows, "row")}
          </Button>
        </>
      }
    >
      <QueryView
        query={query}
        what="read the rows"
        isEmpty={(page) => page.items.length === 0}
        empty={<Empty title={url.q ? "No row matches." : "No row is left here."} />}
      >
        {(page) => (
          <>
            <DataTable
              label="Rows in quarantine"
              columns={columns}
              rows={page.items}
              keyOf={(row) => row.id}
              selected={why ? undefined : selected}
              onSelect={why ? undefined : setSelected}
            />
            {(page.next || page.items.length < group.rows) && (
              <p className="small muted num">
                First {formatExact(page.items.length)} of {formatExact(group.rows)} rows. Replaying all takes those that
                are not shown, too.
              </p>
            )}
          </>
        )}
      </QueryView>
      {open && (
        <RowDialog
          row={open}
          edit={edits[open.id] ?? {}}
          why={why}
          onClose={() => setOpen(null)}
          onKeep={(edit) => {
            setEdits({ ...edits, [open.id]: edit });
            setOpen(null);
          }}
        />
      )}
      {discards && (
        <Discard
          group={group}
          ids={discards === "all" ? null : discards}
          onClose={() => setDiscards(null)}
          onDone={() => {
            setDiscards(null);
            setSelected(new Set());
          }}
        />
      )}
    </Section>
  );
}

function RowDialog({
  row,
  edit,
  why,
  onClose,
  onKeep,
}: {
  row: QuarantineRow;
  edit: Record<string, unknown>;
  why: string | null;
  onClose: () => void;
  onKeep: (edit: Record<string, unknown>) => void;
}) {
  const value = parseRaw(row.raw);
  const [changed, setChanged] = useState<Record<string, unknown>>(edit);
  return (
    <Dialog
      title="Row in quarantine"
      wide
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave it
          </Button>
          {value && (
            <Button kind="primary" why={why} onClick={() => onKeep(changed)}>
              Keep these edits
            </Button>
          )}
        </>
      }
    >
      <p>
        <strong>{row.reason}</strong>{" "}
        <span className="muted">
          at {row.position}, refused <Stamp at={row.at} />
        </span>
      </p>
      {value ? (
        <div className="row-fields">
          {Object.entries(value).map(([name, held]) => (
            <FieldFrame key={name} id={`row-${name}`} title={name}>
              <Input
                id={`row-${name}`}
                className="mono"
                readOnly={Boolean(why)}
                value={name in changed ? formatValue(changed[name]) : formatValue(held)}
                onChange={(event) => {
                  const next = { ...changed, [name]: typedLike(held, event.target.value) };
                  if (event.target.value === formatValue(held)) delete next[name];
                  setChanged(next);
                }}
              />
              {name in changed && <p className="field-help">was {formatValue(held)}; edited, not replayed</p>}
            </FieldFrame>
          ))}
        </div>
      ) : (
        <>
          <p className="muted">
            This row is no JSON object, so it cannot be edited here. It can be mended at its source, and replayed.
          </p>
          <pre className="raw" tabIndex={0}>
            {row.raw}
          </pre>
        </>
      )}
    </Dialog>
  );
}

function Discard({
  group,
  ids,
  onClose,
  onDone,
}: {
  group: QuarantineGroup;
  ids: string[] | null;
  onClose: () => void;
  onDone: () => void;
}) {
  const { environment } = useMe();
  const count = ids ? ids.length : group.rows;
  const inProd = /prod/i.test(environment ?? "");
  const [typed, setTyped] = useState("");
  const act = useAct(
    () =>
      call<{ discarded: number }>(
        "POST",
        "/quarantine/discard",
        {},
        { body: { pipeline: group.pipeline, stream: group.stream, ...(ids ? { ids } : { reason: group.reason }) } },
      ),
    (answer) => {
      onDone();
      return `${plural(answer.discarded, "row")} discarded`;
    },
    "quarantine",
    "quarantine-rows",
    "overview",
  );
  return (
    <Dialog
      title={`Discard ${plural(count, "row")}?`}
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Keep them
          </Button>
          <Button
            kind="danger"
            busy={act.isPending}
            why={inProd && typed !== group.stream && `Type ${group.stream} first.`}
            onClick={() => act.mutate(undefined)}
          >
            Discard {plural(count, "row")}
          </Button>
        </>
      }
    >
      <p>
        They are removed from quarantine for good, and never come into {group.stream} by a replay. What their source
        holds stays as it is.
      </p>
      {inProd && (
        <FieldFrame id="discard-name" title={`This is ${environment}: type ${group.stream} to go on`}>
          <Input id="discard-name" value={typed} onChange={(event) => setTyped(event.target.value)} />
        </FieldFrame>
      )}
    </Dialog>
  );
}
