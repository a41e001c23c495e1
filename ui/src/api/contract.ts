// What pages take an answer for (types.ts) is what the server says that it is (schema.ts): a field that was renamed, or
// may be null from now on, does not compile here.
import type { components } from "./schema";
import type * as t from "./types";

type Served = components["schemas"];
// Names of fields whose type is a choice of words stay texts in the description.
type Loose<T> = T extends string
  ? string
  : T extends (infer Item)[]
    ? Loose<Item>[]
    : T extends object
      ? { [Key in keyof T]: Loose<T[Key]> }
      : T;
type Takes<Page, Answer extends Loose<Page>> = Answer;

export type Held = [
  Takes<
    t.Me,
    Omit<
      Served["Me"],
      "warehouse" | "csrf" | "project" | "environment" | "environments" | "version" | "started_at" | "config_errors"
    >
  >,
  Takes<Omit<t.RunSummary, "tasks">, Omit<Served["RunSummary"], "tasks">>,
  Takes<t.TaskCounts, Served["TaskCounts"]>,
  Takes<
    Omit<t.TaskInfo, "steps" | "attempts" | "tables" | "values">,
    Omit<Served["TaskInfo"], "steps" | "attempts" | "tables" | "values">
  >,
  Takes<t.Step, Served["Step"]>,
  Takes<t.Attempt, Served["Attempt"]>,
  Takes<t.LogPage, Omit<Served["Log"], never>>,
  Takes<Omit<t.Flow, "late" | "last_runs">, Omit<Served["Flow"], "late" | "last_runs">>,
  Takes<t.QuarantineGroup, Served["QuarantineGroup"]>,
  Takes<t.User, Served["User"]>,
  Takes<t.Token, Served["Token"]>,
  Takes<t.AuditEntry, Served["AuditEntry"]>,
  Takes<Omit<t.LineageNode, "tests">, Omit<Served["LineageNode"], "tests">>,
  Takes<t.Overview["late"][number], Served["LateFlow"]>,
  Takes<t.Failing, Served["FailingFlow"]>,
];
