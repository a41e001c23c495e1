// A connection in two steps: which system, then its fields beside what the file will say.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { call } from "../api/client";
import { connections, connectors, file, queryClient } from "../api/queries";
import type { Connector, Place } from "../api/types";
import { ConnectionTest } from "../app/connection_test";
import { readDraft, writeDraft } from "../app/drafts";
import { type FileChange, ReviewDialog, sendChange, withoutNewSecrets } from "../app/review";
import { useWhyNot } from "../app/session";
import { at, useGo, useUrl } from "../app/url";
import { Button, ButtonLink, Go, Input, SearchInput, Segmented, Tag, Tile } from "../kit/controls";
import { Diff } from "../kit/diff";
import { ConnectorForm, ErrorSummary, FieldFrame, fieldId } from "../kit/form";
import {
  type FormErrors,
  type FormValues,
  formOf,
  optionsOf,
  secretNameOf,
  testOptionsOf,
  typedSecrets,
  validate,
  withoutSecrets,
} from "../kit/form_model";
import { PageHead } from "../kit/page";
import { Empty, QueryView, Skeleton } from "../kit/states";

export function NewConnection() {
  const [url] = useUrl();
  const query = useQuery(connectors());
  return (
    <QueryView
      query={query}
      what="read the list of connectors"
      title="Add a connection"
      skeleton={<Skeleton rows={9} shape="cards" />}
    >
      {(page) => {
        const connector = page.items.find((item) => item.name === url.type);
        return connector ? <NewForm key={connector.name} connector={connector} /> : <Gallery items={page.items} />;
      }}
    </QueryView>
  );
}

