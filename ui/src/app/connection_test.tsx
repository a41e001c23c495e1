// The steps of a test, each with its time and verdict; the one that failed says what was found and what to do.
import { useRef, useState } from "react";
import { call } from "../api/client";
import type { TestAnswer } from "../api/types";
import { Button } from "../kit/controls";
import { formatDuration } from "../kit/format";
import { ErrorBox } from "../kit/states";
import { StatusShape } from "../kit/status";

const kLimitMs = 35_000;
const kStepTitles: Record<string, string> = {
  resolve: "Find the host",
  connect: "Connect",
  sign_in: "Sign in",
  streams: "Read its streams",
};

export function ConnectionTest({
  name,
  type,
  options,
  label = "Test connection",
  onAnswer,
}: {
  name?: string;
  type: string;
  options: () => Record<string, unknown> | null;
  label?: string;
  onAnswer?: (answer: TestAnswer) => void;
}) {
  const [answer, setAnswer] = useState<TestAnswer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const run = async () => {
    const given = options();
    if (given === null) return;
    abort.current = new AbortController();
    const limit = setTimeout(() => abort.current?.abort(), kLimitMs);
    setBusy(true);
    setError(null);
    setAnswer(null);
    try {
      const found = await call<TestAnswer>(
        "POST",
        "/connections/test",
        {},
        { body: { name, type, options: given }, signal: abort.current.signal },
      );
      setAnswer(found);
      onAnswer?.(found);
    } catch (cause) {
      setError(
        abort.current.signal.aborted
          ? new Error("The test was stopped. The system may be slow, or a firewall drops what is sent to it.")
          : cause,
      );
    } finally {
      clearTimeout(limit);
      setBusy(false);
    }
  };
  return (
    <div className="stack">
      <div className="row wrap">
        <Button busy={busy} onClick={() => void run()}>
          {busy ? "Testing" : label}
        </Button>
        {busy && (
          <Button kind="ghost" onClick={() => abort.current?.abort()}>
            Stop
          </Button>
        )}
        {answer && (
          <span className="status" role="status">
            <StatusShape state={answer.ok ? "ok" : "failed"} />
            {answer.ok ? `Answers${answer.ms ? `, in ${formatDuration(answer.ms)}` : ""}` : "Does not answer yet"}
          </span>
        )}
      </div>
      {error !== null && <ErrorBox compact error={error} what="test the connection" />}
      {answer && answer.steps.length > 0 && (
        <ol className="test-steps">
          {answer.steps.map((step) => (
            <li key={step.name}>
              <StatusShape state={step.ok === null ? "skipped" : step.ok ? "ok" : "failed"} />
              <span className="strong">{kStepTitles[step.name] ?? step.name}</span>
              <span className="num muted small">
                {step.ms !== undefined && step.ms !== null ? formatDuration(step.ms) : ""}
              </span>
              <span className="wrap-any">
                {step.found}
                {step.do && <span className="block">{step.do}</span>}
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
