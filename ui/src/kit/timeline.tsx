// The last day, a row for each flow. Where runs stand too close to be told apart, they are drawn as stretches of the
// worst state among them.
import type { RunState, TimelineRun } from "../api/types";
import { usePreferences } from "../app/preferences";
import { at, type Target } from "../app/url";
import { Go } from "./controls";
import { formatClock, formatDuration } from "./format";
import { lookOf, StatusShape } from "./status";
import { Ago } from "./time";

export interface Bar {
  from: number;
  to: number;
  state: RunState;
  runs: number;
  id: string;
}

const kNowRoom = 1.5 * 3_600_000;
const kWorst: RunState[] = ["failed", "running", "queued", "warned", "killed", "skipped", "succeeded"];

// Bars of at most `max` a row, as parts of [0, 1].
export function barsOf(runs: TimelineRun[], begin: number, end: number, max = 72): Bar[] {
  const span = end - begin;
  const bars: Bar[] = [];
  for (const run of runs) {
    const from = Date.parse(run.began ?? run.queued ?? "");
    if (Number.isNaN(from)) continue;
    const to = run.ended ? Date.parse(run.ended) : end;
    if (to < begin || from > end) continue;
    bars.push({
      from: Math.max(0, (from - begin) / span),
      to: Math.min(1, (to - begin) / span),
      state: run.state,
      runs: 1,
      id: run.id,
    });
  }
  bars.sort((a, b) => a.from - b.from);
  const merged: Bar[] = [];
  for (const bar of bars) {
    const last = merged.at(-1);
    const tooClose = last && (bar.from < last.to || Math.floor(bar.from * max) === Math.floor(last.from * max));
    if (last && tooClose) {
      last.to = Math.max(last.to, bar.to);
      last.runs++;
      if (kWorst.indexOf(bar.state) < kWorst.indexOf(last.state)) {
        last.state = bar.state;
        last.id = bar.id;
      }
    } else {
      merged.push({ ...bar });
    }
  }
  return merged;
}

export function Timeline({
  rows,
  begin,
  end,
  target,
}: {
  rows: { flow: string; runs: TimelineRun[]; fresh_at?: string | null }[];
  begin: number;
  end: number;
  target: (flow: string) => Target;
}) {
  const { utc } = usePreferences();
  const hours: number[] = [];
  const step = 6 * 3_600_000;
  // One that stands under "now" is left out.
  for (let hour = Math.ceil(begin / step) * step; hour < end - kNowRoom; hour += step) hours.push(hour);
  return (
    <div className="timeline">
      <div className="timeline-axis" aria-hidden="true">
        <span />
        <div>
          {hours.map((hour) => (
            <span key={hour} style={{ left: `${((hour - begin) / (end - begin)) * 100}%` }}>
              {formatClock(hour, utc)}
            </span>
          ))}
          <span className="now" style={{ left: "100%" }}>
            now
          </span>
        </div>
        <span>last success</span>
      </div>
      <ul>
        {rows.map((row) => {
          const bars = barsOf(row.runs, begin, end);
          const last = row.runs.at(-1);
          return (
            <li key={row.flow} className="timeline-row">
              <span className="row timeline-name">
                <StatusShape state={last?.state ?? "unknown"} size={13} />
                <Go target={target(row.flow)} className="clip quiet">
                  <span title={row.flow}>{row.flow}</span>
                </Go>
                <span className="visually-hidden">{last ? lookOf(last.state).word : "no run"}</span>
              </span>
              <div className="timeline-track">
                {hours.map((hour) => (
                  <i key={hour} className="grid-line" style={{ left: `${((hour - begin) / (end - begin)) * 100}%` }} />
                ))}
                {bars.map((bar) => (
                  <Go
                    key={`${bar.id}${bar.from}`}
                    target={bar.runs === 1 ? at.run(bar.id) : at.runs({ flow: row.flow, since: "24h" })}
                    label={`${bar.runs === 1 ? "run" : `${bar.runs} runs`}: ${lookOf(bar.state).word}, ${formatClock(begin + bar.from * (end - begin), utc)}, ${formatDuration((bar.to - bar.from) * (end - begin))}`}
                    className={`bar state-${bar.state}`}
                  >
                    <BarBox bar={bar} />
                  </Go>
                ))}
              </div>
              <span className="small muted timeline-fresh">
                <Ago at={row.fresh_at} none="no success yet" />
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function BarBox({ bar }: { bar: Bar }) {
  return (
    <span
      className="bar-box"
      style={{ left: `${bar.from * 100}%`, width: `max(5px, ${(bar.to - bar.from) * 100}%)` }}
      data-mark={bar.state === "failed" ? "×" : bar.state === "warned" ? "!" : undefined}
    />
  );
}

// The last runs as a row of small blocks: newest at the right.
export function RunBlocks({ runs }: { runs: { id: string; state: RunState; ms: number | null }[] }) {
  const longest = Math.max(1, ...runs.map((run) => run.ms ?? 0));
  const counts = new Map<string, number>();
  for (const run of runs) counts.set(run.state, (counts.get(run.state) ?? 0) + 1);
  const words = [...counts].map(([state, count]) => `${count} ${lookOf(state).word.toLowerCase()}`).join(", ");
  return (
    <svg
      className="run-blocks"
      width={runs.length * 6}
      height="18"
      role="img"
      aria-label={`Last ${runs.length} runs: ${words || "none"}`}
    >
      {runs.map((run, i) => {
        const height = 5 + 13 * ((run.ms ?? longest / 2) / longest);
        return (
          <rect
            key={run.id}
            x={i * 6}
            y={18 - height}
            width="4"
            height={height}
            rx="1"
            fill={`var(--${lookOf(run.state).tone})`}
            opacity={run.state === "succeeded" ? 0.75 : 1}
          />
        );
      })}
    </svg>
  );
}

export function Sparkline({
  values,
  label,
  width = 96,
  height = 20,
}: {
  values: number[];
  label: string;
  width?: number;
  height?: number;
}) {
  if (values.length < 2) return <span className="muted">–</span>;
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1);
  const points = values.map(
    (value, i) =>
      `${((i / (values.length - 1)) * (width - 4) + 2).toFixed(1)},${(height - 2 - ((value - low) / (high - low)) * (height - 4)).toFixed(1)}`,
  );
  return (
    <svg width={width} height={height} role="img" aria-label={label} className="sparkline">
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke="var(--chart-1)"
        strokeWidth="1.5"
        strokeLinejoin="round"
      />
      <circle cx={points.at(-1)!.split(",")[0]} cy={points.at(-1)!.split(",")[1]} r="2" fill="var(--chart-1)" />
    </svg>
  );
}
