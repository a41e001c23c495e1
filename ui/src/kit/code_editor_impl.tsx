import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { CodeEditorProps } from "./code_editor";

const colors = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--accent)", fontWeight: "500" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.typeName, tags.function(tags.variableName)], color: "var(--running)" },
]);

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--bg)", color: "var(--text)", fontSize: "12.5px", height: "100%" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--muted)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--hover) 55%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused .cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 22%, transparent) !important",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--border)",
    borderRadius: "6px",
    boxShadow: "var(--shadow)",
    color: "var(--text)",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--text)" },
  ".cm-panels": { backgroundColor: "var(--sunk)", color: "var(--text)", borderColor: "var(--border)" },
});

function languageOf(props: CodeEditorProps): Extension {
  if (props.language === "sql") return sql({ schema: props.schema, upperCaseKeywords: false });
  return props.language === "yaml" ? yaml() : [];
}

export default function CodeEditorImplementation(props: CodeEditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const parts = useRef({ language: new Compartment(), readOnly: new Compartment() });
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    if (!box.current) return;
    const first = latest.current;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: first.value,
        extensions: [
          keymap.of([
            {
              key: "Mod-Enter",
              run: () => {
                latest.current.onRun?.();
                return Boolean(latest.current.onRun);
              },
            },
          ]),
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          lintGutter(),
          syntaxHighlighting(colors),
          theme,
          // Tab leaves the editor after Escape, as the editor's own rule has it.
          keymap.of([
            ...completionKeymap,
            ...searchKeymap,
            ...historyKeymap,
            ...defaultKeymap,
            ...(first.readOnly ? [] : [indentWithTab]),
          ]),
          EditorView.contentAttributes.of({ "aria-label": first.label, tabindex: "0" }),
          parts.current.language.of(languageOf(first)),
          parts.current.readOnly.of(EditorState.readOnly.of(Boolean(first.readOnly))),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const held = view.current;
    if (held && held.state.doc.toString() !== props.value) {
      held.dispatch({ changes: { from: 0, to: held.state.doc.length, insert: props.value } });
    }
  }, [props.value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the language depends on these two alone
  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.language.reconfigure(languageOf(latest.current)) });
  }, [props.schema, props.language]);
  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.readOnly.reconfigure(EditorState.readOnly.of(Boolean(props.readOnly))),
    });
  }, [props.readOnly]);
  useEffect(() => {
    const held = view.current;
    if (!held) return;
    const found: Diagnostic[] = (props.errors ?? []).map((error) => {
      const line = held.state.doc.line(Math.min(Math.max(1, error.line), held.state.doc.lines));
      return { from: line.from, to: line.to, severity: "error", message: error.message };
    });
    held.dispatch(setDiagnostics(held.state, found));
  }, [props.errors]);
  return <div className="code-editor" ref={box} style={{ height: props.height ?? "320px" }} />;
}