function Gallery({ items }: { items: Connector[] }) {
  const [url, setUrl] = useUrl();
  const used = useQuery(connections());
  const inUse = new Set((used.data?.items ?? []).map((item) => item.type));
  const q = (url.q ?? "").toLowerCase();
  const kind = (url.kind ?? "all") as "all" | "source" | "sink";
  const shown = items.filter(
    (item) =>
      `${item.name} ${item.title ?? ""} ${item.summary}`.toLowerCase().includes(q) && (kind === "all" || item[kind]),
  );
  return (
    <>
      <PageHead title="Add a connection" name="Add a connection" verdict={<span className="muted">Which system?</span>}>
        <div className="filters row wrap">
          <SearchInput
            label="Search systems"
            value={url.q ?? ""}
            onChange={(value) => setUrl({ q: value })}
            isPageFilter
          />
          <Segmented
            label="What for"
            value={kind}
            onChange={(value) => setUrl({ kind: value === "all" ? null : value })}
            options={[
              { value: "all", label: "All" },
              { value: "source", label: "Read from" },
              { value: "sink", label: "Write to" },
            ]}
          />
        </div>
      </PageHead>
      {shown.length === 0 ? (
        <Empty
          title={`No system matches “${url.q}”.`}
          actions={<Button onClick={() => setUrl({ q: null, kind: null })}>Clear filters</Button>}
        >
          Any HTTP API is reached by REST API; programs that speak the Airbyte or Singer protocol by those two.
        </Empty>
      ) : (
        <ul className="gallery">
          {shown.map((item) => (
            <li key={item.name}>
              <Go target={at.newConnection(item.name)} className="gallery-card">
                <Tile name={item.name} title={item.title} />
                <span className="stack grow gallery-text">
                  <span className="row">
                    <span className="strong">{item.title ?? item.name}</span>
                    {inUse.has(item.name) && <Tag>in use</Tag>}
                  </span>
                  <span className="small muted">{item.summary}</span>
                  <span className="small muted">
                    {[item.source && "read", item.sink && "write"].filter(Boolean).join(" and ")}
                  </span>
                </span>
              </Go>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const kProject = "shaduf.yml";
const kName = /^[A-Za-z_][\w-]*$/;

function NewForm({ connector }: { connector: Connector }) {
  const go = useGo();
  const draftKey = `connection.${connector.name}`;
  const draft = useMemo(() => readDraft<{ name: string; values: FormValues }>(draftKey), [draftKey]);
  const [name, setName] = useState(draft?.name ?? "");
  const [values, setValues] = useState<FormValues>(() => ({ ...formOf(connector.fields, {}), ...draft?.values }));
  const [errors, setErrors] = useState<FormErrors>({});
  const [shown, setShown] = useState<FormErrors>({});
  const [change, setChange] = useState<FileChange | null>(null);
  const answered = useRef(false);
  const known = useQuery(connections());
  const project = useQuery(file(kProject));
  const why = useWhyNot("editor", "add connections");
  const title = connector.title ?? connector.name;
  useEffect(
    () => writeDraft(draftKey, { name, values: withoutSecrets(connector.fields, values) }),
    [draftKey, name, values, connector.fields],
  );

  const secretName = (path: string) => secretNameOf(name || "new", path);
  const check = (): FormErrors => {
    const found: FormErrors = {};
    if (name === "") found.name = "Name is needed.";
    else if (!kName.test(name)) found.name = "Name is letters, digits, - and _, and begins with a letter.";
    else if (known.data?.items.some((item) => item.name === name))
      found.name = `There is a connection called ${name} already.`;
    return { ...found, ...validate(connector.fields, values) };
  };
  const onBlur = (path: string) => {
    const found = check();
    const next = { ...errors };
    if (found[path]) next[path] = found[path];
    else delete next[path];
    setErrors(next);
  };
  const complain = (found: FormErrors): boolean => {
    setErrors(found);
    setShown(found);
    const first = Object.keys(found)[0];
    if (first) requestAnimationFrame(() => document.getElementById(fieldId(first))?.focus());
    return first !== undefined;
  };
  const changeOf = (): FileChange => ({
    file: kProject,
    base: project.data?.sha ?? null,
    edits: [
      {
        path: ["connections", name || "new"],
        op: "add",
        value: { type: connector.name, ...optionsOf(connector.fields, values, secretName) },
      },
    ],
    secrets: typedSecrets(connector.fields, values, secretName),
    summary: `Add connection ${name} (${title})`,
  });
  return (
    <>
      <PageHead
        title={`New connection: ${title}`}
        name={`New connection: ${title}`}
        lead={<Tile name={connector.name} title={title} />}
        verdict={<span className="muted">{connector.summary}</span>}
        actions={
          <ButtonLink kind="ghost" target={at.newConnection()}>
            Another system
          </ButtonLink>
        }
      />
      <div className="form-and-file">
        <form
          className="form-column"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (!complain(check())) setChange(changeOf());
          }}
        >
          <ErrorSummary errors={shown} />
          <FieldFrame
            id={fieldId("name")}
            title="Name"
            required
            help="How pipelines name it; a secret that is typed here is kept under this name."
            error={errors.name}
          >
            <Input
              id={fieldId("name")}
              value={name}
              placeholder={connector.name}
              aria-invalid={errors.name ? true : undefined}
              onChange={(event) => setName(event.target.value.trim())}
              onBlur={() => name && onBlur("name")}
            />
          </FieldFrame>
          <ConnectorForm
            fields={connector.fields}
            values={values}
            errors={errors}
            onChange={setValues}
            onBlur={onBlur}
          />
          <ConnectionTest
            type={connector.name}
            onAnswer={(answer) => {
              answered.current = answer.ok;
            }}
            options={() => {
              const found = validate(connector.fields, values);
              return complain(found) ? null : testOptionsOf(connector.fields, values);
            }}
          />
          <div className="row wrap form-end">
            <Button
              type="submit"
              kind="primary"
              why={why ?? (project.data?.read_only && "The project's folder is read-only for the server.")}
              data-key="save"
            >
              Review and save
            </Button>
            <ButtonLink kind="ghost" target={at.connections()}>
              Leave
            </ButtonLink>
          </div>
        </form>
        <FilePreview change={name ? changeOf() : null} ready={project.data !== undefined} />
      </div>
      {change && (
        <ReviewDialog
          change={change}
          onClose={() => setChange(null)}
          onSaved={() => {
            writeDraft(draftKey, null);
            setChange(null);
            // What was tried without a name is tried again under it, so that the page says when it answered last.
            if (answered.current) {
              void call("POST", "/connections/{name}/test", { name })
                .catch(() => {})
                .then(() => queryClient.invalidateQueries({ queryKey: ["connection"] }));
            }
            go(at.connection(name, { tab: "streams" }));
          }}
        />
      )}
    </>
  );
}

// What the file will say, as the server would write it; asked for when typing rests.
export function FilePreview({ change, ready }: { change: FileChange | null; ready: boolean }) {
  const key = change ? JSON.stringify([change.base, change.edits]) : "";
  const [diff, setDiff] = useState<string | null>(null);
  const [errors, setErrors] = useState<Place[]>([]);
  const latest = useRef(change);
  latest.current = change;
  useEffect(() => {
    if (!ready || key === "") return;
    let gone = false;
    const timer = setTimeout(() => {
      const asked = latest.current;
      if (!asked) return;
      sendChange(asked, true)
        .then((answer) => {
          if (gone) return;
          setDiff(answer.diff);
          setErrors(withoutNewSecrets(answer.errors ?? [], asked));
        })
        .catch((error: Error) => {
          if (!gone) setErrors([{ message: error.message }]);
        });
    }, 400);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, ready]);
  return (
    <aside className="file-column" aria-label="What the file will say">
      {diff === null ? (
        <div className="empty">
          <p className="empty-title">{kProject}</p>
          <p className="muted small">
            What would be saved stands here as a diff, as soon as there is a change. The file is the truth: comments and
            order stay.
          </p>
        </div>
      ) : (
        <Diff diff={diff} file={change?.file ?? kProject} />
      )}
      {errors.map((error, i) => (
        <p key={i} className="small muted wrap-any">
          {error.file ? `${error.file}:${error.line ?? ""} ` : ""}
          {error.message}
        </p>
      ))}
    </aside>
  );
}
