// Times: relative where age matters, with the absolute one behind; always a <time>.
import { useSyncExternalStore } from "react";
import { usePreferences } from "../app/preferences";
import { formatAbsolute, formatDuration, formatRelative, formatTime } from "./format";

const ticks = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
let current = Date.now();

// The present, a second old at most while the page is seen.
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      ticks.add(listener);
      ticking ??= setInterval(() => {
        if (document.hidden) return;
        current = Date.now();
        for (const tick of ticks) tick();
      }, 1000);
      return () => {
        ticks.delete(listener);
        if (ticks.size === 0) {
          clearInterval(ticking);
          ticking = undefined;
        }
      };
    },
    () => {
      // Nobody has looked for a while: the clock went on all the same.
      if (!ticking && Date.now() - current > 1000) current = Date.now();
      return current;
    },
  );
}

export function Ago({ at, none = "never" }: { at: string | null | undefined; none?: string }) {
  const now = useNow();
  const { utc } = usePreferences();
  const ms = at ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(ms)) return <span className="muted">{none}</span>;
  return (
    <time dateTime={at!} title={formatAbsolute(ms, utc)} className="num nowrap">
      {formatRelative(ms, now)}
    </time>
  );
}

export function Stamp({
  at,
  none = "–",
  seconds = true,
}: {
  at: string | null | undefined;
  none?: string;
  seconds?: boolean;
}) {
  const { utc } = usePreferences();
  const ms = at ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(ms)) return <span className="muted">{none}</span>;
  return (
    <time dateTime={at!} title={formatAbsolute(ms, utc)} className="num nowrap">
      {formatTime(ms, Date.now(), utc, seconds)}
    </time>
  );
}

// How long something took, or has taken so far.
export function Took({ from, to }: { from: string | null | undefined; to: string | null | undefined }) {
  if (!from) return <span className="muted">–</span>;
  return to ? (
    <span className="num nowrap">{formatDuration(Date.parse(to) - Date.parse(from))}</span>
  ) : (
    <TakesSo from={from} />
  );
}
function TakesSo({ from }: { from: string }) {
  const now = useNow();
  return (
    <span className="num nowrap">{formatDuration(Math.floor(Math.max(0, now - Date.parse(from)) / 1000) * 1000)}</span>
  );
}
