// Where does this come from, what breaks if it changes? Opens on a neighbourhood; what is left out is counted.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { lineage } from "../api/queries";
import type { Lineage, LineageNode } from "../api/types";
import { at, atTable, type Target, useUrl } from "../app/url";
import { Button, ButtonLink, Dialog, Go, Segmented } from "../kit/controls";
import { formatCount, formatExact } from "../kit/format";
import { Facts, PageHead } from "../kit/page";
import { Empty, QueryView } from "../kit/states";
import { Status, StatusShape } from "../kit/status";
import { DataTable, useNarrow } from "../kit/table";
import { Ago } from "../kit/time";
import { LateGraph } from "./lineage/late_graph";

// "+orders+1" around orders: the object it is about.
export const focusOf = (select: string | undefined): string =>
  (select ?? "").replace(/^\d*\+/, "").replace(/\+\d*$/, "");

export function targetOf(node: LineageNode): Target | null {
  if (node.table) return atTable(node.table);
  switch (node.kind) {
    case "connection":
      return at.connection(node.name);
    case "flow":
      return at.flow(node.name);
    default:
      return node.schema ? at.table(node.schema, node.name) : null;
  }
}

export function LineagePage() {
  const [url, setUrl] = useUrl();
  const depth = url.depth ?? "1";
  const query = useQuery(lineage({ select: url.select, depth, columns: false }));
  const [typed, setTyped] = useState(url.select ?? "");
  const narrow = useNarrow();
  const asList = narrow || url.view === "list";
  const chosen = query.data?.nodes.find((node) => node.id === url.node);
  const focus = query.data?.nodes.find(
    (node) => node.id === focusOf(url.select) || node.name === focusOf(url.select),
  )?.id;
  const onOpen = useCallback((id: string) => setUrl({ node: id }, true), [setUrl]);
  const onMore = useCallback(
    (id: string) => {
      setTyped(`1+${id}+1`);
      setUrl({ select: `1+${id}+1`, node: null }, true);
    },
    [setUrl],
  );
  return (
    <>
      <PageHead
        title="Lineage"
        name="Lineage"
        verdict={query.data && <Verdict data={query.data} />}
        actions={
          !narrow && (
            <Segmented
              label="Show as"
              value={asList ? "list" : "graph"}
              onChange={(view) => setUrl({ view: view === "graph" ? null : view })}
              options={[
                { value: "graph", label: "Graph" },
                { value: "list", label: "List" },
              ]}
            />
          )
        }
      >
        <form
          className="filters row wrap"
          onSubmit={(event) => {
            event.preventDefault();
            setUrl({ select: typed.trim(), node: null }, true);
          }}
        >
          <input
            className="input mono select-input"
            aria-label="Which objects: a name, with + before for what it comes from and + behind for what comes of it"
            placeholder="+orders+1, tag:daily, shop.*"
            value={typed}
            data-page-filter
            onChange={(event) => setTyped(event.target.value)}
          />
          <Button type="submit">Show</Button>
          {url.select && (
            <>
              <Segmented
                label="Steps around it"
                value={depth}
                onChange={(value) => setUrl({ depth: value === "1" ? null : value })}
                options={[
                  { value: "1", label: "1 step" },
                  { value: "2", label: "2" },
                  { value: "3", label: "3" },
                ]}
              />
              <Button
                kind="ghost"
                onClick={() => {
                  setTyped("");
                  setUrl({ select: null, node: null, depth: null }, true);
                }}
              >
                Show all
              </Button>
            </>
          )}
        </form>
      </PageHead>
      <QueryView
        query={query}
        what="read the lineage"
        isEmpty={(data) => data.nodes.length === 0}
        empty={
          url.select ? (
            <Empty
              title={`Nothing matches ${url.select}.`}
              actions={
                <Button
                  onClick={() => {
                    setTyped("");
                    setUrl({ select: null });
                  }}
                >
                  Show all
                </Button>
              }
            >
              A name, schema.name, tag:NAME, or a name with + for what is before or behind it.
            </Empty>
          ) : (
            <Empty
              title="Nothing to draw yet."
              actions={<ButtonLink target={at.connections()}>Connections</ButtonLink>}
            >
              Once a pipeline loads tables, they stand here with what comes of them.
            </Empty>
          )
        }
      >
        {(data) =>
          asList ? (
            <AsList data={data} />
          ) : (
            <LateGraph
              nodes={data.nodes}
              edges={data.edges}
              hidden={data.hidden}
              focus={focus}
              onOpen={onOpen}
              onMore={onMore}
            />
          )
        }
      </QueryView>
      {chosen && query.data && (
        <Panel
          node={chosen}
          data={query.data}
          onClose={() => setUrl({ node: null })}
          onAround={() => onMore(chosen.id)}
        />
      )}
    </>
  );
}

