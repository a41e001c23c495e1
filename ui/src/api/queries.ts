// What pages read, by name; the keys are what live events patch and writes invalidate.
import { keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, call, type Query, rememberCsrf } from "./client";
import { countTasks } from "./patch";
import type * as t from "./types";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => error instanceof ApiError && (error.status === 0 || error.status >= 502) && count < 2,
    },
  },
});

const get =
  <T>(template: string, path: Record<string, string> = {}, query: Query = {}) =>
  ({ signal }: { signal: AbortSignal }) =>
    call<T>("GET", template, path, { query, signal });

// The server's answer has its tasks where a summary has their counts.
export function normalizeRun(answer: t.RunSummary & { tasks?: unknown }): t.RunDetail {
  const list = Array.isArray(answer.tasks) ? (answer.tasks as t.TaskInfo[]) : [];
  return { ...answer, task_list: list, tasks: countTasks(list) } as t.RunDetail;
}

// A server that watches no tables says nothing of those that drift.
export function normalizeOverview(answer: Partial<t.Overview> & { checked_at: string }): t.Overview {
  const none = { failing: [], late: [], drifting: [], waiting: [], quarantined: [], timeline: [] };
  const known = Object.entries(answer).filter(([, value]) => value !== null && value !== undefined);
  return { ...none, checked_at: answer.checked_at, ...Object.fromEntries(known) };
}

export const me = () =>
  queryOptions({
    queryKey: ["me"],
    queryFn: async ({ signal }) => {
      const answer = await call<t.Me>("GET", "/me", {}, { signal });
      rememberCsrf(answer.csrf);
      return answer;
    },
    staleTime: 60_000,
  });
export const overview = () =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: async ({ signal }) =>
      normalizeOverview(await call("GET", "/overview", {}, { query: { hours: 24 }, signal })),
    refetchInterval: 30_000,
  });
export const runs = (filter: Query) =>
  queryOptions({
    queryKey: ["runs", filter],
    queryFn: get<t.Page<t.RunSummary>>("/runs", {}, filter),
    placeholderData: keepPreviousData,
  });
export const run = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: async ({ signal }) => normalizeRun(await call("GET", "/runs/{id}", { id }, { signal })),
  });
export const runHistory = (id: string) =>
  queryOptions({
    queryKey: ["run-history", id],
    queryFn: get<t.Page<{ at: string; task?: string; attempt?: number; to: string; why?: string; actor?: string }>>(
      "/runs/{id}/history",
      { id },
    ),
  });
export const runDefinition = (id: string) =>
  queryOptions({
    queryKey: ["run-definition", id],
    queryFn: get<{ flow: string; revision: string; text?: string | null; current?: string | null }>(
      "/runs/{id}/definition",
      { id },
    ),
  });
export const flows = (query: Query = {}) =>
  queryOptions({
    queryKey: ["flows", query],
    queryFn: get<t.Page<t.Flow>>("/flows", {}, { limit: 1000, ...query }),
    placeholderData: keepPreviousData,
  });
export const flow = (name: string) =>
  queryOptions({ queryKey: ["flow", name], queryFn: get<t.FlowDetail>("/flows/{name}", { name }) });

export const connectors = () =>
  queryOptions({
    queryKey: ["connectors"],
    queryFn: get<t.Page<t.Connector>>("/connectors", {}, { limit: 1000 }),
    staleTime: 3_600_000,
  });
export const connections = () =>
  queryOptions({
    queryKey: ["connections"],
    queryFn: get<t.Page<t.Connection>>("/connections", {}, { limit: 1000 }),
  });
export const connection = (name: string) =>
  queryOptions({
    queryKey: ["connection", name],
    queryFn: get<t.ConnectionDetail>("/connections/{name}", { name }),
  });
