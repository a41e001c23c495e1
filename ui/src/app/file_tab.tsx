// The text of one of the project's files: read, changed, and reviewed before it is written.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { file } from "../api/queries";
import type { EditAnswer, Place } from "../api/types";
import { CodeEditor } from "../kit/code_editor";
import { Button, Tag } from "../kit/controls";
import { Places, QueryView } from "../kit/states";
import { useNarrow } from "../kit/table";
import { type FileChange, ReviewDialog, sendChange } from "./review";
import { useWhyNot } from "./session";

export function FileTab({ path, line }: { path: string; line?: number }) {
  const query = useQuery(file(path));
  return (
    <QueryView query={query} what={`read ${path}`}>
      {(held) => (
        <Editor
          key={held.sha}
          path={path}
          text={held.text}
          sha={held.sha}
          readOnly={held.read_only}
          branch={held.git?.branch}
          dirty={held.git?.dirty}
          line={line}
        />
      )}
    </QueryView>
  );
}

function Editor({
  path,
  text,
  sha,
  readOnly,
  branch,
  dirty,
  line,
}: {
  path: string;
  text: string;
  sha: string;
  readOnly?: boolean;
  branch?: string;
  dirty?: boolean;
  line?: number;
}) {
  const [value, setValue] = useState(text);
  const [change, setChange] = useState<FileChange | null>(null);
  const [errors, setErrors] = useState<Place[]>([]);
  const narrow = useNarrow();
  const why = useWhyNot("editor", "change it");
  useEffect(() => {
    if (value === text) {
      setErrors([]);
      return;
    }
    let gone = false;
    const timer = setTimeout(() => {
      sendChange({ file: path, base: sha, text: value, summary: "check" }, true)
        .then((answer: EditAnswer) => !gone && setErrors(answer.errors ?? []))
        .catch(() => {}); // the review says what is wrong
    }, 500);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [value, text, path, sha]);
  const own = errors.filter((error) => !error.file || error.file.endsWith(path));
  return (
    <div className="stack">
      <div className="row wrap between">
        <span className="row wrap">
          <code>{path}</code>
          {branch && (
            <Tag>
              {branch}
              {dirty ? ", with changes" : ""}
            </Tag>
          )}
          {line !== undefined && <span className="small muted">line {line}</span>}
        </span>
        <Button
          data-key="save"
          why={
            why ??
            (readOnly ? "The project's folder is read-only for the server." : value === text && "Nothing has changed.")
          }
          onClick={() => setChange({ file: path, base: sha, text: value, summary: `Change ${path}` })}
        >
          Review and save
        </Button>
      </div>
      {narrow && <p className="small muted">Open it on a larger screen to change it.</p>}
      <CodeEditor
        label={path}
        language={/\.ya?ml$/.test(path) ? "yaml" : path.endsWith(".sql") ? "sql" : "text"}
        value={value}
        onChange={setValue}
        readOnly={Boolean(why) || readOnly || narrow}
        height="max(320px, calc(100dvh - 380px))"
        errors={own.filter((error) => error.line).map((error) => ({ line: error.line!, message: error.message }))}
      />
      {errors.length > 0 && <Places places={errors} />}
      {change && <ReviewDialog change={change} onClose={() => setChange(null)} onSaved={() => setChange(null)} />}
    </div>
  );
}
