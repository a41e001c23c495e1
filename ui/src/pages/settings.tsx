// Who may do what, where alerts go, who changed what.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client";
import { audit, secrets, tokens, users } from "../api/queries";
import type { AuditEntry, Role, Token, User } from "../api/types";
import { useAct } from "../app/acts";
import { setPreferences, usePreferences } from "../app/preferences";
import { mayAs, useMe } from "../app/session";
import { at, useUrl } from "../app/url";
import { Button, Checkbox, Dialog, Input, SearchInput, Segmented, Select, Tabs, Tag } from "../kit/controls";
import { FieldFrame } from "../kit/form";
import { zoneName } from "../kit/format";
import { Facts, PageHead, Section } from "../kit/page";
import { Empty, ErrorBox, QueryView } from "../kit/states";
import { Status } from "../kit/status";
import { DataTable, type TableColumn } from "../kit/table";
import { Ago, Stamp } from "../kit/time";
import { notify } from "../kit/toast";
import { Alerts } from "./alerts";

const kRoles: [Role, string][] = [
  ["viewer", "sees everything but secrets"],
  ["editor", "also changes files of the project"],
  ["operator", "also runs, cancels, pauses and replays"],
  ["admin", "also users, tokens, secrets and alert routes"],
];

export function SettingsPage() {
  const [url] = useUrl();
  const me = useMe();
  const isAdmin = mayAs(me.role, "admin");
  const tab = url.tab ?? "you";
  const tabs: [string, string][] = [
    ["you", "You"],
    ...(isAdmin
      ? ([
          ["users", "Users"],
          ["tokens", "Tokens"],
          ["secrets", "Secrets"],
        ] as [string, string][])
      : []),
    ["alerts", "Alerts"],
    ...(isAdmin ? ([["audit", "Audit log"]] as [string, string][]) : []),
  ];
  return (
    <>
      <PageHead
        title="Settings"
        name="Settings"
        verdict={
          <span className="muted">
            {me.name || "local"} · {me.role}
            {me.version ? ` · shaduf ${me.version}` : ""}
          </span>
        }
      >
        <Tabs
          label="Settings"
          items={tabs.map(([id, text]) => ({
            text,
            active: id === tab,
            target: at.settings(id === "you" ? undefined : id),
          }))}
        />
      </PageHead>
      {tab === "users" && <Users />}
      {tab === "tokens" && <Tokens />}
      {tab === "secrets" && <Secrets />}
      {tab === "alerts" && <Alerts />}
      {tab === "audit" && <Audit />}
      {tab === "you" && <You />}
    </>
  );
}

function You() {
  const me = useMe();
  const held = usePreferences();
  return (
    <div className="stack wide">
      <Facts
        items={[
          ["Name", me.name || "local"],
          ["Role", me.role],
          ["Project", me.project ?? "–"],
          ["Environment", me.environment ?? "–"],
          ["Warehouse", me.warehouse ? `${me.warehouse.connection} (${me.warehouse.type})` : "–"],
          ["Server began", <Ago key="s" at={me.started_at} none="–" />],
        ]}
      />
      <Section title="How it looks, in this browser">
        <div className="stack wide">
          <Segmented
            label="Theme"
            value={held.theme}
            onChange={(theme) => setPreferences({ theme })}
            options={[
              { value: "system", label: "As the system" },
              { value: "light", label: "Light" },
              { value: "dark", label: "Dark" },
            ]}
          />
          <Segmented
            label="Rows"
            value={held.density}
            onChange={(density) => setPreferences({ density })}
            options={[
              { value: "compact", label: "Compact rows" },
              { value: "normal", label: "Normal" },
              { value: "comfortable", label: "Comfortable" },
            ]}
          />
          <Segmented
            label="Times"
            value={held.utc ? "utc" : "local"}
            onChange={(zone) => setPreferences({ utc: zone === "utc" })}
            options={[
              { value: "local", label: `Times in ${zoneName(false)}` },
              { value: "utc", label: "UTC" },
            ]}
          />
          <Checkbox
            label="Single keys are commands (j, k, g r, t)"
            checked={held.singleKeys}
            onChange={(event) => setPreferences({ singleKeys: event.target.checked })}
          />
        </div>
      </Section>
    </div>
  );
}

