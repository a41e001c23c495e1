// A status is a shape, a word and a colour, so that it reads without any one of them.

export type Tone = "ok" | "running" | "warn" | "fail" | "idle";
export type Shape = "check" | "half" | "triangle" | "cross" | "dashed" | "bar" | "pause" | "stop" | "dot";

interface Look {
  tone: Tone;
  shape: Shape;
  word: string;
}

const kLooks: Record<string, Look> = {
  succeeded: { tone: "ok", shape: "check", word: "Succeeded" },
  ok: { tone: "ok", shape: "check", word: "OK" },
  done: { tone: "ok", shape: "check", word: "Succeeded" },
  passed: { tone: "ok", shape: "check", word: "Passed" },
  fresh: { tone: "ok", shape: "check", word: "Fresh" },
  resolved: { tone: "ok", shape: "check", word: "Resolved" },
  running: { tone: "running", shape: "half", word: "Running" },
  warned: { tone: "warn", shape: "triangle", word: "Warning" },
  warning: { tone: "warn", shape: "triangle", word: "Warning" },
  warn: { tone: "warn", shape: "triangle", word: "Warning" },
  late: { tone: "warn", shape: "triangle", word: "Late" },
  retrying: { tone: "warn", shape: "triangle", word: "Retrying" },
  quarantined: { tone: "warn", shape: "triangle", word: "Quarantined" },
  drifting: { tone: "warn", shape: "triangle", word: "Drifting" },
  failed: { tone: "fail", shape: "cross", word: "Failed" },
  fail: { tone: "fail", shape: "cross", word: "Failed" },
  error: { tone: "fail", shape: "cross", word: "Failed" },
  failing: { tone: "fail", shape: "cross", word: "Failing" },
  firing: { tone: "fail", shape: "cross", word: "Firing" },
  timed_out: { tone: "fail", shape: "cross", word: "Timed out" },
  upstream_failed: { tone: "fail", shape: "bar", word: "Upstream failed" },
  killed: { tone: "idle", shape: "stop", word: "Cancelled" },
  queued: { tone: "idle", shape: "dashed", word: "Queued" },
  waiting: { tone: "idle", shape: "dashed", word: "Waiting" },
  skipped: { tone: "idle", shape: "bar", word: "Skipped" },
  paused: { tone: "idle", shape: "pause", word: "Paused" },
  muted: { tone: "idle", shape: "pause", word: "Muted" },
  never: { tone: "idle", shape: "dashed", word: "Never ran" },
  unknown: { tone: "idle", shape: "dot", word: "Unknown" },
};

export function lookOf(state: string | null | undefined): Look {
  if (!state) return kLooks.unknown!;
  return kLooks[state] ?? { tone: "idle", shape: "dot", word: state.replaceAll("_", " ") };
}

// Tests that have not run say nothing about the table.
export interface TestCounts {
  passed: number;
  failed: number;
  total: number;
}
export function stateOfTests({ passed, failed }: TestCounts): string {
  return failed > 0 ? "failed" : passed > 0 ? "passed" : "never";
}
export function wordsOfTests({ passed, failed, total }: TestCounts): string {
  if (failed > 0) return `${failed} of ${total} failed`;
  if (passed === 0) return `${total} not run`;
  return passed === total ? `${total} passed` : `${passed} of ${total} passed`;
}

export function StatusShape({ state, size = 14 }: { state: string | null | undefined; size?: number }) {
  const { tone, shape } = lookOf(state);
  return (
    <svg
      className="status-shape"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke={`var(--${tone})`}
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {shape === "check" && (
        <>
          <circle cx="8" cy="8" r="6.25" />
          <path d="M5.4 8.2l1.8 1.8 3.4-3.8" />
        </>
      )}
      {shape === "half" && (
        <>
          <circle cx="8" cy="8" r="6.25" />
          <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill={`var(--${tone})`} stroke="none" />
        </>
      )}
      {shape === "triangle" && (
        <>
          <path d="M8 2l6.3 11.4H1.7z" />
          <path d="M8 6.4v3.1M8 11.4v.1" />
        </>
      )}
      {shape === "cross" && (
        <>
          <rect x="2" y="2" width="12" height="12" rx="2.5" />
          <path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" />
        </>
      )}
      {shape === "dashed" && <circle cx="8" cy="8" r="6" strokeDasharray="2.6 2.6" />}
      {shape === "bar" && (
        <>
          <circle cx="8" cy="8" r="6.25" />
          <path d="M5 8h6" />
        </>
      )}
      {shape === "pause" && <path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2.5" />}
      {shape === "stop" && (
        <>
          <circle cx="8" cy="8" r="6.25" />
          <rect x="5.7" y="5.7" width="4.6" height="4.6" fill={`var(--${tone})`} stroke="none" />
        </>
      )}
      {shape === "dot" && <circle cx="8" cy="8" r="3" />}
    </svg>
  );
}

export function Status({ state, word }: { state: string | null | undefined; word?: string }) {
  return (
    <span className="status">
      <StatusShape state={state} />
      <span>{word ?? lookOf(state).word}</span>
    </span>
  );
}

// With an edge: where a status stands among other words.
export function StatusChip({ state, word }: { state: string | null | undefined; word?: string }) {
  return (
    <span className={`chip tone-${lookOf(state).tone}`}>
      <StatusShape state={state} size={13} />
      <span>{word ?? lookOf(state).word}</span>
    </span>
  );
}
