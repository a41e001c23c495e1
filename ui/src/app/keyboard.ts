// Keys of every page. They rest in inputs, and single ones can be switched off. Nothing that runs, cancels or deletes
// has a single key.
import { useEffect } from "react";
import { nextTheme, preferences } from "./preferences";
import { at, type Target } from "./url";

export const kKeys: [string, string][] = [
  ["Ctrl K", "search pages, objects and commands"],
  ["/", "filter this page"],
  ["g h", "Home"],
  ["g c", "Connections"],
  ["g p", "Pipelines"],
  ["g r", "Runs"],
  ["g l", "Lineage"],
  ["g d", "Data"],
  ["g q", "Quality"],
  ["g s", "Settings"],
  ["j  k", "next and previous row"],
  ["Enter", "open the row"],
  ["x", "select the row"],
  ["[  ]", "previous and next run"],
  ["e", "next error of the log"],
  ["f", "follow the log"],
  ["Ctrl Enter", "run the query"],
  ["Ctrl S", "review and save"],
  ["t", "light or dark"],
  ["?", "this list"],
];

const kPages: Record<string, () => Target> = {
  h: at.home,
  c: () => at.connections(),
  p: () => at.pipelines(),
  r: () => at.runs(),
  l: () => at.lineage(),
  d: () => at.data(),
  q: () => at.quality(),
  s: () => at.settings(),
};

function inInput(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return Boolean(element?.closest?.("input, textarea, select, [contenteditable=true], .cm-editor"));
}

function moveRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-rows] tbody tr:not(.spacer)")];
  if (rows.length === 0) return;
  const held = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, held + step))];
  const focus = next?.querySelector<HTMLElement>("a, button, input");
  focus?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

export function useKeyboard(actions: { go: (target: Target) => void; palette: () => void; help: () => void }): void {
  useEffect(() => {
    let wentG = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        actions.palette();
        return;
      }
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        const button = document.querySelector<HTMLElement>("[data-key='save']");
        if (button) {
          event.preventDefault();
          button.click();
        }
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || inInput(event.target) || !preferences().singleKeys) return;
      if (document.querySelector("dialog[open]")) return;
      if (Date.now() - wentG < 1200) {
        wentG = 0;
        const page = kPages[event.key];
        if (page) {
          event.preventDefault();
          actions.go(page());
          return;
        }
      }
      switch (event.key) {
        case "g":
          wentG = Date.now();
          return;
        case "/": {
          const filter = document.querySelector<HTMLInputElement>("[data-page-filter]");
          if (filter) {
            event.preventDefault();
            filter.focus();
            filter.select();
          }
          return;
        }
        case "j":
          moveRow(1);
          return;
        case "k":
          moveRow(-1);
          return;
        case "x":
          (document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]") as HTMLElement | null)?.click();
          return;
        case "t":
          nextTheme();
          return;
        case "?":
          actions.help();
          return;
        case "[":
        case "]":
        case "e":
        case "f":
          document.querySelector<HTMLElement>(`[data-key='${event.key}']`)?.click();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [actions]);
}
