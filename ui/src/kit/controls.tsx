// The controls of every page. They are the browser's own elements: focus, Escape, the top layer and the words that
// assistive tools hear come with them.
import { Link, type LinkProps } from "@tanstack/react-router";
import { ChevronDown, X } from "lucide-react";
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Target } from "../app/url";

export function Go({
  target,
  children,
  className,
  title,
  label,
}: {
  target: Target;
  children: ReactNode;
  className?: string;
  title?: string;
  label?: string;
}) {
  // Targets come from app/url.ts, which is where addresses are made: the router's own types would ask for each again.
  const props = {
    to: target.to,
    params: target.params ?? {},
    search: target.search ?? {},
    className,
    title,
    "aria-label": label,
    children,
  };
  return <Link {...(props as unknown as LinkProps)} />;
}

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> {
  kind?: "primary" | "plain" | "ghost" | "danger";
  small?: boolean;
  busy?: boolean;
  // Why it cannot be pressed; it stays in the order of focus, so that the reason can be read.
  why?: string | null | false;
}
export function Button({ kind = "plain", small, busy, why, className = "", children, onClick, ...rest }: ButtonProps) {
  const id = useId();
  const off = Boolean(why) || busy;
  return (
    <span className="button-box">
      <button
        type="button"
        {...rest}
        className={`button ${kind}${small ? " small" : ""} ${className}`}
        aria-disabled={off || undefined}
        aria-busy={busy || undefined}
        aria-describedby={why ? id : undefined}
        onClick={(event) => {
          if (off) event.preventDefault();
          else onClick?.(event);
        }}
      >
        {children}
      </button>
      {why && (
        <span className="why" id={id} role="tooltip">
          {why}
        </span>
      )}
    </span>
  );
}

export function IconButton({
  label,
  children,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return (
    <button type="button" {...rest} className={`icon-button ${className}`} aria-label={label} title={label}>
      {children}
    </button>
  );
}

export function ButtonLink({
  target,
  kind = "plain",
  small,
  children,
}: {
  target: Target;
  kind?: "primary" | "plain" | "ghost";
  small?: boolean;
  children: ReactNode;
}) {
  return (
    <Go target={target} className={`button ${kind}${small ? " small" : ""}`}>
      {children}
    </Go>
  );
}

// What is typed in secret stands in the control alone: React writes the value of any other input into its attribute,
// where a copy of the page would carry it.
function SecretInput({ value, className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  const ref = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (ref.current && ref.current.value !== value) ref.current.value = String(value ?? "");
  }, [value]);
  return <input autoComplete="off" spellCheck={false} {...rest} ref={ref} className={`input ${className}`} />;
}

export function Input({ className = "", ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  if (rest.type === "password") return <SecretInput {...rest} className={className} />;
  return <input autoComplete="off" spellCheck={false} {...rest} className={`input ${className}`} />;
}

export function Select({ className = "", children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <span className={`select-box ${className}`}>
      <select {...rest} className="input select">
        {children}
      </select>
      <ChevronDown size={14} aria-hidden="true" />
    </span>
  );
}

export function Checkbox({
  label,
  hideLabel,
  indeterminate,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { label: string; hideLabel?: boolean; indeterminate?: boolean }) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (ref.current) ref.current.indeterminate = Boolean(indeterminate);
  }, [indeterminate]);
  return (
    <label className="checkbox">
      <input type="checkbox" ref={ref} {...rest} />
      <span className={hideLabel ? "visually-hidden" : undefined}>{label}</span>
    </label>
  );
}

export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <fieldset className="segmented">
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}

export function SearchInput({
  label,
  value,
  onChange,
  placeholder,
  isPageFilter,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  isPageFilter?: boolean;
}) {
  return (
    <span className="search-box">
      <input
        type="search"
        className="input"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        data-page-filter={isPageFilter || undefined}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && value) {
            event.stopPropagation();
            onChange("");
          } else if (event.key === "Enter" && isPageFilter) {
            // From what was typed to what was found.
            document.querySelector<HTMLElement>("[data-rows] tbody tr:not(.spacer) :is(a, button)")?.focus();
          }
        }}
      />
      {isPageFilter && !value && <kbd aria-hidden="true">/</kbd>}
    </span>
  );
}

