// Before anything is written: the server makes the edit, and shows as a diff what it would change. What it was made
// from is named, so that nobody's change is overwritten.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { ApiError, call } from "../api/client";
import type { Edit, EditAnswer, Place } from "../api/types";
import { Button, Dialog, Input } from "../kit/controls";
import { countDiff, Diff } from "../kit/diff";
import { FieldFrame } from "../kit/form";
import { plural } from "../kit/format";
import { ErrorBox, Places, Skeleton } from "../kit/states";
import { StatusShape } from "../kit/status";
import { notify } from "../kit/toast";

export interface FileChange {
  file: string;
  // What the change was made from; null for a file that is new.
  base: string | null;
  edits?: Edit[];
  text?: string;
  // Put into the store before the file is written; values are never shown.
  secrets?: { name: string; value: string }[];
  // In words, for the dialog and the audit log.
  summary: string;
}

export function sendChange(
  change: FileChange,
  dryRun: boolean,
  message?: string,
  base = change.base,
): Promise<EditAnswer> {
  const body = { base_sha: base, dry_run: dryRun, message: message || change.summary };
  return change.text !== undefined
    ? call("PUT", "/files/{path...}", { path: change.file }, { body: { ...body, text: change.text } })
    : call("PATCH", "/files/{path...}", { path: change.file }, { body: { ...body, edits: change.edits } });
}

// The trial knows nothing of the secrets that are put into the store right before the file is written.
export function withoutNewSecrets(errors: Place[], change: FileChange): Place[] {
  const names = (change.secrets ?? []).map((secret) => secret.name);
  return errors.filter((error) => !names.some((name) => error.message.startsWith(`secret not found: ${name};`)));
}

export function ReviewDialog({
  change,
  onClose,
  onSaved,
}: {
  change: FileChange;
  onClose: () => void;
  onSaved: () => void;
}) {
  const client = useQueryClient();
  const [answer, setAnswer] = useState<EditAnswer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [message, setMessage] = useState(change.summary);
  const [busy, setBusy] = useState(false);
  const [base, setBase] = useState(change.base);
  const load = useCallback(
    (from: string | null) => {
      setError(null);
      sendChange(change, true, undefined, from).then(setAnswer).catch(setError);
    },
    [change],
  );
  useEffect(() => load(base), [load, base]);
  const conflict =
    error instanceof ApiError && error.status === 409
      ? (error.body as { current?: { text: string; sha: string } })
      : null;
  const save = async () => {
    setBusy(true);
    setError(null);
    try {
      for (const secret of change.secrets ?? []) {
        await call("PUT", "/secrets/{name}", { name: secret.name }, { body: { value: secret.value } });
      }
      await sendChange(change, false, message, base);
      notify(`${change.file} is saved`);
      await client.invalidateQueries();
      onSaved();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  const errors = withoutNewSecrets(answer?.errors ?? [], change);
  const wrong = errors.length > 0;
  const nothing = answer !== null && answer.diff.trim() === "";
  const counts = answer ? countDiff(answer.diff) : null;
  return (
    <Dialog
      title={`Review the change of ${change.file}`}
      wide
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Go on editing
          </Button>
          <Button
            kind="primary"
            busy={busy}
            why={
              answer === null
                ? "The change is being made."
                : wrong
                  ? "The project would have errors."
                  : nothing
                    ? "Nothing would change."
                    : null
            }
            onClick={() => void save()}
          >
            {busy ? "Saving" : `Save ${change.file}`}
          </Button>
        </>
      }
    >
      <p>
        {change.summary}
        {counts &&
          `: ${plural(counts.added, "line")} added, ${plural(counts.removed, "line")} removed. All else in the file stays as it is, comments too.`}
      </p>
      {(change.secrets?.length ?? 0) > 0 && (
        <p className="small muted">
          {plural(change.secrets!.length, "secret")} will be kept in the secret store:{" "}
          {change.secrets!.map((secret) => secret.name).join(", ")}. The file gets a reference.
        </p>
      )}
      {conflict?.current && (
        <div className="notice warn">
          <StatusShape state="warned" />
          <div className="grow">
            <p className="strong">The file was changed since you opened it.</p>
            <p>Your change can be made to the file as it is now; look at the diff again before you save it.</p>
            <div className="row notice-actions">
              <Button
                small
                onClick={() => {
                  setAnswer(null);
                  setBase(conflict.current!.sha);
                }}
                why={
                  change.text !== undefined &&
                  "This change is a whole text. Copy what you need, and open the file again."
                }
              >
                Make it on what is there now
              </Button>
            </div>
          </div>
        </div>
      )}
      {error !== null && !conflict?.current && (
        <ErrorBox error={error} what={busy ? "save the file" : "make this change"} onRetry={() => load(base)} />
      )}
      {wrong && (
        <div className="notice fail">
          <StatusShape state="failed" />
          <div>
            <p className="strong">With this change the project could not be read:</p>
            <Places places={errors} />
          </div>
        </div>
      )}
      {answer ? (
        <Diff diff={answer.diff} file={change.file} />
      ) : error === null ? (
        <Skeleton rows={6} shape="text" />
      ) : null}
      <FieldFrame id="review-message" title="Why" help="Goes into the audit log.">
        <Input id="review-message" value={message} onChange={(event) => setMessage(event.target.value)} />
      </FieldFrame>
    </Dialog>
  );
}
