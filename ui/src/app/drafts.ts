// Half-filled forms survive a reload of the tab. What is secret is taken out before.
export function readDraft<T>(key: string): T | null {
  try {
    const text = sessionStorage.getItem(`shaduf.draft.${key}`);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}
export function writeDraft(key: string, value: unknown): void {
  try {
    if (value === null) sessionStorage.removeItem(`shaduf.draft.${key}`);
    else sessionStorage.setItem(`shaduf.draft.${key}`, JSON.stringify(value));
  } catch {
    // A full store keeps no drafts; the form itself goes on.
  }
}