function Users() {
  const query = useQuery(users());
  const [adds, setAdds] = useState(false);
  const [removes, setRemoves] = useState<string | null>(null);
  const me = useMe();
  const change = useAct(
    ({ name, role }: { name: string; role: Role }) =>
      call<unknown>("PATCH", "/users/{name}", { name }, { body: { role } }),
    (_, { name, role }) => `${name} is ${role} now`,
    "users",
  );
  const remove = useAct(
    (name: string) => call<unknown>("DELETE", "/users/{name}", { name }),
    (_, name) => `${name} is removed`,
    "users",
  );
  const columns: TableColumn<User>[] = [
    {
      id: "name",
      head: "Name",
      narrow: "main",
      cell: (user) => (
        <span className="clip block strong">
          {user.name}
          {user.name === me.name && <span className="muted"> (you)</span>}
        </span>
      ),
    },
    {
      id: "role",
      head: "Role",
      width: 170,
      narrow: "status",
      cell: (user) => (
        <Select
          aria-label={`Role of ${user.name}`}
          value={user.role}
          disabled={user.name === me.name}
          onChange={(event) => change.mutate({ name: user.name, role: event.target.value as Role })}
        >
          {kRoles.map(([role]) => (
            <option key={role}>{role}</option>
          ))}
        </Select>
      ),
    },
    {
      id: "folders",
      head: "For",
      cell: (user) => <span className="clip block">{(user.folders ?? []).join(", ") || "the whole project"}</span>,
    },
    {
      id: "state",
      head: "State",
      width: 130,
      cell: (user) => (user.locked ? <Status state="paused" word="Locked" /> : <Status state="ok" word="Active" />),
    },
    {
      id: "seen",
      head: "Last seen",
      width: 120,
      align: "right",
      narrow: "figure",
      cell: (user) => <Ago at={user.last_seen} />,
    },
    {
      id: "act",
      head: <span className="visually-hidden">Remove</span>,
      width: 90,
      align: "right",
      cell: (user) =>
        user.name === me.name ? null : (
          <button
            type="button"
            className="link-button small"
            aria-label={`Remove ${user.name}`}
            onClick={() => setRemoves(user.name)}
          >
            Remove
          </button>
        ),
    },
  ];
  return (
    <Section
      title="Users"
      actions={
        <Button kind="primary" onClick={() => setAdds(true)}>
          Add user
        </Button>
      }
    >
      <QueryView
        query={query}
        what="read the users"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="No users yet.">
            On loopback nobody needs to sign in. For any other address, users are needed.
          </Empty>
        }
      >
        {(page) => <DataTable label="Users" columns={columns} rows={page.items} keyOf={(user) => user.name} />}
      </QueryView>
      {adds && <AddUser onClose={() => setAdds(false)} />}
      {removes && (
        <Dialog
          title={`Remove ${removes}?`}
          onClose={() => setRemoves(null)}
          footer={
            <>
              <Button kind="ghost" onClick={() => setRemoves(null)}>
                Keep
              </Button>
              <Button
                kind="danger"
                onClick={() => {
                  remove.mutate(removes);
                  setRemoves(null);
                }}
              >
                Remove {removes}
              </Button>
            </>
          }
        >
          <p>They are signed out everywhere and cannot sign in any more. What they did stays in the audit log.</p>
        </Dialog>
      )}
    </Section>
  );
}

function RoleField({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <FieldFrame id="role" title="Role" help={kRoles.find(([role]) => role === value)?.[1]}>
      <Select id="role" value={value} onChange={(event) => onChange(event.target.value as Role)}>
        {kRoles.map(([role]) => (
          <option key={role}>{role}</option>
        ))}
      </Select>
    </FieldFrame>
  );
}

function AddUser({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const add = useAct(
    () => call<unknown>("POST", "/users", {}, { body: { name, password, role, folders: [] } }),
    () => {
      onClose();
      return `${name} may sign in`;
    },
    "users",
  );
  return (
    <Dialog
      title="Add a user"
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave
          </Button>
          <Button
            kind="primary"
            busy={add.isPending}
            why={name === "" ? "Name is needed." : password.length < 8 && "The password has at least 8 characters."}
            onClick={() => add.mutate(undefined)}
          >
            Add {name || "user"}
          </Button>
        </>
      }
    >
      {add.error && <ErrorBox compact error={add.error} />}
      <FieldFrame id="user-name" title="Name" required>
        <Input id="user-name" value={name} onChange={(event) => setName(event.target.value.trim())} />
      </FieldFrame>
      <FieldFrame
        id="user-password"
        title="Password"
        required
        help="Tell it to them by a safe way; it is kept only as a hash."
      >
        <Input
          id="user-password"
          type="password"
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </FieldFrame>
      <RoleField value={role} onChange={setRole} />
    </Dialog>
  );
}

