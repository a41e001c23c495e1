// What people were told of: what happened, why it may be, what to do, who knows; and where alerts go, with a test.
import { useQuery } from "@tanstack/react-query";
import { call } from "../api/client";
import { alertChannels, alerts } from "../api/queries";
import type { Alert, AlertChannel } from "../api/types";
import { useAct } from "../app/acts";
import { useTopics } from "../app/live_context";
import { useWhyNot } from "../app/session";
import { type Target, useUrl } from "../app/url";
import { Button, ButtonLink, Dialog, Go, Menu, Tag } from "../kit/controls";
import { formatExact, plural } from "../kit/format";
import { Section } from "../kit/page";
import { Empty, Message, QueryView } from "../kit/states";
import { Status, StatusChip, StatusShape } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago, Stamp } from "../kit/time";
import { notify } from "../kit/toast";

const kHour = 3_600_000;
const kMutes: [string, number][] = [
  ["an hour", kHour],
  ["a day", 24 * kHour],
  ["a week", 168 * kHour],
];
const kSeverities: Record<string, string> = { error: "failed", warning: "warned", info: "unknown" };
const kTold: Record<string, string> = { fired: "told", reminder: "reminded", resolved: "told that it is over" };

// The server's links are paths of this app.
function targetOf(link: string): Target {
  const url = new URL(link, location.origin);
  return { to: url.pathname, search: Object.fromEntries(url.searchParams) } as Target;
}

function useMute() {
  return useAct(
    ({ alert, ms }: { alert: Alert; ms: number | null }) =>
      call<void>(
        "POST",
        "/alerts/{id}/mute",
        { id: alert.id },
        { body: { until: ms === null ? null : new Date(Date.now() + ms).toISOString() } },
      ),
    (_, { alert, ms }) =>
      ms === null
        ? `“${alert.title}” is no longer muted`
        : `“${alert.title}” is muted for ${kMutes.find(([, length]) => length === ms)?.[0] ?? "a while"}`,
    "alerts",
    "overview",
  );
}

function MuteMenu({ alert }: { alert: Alert }) {
  const mute = useMute();
  const why = useWhyNot("operator", "mute it");
  if (alert.state === "resolved") return null;
  return (
    <Menu
      label={`Mute ${alert.title}`}
      button={alert.state === "muted" ? "Muted" : "Mute"}
      items={[
        ...kMutes.map(([text, ms]) => ({
          text: `Tell nobody for ${text}`,
          onSelect: () => mute.mutate({ alert, ms }),
          why,
        })),
        ...(alert.state === "muted"
          ? [{ text: "Tell people again", onSelect: () => mute.mutate({ alert, ms: null }), why }]
          : []),
      ]}
    />
  );
}

function Told({ alert }: { alert: Alert }) {
  const owed = alert.owed ?? [];
  const last = new Map((alert.deliveries ?? []).map((delivery) => [delivery.channel, delivery]));
  const names = [...new Set([...last.keys(), ...owed.map((one) => one.channel)])];
  if (names.length === 0) return <span className="muted">nobody</span>;
  const waits = names.filter((name) => owed.some((one) => one.channel === name) || last.get(name)?.ok === false);
  return (
    <span className="row" title={names.join(", ")}>
      <StatusShape state={waits.length > 0 ? "warned" : "ok"} size={13} />
      <span className="clip">
        {names
          .slice(0, 2)
          .map((name) => (waits.includes(name) ? `${name} (not yet)` : name))
          .join(", ")}
        {names.length > 2 ? ` and ${names.length - 2} more` : ""}
      </span>
    </span>
  );
}

const kColumns: TableColumn<Alert>[] = [
  {
    id: "title",
    head: "Alert",
    narrow: "main",
    width: "34%",
    cell: (alert) => <AlertLink alert={alert} />,
  },
  { id: "state", head: "State", width: 110, narrow: "status", cell: (alert) => <Status state={alert.state} /> },
  {
    id: "cause",
    head: "Cause",
    cell: (alert) => (
      <span className="clip block" title={alert.cause ?? alert.text ?? ""}>
        {alert.cause ?? alert.text}
      </span>
    ),
  },
  { id: "told", head: "Told", width: 190, cell: (alert) => <Told alert={alert} /> },
  {
    id: "count",
    head: "Matters",
    width: 80,
    align: "right",
    narrow: "figure",
    cell: (alert) => formatExact(alert.count),
  },
  {
    id: "at",
    head: "Last",
    width: 100,
    align: "right",
    narrow: "figure",
    cell: (alert) => <Ago at={alert.last_at} />,
  },
  {
    id: "act",
    head: <span className="visually-hidden">Mute</span>,
    width: 104,
    align: "right",
    cell: (alert) => <MuteMenu alert={alert} />,
  },
];

function AlertLink({ alert }: { alert: Alert }) {
  const [, setUrl] = useUrl();
  return (
    <button
      type="button"
      className="link-button clip block strong"
      title={alert.title}
      onClick={() => setUrl({ alert: alert.id }, true)}
    >
      {alert.title}
    </button>
  );
}

