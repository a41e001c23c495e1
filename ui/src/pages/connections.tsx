// What is plugged in, does each still answer, how does one add another?
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { call } from "../api/client";
import { connections, connectors } from "../api/queries";
import type { Connection, TestAnswer } from "../api/types";
import { useAct } from "../app/acts";
import { useWhyNot } from "../app/session";
import { at, useUrl } from "../app/url";
import { Button, ButtonLink, Go, SearchInput, Tag, Tile } from "../kit/controls";
import { plural } from "../kit/format";
import { PageHead } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusShape } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago } from "../kit/time";

export const testState = (connection: Connection): string =>
  connection.last_test ? (connection.last_test.ok ? "ok" : "failed") : "unknown";

export function Connections() {
  const query = useQuery(connections());
  const kinds = useQuery(connectors());
  const [url, setUrl] = useUrl();
  const why = useWhyNot("editor", "add connections");
  const test = useAct(
    (name: string) => call<TestAnswer>("POST", "/connections/{name}/test", { name }, { body: {} }),
    (answer, name) =>
      answer.ok
        ? `${name} answers`
        : `${name} does not answer: ${answer.steps.find((step) => step.ok === false)?.found ?? "see its page"}`,
    "connections",
    "connection",
  );
  const all = query.data?.items ?? [];
  const q = (url.q ?? "").toLowerCase();
  const failing = all.filter((item) => item.last_test && !item.last_test.ok);
  const titles = new Map((kinds.data?.items ?? []).map((kind) => [kind.name, kind.title ?? kind.name]));
  const columns: TableColumn<Connection>[] = [
    {
      id: "name",
      head: "Connection",
      narrow: "main",
      cell: (item) => (
        <Go target={at.connection(item.name)} className="row cell-link">
          <span className="strong clip" title={item.name}>
            {item.name}
          </span>
          {item.is_warehouse && <Tag>warehouse</Tag>}
        </Go>
      ),
    },
    {
      id: "type",
      head: "Kind",
      width: 150,
      narrow: "figure",
      cell: (item) => <span className="clip block">{titles.get(item.type) ?? item.type}</span>,
    },
    {
      id: "state",
      head: "Last test",
      width: 170,
      narrow: "status",
      cell: (item) => (
        <Status
          state={testState(item)}
          word={item.last_test ? (item.last_test.ok ? "Answers" : "Failed") : "Never tested"}
        />
      ),
    },
    {
      id: "found",
      head: "Says",
      cell: (item) => (
        <span className="clip block" title={item.last_test?.message}>
          {item.last_test && !item.last_test.ok ? (
            item.last_test.message
          ) : (
            <span className="muted num">{item.last_test?.ms ? `in ${item.last_test.ms} ms` : ""}</span>
          )}
        </span>
      ),
    },
    {
      id: "tested",
      head: "Tested",
      width: 110,
      align: "right",
      narrow: "figure",
      cell: (item) => <Ago at={item.last_test?.at} />,
    },
    {
      id: "used",
      head: "Used by",
      width: 180,
      cell: (item) => (
        <span className="clip block" title={item.used_by?.join(", ")}>
          {(item.used_by?.length ?? 0) === 0 ? (
            <span className="muted">nothing yet</span>
          ) : item.used_by!.length === 1 ? (
            <Go target={at.pipeline(item.used_by![0]!)}>{item.used_by![0]}</Go>
          ) : (
            plural(item.used_by!.length, "pipeline")
          )}
        </span>
      ),
    },
    {
      id: "act",
      head: <span className="visually-hidden">Test</span>,
      width: 84,
      align: "right",
      cell: (item) => (
        <button
          type="button"
          className="link-button small"
          aria-label={`Test ${item.name}`}
          onClick={() => test.mutate(item.name)}
        >
          {test.isPending && test.variables === item.name ? "Testing" : "Test"}
        </button>
      ),
    },
  ];
  return (
    <>
      <PageHead
        title="Connections"
        name="Connections"
        verdict={
          query.data && (
            <span className="status">
              <StatusShape state={failing.length > 0 ? "failed" : "ok"} />
              {failing.length > 0
                ? `${failing
                    .map((item) => item.name)
                    .slice(0, 3)
                    .join(", ")} ${failing.length === 1 ? "does" : "do"} not answer`
                : `${plural(all.length, "connection")}, none failed its last test`}
            </span>
          )
        }
        actions={
          why ? (
            <Button kind="primary" why={why}>
              <Plus size={14} aria-hidden="true" /> Add connection
            </Button>
          ) : (
            <ButtonLink kind="primary" target={at.newConnection()}>
              <Plus size={14} aria-hidden="true" /> Add connection
            </ButtonLink>
          )
        }
      />
      {all.length > 5 && (
        <div className="filters row">
          <SearchInput
            label="Filter connections"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
        </div>
      )}
      <QueryView
        query={query}
        what="read the connections"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty
            title="No connections yet."
            actions={<ButtonLink target={at.newConnection()}>Add connection</ButtonLink>}
          >
            Connect a source and see its first rows in about two minutes.
          </Empty>
        }
      >
        {(page) => {
          const shown = page.items.filter((item) =>
            `${item.name} ${item.type} ${titles.get(item.type) ?? ""}`.toLowerCase().includes(q),
          );
          return shown.length === 0 ? (
            <Empty
              title="No connection matches."
              actions={<Button onClick={() => setUrl({ q: null })}>Clear filter</Button>}
            />
          ) : (
            <DataTable
              label="Connections"
              columns={columns}
              rows={shown}
              keyOf={(item) => item.name}
              rowState={testState}
            />
          );
        }}
      </QueryView>
    </>
  );
}

export { Tile };
