// Run, pause and backfill, for pipelines and flows alike.
import { useState } from "react";
import { call, newIdempotencyKey } from "../api/client";
import type { Flow } from "../api/types";
import { Button, Checkbox, Dialog, Input, Menu, Select } from "../kit/controls";
import { FieldFrame } from "../kit/form";
import { plural } from "../kit/format";
import { useAct, usePause, useRunNow } from "./acts";
import { useWhyNot } from "./session";
import { at, useGo } from "./url";

export function FlowActions({ flow, primary = true }: { flow: Flow; primary?: boolean }) {
  const go = useGo();
  const runNow = useRunNow((run) => go(at.run(run)));
  const pause = usePause();
  const [backfill, setBackfill] = useState(false);
  const why = useWhyNot("operator", "run it");
  return (
    <>
      <Button
        kind={primary ? "primary" : "plain"}
        why={why}
        busy={runNow.isPending}
        onClick={() => runNow.mutate(flow.name)}
      >
        Run now
      </Button>
      <Menu
        label={`More for ${flow.name}`}
        button="More"
        items={[
          {
            text: flow.paused ? "Go on by its schedule" : "Pause its schedule",
            onSelect: () => pause.mutate({ flow: flow.name, paused: !flow.paused }),
            why: why ?? ((flow.schedules ?? []).length === 0 && !flow.paused && "it has no schedule"),
          },
          {
            text: "Backfill past times",
            onSelect: () => setBackfill(true),
            why: why ?? ((flow.schedules ?? []).length === 0 && "it has no schedule"),
          },
          { text: "All its runs", onSelect: () => go(at.runs({ flow: flow.name })) },
        ]}
      />
      {backfill && <Backfill flow={flow.name} onClose={() => setBackfill(false)} />}
    </>
  );
}

function Backfill({ flow, onClose }: { flow: string; onClose: () => void }) {
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [again, setAgain] = useState("none");
  const [oldest, setOldest] = useState(true);
  const act = useAct(
    () =>
      call<{ runs: number }>(
        "POST",
        "/flows/{name}/backfill",
        { name: flow },
        {
          body: { from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z`, oldest_first: oldest, again },
          idempotencyKey: newIdempotencyKey(),
        },
      ),
    (answer) => {
      onClose();
      return `${plural(answer.runs, "run")} of ${flow} asked for`;
    },
    "runs",
    "flow",
    "overview",
  );
  const wrong =
    from === "" || to === "" ? "Say from when to when." : from >= to ? "The end must come after the begin." : null;
  return (
    <Dialog
      title={`Backfill ${flow}`}
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave
          </Button>
          <Button kind="primary" why={wrong} busy={act.isPending} onClick={() => act.mutate(undefined)}>
            Backfill {flow}
          </Button>
        </>
      }
    >
      <p>A run for each time its schedule was due in the range. They run beside the schedule, and never hold it up.</p>
      <div className="inline-fields">
        <FieldFrame id="from" title="From (UTC)" required>
          <Input id="from" type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
        </FieldFrame>
        <FieldFrame id="to" title="Before (UTC)" required>
          <Input id="to" type="date" value={to} onChange={(event) => setTo(event.target.value)} />
        </FieldFrame>
      </div>
      <FieldFrame id="again" title="Times that have a run already">
        <Select id="again" value={again} onChange={(event) => setAgain(event.target.value)}>
          <option value="none">leave them</option>
          <option value="failed">run those again that failed</option>
          <option value="all">run all again</option>
        </Select>
      </FieldFrame>
      <Checkbox label="Oldest first" checked={oldest} onChange={(event) => setOldest(event.target.checked)} />
    </Dialog>
  );
}
