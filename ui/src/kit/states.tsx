// One place decides what a page shows of a query: a skeleton is not an empty state, old data is kept beside an error,
// and "empty" is only said after a finished, successful answer.
import type { UseQueryResult } from "@tanstack/react-query";
import { Copy, RefreshCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { Button } from "./controls";
import { StatusShape } from "./status";
import { notify } from "./toast";

export function useDelayed(on: boolean, ms: number): boolean {
  const [due, setDue] = useState(false);
  useEffect(() => {
    if (!on) {
      setDue(false);
      return;
    }
    const timer = setTimeout(() => setDue(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && due;
}

export function Skeleton({ rows = 6, shape = "rows" }: { rows?: number; shape?: "rows" | "cards" | "text" }) {
  return (
    <div className={`skeleton ${shape}`} aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} style={{ "--w": `${[92, 78, 85, 64, 88, 72][i % 6]}%` } as React.CSSProperties} />
      ))}
    </div>
  );
}

export function Empty({ title, children, actions }: { title: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children && <div className="muted text-column">{children}</div>}
      {actions && <div className="row wrap">{actions}</div>}
    </div>
  );
}

// The first sentence says what happened, the rest where and what to do: it is the server's own text.
export function ErrorBox({
  error,
  what,
  onRetry,
  compact,
}: {
  error: unknown;
  what?: string;
  onRetry?: () => void;
  compact?: boolean;
}) {
  const known = error instanceof ApiError ? error : null;
  const text = error instanceof Error ? error.message : String(error);
  if (known?.status === 403) {
    return (
      <div className="notice idle" role="alert">
        <StatusShape state="paused" />
        <div className="grow">
          <p className="strong">{what ? `You may not ${what}.` : "You may not see this."}</p>
          <p className="wrap-any">{text}</p>
        </div>
      </div>
    );
  }
  return (
    <div className={`notice fail${compact ? " compact" : ""}`} role="alert">
      <StatusShape state="failed" />
      <div className="grow">
        {what && <p className="strong">Could not {what}.</p>}
        <p className="wrap-any">{text}</p>
        {known && known.places.length > 0 && <Places places={known.places} />}
        <div className="row wrap notice-actions">
          {onRetry && (
            <Button small onClick={onRetry}>
              <RefreshCw size={13} aria-hidden="true" /> Try again
            </Button>
          )}
          <Button
            small
            kind="ghost"
            onClick={() => {
              const where = known?.places.map(
                (place) => `${place.file ?? place.path ?? ""}:${place.line ?? ""} ${place.message}`,
              );
              void navigator.clipboard?.writeText([what, text, ...(where ?? [])].filter(Boolean).join("\n"));
              notify("Copied the details");
            }}
          >
            <Copy size={13} aria-hidden="true" /> Copy details
          </Button>
        </div>
      </div>
    </div>
  );
}

// What a system says may be a page long: its first line tells, the rest is there for who wants it.
export function Message({ text, children }: { text: string; children?: ReactNode }) {
  const [first, ...rest] = text.trim().split("\n");
  const long = (first ?? "").length > 280;
  return (
    <>
      <p className="wrap-any">
        {children}
        {long ? `${first!.slice(0, 260)}…` : first}
      </p>
      {(rest.length > 0 || long) && (
        <details className="whole-message">
          <summary>Whole message</summary>
          <pre className="mono small">{text.trim()}</pre>
        </details>
      )}
    </>
  );
}

export function Places({ places }: { places: { file?: string; line?: number; path?: string; message: string }[] }) {
  return (
    <ul className="places">
      {places.map((place, i) => (
        <li key={i}>
          <code>
            {place.file ?? place.path}
            {place.line ? `:${place.line}` : ""}
          </code>{" "}
          <span className="wrap-any">{place.message}</span>
        </li>
      ))}
    </ul>
  );
}

function SlowHint({ what }: { what: string }) {
  const slow = useDelayed(true, 3000);
  return slow ? (
    <p className="muted small" role="status">
      Still waiting: {what}.
    </p>
  ) : null;
}

export function QueryView<T>({
  query,
  what,
  title,
  skeleton,
  isEmpty,
  empty,
  children,
}: {
  query: UseQueryResult<T>;
  // What is read, as in "Could not read the runs": "read the runs".
  what: string;
  // Of a page whose head comes with its data: what it is called until then.
  title?: string;
  skeleton?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const waits = query.data === undefined && !query.isError;
  const showSkeleton = useDelayed(waits, 200);
  const refreshing = useDelayed(query.isFetching && query.data !== undefined && !query.isPlaceholderData, 500);
  if (query.data === undefined) {
    const head = title ? <h1 className="wrap-any">{title}</h1> : null;
    if (query.isError) {
      return (
        <>
          {head}
          <ErrorBox error={query.error} what={what} onRetry={() => void query.refetch()} />
        </>
      );
    }
    return (
      <div aria-busy="true" className="waiting-box">
        {head}
        <span className="visually-hidden" role="status">
          Loading
        </span>
        {showSkeleton && (skeleton ?? <Skeleton />)}
        <SlowHint what={what} />
      </div>
    );
  }
  // What belongs to another question is not shown as the answer to this one.
  const otherQuestion = query.isPlaceholderData;
  return (
    <div className="answer" data-refreshing={refreshing || undefined} data-other={otherQuestion || undefined}>
      {query.isError && <ErrorBox compact error={query.error} what={what} onRetry={() => void query.refetch()} />}
      {!otherQuestion && isEmpty?.(query.data) ? empty : children(query.data)}
    </div>
  );
}
