// Is anything late, failing or drifting now, and what does one press? The verdict first; calm when all is well.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { flows, overview } from "../api/queries";
import type { Anomaly, Overview } from "../api/types";
import { useApprove, useRerun, useRunNow } from "../app/acts";
import { useWhyNot } from "../app/session";
import { at, atTable } from "../app/url";
import { Button, ButtonLink, Go } from "../kit/controls";
import { formatCount, formatDuration, formatExact, plural } from "../kit/format";
import { PageHead, Section } from "../kit/page";
import { Empty, Message, QueryView } from "../kit/states";
import { StatusShape } from "../kit/status";
import { Ago, Stamp, useNow } from "../kit/time";
import { Timeline } from "../kit/timeline";

export function Home() {
  const query = useQuery(overview());
  return (
    <>
      <PageHead title="Home" name="Home" verdict={query.data && <Verdict data={query.data} />} />
      <QueryView query={query} what="read the overview">
        {(data) => <Content data={data} />}
      </QueryView>
    </>
  );
}

function Verdict({ data }: { data: Overview }) {
  const parts: [string, number, string][] = [
    ["failed", data.failing.length, "failing"],
    ["late", data.late.length, "late"],
    ["drifting", data.drifting.length, "drifting"],
    ["paused", data.waiting.length, "waiting for approval"],
  ];
  const bad = parts.filter(([, count]) => count > 0);
  return (
    <>
      {bad.length === 0 ? (
        <span className="status">
          <StatusShape state="succeeded" />
          Nothing late, nothing failing
        </span>
      ) : (
        bad.map(([state, count, word]) => (
          <span className="status" key={word}>
            <StatusShape state={state} />
            <strong className="num">{count}</strong> {word}
          </span>
        ))
      )}
      <span className="muted small">
        {data.fresh ? `${formatExact(data.fresh.fresh)} ${data.fresh.fresh === 1 ? "table" : "tables"} fresh · ` : ""}
        checked <Ago at={data.checked_at} />
      </span>
    </>
  );
}

function Content({ data }: { data: Overview }) {
  const now = useNow();
  const minute = Math.floor(now / 60_000) * 60_000;
  const items = useItems(data);
  const nothingYet = data.timeline.length === 0;
  return (
    <>
      {items.length > 0 && (
        <ul className="problems" aria-label="To look at">
          {items}
        </ul>
      )}
      {nothingYet && items.length === 0 ? (
        <FirstSteps />
      ) : (
        <Section
          title="Last 24 hours"
          note={plural(data.timeline.length, "flow")}
          actions={
            <ButtonLink small kind="ghost" target={at.runs({ since: "24h" })}>
              All runs
            </ButtonLink>
          }
        >
          <Timeline
            rows={data.timeline.slice(0, 60)}
            begin={minute - 24 * 3_600_000}
            end={minute + 60_000}
            target={(flow) => at.flow(flow)}
          />
          {data.timeline.length > 60 && (
            <p className="small muted pad">
              60 of {formatExact(data.timeline.length)} flows, those with something to look at first.{" "}
              <Go target={at.pipelines({ tab: "flows" })}>All flows</Go>
            </p>
          )}
        </Section>
      )}
    </>
  );
}

function FirstSteps() {
  const known = useQuery(flows());
  const runNow = useRunNow();
  const why = useWhyNot("operator", "run it");
  const first = known.data?.items[0];
  return (
    <Empty
      title={first ? "Nothing has run yet." : "Nothing is connected yet."}
      actions={
        <>
          {first && (
            <Button kind="primary" why={why} busy={runNow.isPending} onClick={() => runNow.mutate(first.name)}>
              Run {first.name}
            </Button>
          )}
          <ButtonLink kind={first ? "plain" : "primary"} target={at.newConnection()}>
            Add connection
          </ButtonLink>
        </>
      }
    >
      {first
        ? `The project has ${plural(known.data?.items.length ?? 0, "flow")}. Run one, and its steps, rows and log appear here while it goes.`
        : "Connect a source and see its first rows in about two minutes."}
    </Empty>
  );
}

