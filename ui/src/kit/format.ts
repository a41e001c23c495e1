// How numbers, sizes and times are written. Short forms keep three digits; the full value is for the title beside.

const kUnits = ["B", "KB", "MB", "GB", "TB", "PB"];

export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size < 100_000) return formatExact(value);
  const steps: [number, string][] = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  for (const [step, letter] of steps) {
    if (size >= step) {
      const scaled = value / step;
      return `${scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2)} ${letter}`;
    }
  }
  return formatExact(value);
}

export function formatExact(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

export function formatBytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < kUnits.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 ? scaled : scaled.toFixed(scaled >= 100 ? 0 : 1)} ${kUnits[unit]}`;
}

// "3 m 12 s", "1 h 5 m", "850 ms": the two largest units.
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 0) return "0 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  let seconds = Math.round(ms / 1000);
  const parts: string[] = [];
  for (const [name, length] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (count > 0 || parts.length > 0) parts.push(`${count} ${name}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part, i) => i === 0 || !part.startsWith("0 ")).join(" ");
}

// How long ago, or in how long: one unit, rounded down, as people say it.
export function formatAge(ms: number): string {
  const size = Math.abs(ms);
  const units: [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
  ];
  for (const [length, name] of units) {
    if (size >= length) return `${Math.floor(size / length)} ${name}`;
  }
  return "0 s";
}

export function formatRelative(at: number, now: number): string {
  const ago = now - at;
  if (Math.abs(ago) < 2000) return "now";
  return ago >= 0 ? `${formatAge(ago)} ago` : `in ${formatAge(ago)}`;
}

const kZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", options);
    formats.set(key, format);
  }
  return format;
}

// "22 Nov 06:12:04": the year only when it is another one.
export function formatTime(at: number, now: number, utc: boolean, seconds = true): string {
  const zone = utc ? "UTC" : kZone;
  const year = new Date(at).getUTCFullYear() !== new Date(now).getUTCFullYear();
  return formatOf(`t${zone}${year}${seconds}`, {
    timeZone: zone,
    day: "numeric",
    month: "short",
    year: year ? "numeric" : undefined,
    hour: "2-digit",
    minute: "2-digit",
    second: seconds ? "2-digit" : undefined,
    hour12: false,
  })
    .format(at)
    .replace(",", "");
}

export function formatClock(at: number, utc: boolean, seconds = false): string {
  const zone = utc ? "UTC" : kZone;
  return formatOf(`c${zone}${seconds}`, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: seconds ? "2-digit" : undefined,
    hour12: false,
  }).format(at);
}

// In full, with its zone: what stands behind a relative time.
export function formatAbsolute(at: number, utc: boolean): string {
  const zone = utc ? "UTC" : kZone;
  return formatOf(`a${zone}`, {
    timeZone: zone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
    timeZoneName: "short",
  }).format(at);
}
export const zoneName = (utc: boolean): string => (utc ? "UTC" : kZone);

export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

// The middle goes, since both ends tell long names apart.
export function shortenMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = Math.ceil((max - 1) * 0.6);
  return `${text.slice(0, head)}…${text.slice(text.length - (max - 1 - head))}`;
}

export const msBetween = (from?: string | null, to?: string | null | number): number | null => {
  if (!from || to === null || to === undefined || to === "") return null;
  const end = typeof to === "number" ? to : Date.parse(to);
  const length = end - Date.parse(from);
  return Number.isNaN(length) ? null : Math.max(0, length);
};