function AlertPanel({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const matters = alert.matters ?? [];
  return (
    <Dialog
      title={alert.title}
      side
      onClose={onClose}
      footer={
        <>
          <MuteMenu alert={alert} />
          {alert.link && (
            <ButtonLink kind="primary" target={targetOf(alert.link)}>
              Show what it is about
            </ButtonLink>
          )}
        </>
      }
    >
      <div className="row wrap">
        <StatusChip state={alert.state} />
        <Tag>
          {alert.severity} · rule {alert.rule}
        </Tag>
      </div>
      <p className="small muted">
        Since <Stamp at={alert.first_at} />
        {alert.resolved_at && (
          <>
            , over since <Stamp at={alert.resolved_at} />
          </>
        )}
        {alert.muted_until && (
          <>
            , muted until <Stamp at={alert.muted_until} seconds={false} />
          </>
        )}
      </p>
      {alert.text && <Message text={alert.text} />}
      {alert.cause && (
        <p className="wrap-any">
          <span className="muted">Why it may be: </span>
          {alert.cause}
        </p>
      )}
      {alert.advice && (
        <p className="wrap-any">
          <span className="muted">What to do: </span>
          {alert.advice}
        </p>
      )}
      {matters.length > 1 && (
        <Section
          title={plural(alert.count ?? matters.length, "matter")}
          note={(alert.count ?? 0) > matters.length ? `the first ${matters.length}` : undefined}
        >
          <ul className="plain-list">
            {matters.map((matter) => (
              <li key={matter.key} className="row">
                <StatusShape state={matter.over ? "resolved" : (kSeverities[alert.severity] ?? "failed")} size={13} />
                <span className="clip grow" title={matter.title}>
                  {matter.link ? <Go target={targetOf(matter.link)}>{matter.title}</Go> : matter.title}
                </span>
                <span className="small muted nowrap">
                  {matter.times > 1 ? `${formatExact(matter.times)} times, ` : ""}
                  <Ago at={matter.since} />
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="Who was told">
        {(alert.deliveries ?? []).length + (alert.owed ?? []).length === 0 && (
          <p className="muted">Nobody: no rule leads this alert to a channel.</p>
        )}
        <ul className="plain-list">
          {(alert.owed ?? []).map((one) => (
            <li key={`owed ${one.channel} ${one.kind}`} className="row wrap">
              <StatusShape state="retrying" size={13} />
              <span className="strong">{one.channel}</span>
              <span className="small muted">
                not yet, {plural(one.tries, "try", "tries")}; again <Ago at={one.next_try} />
              </span>
            </li>
          ))}
          {(alert.deliveries ?? []).map((one, i) => (
            <li key={i} className="row wrap">
              <StatusShape state={one.ok ? "ok" : "failed"} size={13} />
              <span className="strong">{one.channel}</span>
              <span className="small muted">
                {one.ok ? (kTold[one.kind ?? "fired"] ?? one.kind) : "could not be told"} <Ago at={one.at} />
              </span>
              {one.error && <span className="small wrap-any block">{one.error}</span>}
            </li>
          ))}
        </ul>
      </Section>
    </Dialog>
  );
}

export function Alerts() {
  const [url, setUrl] = useUrl();
  const list = useQuery(alerts());
  useTopics(["alerts"]);
  const open = list.data?.items.find((alert) => alert.id === url.alert);
  return (
    <div className="stack wide">
      <Section title="Alerts">
        <QueryView
          query={list}
          what="read the alerts"
          isEmpty={(page) => page.items.length === 0}
          empty={<Empty title="No alert, now or lately." />}
        >
          {(page) => (
            <DataTable
              label="Alerts"
              columns={kColumns}
              rows={page.items}
              keyOf={(alert) => alert.id}
              rowState={(alert) => (alert.state === "firing" ? kSeverities[alert.severity] : alert.state)}
            />
          )}
        </QueryView>
      </Section>
      <Channels />
      {open && <AlertPanel alert={open} onClose={() => setUrl({ alert: null })} />}
    </div>
  );
}

function Channels() {
  const channels = useQuery(alertChannels());
  const why = useWhyNot("operator", "send tests");
  const test = useAct(
    (channel: AlertChannel) =>
      call<{ ok: boolean; error?: string | null; note?: string | null }>("POST", "/alert-channels/{name}/test", {
        name: channel.name,
      }),
    (answer, channel) => {
      if (answer?.ok === false) {
        notify(`${channel.name} could not be told: ${answer.error ?? "it did not say why"}`, { tone: "fail" });
        return null;
      }
      return `A test was sent to ${channel.name}${answer?.note ? `; ${answer.note}` : ""}`;
    },
  );
  return (
    <Section title="Where alerts go" note="written in shaduf.yml">
      <QueryView
        query={channels}
        what="read where alerts go"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="Alerts go nowhere yet.">
            Write channels and rules under alerts in shaduf.yml: mail, Slack, Telegram, PagerDuty, SNS, Teams, webhooks.
          </Empty>
        }
      >
        {(page) => (
          <ul className="rules">
            {page.items.map((channel) => (
              <li key={channel.name}>
                <span className="row">
                  <span className="strong clip">{channel.name}</span> <Tag>{channel.type}</Tag>
                </span>
                <span className="row between">
                  <span className="clip muted">{channel.to}</span>
                  <Button
                    small
                    why={why}
                    busy={test.isPending && test.variables?.name === channel.name}
                    onClick={() => test.mutate(channel)}
                  >
                    Send a test
                  </Button>
                </span>
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Section>
  );
}