function Problem({
  state,
  title,
  when,
  children,
  actions,
}: {
  state: string;
  title: ReactNode;
  when: ReactNode;
  children?: ReactNode;
  actions: ReactNode;
}) {
  return (
    <li className="problem">
      <StatusShape state={state} size={16} />
      <div className="grow">
        <div className="row wrap problem-title">
          <span className="strong wrap-any">{title}</span>
          <span className="muted small">{when}</span>
        </div>
        {children && <div className="problem-text wrap-any">{children}</div>}
      </div>
      <div className="row wrap problem-actions">{actions}</div>
    </li>
  );
}

// Failures first, then what waits for somebody, what is late, what drifts, what is held back.
function useItems(data: Overview): ReactNode[] {
  const rerun = useRerun();
  const approve = useApprove();
  const why = useWhyNot("operator", "run it");
  const items: ReactNode[] = [];
  data.failing.forEach((item, i) => {
    items.push(
      <Problem
        key={`f ${item.run} ${item.task}`}
        state="failed"
        title={
          <Go target={at.run(item.run, { task: item.task ?? undefined })} className="quiet">
            {[item.pipeline ?? item.flow, item.task].filter(Boolean).join(" · ")}
          </Go>
        }
        when={
          <>
            failed {item.since && <Ago at={item.since} />}
            {item.times && item.times > 1 ? `, ${item.times} times in a row` : ""}
            {item.feeds ? ` · feeds ${plural(item.feeds, "table or report", "tables and reports")}` : ""}
          </>
        }
        actions={
          <>
            <Button
              small
              kind={i === 0 ? "primary" : "plain"}
              why={why}
              busy={rerun.isPending && rerun.variables?.run === item.run}
              onClick={() => rerun.mutate({ run: item.run })}
            >
              Run again
            </Button>
            <ButtonLink small target={at.run(item.run, { task: item.task ?? undefined })}>
              See log
            </ButtonLink>
          </>
        }
      >
        <Message text={item.message} />
        {item.advice && <p className="muted">{item.advice}</p>}
      </Problem>,
    );
  });
  for (const item of data.waiting) {
    items.push(
      <Problem
        key={`w ${item.run} ${item.task}`}
        state="paused"
        title={
          <Go target={at.run(item.run, { task: item.task })} className="quiet">
            {item.flow} · {item.task}
          </Go>
        }
        when="waits for approval"
        actions={
          <>
            <Button small why={why} onClick={() => approve.mutate({ ...item, yes: true })}>
              Approve {item.task}
            </Button>
            <Button small kind="ghost" why={why} onClick={() => approve.mutate({ ...item, yes: false })}>
              Refuse
            </Button>
          </>
        }
      />,
    );
  }
  for (const item of data.late) {
    items.push(
      <Problem
        key={`l ${item.flow}`}
        state="late"
        title={
          <Go target={at.flow(item.flow)} className="quiet">
            {item.flow}
          </Go>
        }
        when={
          <>
            due <Stamp at={item.due} seconds={false} />, now {formatDuration(item.late_ms)} late
          </>
        }
        actions={
          <ButtonLink small target={at.flow(item.flow)}>
            Open flow
          </ButtonLink>
        }
      >
        {item.waits_for ? `waits for ${item.waits_for}` : null}
      </Problem>,
    );
  }
  for (const item of data.drifting) items.push(<Drift key={`d ${item.table} ${item.kind}`} item={item} />);
  for (const item of data.quarantined) {
    items.push(
      <Problem
        key={`q ${item.pipeline} ${item.stream}`}
        state="quarantined"
        title={
          <Go target={at.quarantine({ pipeline: item.pipeline, stream: item.stream })} className="quiet">
            {item.pipeline} · {item.stream}
          </Go>
        }
        when={`${formatCount(item.rows)} ${item.rows === 1 ? "row" : "rows"} in quarantine`}
        actions={
          <ButtonLink small target={at.quarantine({ pipeline: item.pipeline, stream: item.stream })}>
            Look at rows
          </ButtonLink>
        }
      />,
    );
  }
  return items;
}

function Drift({ item }: { item: Anomaly }) {
  return (
    <Problem
      state="drifting"
      title={
        <Go target={atTable(item.table)} className="quiet">
          {item.table}
        </Go>
      }
      when={
        <>
          seen <Ago at={item.at} />
        </>
      }
      actions={
        <ButtonLink small target={atTable(item.table, { tab: "profile" })}>
          Look at table
        </ButtonLink>
      }
    >
      {item.message}
    </Problem>
  );
}
