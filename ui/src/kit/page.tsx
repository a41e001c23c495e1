// The frame of a page: its title, its verdict in words, what one can do, its tabs.
import { type ReactNode, useEffect } from "react";

export function PageHead({
  title,
  name,
  lead,
  verdict,
  actions,
  children,
}: {
  title: ReactNode;
  // Of the browser's tab and history.
  name: string;
  lead?: ReactNode;
  verdict?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${name} · shaduf`;
  }, [name]);
  return (
    <header className="page-head">
      <div className="page-title">
        <div className="row grow wrap">
          {lead}
          <h1 className="wrap-any">{title}</h1>
          {verdict && <div className="verdict row wrap">{verdict}</div>}
        </div>
        {actions && <div className="row wrap actions">{actions}</div>}
      </div>
      {children}
    </header>
  );
}

export function Section({
  title,
  note,
  actions,
  children,
}: {
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="section">
      <div className="section-head">
        <div className="row grow wrap">
          <h2>{title}</h2>
          {note && <span className="small muted">{note}</span>}
        </div>
        {actions && <div className="row wrap">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
