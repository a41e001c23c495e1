// What is a person's own, not the view's: kept in the browser, never in the URL.
import { useSyncExternalStore } from "react";

export interface Preferences {
  theme: "system" | "light" | "dark";
  density: "compact" | "normal" | "comfortable";
  utc: boolean;
  singleKeys: boolean;
  recent: { label: string; href: string }[];
}

const kDefaults: Preferences = { theme: "system", density: "normal", utc: false, singleKeys: true, recent: [] };
const kKey = "shaduf.preferences";
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    return { ...kDefaults, ...JSON.parse(localStorage.getItem(kKey) ?? "{}") };
  } catch {
    return kDefaults;
  }
}
let held = read();

export function apply(): void {
  const root = document.documentElement;
  if (held.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = held.theme;
  root.dataset.density = held.density;
}

export function setPreferences(change: Partial<Preferences>): void {
  held = { ...held, ...change };
  try {
    localStorage.setItem(kKey, JSON.stringify(held));
  } catch {
    // A browser that keeps nothing still shows the choice until it is closed.
  }
  apply();
  for (const listener of listeners) listener();
}
export const preferences = (): Preferences => held;
export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
  );
}

export function nextTheme(): void {
  const dark = held.theme === "dark" || (held.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  setPreferences({ theme: dark ? "light" : "dark" });
}

addEventListener("storage", (event) => {
  if (event.key !== kKey) return;
  held = read();
  apply();
  for (const listener of listeners) listener();
});
