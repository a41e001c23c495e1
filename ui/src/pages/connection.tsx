// One connection: which of its streams are loaded and how, and what it was told.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { connection, connectors, file, secrets } from "../api/queries";
import type { ConnectionDetail, Connector } from "../api/types";
import { ConnectionTest } from "../app/connection_test";
import { type FileChange, ReviewDialog } from "../app/review";
import { useWhyNot } from "../app/session";
import { at, useUrl } from "../app/url";
import { Button, Go, Tabs, Tag, Tile } from "../kit/controls";
import { ConnectorForm, ErrorSummary, fieldId } from "../kit/form";
import {
  editsOf,
  type FormErrors,
  formOf,
  optionsOf,
  secretNameOf,
  testOptionsOf,
  typedSecrets,
  validate,
} from "../kit/form_model";
import { Facts, PageHead } from "../kit/page";
import { QueryView } from "../kit/states";
import { StatusChip } from "../kit/status";
import { Ago } from "../kit/time";
import { FilePreview } from "./connection_new";
import { testState } from "./connections";
import { Streams } from "./streams";

export function ConnectionPage() {
  const { connection: name } = useParams({ strict: false }) as { connection: string };
  const query = useQuery(connection(name));
  const kinds = useQuery(connectors());
  return (
    <QueryView query={query} what={`read connection ${name}`} title={name}>
      {(detail) => (
        <QueryView query={kinds} what="read the list of connectors">
          {(page) => (
            <Content
              key={detail.name}
              detail={detail}
              connector={page.items.find((item) => item.name === detail.type)}
            />
          )}
        </QueryView>
      )}
    </QueryView>
  );
}

function Content({ detail, connector }: { detail: ConnectionDetail; connector: Connector | undefined }) {
  const [url] = useUrl();
  const title = connector?.title ?? detail.type;
  const tab = url.tab ?? (connector?.source && !detail.is_warehouse ? "streams" : "settings");
  const tabs: [string, string][] = [
    ...(connector?.source ? [["streams", "Streams"] as [string, string]] : []),
    ["settings", "Settings"],
  ];
  return (
    <>
      <PageHead
        title={detail.name}
        name={detail.name}
        lead={<Tile name={detail.type} title={title} />}
        verdict={
          <>
            <StatusChip
              state={testState(detail)}
              word={detail.last_test ? (detail.last_test.ok ? "Answers" : "Last test failed") : "Never tested"}
            />
            {detail.is_warehouse && <Tag>warehouse</Tag>}
          </>
        }
      >
        {detail.last_test && !detail.last_test.ok && detail.last_test.message && (
          <p className="wrap-any">{detail.last_test.message}</p>
        )}
        <Facts
          items={[
            ["Kind", title],
            ["Tested", <Ago key="t" at={detail.last_test?.at} />],
            ["Written in", <code key="f">{detail.file ? `${detail.file}:${detail.line ?? 1}` : "–"}</code>],
            [
              "Used by",
              (detail.used_by ?? []).length === 0 ? (
                "nothing yet"
              ) : (
                <span key="u" className="row wrap">
                  {detail.used_by!.slice(0, 6).map((name) => (
                    <Go key={name} target={at.pipeline(name)}>
                      {name}
                    </Go>
                  ))}
                  {detail.used_by!.length > 6 && ` and ${detail.used_by!.length - 6} more`}
                </span>
              ),
            ],
          ]}
        />
      </PageHead>
      <Tabs
        label="Parts of the connection"
        items={tabs.map(([id, text]) => ({
          text,
          active: id === tab,
          target: at.connection(detail.name, { tab: id }),
        }))}
      />
      {tab === "streams" && connector ? (
        <Streams detail={detail} connector={connector} />
      ) : (
        <Settings detail={detail} connector={connector} />
      )}
    </>
  );
}

function Settings({ detail, connector }: { detail: ConnectionDetail; connector: Connector | undefined }) {
  const fields = connector?.fields ?? [];
  const before = useMemo(() => formOf(fields, detail.options), [fields, detail.options]);
  const [values, setValues] = useState(before);
  const [errors, setErrors] = useState<FormErrors>({});
  const [shown, setShown] = useState<FormErrors>({});
  const [change, setChange] = useState<FileChange | null>(null);
  const path = detail.file ?? "shaduf.yml";
  const text = useQuery(file(path));
  const kept = useQuery(secrets());
  const why = useWhyNot("editor", "change it");
  if (!connector)
    return (
      <p className="muted">
        This build has no connector of type {detail.type}; its options are in {path}.
      </p>
    );
  // A secret that was kept before keeps its name, so that other connections that use it go on.
  const secretName = (at_: string): string => {
    const held = values[at_];
    const from =
      held && typeof held === "object" && "held" in held ? (held.held as { from: string } | null)?.from : undefined;
    return from?.startsWith("secret:") ? from.slice(7) : secretNameOf(detail.name, at_);
  };
  const written = optionsOf(fields, values, secretName);
  const edits = editsOf(["connections", detail.name], optionsOf(fields, before, secretName), written);
  const typed = typedSecrets(fields, values, secretName);
  const next: FileChange = {
    file: path,
    base: text.data?.sha ?? null,
    edits,
    secrets: typed,
    summary: `Change connection ${detail.name}`,
  };
  const nothing = edits.length === 0 && typed.length === 0;
  const onBlur = (at_: string) => {
    const found = validate(fields, values);
    const rest = { ...errors };
    if (found[at_]) rest[at_] = found[at_];
    else delete rest[at_];
    setErrors(rest);
  };
  const complain = (): boolean => {
    const found = validate(fields, values);
    setErrors(found);
    setShown(found);
    const first = Object.keys(found)[0];
    if (first) requestAnimationFrame(() => document.getElementById(fieldId(first))?.focus());
    return first !== undefined;
  };
  const isReplaced = (name: string) =>
    kept.data?.items.find((item) => item.name === name && (item.used_by?.length ?? 0) > 1);
  return (
    <div className="form-and-file">
      <form
        className="form-column"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!complain()) setChange(next);
        }}
      >
        <ErrorSummary errors={shown} />
        <ConnectorForm
          fields={fields}
          values={values}
          errors={errors}
          onChange={setValues}
          onBlur={onBlur}
          disabled={Boolean(why)}
        />
        {typed.some((secret) => isReplaced(secret.name)) && (
          <p className="small">
            Others use this secret, too:{" "}
            {typed
              .flatMap((secret) => isReplaced(secret.name)?.used_by ?? [])
              .filter((name) => name !== detail.name)
              .join(", ")}
            .
          </p>
        )}
        <ConnectionTest
          name={detail.name}
          type={detail.type}
          options={() => (complain() ? null : testOptionsOf(fields, values))}
        />
        <div className="row wrap form-end">
          <Button
            type="submit"
            kind="primary"
            why={
              why ??
              (text.data?.read_only
                ? "The project's folder is read-only for the server."
                : nothing && "Nothing has changed.")
            }
            data-key="save"
          >
            Review and save
          </Button>
          {!nothing && (
            <Button kind="ghost" onClick={() => setValues(before)}>
              Undo my changes
            </Button>
          )}
        </div>
      </form>
      <FilePreview change={nothing ? null : next} ready={text.data !== undefined} />
      {change && <ReviewDialog change={change} onClose={() => setChange(null)} onSaved={() => setChange(null)} />}
    </div>
  );
}