function Tokens() {
  const query = useQuery(tokens());
  const [adds, setAdds] = useState(false);
  const remove = useAct(
    (token: Token) => call<unknown>("DELETE", "/tokens/{id}", { id: token.id }),
    (_, token) => `Token ${token.name} holds no more`,
    "tokens",
  );
  const columns: TableColumn<Token>[] = [
    {
      id: "name",
      head: "Token",
      narrow: "main",
      cell: (token) => <span className="clip block strong">{token.name}</span>,
    },
    { id: "role", head: "Role", width: 110, narrow: "status", cell: (token) => <Tag>{token.role}</Tag> },
    {
      id: "created",
      head: "Made",
      width: 150,
      align: "right",
      cell: (token) => <Stamp at={token.created} seconds={false} />,
    },
    {
      id: "expires",
      head: "Holds until",
      width: 150,
      align: "right",
      narrow: "figure",
      cell: (token) => <Stamp at={token.expires} seconds={false} none="no end" />,
    },
    {
      id: "used",
      head: "Last used",
      width: 120,
      align: "right",
      narrow: "figure",
      cell: (token) => <Ago at={token.last_used} />,
    },
    {
      id: "act",
      head: <span className="visually-hidden">Withdraw</span>,
      width: 100,
      align: "right",
      cell: (token) => (
        <button
          type="button"
          className="link-button small"
          aria-label={`Withdraw ${token.name}`}
          onClick={() => remove.mutate(token)}
        >
          Withdraw
        </button>
      ),
    },
  ];
  return (
    <Section
      title="Tokens"
      note="for programs that call the API"
      actions={
        <Button kind="primary" onClick={() => setAdds(true)}>
          Make a token
        </Button>
      }
    >
      <QueryView
        query={query}
        what="read the tokens"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="No tokens yet.">A program signs in by a token: Authorization: Bearer, then the token.</Empty>
        }
      >
        {(page) => <DataTable label="Tokens" columns={columns} rows={page.items} keyOf={(token) => token.id} />}
      </QueryView>
      {adds && <AddToken onClose={() => setAdds(false)} />}
    </Section>
  );
}

function AddToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<string | null>(null);
  const add = useAct(
    () =>
      call<{ token: string }>(
        "POST",
        "/tokens",
        {},
        {
          body: {
            name,
            role,
            folders: [],
            expires: days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null,
          },
        },
      ),
    (answer) => {
      setMade(answer.token);
      return null;
    },
    "tokens",
  );
  if (made) {
    return (
      <Dialog
        title={`Token ${name}`}
        onClose={onClose}
        footer={
          <>
            <Button
              onClick={() => {
                void navigator.clipboard?.writeText(made);
                notify("Copied the token");
              }}
            >
              Copy it
            </Button>
            <Button kind="primary" onClick={onClose}>
              I have kept it
            </Button>
          </>
        }
      >
        <p>It is shown this once. Whoever has it may do what a {role} may.</p>
        <pre className="raw">{made}</pre>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="Make a token"
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave
          </Button>
          <Button
            kind="primary"
            busy={add.isPending}
            why={name === "" && "Name is needed."}
            onClick={() => add.mutate(undefined)}
          >
            Make token
          </Button>
        </>
      }
    >
      <FieldFrame id="token-name" title="Name" required help="What uses it: ci, backup.">
        <Input id="token-name" value={name} onChange={(event) => setName(event.target.value)} />
      </FieldFrame>
      <RoleField value={role} onChange={setRole} />
      <FieldFrame id="token-days" title="Holds for">
        <Select id="token-days" value={days} onChange={(event) => setDays(event.target.value)}>
          <option value="30">30 days</option>
          <option value="90">90 days</option>
          <option value="365">a year</option>
        </Select>
      </FieldFrame>
    </Dialog>
  );
}

function Secrets() {
  const query = useQuery(secrets());
  const [sets, setSets] = useState<string | null>(null);
  return (
    <Section
      title="Secrets"
      note="written, never read back"
      actions={
        <Button kind="primary" onClick={() => setSets("")}>
          Set a secret
        </Button>
      }
    >
      <QueryView
        query={query}
        what="read the names of secrets"
        isEmpty={(page) => page.items.length === 0}
        empty={
          <Empty title="No secrets yet.">
            Values typed into the form of a connection are kept here; the file gets a reference.
          </Empty>
        }
      >
        {(page) => (
          <DataTable
            label="Secrets"
            columns={[
              {
                id: "name",
                head: "Secret",
                narrow: "main",
                cell: (secret) => <code className="clip block">{secret.name}</code>,
              },
              {
                id: "set",
                head: "State",
                width: 120,
                narrow: "status",
                cell: (secret) => <Status state={secret.set ? "ok" : "warned"} word={secret.set ? "Set" : "Not set"} />,
              },
              {
                id: "used",
                head: "Used by",
                cell: (secret) => (
                  <span className="clip block">
                    {(secret.used_by ?? []).join(", ") || <span className="muted">nothing</span>}
                  </span>
                ),
              },
              {
                id: "changed",
                head: "Changed",
                width: 130,
                align: "right",
                narrow: "figure",
                cell: (secret) => <Ago at={secret.changed_at} none="–" />,
              },
              {
                id: "act",
                head: <span className="visually-hidden">Replace</span>,
                width: 90,
                align: "right",
                cell: (secret) => (
                  <button
                    type="button"
                    className="link-button small"
                    aria-label={`Replace ${secret.name}`}
                    onClick={() => setSets(secret.name)}
                  >
                    Replace
                  </button>
                ),
              },
            ]}
            rows={page.items}
            keyOf={(secret) => secret.name}
          />
        )}
      </QueryView>
      {sets !== null && <SetSecret name={sets} onClose={() => setSets(null)} />}
    </Section>
  );
}