function Verdict({ data }: { data: Lineage }) {
  const failed = data.nodes.filter((node) => node.state === "failed" || (node.tests?.failed ?? 0) > 0).length;
  return (
    <>
      {failed > 0 && (
        <span className="status">
          <StatusShape state="failed" />
          <strong className="num">{failed}</strong> with a failure
        </span>
      )}
      <span className="muted small num">
        {formatExact(Math.min(300, data.nodes.length))} of {formatExact(data.total ?? data.nodes.length)} objects shown
      </span>
    </>
  );
}

function AsList({ data }: { data: Lineage }) {
  const name = new Map(data.nodes.map((node) => [node.id, node.name]));
  const before = (id: string) =>
    data.edges.filter((edge) => edge.to === id).map((edge) => name.get(edge.from) ?? edge.from);
  const behind = (id: string) =>
    data.edges.filter((edge) => edge.from === id).map((edge) => name.get(edge.to) ?? edge.to);
  return (
    <DataTable
      label="Lineage as a list"
      columns={[
        {
          id: "name",
          head: "Object",
          narrow: "main",
          cell: (node: LineageNode) => {
            const target = targetOf(node);
            return target ? (
              <Go target={target} className="clip block strong quiet">
                <span title={node.name}>{node.name}</span>
              </Go>
            ) : (
              <span className="clip block strong">{node.name}</span>
            );
          },
        },
        { id: "kind", head: "Kind", width: 110, narrow: "figure", cell: (node: LineageNode) => node.kind },
        {
          id: "state",
          head: "State",
          width: 130,
          narrow: "status",
          cell: (node: LineageNode) => (node.state ? <Status state={node.state} /> : <span className="muted">–</span>),
        },
        {
          id: "from",
          head: "Comes from",
          cell: (node: LineageNode) => (
            <span className="clip block" title={before(node.id).join(", ")}>
              {before(node.id).join(", ") || <span className="muted">nothing here</span>}
            </span>
          ),
        },
        {
          id: "to",
          head: "Feeds",
          cell: (node: LineageNode) => (
            <span className="clip block" title={behind(node.id).join(", ")}>
              {behind(node.id).join(", ") || <span className="muted">nothing here</span>}
              {(data.hidden?.[node.id]?.down ?? 0) > 0 && (
                <span className="muted"> and {data.hidden![node.id]!.down} more</span>
              )}
            </span>
          ),
        },
        {
          id: "fresh",
          head: "Changed",
          width: 110,
          align: "right",
          narrow: "figure",
          cell: (node: LineageNode) => <Ago at={node.fresh_at} none="–" />,
        },
      ]}
      rows={data.nodes}
      keyOf={(node) => node.id}
    />
  );
}

function Panel({
  node,
  data,
  onClose,
  onAround,
}: {
  node: LineageNode;
  data: Lineage;
  onClose: () => void;
  onAround: () => void;
}) {
  const target = targetOf(node);
  const byId = new Map(data.nodes.map((other) => [other.id, other]));
  const list = (ids: string[]) =>
    ids.length === 0 ? (
      <p className="muted small">nothing that is shown</p>
    ) : (
      <ul className="stack tight">
        {ids.map((id) => {
          const other = byId.get(id);
          const to = other && targetOf(other);
          return (
            <li key={id} className="row">
              {other?.state !== undefined && <StatusShape state={other.state} />}
              {to ? (
                <Go target={to} className="clip">
                  {other!.name}
                </Go>
              ) : (
                <span className="clip">{other?.name ?? id}</span>
              )}
            </li>
          );
        })}
      </ul>
    );
  return (
    <Dialog title={node.name} side onClose={onClose}>
      <Facts
        items={[
          ["Kind", node.kind],
          ["State", node.state ? <Status key="s" state={node.state} /> : "–"],
          ["Changed", <Ago key="a" at={node.fresh_at} none="unknown" />],
          ["Rows", formatCount(node.rows)],
          [
            "Tests",
            node.tests
              ? `${node.tests.passed} passed${node.tests.failed ? `, ${node.tests.failed} failed` : ""}`
              : "none",
          ],
        ]}
      />
      {node.description && <p>{node.description}</p>}
      {node.file && (
        <p className="small">
          <code>{node.file}</code>
        </p>
      )}
      <div className="row wrap">
        {target && (
          <ButtonLink target={target}>
            Open {node.kind === "connection" ? "connection" : node.kind === "flow" ? "flow" : "table"}
          </ButtonLink>
        )}
        <Button onClick={onAround}>Show what is around it</Button>
      </div>
      <section className="section">
        <h3>Comes from</h3>
        {list(data.edges.filter((edge) => edge.to === node.id).map((edge) => edge.from))}
      </section>
      <section className="section">
        <h3>Feeds</h3>
        {list(data.edges.filter((edge) => edge.from === node.id).map((edge) => edge.to))}
      </section>
    </Dialog>
  );
}
