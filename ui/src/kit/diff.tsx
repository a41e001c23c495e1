// A unified diff as the server made it; long stretches of what stays are left out, and counted.

export interface DiffLine {
  kind: "add" | "remove" | "same" | "hunk";
  before: number | null;
  after: number | null;
  text: string;
}

export function parseDiff(diff: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 1;
  let after = 1;
  // The heads of the files come before the first hunk; a removed line may well look like one.
  let inHunk = false;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      inHunk = true;
      lines.push({ kind: "hunk", before: null, after: null, text: line });
      continue;
    }
    if (!inHunk && (line.startsWith("---") || line.startsWith("+++"))) continue;
    if (line.startsWith("\\")) continue;
    if (line.startsWith("+")) lines.push({ kind: "add", before: null, after: after++, text: line.slice(1) });
    else if (line.startsWith("-")) lines.push({ kind: "remove", before: before++, after: null, text: line.slice(1) });
    else if (line !== "" || inHunk) lines.push({ kind: "same", before: before++, after: after++, text: line.slice(1) });
  }
  return lines;
}

export function countDiff(diff: string): { added: number; removed: number } {
  const lines = parseDiff(diff);
  return {
    added: lines.filter((line) => line.kind === "add").length,
    removed: lines.filter((line) => line.kind === "remove").length,
  };
}

export function Diff({ diff, file }: { diff: string; file?: string }) {
  const lines = parseDiff(diff);
  if (diff.trim() === "") return <p className="muted">Nothing would change.</p>;
  const { added, removed } = countDiff(diff);
  return (
    <figure className="diff">
      <figcaption className="row between">
        <code>{file}</code>
        <span className="small muted num">
          {added} added, {removed} removed
        </span>
      </figcaption>
      <div className="diff-body" tabIndex={0} role="region" aria-label={`Changes of ${file ?? "the file"}`}>
        {lines.map((line, i) =>
          line.kind === "hunk" ? (
            <div key={i} className="diff-hunk" aria-hidden="true">
              {i > 0 ? "⋯" : ""}
            </div>
          ) : (
            <div key={i} className={`diff-line ${line.kind}`}>
              <span className="line-number" aria-hidden="true">
                {line.after ?? line.before}
              </span>
              <span className="sign">{line.kind === "add" ? "+" : line.kind === "remove" ? "−" : " "}</span>
              <span className="diff-text">{line.text || " "}</span>
            </div>
          ),
        )}
      </div>
    </figure>
  );
}