function SetSecret({ name, onClose }: { name: string; onClose: () => void }) {
  const [own, setOwn] = useState(name);
  const [value, setValue] = useState("");
  const put = useAct(
    () => call<unknown>("PUT", "/secrets/{name}", { name: own }, { body: { value } }),
    () => {
      onClose();
      return `${own} is set`;
    },
    "secrets",
    "connections",
    "connection",
  );
  return (
    <Dialog
      title={name ? `Replace ${name}` : "Set a secret"}
      onClose={onClose}
      footer={
        <>
          <Button kind="ghost" onClick={onClose}>
            Leave
          </Button>
          <Button
            kind="primary"
            busy={put.isPending}
            why={own === "" ? "Name is needed." : value === "" && "Value is needed."}
            onClick={() => put.mutate(undefined)}
          >
            Set {own || "secret"}
          </Button>
        </>
      }
    >
      {!name && (
        <FieldFrame id="secret-name" title="Name" required>
          <Input
            id="secret-name"
            className="mono"
            value={own}
            onChange={(event) => setOwn(event.target.value.trim())}
          />
        </FieldFrame>
      )}
      <FieldFrame id="secret-value" title="Value" required help="It cannot be seen again, by nobody.">
        <Input
          id="secret-value"
          type="password"
          autoComplete="new-password"
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
      </FieldFrame>
    </Dialog>
  );
}

function Audit() {
  const [url, setUrl] = useUrl();
  const query = useQuery(audit({ actor: url.actor, action: url.action, limit: 500 }));
  const verify = useAct(
    () => call<{ ok: boolean; lines: number; broken_at?: number | null }>("GET", "/audit/verify"),
    (answer) =>
      answer.ok
        ? `All ${answer.lines.toLocaleString("en-US")} entries are as they were written`
        : `The chain is broken at entry ${answer.broken_at}: somebody has changed the file`,
  );
  const columns: TableColumn<AuditEntry>[] = [
    { id: "at", head: "At", width: 170, narrow: "figure", cell: (entry) => <Stamp at={entry.at} /> },
    {
      id: "actor",
      head: "Who",
      width: 150,
      narrow: "main",
      cell: (entry) => <span className="clip block strong">{entry.actor || "shaduf"}</span>,
    },
    {
      id: "action",
      head: "Did",
      width: 180,
      narrow: "status",
      cell: (entry) => <code className="clip block">{entry.action}</code>,
    },
    {
      id: "target",
      head: "To",
      cell: (entry) => (
        <span className="clip block" title={`${entry.target ?? ""} ${entry.detail ?? ""}`}>
          {entry.target} <span className="muted">{entry.detail}</span>
        </span>
      ),
    },
    {
      id: "address",
      head: "From",
      width: 130,
      cell: (entry) => <span className="mono small clip block">{entry.address}</span>,
    },
    { id: "number", head: "No.", width: 80, align: "right", narrow: "figure", cell: (entry) => entry.number },
  ];
  return (
    <Section
      title="Audit log"
      note="each entry holds the hash of the one before"
      actions={
        <>
          <SearchInput
            label="Who"
            placeholder="Only by…"
            value={url.actor ?? ""}
            onChange={(actor) => setUrl({ actor })}
            isPageFilter
          />
          <Button small busy={verify.isPending} onClick={() => verify.mutate(undefined)}>
            Check the chain
          </Button>
        </>
      }
    >
      <QueryView
        query={query}
        what="read the audit log"
        isEmpty={(page) => page.items.length === 0}
        empty={<Empty title={url.actor ? `Nothing was done by ${url.actor}.` : "Nothing was changed yet."} />}
      >
        {(page) => (
          <DataTable label="Audit log" columns={columns} rows={page.items} keyOf={(entry) => String(entry.number)} />
        )}
      </QueryView>
    </Section>
  );
}