export const discovery = (name: string) =>
  queryOptions({
    queryKey: ["discovery", name],
    queryFn: get<t.Discovery | undefined>("/connections/{name}/discover", { name }),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
export const file = (path: string) =>
  queryOptions({ queryKey: ["file", path], queryFn: get<t.FileAnswer>("/files/{path...}", { path }) });

export const pipelines = () =>
  queryOptions({
    queryKey: ["pipelines"],
    queryFn: get<t.Page<t.Pipeline>>("/pipelines", {}, { limit: 1000 }),
  });
export const pipeline = (name: string) =>
  queryOptions({ queryKey: ["pipeline", name], queryFn: get<t.PipelineDetail>("/pipelines/{name}", { name }) });
export const quarantine = () =>
  queryOptions({
    queryKey: ["quarantine"],
    queryFn: get<t.Page<t.QuarantineGroup>>("/quarantine", {}, { limit: 1000 }),
  });
export const quarantineRows = (query: Query) =>
  queryOptions({
    queryKey: ["quarantine-rows", query],
    queryFn: get<t.Page<t.QuarantineRow>>("/quarantine/rows", {}, { limit: 200, ...query }),
    placeholderData: keepPreviousData,
  });

export const lineage = (query: Query) =>
  queryOptions({
    queryKey: ["lineage", query],
    queryFn: get<t.Lineage>("/lineage", {}, query),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
export const columnLineage = (table: string, column: string | undefined) =>
  queryOptions({
    queryKey: ["column-lineage", table, column],
    queryFn: get<t.ColumnLineage>("/lineage/columns", {}, { table, column }),
  });
export const tables = (query: Query = {}) =>
  queryOptions({
    queryKey: ["tables", query],
    queryFn: get<t.Page<t.Table>>("/tables", {}, { limit: 1000, ...query }),
    placeholderData: keepPreviousData,
  });
export const table = (schema: string, name: string) =>
  queryOptions({
    queryKey: ["table", schema, name],
    queryFn: get<t.TableDetail>("/tables/{schema}/{name}", { schema, name }),
  });
export const profile = (schema: string, name: string, columns?: string) =>
  queryOptions({
    queryKey: ["profile", schema, name, columns],
    queryFn: get<t.Profile>("/tables/{schema}/{name}/profile", { schema, name }, { columns }),
    staleTime: 300_000,
  });
export const sample = (schema: string, name: string) =>
  queryOptions({
    queryKey: ["sample", schema, name],
    queryFn: get<t.Rows>("/tables/{schema}/{name}/sample", { schema, name }, { limit: 100 }),
    staleTime: 60_000,
  });
export const checks = () =>
  queryOptions({ queryKey: ["checks"], queryFn: get<t.Page<t.Check>>("/checks", {}, { limit: 1000 }) });
export const anomalies = () =>
  queryOptions({ queryKey: ["anomalies"], queryFn: get<t.Page<t.Anomaly>>("/anomalies", {}, { limit: 1000 }) });

export const watchedTables = () =>
  queryOptions({
    queryKey: ["anomalies", "tables"],
    queryFn: get<t.Page<t.WatchedTable>>("/anomalies/tables", {}, { limit: 1000 }),
    retry: false,
  });

export const alerts = (state?: string) =>
  queryOptions({
    queryKey: ["alerts", state],
    queryFn: get<t.Page<t.Alert>>("/alerts", {}, { state }),
    refetchInterval: 30_000,
  });
export const alertChannels = () =>
  queryOptions({ queryKey: ["alert-channels"], queryFn: get<t.Page<t.AlertChannel>>("/alert-channels") });
export const users = () => queryOptions({ queryKey: ["users"], queryFn: get<t.Page<t.User>>("/users") });
export const tokens = () => queryOptions({ queryKey: ["tokens"], queryFn: get<t.Page<t.Token>>("/tokens") });
export const secrets = () =>
  queryOptions({
    queryKey: ["secrets"],
    queryFn: get<t.Page<{ name: string; set: boolean; changed_at?: string | null; used_by?: string[] }>>("/secrets"),
  });
export const audit = (query: Query) =>
  queryOptions({
    queryKey: ["audit", query],
    queryFn: get<t.Page<t.AuditEntry>>("/audit", {}, query),
    placeholderData: keepPreviousData,
  });
