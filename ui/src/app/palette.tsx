// Every page, object and command behind one key.
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import * as api from "../api/queries";
import { nextTheme, preferences, setPreferences } from "./preferences";
import { at, atTable, type Target, useGo } from "./url";

interface Entry {
  kind: string;
  label: string;
  target?: Target;
  act?: () => void;
}

// Letters in order, those at the begin of words first; 0 is no match.
export function score(label: string, typed: string): number {
  const text = label.toLowerCase();
  const query = typed.toLowerCase().trim();
  if (query === "") return 1;
  const whole = text.indexOf(query);
  if (whole === 0) return 1000 - text.length;
  if (whole > 0) return (/[\s._/-]/.test(text[whole - 1]!) ? 800 : 600) - text.length;
  let from = 0;
  for (const letter of query) {
    const found = text.indexOf(letter, from);
    if (found < 0) return 0;
    from = found + 1;
  }
  return Math.max(1, 200 - text.length);
}

const kPages: Entry[] = [
  { kind: "Page", label: "Home", target: at.home() },
  { kind: "Page", label: "Connections", target: at.connections() },
  { kind: "Page", label: "Add a connection", target: at.newConnection() },
  { kind: "Page", label: "Pipelines", target: at.pipelines() },
  { kind: "Page", label: "Flows", target: at.pipelines({ tab: "flows" }) },
  { kind: "Page", label: "Runs", target: at.runs() },
  { kind: "Page", label: "Failed runs of the last day", target: at.runs({ state: "failed", since: "24h" }) },
  { kind: "Page", label: "Lineage", target: at.lineage() },
  { kind: "Page", label: "Data catalog", target: at.data() },
  { kind: "Page", label: "SQL", target: at.sql() },
  { kind: "Page", label: "Quality checks", target: at.quality() },
  { kind: "Page", label: "Quarantine", target: at.quarantine() },
  { kind: "Page", label: "Settings", target: at.settings() },
];

export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const go = useGo();
  const [typed, setTyped] = useState("");
  const [at_, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const pipelines = useQuery(api.pipelines());
  const flows = useQuery(api.flows());
  const connections = useQuery(api.connections());
  const tables = useQuery(api.tables());
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus?.();
  }, []);
  const entries = useMemo<Entry[]>(
    () => [
      ...kPages,
      ...(pipelines.data?.items ?? []).map((item) => ({
        kind: "Pipeline",
        label: item.name,
        target: at.pipeline(item.name),
      })),
      ...(flows.data?.items ?? [])
        .filter((item) => item.kind === "file")
        .map((item) => ({ kind: "Flow", label: item.name, target: at.flow(item.name) })),
      ...(connections.data?.items ?? []).map((item) => ({
        kind: "Connection",
        label: item.name,
        target: at.connection(item.name),
      })),
      ...(tables.data?.items ?? []).map((item) => ({
        kind: "Table",
        label: `${item.schema}.${item.name}`,
        target: atTable(`${item.schema}.${item.name}`),
      })),
      { kind: "Command", label: "Light or dark", act: nextTheme },
      { kind: "Command", label: "Follow the system's theme", act: () => setPreferences({ theme: "system" }) },
      { kind: "Command", label: "Compact rows", act: () => setPreferences({ density: "compact" }) },
      { kind: "Command", label: "Normal rows", act: () => setPreferences({ density: "normal" }) },
      { kind: "Command", label: "Comfortable rows", act: () => setPreferences({ density: "comfortable" }) },
      {
        kind: "Command",
        label: preferences().utc ? "Times in my zone" : "Times in UTC",
        act: () => setPreferences({ utc: !preferences().utc }),
      },
      {
        kind: "Command",
        label: preferences().singleKeys ? "Switch single keys off" : "Switch single keys on",
        act: () => setPreferences({ singleKeys: !preferences().singleKeys }),
      },
      { kind: "Command", label: "List of keys", act: onHelp },
    ],
    [pipelines.data, flows.data, connections.data, tables.data, onHelp],
  );
  const found = useMemo(
    () =>
      entries
        .map((entry) => ({ entry, score: score(entry.label, typed) }))
        .filter((item) => item.score > 0)
        .sort((a, b) => (typed ? b.score - a.score : 0))
        .slice(0, 60)
        .map((item) => item.entry),
    [entries, typed],
  );
  const active = Math.min(at_, Math.max(0, found.length - 1));
  useEffect(() => {
    document.getElementById(`palette-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    if (entry.target) go(entry.target);
    entry.act?.();
  };
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Search and commands"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div className="palette-input">
        <Search size={16} aria-hidden="true" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found.length > 0 ? `palette-${active}` : undefined}
          aria-label="Search pages, objects and commands"
          placeholder="Search pages, objects and commands"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") setAt(Math.min(found.length - 1, active + 1));
            else if (event.key === "ArrowUp") setAt(Math.max(0, active - 1));
            else if (event.key === "Enter") choose(found[active]);
            else return;
            event.preventDefault();
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div role="listbox" id="palette-list" aria-label="Found" className="palette-list">
        {found.map((entry, i) => (
          <button
            key={`${entry.kind} ${entry.label}`}
            type="button"
            role="option"
            id={`palette-${i}`}
            aria-selected={i === active}
            tabIndex={-1}
            onPointerMove={() => setAt(i)}
            onClick={() => choose(entry)}
          >
            <span className="clip">{entry.label}</span>
            <span className="small muted">{entry.kind}</span>
          </button>
        ))}
        {found.length === 0 && <p className="muted palette-none">Nothing is called like that.</p>}
      </div>
    </dialog>
  );
}