// Tabs are links: each is an address of its own.
export function Tabs({
  label,
  items,
}: {
  label: string;
  items: { target: Target; text: string; count?: number | null; active: boolean }[];
}) {
  return (
    <nav className="tabs" aria-label={label}>
      {items.map((item) => (
        <span key={item.text} data-active={item.active || undefined}>
          <Go target={item.target}>
            <span aria-current={item.active ? "page" : undefined}>{item.text}</span>
            {item.count !== undefined && item.count !== null && item.count > 0 && (
              <span className="count num">{item.count.toLocaleString("en-US")}</span>
            )}
          </Go>
        </span>
      ))}
    </nav>
  );
}

export function Dialog({
  title,
  onClose,
  children,
  footer,
  wide,
  side,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
  side?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog${wide ? " wide" : ""}${side ? " side" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <IconButton label="Close" onClick={onClose}>
          <X size={16} />
        </IconButton>
      </header>
      <div className="dialog-body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}

export interface MenuItem {
  text: string;
  onSelect: () => void;
  why?: string | null | false;
  danger?: boolean;
}
export function Menu({ label, button, items }: { label: string; button: ReactNode; items: MenuItem[] }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  // In the top layer, so that no table or dialog cuts it off; below its button, or above where there is no room.
  useLayoutEffect(() => {
    const own = list.current;
    const button = box.current?.getBoundingClientRect();
    if (!open || !own || !button) return;
    own.showPopover?.();
    const { width, height } = own.getBoundingClientRect();
    const below = button.bottom + 4 + height <= innerHeight;
    own.style.left = `${Math.max(8, Math.min(button.right, innerWidth - 8) - width)}px`;
    own.style.top = `${below ? button.bottom + 4 : Math.max(8, button.top - 4 - height)}px`;
  }, [open]);
  useEffect(() => {
    if (!open) return;
    (box.current?.querySelector('[role="menuitem"]') as HTMLElement | null)?.focus();
    const scrolled = () => setOpen(false);
    addEventListener("scroll", scrolled, true);
    const outside = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("scroll", scrolled, true);
    };
  }, [open]);
  const close = () => {
    setOpen(false);
    (box.current?.querySelector("button") as HTMLElement | null)?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (!open) return;
    const entries = [...(box.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      entries[(moves[event.key]! + entries.length) % entries.length]?.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the menu inside bubble up to here
    <div className="menu-box" ref={box} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="button plain"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {button}
        <span className="visually-hidden"> {label}</span>
      </button>
      {open && (
        <div className="menu" role="menu" id={id} aria-label={label} ref={list} popover="manual">
          {items.map((item) => (
            <button
              key={item.text}
              type="button"
              role="menuitem"
              tabIndex={-1}
              aria-disabled={item.why ? true : undefined}
              className={item.danger ? "danger" : undefined}
              onClick={() => {
                if (item.why) return;
                close();
                item.onSelect();
              }}
            >
              {item.text}
              {item.why && <span className="small muted"> {item.why}</span>}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

export function Tag({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span className="tag" title={title}>
      {children}
    </span>
  );
}

// Two letters instead of somebody's trademark; the hue comes from the name.
export function Tile({ name, title }: { name: string; title?: string }) {
  const words = (title ?? name).split(/[\s_-]+/).filter(Boolean);
  const letters = words.length > 1 ? `${words[0]![0]}${words[1]![0]}` : (words[0] ?? "?").slice(0, 2);
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) % 360;
  return (
    <span className="tile" style={{ "--hue": hash } as React.CSSProperties} aria-hidden="true">
      {letters.toUpperCase()}
    </span>
  );
}
