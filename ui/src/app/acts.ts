// What people do to runs and flows. Each trigger has a key of its own, so that a press that is repeated by the network
// starts nothing twice; the answer of the server is what counts as accepted.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, call, newIdempotencyKey } from "../api/client";
import { notify } from "../kit/toast";

export function useAct<V, R>(
  act: (value: V) => Promise<R>,
  done: (answer: R, value: V) => string | null,
  ...refresh: string[]
) {
  const client = useQueryClient();
  return useMutation<R, Error, V>({
    mutationFn: act,
    onSuccess: (answer, value) => {
      const text = done(answer, value);
      if (text) notify(text);
      for (const key of refresh) void client.invalidateQueries({ queryKey: [key] });
    },
    onError: (error) => notify(error instanceof ApiError ? error.message : String(error), { tone: "fail" }),
  });
}

export const useRunNow = (done?: (run: string) => void) =>
  useAct(
    (flow: string) =>
      call<{ run: string; is_new: boolean }>(
        "POST",
        "/flows/{name}/runs",
        { name: flow },
        { body: {}, idempotencyKey: newIdempotencyKey() },
      ),
    (answer, flow) => {
      done?.(answer.run);
      return done ? null : `Run of ${flow} asked for`;
    },
    "runs",
    "flows",
    "flow",
    "overview",
    "pipelines",
  );
export const usePause = () =>
  useAct(
    ({ flow, paused }: { flow: string; paused: boolean }) =>
      call<void>("POST", "/flows/{name}/pause", { name: flow }, { body: { paused } }),
    (_, { flow, paused }) => (paused ? `${flow} is paused: its schedule rests` : `${flow} goes on by its schedule`),
    "flows",
    "flow",
    "overview",
  );
export const useRerun = (done?: () => void) =>
  useAct(
    ({ run, tasks }: { run: string; tasks?: string[] }) =>
      call<unknown>(
        "POST",
        "/runs/{id}/rerun",
        { id: run },
        { body: tasks ? { tasks } : {}, idempotencyKey: newIdempotencyKey() },
      ),
    (_, { tasks }) => {
      done?.();
      return tasks
        ? `${tasks.length === 1 ? tasks[0] : `${tasks.length} tasks`} and what follows run again`
        : "What did not succeed runs again";
    },
    "run",
    "runs",
    "overview",
  );
export const useCancel = () =>
  useAct(
    (run: string) => call<unknown>("POST", "/runs/{id}/cancel", { id: run }, { body: {} }),
    () => "The run was told to stop",
    "run",
    "runs",
    "overview",
  );
export const useApprove = () =>
  useAct(
    ({ run, task, yes }: { run: string; task: string; yes: boolean }) =>
      call<unknown>("POST", "/runs/{id}/tasks/{task}/approve", { id: run, task }, { body: { yes } }),
    (_, { task, yes }) => (yes ? `${task} goes on` : `${task} was refused`),
    "run",
    "runs",
    "overview",
  );
export const useMark = () =>
  useAct(
    ({ run, task, state }: { run: string; task: string; state: string }) =>
      call<unknown>("POST", "/runs/{id}/tasks/{task}/mark", { id: run, task }, { body: { state } }),
    (_, { task, state }) => `${task} counts as ${state}`,
    "run",
    "runs",
    "overview",
  );
