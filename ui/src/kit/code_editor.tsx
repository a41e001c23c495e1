// SQL and YAML. The editor comes in a piece of its own, when a page needs one; until it is there, the text is readable.
import { lazy, Suspense } from "react";

export interface CodeEditorProps {
  value: string;
  language: "sql" | "yaml" | "text";
  label: string;
  onChange?: (value: string) => void;
  readOnly?: boolean;
  height?: string;
  // Tables and their columns, by full name, for completion of SQL.
  schema?: Record<string, string[]>;
  onRun?: () => void;
  errors?: { line: number; message: string }[];
}

const Implementation = lazy(() => import("./code_editor_impl"));

export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense
      fallback={
        <pre className="code-fallback" style={{ height: props.height }}>
          {props.value}
        </pre>
      }
    >
      <Implementation {...props} />
    </Suspense>
  );
}
