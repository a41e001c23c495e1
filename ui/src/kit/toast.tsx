// Short words at the edge, said politely; what needs a decision is never a toast.
import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "fail";
  action?: { text: string; onSelect: () => void };
}
let toasts: Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();
const changed = () => {
  for (const listener of listeners) listener();
};

export function notify(text: string, options: { tone?: "plain" | "fail"; action?: Toast["action"] } = {}): void {
  const id = ++last;
  toasts = [...toasts.slice(-3), { id, text, tone: options.tone ?? "plain", action: options.action }];
  changed();
  setTimeout(() => dismiss(id), options.tone === "fail" ? 12_000 : 6000);
}
function dismiss(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id);
  changed();
}

export function Toasts() {
  const held = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {held.map((toast) => (
        <div key={toast.id} className={`toast ${toast.tone}`}>
          <span className="wrap-any">{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              className="button ghost small"
              onClick={() => {
                toast.action?.onSelect();
                dismiss(toast.id);
              }}
            >
              {toast.action.text}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
